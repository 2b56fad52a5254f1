"""The charts that a run alone can draw, by name: those of the pages, made by the pages' own builders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vizkv.export.render import ExportError
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, shorten
from vizkv.replay.averages import window_of
from vizkv.scenario import schema as scenarios
from vizkv.trace.events import Kind
from vizkv.trace.slots import Accounting, Lens
from vizkv.trace.trace import Trace
from vizkv.views.charts import cache, strips
from vizkv.views.charts import ledgers as charts
from vizkv.views.charts.figure2 import bars as figure2_bars
from vizkv.views.charts.figure2 import live as figure2
from vizkv.views.charts.figure2 import over_time as figure2_chart
from vizkv.views.charts.series import series
from vizkv.views.facts import pressure, saving

if TYPE_CHECKING:
    import plotly.graph_objects as go

Make = Callable[[Trace, int, Lens, Accounting, str, Messages], "go.Figure"]


def _over_time(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    return charts.over_time(series(trace), lens, accounting, theme, say)


def _at_peak(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    figure = charts.at_peak(series(trace), lens, accounting, theme, say)
    return figure.update_layout(showlegend=True)  # it stands alone here


def _seconds(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    window = window_of(trace.scenario)
    assert window is not None
    lines = [
        figure2_chart.Line(system.name, told, system.time_s)
        for system, told in zip(trace.systems, series(trace), strict=True)
    ]
    return figure2_chart.over_time(
        lines, [None] * len(lines), lens, accounting, theme, say, duration=window[1], warmup=window[0],
    )  # fmt: skip


def _bars(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    fields = scenarios.from_dict(trace.scenario).model_dump()
    found = [
        figure2.told(ledger, system.time_s, fields, index)
        for index, (system, ledger) in enumerate(zip(trace.systems, series(trace), strict=True))
        if system.steps
    ]
    return figure2_bars.bars(found, lens, accounting, theme, say)


def _saving(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    return saving.figure(saving.saving(trace, _paged(trace)[0]), step, theme, say)


def _strips(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    return strips.strips(trace, pressure.by_system(trace), step, theme, say)


def _pool(trace: Trace, step: int, lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    at = _paged(trace)[0]
    happened = cache.happened(trace.systems[at], [r.prompt_tokens for r in trace.requests])
    return cache.over_time(series(trace)[at], happened, theme, say)


def _paged(trace: Trace) -> list[int]:
    """The systems whose requests have block tables."""
    return [i for i, system in enumerate(trace.systems) if system.block_size]


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
