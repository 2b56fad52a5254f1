"""The charts that a run alone can draw, by name: those of the pages, made by the pages' own builders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vizkv import scenario as scenarios
from vizkv.complaints import either, shorten
from vizkv.events import Kind
from vizkv.export.render import ExportError
from vizkv.messages import Messages
from vizkv.slots import Accounting, Lens
from vizkv.told import told
from vizkv.trace import Trace
from vizkv.views import cache, charts, figure2, figure2_bars, figure2_chart, pressure, saving, strips
from vizkv.views.series import series

if TYPE_CHECKING:
    import plotly.graph_objects as go

Make = Callable[[Trace, int, Lens, Accounting, str, Messages], "go.Figure"]


def _over_time(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    return charts.over_time(series(trace), lens, accounting, theme, say)


def _at_peak(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    figure = charts.at_peak(series(trace), lens, accounting, theme, say)
    return figure.update_layout(showlegend=True)  # it stands alone here


def _seconds(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    workload = trace.scenario["workload"]
    lines = [
        figure2_chart.Line(system.name, told, system.time_s)
        for system, told in zip(trace.systems, series(trace), strict=True)
    ]
    ends = max(float(system.time_s[-1]) if system.steps else 0.0 for system in trace.systems)
    return figure2_chart.over_time(
        lines, [None] * len(lines), lens, accounting, theme, say, duration=float(workload.get("duration", ends)),
        warmup=float(workload.get("warmup", 0)),
    )  # fmt: skip


def _bars(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    workload, fields = trace.scenario["workload"], scenarios.from_dict(trace.scenario).model_dump()
    found = []
    for index, (system, ledger) in enumerate(zip(trace.systems, series(trace), strict=True)):
        ends = float(workload.get("duration") or (system.time_s[-1] if system.steps else 1))
        grown = figure2.growth(ledger, system.time_s, figure2.marks(ends), float(workload.get("warmup", 0)))
        if grown.frames:
            found.append(figure2.Told(
                system.name, fields["systems"][index], grown.shares[-1], float(grown.batched[-1]), 0.0, system.steps, 0,
                figure2.comparable(fields, index),
            ))  # fmt: skip
    return figure2_bars.bars(found, lens, accounting, theme, say)


def _saving(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    return saving.figure(saving.saving(trace, _paged(trace)[0]), step, theme, say)


def _strips(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    return strips.strips(trace, pressure.told(trace), step, theme, say)


def _pool(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    at = _paged(trace)[0]
    happened = cache.happened(trace.systems[at], [r.prompt_tokens for r in trace.requests])
    return cache.over_time(series(trace)[at], happened, theme, say)


def _paged(trace: Trace) -> list[int]:
    return [i for i, system in enumerate(trace.systems) if system.kind == "paged"]


_HOW: dict[str, Make] = {
    "over-time": _over_time,
    "peak": _at_peak,
    "bars": _bars,
    "seconds": _seconds,
    "saving": _saving,
    "strips": _strips,
    "ledger": _pool,
}
INNER = ("vectors", "attention")
MOST_STRIPS = 2_000  # requests of a run whose stays are walked one by one


def names(trace: Trace) -> list[str]:
    """The charts that this run has something to show in; the first is the usual one."""
    workload, paged = bool(trace.scenario.get("workload")), _paged(trace)
    kinds = {Kind(kind) for system in trace.systems for kind in set(system.kinds.tolist())}
    found = ["seconds", "bars"] if workload else ["over-time"]
    found.append("peak")
    if paged and not workload and kinds & {Kind.FORKED, Kind.SHARED}:
        found.append("saving")
    if not workload and len(trace.requests) <= MOST_STRIPS:
        found.append("strips")
    if paged and kinds & {Kind.EVICTED, Kind.HIT}:
        found.append("ledger")
    return found


def inner(trace: Trace) -> list[str]:
    """The charts of what lies in the memory, possible where a model wrote it in blocks: they need the model again."""
    return list(INNER) if trace.model != "none" and _paged(trace) else []


def possible(name: str, trace: Trace) -> None:
    """Raises ExportError for a chart of what lies in the memory, where nothing does that could be shown."""
    if name in inner(trace):
        return
    valid = either(names(trace))
    if trace.model == "none":
        raise ExportError(
            told("The chart {name} shows what a model wrote into blocks, and this run is of lengths only; valid for "
                 "this run is {valid}.", name=shorten(name), valid=valid)
        )  # fmt: skip
    raise ExportError(
        told("The chart {name} shows blocks, and no system of this run is paged; valid for this run is {valid}.",
             name=shorten(name), valid=valid)
    )  # fmt: skip


def figure(
    name: str, trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages
) -> go.Figure:  # fmt: skip
    """One of :func:`names`. Raises ExportError for another."""
    if name not in names(trace):
        valid = either([*names(trace), *inner(trace)])
        raise ExportError(told("The chart is {name}; valid for this run is {valid}.", name=shorten(name), valid=valid))
    return _HOW[name](trace, step, lens, accounting, theme, say)
