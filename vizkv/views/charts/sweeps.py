"""A sweep as a picture: lines over one parameter, a coloured table over two; and the ready-made ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import plotly
from vizkv.replay.metrics import METRICS
from vizkv.views.charts.ledgers import framed

Place = float | str
"""Where a value stands on its axis: a number, or a word."""


@dataclass(frozen=True)
class Ready:
    """A sweep that stands ready: axes and metric as the link has them, and the numbers of others beside ours.

    ``references``: (place of the system, value of x, number). Whose they are is the message sweep.reference.<preset>.
    """

    x: str
    xs: str
    metric: str
    y: str = ""
    ys: str = ""
    references: tuple[tuple[int, float | str, float], ...] = ()


# by preset; the numbers are those of SPEC section 5
READY: dict[str, Ready] = {
    "sweep-block-size": Ready(
        "block_size", "8..256*2", "used",
        references=((3, 8, 97.2), (3, 16, 96.3), (3, 32, 94.7), (3, 64, 91.4), (3, 128, 85.4), (3, 256, 75.2)),
    ),
    "sweep-contiguity": Ready(
        "placement", "buddy,first-fit,best-fit,ideal", "used",
        references=((0, "buddy", 38.8), (1, "first-fit", 50.0), (1, "ideal", 59.2)),
    ),
    "sweep-arena": Ready("slots", "6144..18432:1024", "mean_batch"),
    "sweep-figure-13": Ready(
        "rate", "1,1.5,2,2.5,3,4", "mean_batch",
        references=((0, 2, 7.00), (1, 2, 9.81), (2, 2, 13.62), (3, 2, 30.42)),
    ),
    "sweep-rounding": Ready("multiple", "1,16,64,256,1024", "internal-textbook", "unit", "1,16,256"),
    "sweep-rate": Ready("rate", "0.5..6:0.5", "used"),
}  # fmt: skip


@dataclass(frozen=True)
class Spot:
    """One point of a picture: a metric's mean over the seeds, its least and most; NaN where there is none yet."""

    x: Place
    mean: float
    low: float
    high: float
    word: str  # what a click on it says
    y: Place = ""
    chosen: bool = False


@dataclass(frozen=True)
class Line:
    """One system. ``index``: its place in the scenario, which decides its colour, dash and symbol."""

    index: int
    name: str
    spots: Sequence[Spot]


@dataclass(frozen=True)
class Picture:
    """What is drawn. ``now``: the scenario's own values of x and y, where it has one for all systems."""

    metric: str
    x: str
    lines: Sequence[Line]
    y: str = ""
    now: tuple[Place | None, Place | None] = (None, None)
    references: Sequence[tuple[int, Place, float]] = ()
    reference: str = ""  # whose they are
    names: dict[str, str] = field(default_factory=dict)  # of words on the axes


_COLOURS = {
    "light": ("#1F5FD1", "#A65200", "#7A1F6B", "#00705F", "#B80000", "#5B6570"),
    "dark": ("#6FA8FF", "#F2B84B", "#F093AA", "#4FD1B5", "#FF8A80", "#B8C0CC"),
}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "hexagon", "triangle-down", "cross", "pentagon",
            "bowtie", "hourglass")  # fmt: skip
_INK = {"light": "#16181D", "dark": "#E8EAED"}
_SCALE = {"light": ("#EEF3FB", "#12398A"), "dark": ("#1A222C", "#9CC7FF")}
_HEIGHT = 400  # with what stands above it, on the first screen of a small projector
_LOG_FROM = 16  # times: an axis that spans more is logarithmic, however its values are spaced
_TICKS = 14  # values that are all named on an axis


