"""What a prefix cache finds, by pool and block size: the picture, the sentences, and one run of it over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vizkv.messages.catalogue import Messages
from vizkv.replay.ledgers import Series
from vizkv.trace.events import Kind
from vizkv.trace.slots import Code
from vizkv.trace.trace import SystemTrace
from vizkv.views.charts.ledgers import framed, kept_steps
from vizkv.views.charts.sweeps import looks
from vizkv.views.picture.palette import HATCH, PALETTE

_INK = {"light": "#16181D", "dark": "#E8EAED"}
_PAGE = {"light": "#FFFFFF", "dark": "#0F1216"}
_CACHED = {"light": ("#DCE6EE", "#5D7387"), "dark": ("#2C3A47", "#8FA3B5")}  # ground and hatch, as in the player
_HEIGHT = 400
_NAMED_POOLS = 9  # pools that are all named on the axis
_APART = 0.07  # of the axis: labels that stand above each other
_SAME = 0.05  # percent: rates that are one number in the picture


@dataclass(frozen=True)
class Spot:
    """One run: its pool in slots and the percent of prompt tokens found; NaN where it is not known (yet)."""

    slots: int
    rate: float
    word: str  # what a click on it says
    chosen: bool = False


@dataclass(frozen=True)
class Curve:
    """One block size. ``infinite``: the percent that a cache finds which never has to give up a block."""

    block: int
    infinite: float
    spots: Sequence[Spot]


def chosen(curves: Sequence[Curve]) -> tuple[Curve, Spot]:
    """The one of which the picture speaks."""
    return next((curve, spot) for curve in curves for spot in curve.spots if spot.chosen)


def chart(curves: Sequence[Curve], memory: dict[int, str], theme: str, say: Messages) -> go.Figure:
    """Percent of prompt tokens found over the pool, a line a block size; dashed, what there is to be found.

    ``memory``: what is written below each pool of the axis.
    """
    figure, ink = go.Figure(), _INK[theme]
    pools = sorted({spot.slots for curve in curves for spot in curve.spots})
    low, high = math.log10(pools[0]), math.log10(pools[-1])
    room = max(0.1, 0.05 * (high - low))
    for index, curve in enumerate(curves):
        look = looks(index, theme)
        figure.add_scatter(
            x=[10 ** (low - room), 10 ** (high + room)], y=[curve.infinite] * 2, mode="lines", showlegend=False,
            line={"color": look["colour"], "dash": "5px,5px", "width": 1.5}, hoverinfo="skip",
        )  # fmt: skip
    for index, curve in enumerate(curves):
        look = looks(index, theme)
        spots = [spot for spot in curve.spots if not math.isnan(spot.rate)]
        _line(figure, spots, say("cache.blocks", n=curve.block), look, {"size": 11}, say)
    for index, curve in enumerate(curves):  # above all lines
        if spots := [spot for spot in curve.spots if spot.chosen and not math.isnan(spot.rate)]:
            ring = {"size": 18, "line": {"width": 3, "color": ink}}
            name = say("cache.blocks", n=curve.block)
            _line(figure, spots, name, looks(index, theme), ring, say, showlegend=False)
    framed(figure, theme, _HEIGHT)
    figure.update_layout(
        hovermode="closest", clickmode="event+select", margin={"l": 8, "r": 176, "t": 26, "b": 104},
        xaxis={"type": "log", "range": [low - room, high + room], "showgrid": False, "tickmode": "array",
               "title": {"text": say("cache.axis.pool"), "standoff": 6}, **_ticks(pools, memory, say)},
        yaxis={"title": {"text": say("cache.axis.rate"), "standoff": 8}, "range": [0, 100], "ticksuffix": " %",
               "gridcolor": "rgba(128,128,128,0.25)", "zeroline": False, "automargin": True},
    )  # fmt: skip
    for text, at, colour in _infinite_labels(curves, theme, say):
        figure.add_annotation(
            x=1, xref="paper", y=at, yref="y", text=text, showarrow=False, xanchor="left", yanchor="middle", xshift=6,
            align="left", font={"size": 15, "color": colour}, bgcolor=_PAGE[theme],
        )  # fmt: skip
    figure.add_annotation(
        x=1, xref="paper", y=1, yref="paper", text=say("cache.infinite"), showarrow=False, xanchor="left",
        yanchor="bottom", xshift=6, yshift=4, align="left", font={"size": 15, "color": ink},
    )  # fmt: skip
    for spot in (spot for curve in curves for spot in curve.spots if spot.chosen and not math.isnan(spot.rate)):
        ax, ay = (52, 30) if spot.slots == pools[0] else (-46, -34)  # beside the axis it would stand on its numbers
        figure.add_annotation(
            x=math.log10(spot.slots), y=spot.rate, text=f"<b>{say.number(round(spot.rate, 1))} %</b>",
            ax=ax, ay=ay, font={"size": 17, "color": ink}, arrowcolor=ink, arrowwidth=2, arrowhead=0, standoff=9,
            bgcolor=_PAGE[theme], borderpad=2,
        )  # fmt: skip
    return figure


def _line(
    figure: go.Figure, spots: Sequence[Spot], name: str, look: dict[str, object], marker: dict[str, object],
    say: Messages, showlegend: bool = True,
) -> None:  # fmt: skip
    """The runs of a block size: each says its word when it is clicked, and none fades when another one is."""
    same = {"marker": {"opacity": 1}}
    figure.add_scatter(
        x=[s.slots for s in spots], y=[s.rate for s in spots], name=name, showlegend=showlegend,
        mode="lines+markers", customdata=[[s.word] for s in spots], cliponaxis=False, selected=same, unselected=same,
        line={"color": look["colour"], "dash": look["dash"], "width": 3},
        marker={"symbol": look["symbol"], "opacity": 1, "color": look["colour"], **marker},
        text=[say.number(round(s.rate, 1)) for s in spots],
        hovertemplate="%{fullData.name}<br>%{x:,}: <b>%{text} %</b><extra></extra>",
    )  # fmt: skip


def _ticks(pools: Sequence[int], memory: dict[int, str], say: Messages) -> dict[str, object]:
    """A pool in slots, and below it in bytes; of many only every second, third, ... is named."""
    every = -(-len(pools) // _NAMED_POOLS)
    named = pools[(len(pools) - 1) % every :: every]
    texts = [f"{say.number(n)}<br>{memory[n]}" if n in memory else say.number(n) for n in named]
    return {"tickvals": named, "ticktext": texts}


def _infinite_labels(curves: Sequence[Curve], theme: str, say: Messages) -> list[tuple[str, float, str]]:
    """(text, height, colour) beside the dashed lines: equal ones share a label, near ones stand clear of each other."""
    groups: list[list[int]] = []
    for index in sorted(range(len(curves)), key=lambda i: curves[i].infinite):
        if groups and abs(curves[groups[-1][0]].infinite - curves[index].infinite) <= _SAME:
            groups[-1].append(index)
        else:
            groups.append([index])
    least = 100 * _APART
    heights = [curves[g[0]].infinite for g in groups]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + least)
    top = 100.0
    for i in range(len(heights) - 1, -1, -1):  # what was pushed out of the picture pushes back
        heights[i] = min(heights[i], top)
        top = heights[i] - least
    told = []
    for group, at in zip(groups, heights, strict=True):
        blocks = say("narration.list").join(say.number(curves[i].block) for i in sorted(group))
        rate = say.number(round(curves[group[0]].infinite, 1))
        colour = str(looks(group[0], theme)["colour"]) if len(group) == 1 else _INK[theme]
        told.append((say("cache.infinite.label", blocks=blocks, rate=rate), at, colour))
    return told


# ---- in words --------------------------------------------------------------------------------------------------------


def _points(value: float, say: Messages) -> str:
    return say.number(round(value, 1))


def headline(curve: Curve, spot: Spot, say: Messages) -> str:
    """What the cache finds at a point, what there would be to find, and what a larger pool would bring."""
    if math.isnan(spot.rate):
        return say(
            "cache.says.infinite", block=curve.block, infinite=_points(curve.infinite, say), slots=spot.slots
        )  # fmt: skip
    told = [
        say(
            "cache.says", slots=spot.slots, block=curve.block, rate=_points(spot.rate, say),
            infinite=_points(curve.infinite, say),
        )
    ]  # fmt: skip
    if curve.infinite - spot.rate <= _SAME:
        told.append(say("cache.says.enough"))
        return say.sentences(*told)
    larger = [s for s in curve.spots if s.slots > spot.slots and not math.isnan(s.rate)]
    if larger:
        after = min(larger, key=lambda s: s.slots)
        gain = after.rate - spot.rate
        if after.slots == 2 * spot.slots:
            told.append(say("cache.says.doubling", points=_points(gain, say)))
        else:
            told.append(say("cache.says.larger", slots=after.slots, points=_points(gain, say)))
    return say.sentences(*told)


def why_blocks(curves: Sequence[Curve], prompt_tokens: int, step: int, say: Messages) -> str:
    """What larger blocks lose of what there is to find, and why. ``step``: tokens that a name of content stands for."""
    small, large = min(curves, key=lambda c: c.block), max(curves, key=lambda c: c.block)
    if small is large:
        return say("cache.why.one", block=small.block)
    lost = small.infinite - large.infinite
    values = {"small": small.block, "large": large.block, "infinite": _points(small.infinite, say)}
    if abs(lost) <= _SAME:
        divides = all(step % curve.block == 0 for curve in curves)
        key = "cache.why.names" if divides and step > 1 else "cache.why.equal"
        return say(key, step=step, **values)
    return say(
        "cache.why.blocks", less=_points(large.infinite, say), points=_points(lost, say),
        tokens=round(lost / 100 * prompt_tokens), **values,
    )  # fmt: skip


def why_below(curves: Sequence[Curve], say: Messages) -> str:
    """What keeps the runs below the dashed lines; and what the largest pool shows of that."""
    told = [say("cache.why.below")]
    known = [(spot, curve) for curve in curves for spot in curve.spots if not math.isnan(spot.rate)]
    if known:
        most = max(spot.slots for spot, _ in known)
        gaps = [(curve.infinite - spot.rate, curve.block) for spot, curve in known if spot.slots == most]
        gap, block = max(gaps)
        if abs(gap) < 1e-6:
            told.append(say("cache.why.reached", slots=most))
        else:
            told.append(say("cache.why.missing", slots=most, block=block, points=_points(gap, say)))
    return say.sentences(*told)


def words(numbers: dict[str, float], happened: Happened | None, say: Messages) -> str:
    """A run in a few sentences, of its own numbers. ``happened``: None where only its numbers are known."""
    told = []
    if happened is not None:
        told.append(
            say(
                "cache.run.found", found=happened.found, asked=happened.asked,
                rate=_points(numbers["hit_rate"], say),
            )
        )  # fmt: skip
        evicted = int(happened.evicted.sum())
        told.append(say("cache.run.evicted", n=evicted) if evicted else say("cache.run.kept"))
    preempted = round(numbers["preemptions"])
    told.append(say("cache.run.preempted", n=preempted) if preempted else say("cache.run.undisturbed"))
    if not math.isnan(numbers["latency_mean"]):
        told.append(
            say(
                "cache.run.times",
                **{name: say.number(round(numbers[name], 2)) for name in ("ttft_mean", "latency_mean", "latency_p95")},
            )
        )  # fmt: skip
    told.append(say("cache.run.batch", batch=_points(numbers["mean_batch"], say)))
    if numbers["never"]:
        told.append(say("cache.run.never", n=round(numbers["never"])))
    if numbers["unfinished"]:
        told.append(say("cache.run.unfinished", n=round(numbers["unfinished"])))
    return say.sentences(*told)


# ---- one run ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Happened:
    """What a cache did in a run. ``evicted`` [steps]: blocks whose content was given up; ``time_s`` [steps].

    ``asked``, ``found``: prompt tokens of all requests at their first admission, and those of them in the cache.
    """

    evicted: np.ndarray
    time_s: np.ndarray
    asked: int
    found: int


def happened(system: SystemTrace, prompt_tokens: Sequence[int]) -> Happened:
    """Read it from a trace. ``prompt_tokens``: of each request."""
    steps = np.repeat(np.arange(system.steps), np.diff(system.offsets))
    evicted = np.bincount(steps[system.kinds == Kind.EVICTED], minlength=system.steps)
    admitted, asked, found = dict[int, int](), 0, 0
    rows = np.flatnonzero((system.kinds == Kind.ADMITTED) | (system.kinds == Kind.HIT))
    for kind, who, a, step in zip(
        system.kinds[rows].tolist(), system.values[rows, 0].tolist(), system.values[rows, 1].tolist(),
        steps[rows].tolist(), strict=True,
    ):  # fmt: skip
        if kind == Kind.ADMITTED:
            if who not in admitted:
                admitted[who] = step
                asked += prompt_tokens[who]
        elif admitted[who] == step:
            found += a
    return Happened(evicted, system.time_s, asked, found)


def over_time(series: Series, told: Happened, theme: str, say: Messages) -> go.Figure:
    """The pool over the run, stacked: held and written, held and not written, free but cached, empty; and evictions."""
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.06,
    )  # fmt: skip
    kept = kept_steps(series.steps)
    counts, colours = series.counts[kept] / series.slots * 100, PALETTE[theme]
    seconds = told.time_s[kept]
    ground, line = _CACHED[theme]
    parts = (
        ("used", [Code.USED], colours["used"], "", ""),
        ("reserved", [Code.PENDING, Code.SURPLUS, Code.REALISED, Code.ROUNDING], colours["reserved"],
         HATCH["reserved"], colours["ink.reserved"]),
        ("cached", [Code.CACHED], ground, "-", line),
        ("empty", [Code.FREE, Code.STRANDED], colours["free"], "", ""),
    )  # fmt: skip
    for name, codes, colour, hatch, ink in parts:
        pattern = {"shape": hatch, "size": 6, "solidity": 0.25, "fillmode": "overlay", "fgcolor": ink} if hatch else {}
        figure.add_scatter(
            x=seconds, y=counts[:, codes].sum(1), name=say(f"cache.pool.{name}"), stackgroup="pool", mode="lines",
            line={"width": 0, "color": colour}, fillcolor=colour, fillpattern=pattern, hovertemplate="%{y:.1f} %",
            row=1, col=1,
        )  # fmt: skip
    figure.add_scatter(
        x=seconds, y=np.cumsum(told.evicted)[kept], name=say("cache.evictions"), mode="lines", showlegend=False,
        line={"width": 3, "color": _INK[theme]}, hovertemplate="%{y:,}", row=2, col=1,
    )  # fmt: skip
    framed(figure, theme, 430)
    last = float(seconds[-1]) if len(seconds) else 1.0
    figure.update_layout(margin={"l": 8, "r": 16, "t": 12, "b": 96})
    figure.update_xaxes(range=[0, last], showgrid=False)
    figure.update_xaxes(title={"text": say("cache.axis.time"), "standoff": 4}, row=2, col=1)
    figure.update_yaxes(range=[0, 100], ticksuffix=" %", showgrid=False, automargin=True, row=1, col=1)
    most = max(1, int(told.evicted.sum()))
    figure.update_yaxes(
        title={"text": say("cache.evictions.axis")}, range=[0, 1.1 * most], nticks=3, automargin=True,
        gridcolor="rgba(128,128,128,0.25)", row=2, col=1,
    )  # fmt: skip
    return figure