def looks(index: int, theme: str) -> dict[str, object]:
    """Colour, dash and symbol of a system's line: two differ in all three, up to six of them, and then in two."""
    colours = _COLOURS[theme]
    return {
        "colour": colours[index % len(colours)],
        "dash": _DASHES[(index + index // len(_DASHES)) % len(_DASHES)],
        "symbol": _SYMBOLS[index % len(_SYMBOLS)],
    }


def chart(picture: Picture, theme: str, say: Messages) -> go.Figure:
    """Lines over one parameter, or a coloured table for each system over two."""
    return _heat(picture, theme, say) if picture.y else _lines(picture, theme, say)


def _unit(metric: str, say: Messages) -> str:
    return say("sweep.axis", name=say(f"metric.{metric}"), unit=say(f"metric.{metric}.unit"))


def short(value: float, metric: str, say: Messages) -> str:
    """A number as it stands in a cell or a sentence."""
    if math.isnan(value):
        return say("sweep.unknown")
    if METRICS[metric].unit == "count" or abs(value) >= 1000:
        return say.number(round(value))
    return say.number(round(value, 1 if abs(value) >= 10 else 2))


def _lines(picture: Picture, theme: str, say: Messages) -> go.Figure:
    figure, ink = go.Figure(), _INK[theme]
    words = any(isinstance(spot.x, str) for line in picture.lines for spot in line.spots)
    if picture.references:  # behind the lines
        known = {line.index for line in picture.lines}
        drawn = [r for r in picture.references if r[0] in known]
        figure.add_scatter(
            x=[picture.names.get(str(x), x) if words else x for _, x, _ in drawn], y=[v for _, _, v in drawn],
            mode="markers", name=picture.reference,
            hovertemplate="%{fullData.name}<br>%{x}: <b>%{y}</b><extra></extra>",
            marker={"symbol": "line-ew-open", "size": 30, "color": ink, "line": {"width": 2.5, "color": ink}},
        )  # fmt: skip
    written = _labels(picture, say)
    for line in picture.lines:
        look = looks(line.index, theme)
        spots = [s for s in line.spots if not math.isnan(s.mean)]
        spread = any(s.high > s.low for s in spots)
        same: dict[str, object] = {"opacity": 1}
        told = [short(s.mean, picture.metric, say) for s in spots]
        figure.add_scatter(
            x=[picture.names.get(str(s.x), s.x) if words else s.x for s in spots], y=[s.mean for s in spots],
            name=plotly(say.name(line.name)), mode="lines+markers+text", customdata=[[s.word] for s in spots],
            line={"color": look["colour"], "dash": look["dash"], "width": 2.5},
            marker={
                "symbol": look["symbol"], "size": [16 if s.chosen else 11 for s in spots], "opacity": 1,
                "color": look["colour"],
                "line": {"width": [3 if s.chosen else 0 for s in spots], "color": ink},
            },
            selected={"marker": same}, unselected={"marker": same},
            error_y={
                "type": "data", "symmetric": False, "array": [s.high - s.mean for s in spots],
                "arrayminus": [s.mean - s.low for s in spots], "width": 5, "thickness": 1.5,
            } if spread else None,
            text=[text for text, _ in written[line.index]],
            textposition=[side for _, side in written[line.index]], textfont={"size": 14, "color": look["colour"]},
            hovertext=told, cliponaxis=False,
            hovertemplate="%{fullData.name}<br>%{x}: <b>%{hovertext}</b><extra></extra>",
        )  # fmt: skip
    framed(figure, theme, _HEIGHT)
    figure.update_layout(hovermode="closest", margin={"l": 8, "r": 16, "t": 20, "b": 96}, clickmode="event+select")
    _across(figure, picture, words, say)
    tops = [s.high for line in picture.lines for s in line.spots if not math.isnan(s.high)]
    most = max(tops + [value for _, _, value in picture.references], default=0.0)
    whole = METRICS[picture.metric].unit == "percent" and (most > 50 or not most)
    figure.update_yaxes(
        title={"text": _unit(picture.metric, say), "standoff": 8}, rangemode="tozero", automargin=True,
        range=[0, 103] if whole else [0, 1.12 * most or 1], gridcolor="rgba(128,128,128,0.25)", zeroline=False,
    )  # fmt: skip
    figure.update_xaxes(title={"text": _named(picture.x, say), "standoff": 6})
    now = picture.now[0]
    if now is not None:
        place = picture.names.get(str(now), now) if words else now
        at = math.log10(float(place)) if figure.layout.xaxis.type == "log" else place
        last = all(spot.x == now for line in picture.lines for spot in line.spots[-1:])  # no room to the right of it
        figure.add_vline(x=place, line={"dash": "dot", "width": 2, "color": ink}, layer="below")
        figure.add_annotation(
            x=at, y=0, yref="paper", text=say("sweep.now"), showarrow=False, yanchor="bottom",
            xanchor="right" if last else "left", xshift=-5 if last else 5,
            font={"size": 14, "color": ink},
        )  # fmt: skip
    return figure


def _labels(picture: Picture, say: Messages) -> dict[int, list[tuple[str, str]]]:
    """By line, (number, where it stands) of each known point; an empty one where it says nothing new or has no room."""
    tops = [s.high for line in picture.lines for s in line.spots if not math.isnan(s.high)]
    room = 0.075 * max(tops + [value for _, _, value in picture.references], default=0.0)
    taken: dict[Place, list[float]] = {}  # by points and numbers, at each x
    for line in picture.lines:
        for spot in line.spots:
            if not math.isnan(spot.mean):
                taken.setdefault(spot.x, []).append(spot.mean)
    across = list(dict.fromkeys(spot.x for line in picture.lines for spot in line.spots))
    side = {across[0]: "right", across[-1]: "left"} if across else {}
    labels: dict[int, list[tuple[str, str]]] = {}
    for line in picture.lines:
        told, last = labels.setdefault(line.index, []), math.nan
        for spot in (s for s in line.spots if not math.isnan(s.mean)):
            here = spot.x == picture.now[0]
            text, where = "", "top center"
            if len(taken) <= _TICKS and (here or not abs(spot.mean - last) < room / 10):
                for way, at in (("top", spot.mean + 0.8 * room), ("bottom", spot.mean - 0.8 * room)):
                    if at > 0 and all(abs(at - other) >= 0.62 * room for other in taken[spot.x]):
                        text = short(spot.mean, picture.metric, say)
                        # beside the dotted line, and beside another mark that it would touch (its own is 0.8 away)
                        beside = here or any(abs(at - other) < 0.79 * room for other in taken[spot.x])
                        where = f"{way} {side.get(spot.x, 'right') if beside else 'center'}"
                        taken[spot.x].append(at)
                        last = spot.mean
                        break
            told.append((text, where))
    return labels


def _named(name: str, say: Messages) -> str:
    """A parameter in words."""
    key = f"parameter.{name}"
    return say(key) if key in say else name


def _across(figure: go.Figure, picture: Picture, words: bool, say: Messages) -> None:
    """The axis of the parameter: equal factors equally far apart where it spans many; words in their order."""
    places = list(dict.fromkeys(spot.x for line in picture.lines for spot in line.spots))
    if words:
        named = [picture.names.get(str(place), str(place)) for place in places]
        span = [-0.4, len(named) - 0.6]
        figure.update_xaxes(type="category", categoryorder="array", categoryarray=named, range=span, showgrid=False)
        return
    numbers = sorted(float(place) for place in places)
    if not numbers:
        return
    low, high = numbers[0], numbers[-1]
    if len(numbers) <= _TICKS:
        figure.update_xaxes(tickmode="array", tickvals=numbers, ticktext=[say.exact(n) for n in numbers])
    if _is_logarithmic(numbers):
        room = 0.04 * (math.log10(high) - math.log10(low))
        figure.update_xaxes(type="log", range=[math.log10(low) - room, math.log10(high) + room])
    else:
        room = 0.04 * (high - low) or 1
        figure.update_xaxes(type="linear", range=[low - room, high + room])
    figure.update_xaxes(showgrid=False, automargin=True)


def _is_logarithmic(numbers: Sequence[float]) -> bool:
    """Whether an axis of these ascending numbers is logarithmic: equal factors between them, or a wide span.

    Equal factors decide first, so that 8, 16, 32 has the axis of 8, 16, ..., 256.
    """
    low, high = numbers[0], numbers[-1]
    if low <= 0 or len(numbers) < 3:
        return low > 0 and high >= _LOG_FROM * low
    factors = [after / before for before, after in pairwise(numbers)]
    return max(factors) <= 1.01 * min(factors) or high >= _LOG_FROM * low


def _heat(picture: Picture, theme: str, say: Messages) -> go.Figure:
    lines, ink = picture.lines, _INK[theme]
    across = list(dict.fromkeys(s.x for line in lines for s in line.spots))
    up = list(dict.fromkeys(s.y for line in lines for s in line.spots))
    values = [s.mean for line in lines for s in line.spots if not math.isnan(s.mean)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    columns = min(len(lines), 4)
    rows = -(-len(lines) // columns)
    figure = make_subplots(
        rows=rows, cols=columns, shared_yaxes=True, horizontal_spacing=0.02, vertical_spacing=0.16,
        subplot_titles=[plotly(say.name(line.name)) for line in lines],
    )  # fmt: skip
    names = [[picture.names.get(str(v), _number(v, say)) for v in side] for side in (across, up)]
    for number, line in enumerate(lines):
        row, column = divmod(number, columns)
        known = {(s.x, s.y): s for s in line.spots}
        spots = [known[x, y] for y in up for x in across if (x, y) in known]
        at = {"row": row + 1, "col": column + 1}
        figure.add_heatmap(
            x=names[0], y=names[1], z=[[_or_none(known, x, y) for x in across] for y in up], coloraxis="coloraxis",
            xgap=2, ygap=2, hoverinfo="skip", **at,
        )  # fmt: skip
        share = [(s.mean - low) / (high - low) if high > low else 0.0 for s in spots]
        dark_text, light_text = ("#16181D", "#FFFFFF") if theme == "light" else ("#E8EAED", "#16181D")
        figure.add_scatter(
            x=[names[0][across.index(s.x)] for s in spots], y=[names[1][up.index(s.y)] for s in spots],
            mode="markers+text", customdata=[[s.word] for s in spots], showlegend=False,
            name=plotly(say.name(line.name)),
            text=["" if math.isnan(s.mean) else short(s.mean, picture.metric, say) for s in spots],
            textfont={"size": 15 if len(across) * columns <= 16 else 12,
                      "color": [light_text if s > 0.5 else dark_text for s in share]},
            marker={"symbol": "square", "size": 36, "color": "rgba(0,0,0,0)"},
            selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
            hovertemplate="%{fullData.name}<br>%{x}, %{y}: <b>%{text}</b><extra></extra>", **at,
        )  # fmt: skip
        _outline(figure, spots, across, up, picture.now, ink, at)
    below = 2 if rows > 1 else 1
    framed(figure, theme, min(900, _HEIGHT * below))
    bottom, top = _SCALE[theme]
    figure.update_layout(
        hovermode="closest", margin={"l": 8, "r": 8, "t": 62, "b": 56}, clickmode="event+select",
        hoverdistance=200,  # a click anywhere in a cell is one on its number
        coloraxis={"colorscale": [[0, bottom], [1, top]], "cmin": low, "cmax": max(high, low + 1e-9),
                   "colorbar": {"thickness": 16}},
        title={"text": say("sweep.heat", what=_unit(picture.metric, say)), "font": {"size": 15}, "x": 0, "y": 0.99,
               "yanchor": "top"},
    )  # fmt: skip
    figure.update_xaxes(type="category", showgrid=False, title={"text": _named(picture.x, say), "standoff": 4})
    figure.update_yaxes(type="category", showgrid=False, automargin=True)
    figure.update_yaxes(title={"text": _named(picture.y, say)}, col=1)
    return figure


def _number(value: Place, say: Messages) -> str:
    return value if isinstance(value, str) else say.exact(value)


def _or_none(known: dict[tuple[Place, Place], Spot], x: Place, y: Place) -> float | None:
    spot = known.get((x, y))
    return None if spot is None or math.isnan(spot.mean) else spot.mean


def _outline(
    figure: go.Figure, spots: Sequence[Spot], across: list[Place], up: list[Place],
    now: tuple[Place | None, Place | None], ink: str, at: dict[str, int],
) -> None:  # fmt: skip
    """A frame around the chosen cell, and a dotted one around the scenario's own."""
    marked = [(s.x, s.y, "solid", 4) for s in spots if s.chosen]
    if now[0] in across and now[1] in up:
        marked.append((now[0], now[1], "dot", 2.5))  # type: ignore[arg-type]
    for x, y, dash, width in marked:
        column, row = across.index(x), up.index(y)
        figure.add_shape(
            type="rect", x0=column - 0.47, x1=column + 0.47, y0=row - 0.46, y1=row + 0.46,
            line={"color": ink, "width": width, "dash": dash}, **at,
        )  # fmt: skip


def words(name: str, numbers: dict[str, float], say: Messages) -> str:
    """A run in a sentence or two, of its own numbers."""
    text = say(
        "sweep.words", system=name,
        **{n: short(numbers[n], n, say) for n in ("used", "reserved", "internal", "external", "mean_batch",
                                                  "throughput")},
    )  # fmt: skip
    if not math.isnan(numbers["latency_mean"]):
        more = say(
            "sweep.words.latency", n=round(numbers["finished"]), finished=round(numbers["finished"]),
            **{m: short(numbers[m], m, say) for m in ("latency_mean", "latency_p95")},
        )  # fmt: skip
        text = say.sentences(text, more)
    for rare in ("unfinished", "preemptions", "never"):
        if numbers[rare]:
            text = say.sentences(text, say(f"sweep.words.{rare}", n=round(numbers[rare])))
    if numbers["hit_rate"] > 0:
        text = say.sentences(text, say("sweep.words.hits", rate=short(numbers["hit_rate"], "hit_rate", say)))
    return text
