"""What paging costs, as measured: a chart over block sizes, a sentence, a table; and what is compared, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log2
from typing import Protocol

import plotly.graph_objects as go

from vizkv import fonts
from vizkv.messages.catalogue import Messages
from vizkv.views.picture.palette import PALETTE

# PagedAttention's paper, section 7.1: how much longer its attention kernel takes on the GPU, in percent
PAPER = (20, 26)
USUAL = 16  # vLLM's block size, and this project's

# a line a length; never colour alone: each has a dash and a marker of its own
_LINES = {
    "light": ("#005FCC", "#B84A00", "#00705A", "#9A2F80", "#5A5F66"),
    "dark": ("#6CB2FF", "#FFAF5C", "#4FD6B4", "#F09ADB", "#C2C8D0"),
}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_MARKERS = ("circle", "square", "diamond", "triangle-up", "x")
_INK = {"light": "#16181D", "dark": "#E8EAED"}
_FAINT = {"light": "#C9CED6", "dark": "#454C55"}
_BESIDE, _BEHIND = 0.07, 0.1  # block sizes: between points of one size; of the zero line behind the last ones
_FONT = 17
_HEIGHT = 430
_TEXT = '"Source Sans", "Source Sans Pro", sans-serif'


class Spread(Protocol):
    """A median between its quartiles."""

    @property
    def low(self) -> float: ...
    @property
    def median(self) -> float: ...
    @property
    def high(self) -> float: ...


class Cost(Protocol):
    """One measured pair of length and block size: vizkv.model.cost.Cost. Times in microseconds, overhead as a share."""

    @property
    def length(self) -> int: ...
    @property
    def block_size(self) -> int: ...
    @property
    def contiguous(self) -> Spread: ...
    @property
    def paged(self) -> Spread: ...
    @property
    def gather(self) -> Spread: ...
    @property
    def overhead(self) -> Spread: ...
    @property
    def floor(self) -> float: ...
    @property
    def rounds(self) -> int: ...


def apart(wanted: Sequence[float], gap: float) -> list[float]:
    """The places nearest to those wanted, in their order, with at least ``gap`` between any two."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    # labels that touch become one heap, which is centred on the mean of what its labels want
    heaps: list[list[int]] = []
    for index in order:
        heaps.append([index])
        while len(heaps) > 1 and _bottom(heaps[-1], wanted, gap) < _bottom(heaps[-2], wanted, gap) + gap * len(
            heaps[-2]
        ):
            last = heaps.pop()
            heaps[-1] += last
    placed = [0.0] * len(wanted)
    for heap in heaps:
        for rank, index in enumerate(heap):
            placed[index] = _bottom(heap, wanted, gap) + gap * rank
    return placed


def _bottom(heap: Sequence[int], wanted: Sequence[float], gap: float) -> float:
    return sum(wanted[i] for i in heap) / len(heap) - gap * (len(heap) - 1) / 2


def chart(costs: Sequence[Cost], sizes: Sequence[int], theme: str, say: Messages) -> go.Figure:
    """Overhead in percent over block sizes, a line a length, medians with their quartiles; the paper's as a band."""
    figure, ink = go.Figure(), _INK[theme]
    lengths = sorted({c.length for c in costs})
    lines = {n: [c for c in costs if c.length == n] for n in lengths}
    # of a busy machine the quartiles may leave the picture, the medians never
    medians = [c.overhead.median * 100 for c in costs]
    low, top = min(-10.0, *(m * 1.15 for m in medians)), max(40.0, *(m * 1.15 for m in medians))
    figure.add_hrect(
        y0=PAPER[0], y1=PAPER[1], layer="below", line_width=0, fillcolor=_FAINT[theme], opacity=0.75,
    )  # fmt: skip
    figure.add_annotation(
        x=1, xref="paper", y=sum(PAPER) / 2, text=say("cost.chart.paper", low=PAPER[0], high=PAPER[1]),
        showarrow=False, xanchor="right", align="right", font={"size": _FONT - 2, "color": ink},
    )  # fmt: skip
    ends = [lines[n][-1] for n in lengths]
    left, right = -0.35, max(log2(c.block_size) for c in ends)
    # as far as the points: behind them stand the lines' names, and one of them may stand at nothing
    figure.add_shape(type="line", x0=left, x1=right + _BEHIND, y0=0, y1=0, line={"color": ink, "width": 1.5})
    places = apart([c.overhead.median * 100 for c in ends], (top - low) / 15)
    for number, (length, place) in enumerate(zip(lengths, places, strict=True)):
        points, style = lines[length], number % len(_DASHES)
        colour = _LINES[theme][style]
        values = [c.overhead.median * 100 for c in points]
        figure.add_scatter(
            # side by side: bars of one block size would hide each other
            x=[log2(c.block_size) + (number - (len(lengths) - 1) / 2) * _BESIDE for c in points], y=values,
            mode="lines+markers",
            name=say("cost.chart.line", tokens=length),
            line={"color": colour, "width": 3, "dash": _DASHES[style]},
            marker={"symbol": _MARKERS[style], "size": 11, "color": colour},
            error_y={
                "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 4,
                "array": [(c.overhead.high - c.overhead.median) * 100 for c in points],
                "arrayminus": [(c.overhead.median - c.overhead.low) * 100 for c in points],
            },
            hovertemplate="%{y:.1f} %",
        )  # fmt: skip
        figure.add_annotation(
            x=log2(points[-1].block_size), y=place, text=say("cost.chart.line", tokens=length), showarrow=False,
            xanchor="left", xshift=18, font={"size": _FONT, "color": colour},
        )  # fmt: skip
    figure.update_yaxes(
        range=[low, top], ticksuffix=" %", gridcolor=_FAINT[theme], griddash="dot", zeroline=False,
        title={"text": say("cost.chart.y"), "standoff": 8}, automargin=True,
    )  # fmt: skip
    figure.update_xaxes(
        range=[left, log2(sizes[-1]) + 2.6], showgrid=False,
        tickvals=[log2(s) for s in sizes], ticktext=[say.number(s) for s in sizes],
        zeroline=False, title={"text": say("cost.chart.x"), "standoff": 6},
    )  # fmt: skip
    return figure.update_layout(
        height=_HEIGHT, margin={"l": 8, "r": 8, "t": 16, "b": 64}, showlegend=False, hovermode="x unified",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        font={"size": _FONT, "color": ink, "family": _TEXT},
    )  # fmt: skip


def difference(cost: Cost) -> int:
    """Return 1 if the block table was slower, -1 if it was faster, 0 if no difference goes beyond noise.

    Noise: the quartiles lie on both sides of zero, or the median rounds to 0 %.
    """
    if round(cost.overhead.median * 100) == 0 or cost.overhead.low <= 0 <= cost.overhead.high:
        return 0
    return 1 if cost.overhead.median > 0 else -1


def sentence(costs: Sequence[Cost], threads: int, say: Messages) -> str:
    """Say what was measured: the verdict first, then the figures at vLLM's block size if it was among them."""
    at = [c for c in costs if c.block_size == USUAL] or [c for c in costs if c.block_size == costs[-1].block_size]
    at = sorted(at, key=lambda c: c.length)
    found = {difference(c) for c in at}
    values = {"size": at[0].block_size, "rounds": min(c.rounds for c in at), "n": threads}
    if len(found) > 1:
        return say("cost.sentence.mixed", lengths=say("cost.list").join(_alone(c, say) for c in at), **values)
    shares = sorted(round(c.overhead.median * 100) for c in at)
    first, last = at[0].length, at[-1].length
    lengths = say("cost.lengths", first=first, last=last) if first < last else say("cost.chart.line", tokens=first)
    (only,) = found
    if only == 0:
        share = _range(_signed(shares[0], say), _signed(shares[-1], say), say)
        return say("cost.sentence.same", share=share, lengths=lengths, **values)
    least, most = sorted((abs(shares[0]), abs(shares[-1])))
    share = _range(say("cost.percent", percent=least), say("cost.percent", percent=most), say)
    return say("cost.sentence.longer" if only > 0 else "cost.sentence.shorter", share=share, lengths=lengths, **values)


def _alone(cost: Cost, say: Messages) -> str:
    """One length among others that differ from it."""
    found = difference(cost)
    if not found:
        return say("cost.length.same", tokens=cost.length)
    share = say("cost.percent", percent=abs(round(cost.overhead.median * 100)))
    return say("cost.length.longer" if found > 0 else "cost.length.shorter", tokens=cost.length, share=share)


def _range(low: str, high: str, say: Messages) -> str:
    return low if low == high else say("cost.range", low=low, high=high)


def _signed(percent: int, say: Messages) -> str:
    if percent < 0:
        return say("cost.percent.less", percent=-percent)
    return say("cost.percent.more" if percent else "cost.percent", percent=percent)


def table(costs: Sequence[Cost], say: Messages) -> dict[str, list]:
    """Column title -> values, in the order in which they were measured. Times in microseconds, medians."""
    rows = list(costs)
    return {
        say("cost.table.length"): [c.length for c in rows],
        say("cost.table.size"): [c.block_size for c in rows],
        say("cost.table.contiguous"): [round(c.contiguous.median, 1) for c in rows],
        say("cost.table.paged"): [round(c.paged.median, 1) for c in rows],
        say("cost.table.gather"): [round(c.gather.median, 1) for c in rows],
        say("cost.table.overhead"): [round(c.overhead.median * 100, 1) for c in rows],
        say("cost.table.low"): [round(c.overhead.low * 100, 1) for c in rows],
        say("cost.table.high"): [round(c.overhead.high * 100, 1) for c in rows],
        say("cost.table.floor"): [round(c.floor, 1) for c in rows],
        say("cost.table.rounds"): [c.rounds for c in rows],
    }


# -- what is compared, before anything is measured ----------------------------------------------------------------

_PLACES = (5, 1, 6, 3)  # where the four blocks of the picture lie; drawn, not measured
_CELL, _GAP, _SIZE = 34, 2, 4  # pixels; slots a block


def picture(theme: str, say: Messages) -> str:
    """An SVG: the same 14 tokens in one piece, and in four blocks behind a table."""
    ink, faint, arrow, colours = _INK[theme], _FAINT[theme], _LINES[theme][1], PALETTE[theme]
    tokens, blocks = 14, 8
    parts: list[str] = []
    step, left = _CELL + _GAP, 12

    def text(
        x: float, y: float, words: str, size: int = 17, fill: str = ink, weight: int = 400, at: str = "start"
    ) -> None:
        parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}" font-weight="{weight}" text-anchor="{at}">'
            f"{escape(words)}</text>"
        )

    def cell(slot: int, y: int, token: int | None) -> None:
        x = left + slot * step + slot // _SIZE * 6
        fill = colours["used"] if token is not None else "none"
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" rx="3" fill="{fill}" stroke="{faint}" '
            f'stroke-width="1.5"/>'
        )
        if token is not None:
            text(x + _CELL / 2, y + 23, say.number(token), 16, colours["on.used"], 600, "middle")

    slots = blocks * _SIZE
    text(left, 24, say("cost.picture.slice"), 19, weight=600)
    for slot in range(slots):
        cell(slot, 40, slot - 8 if 8 <= slot < 8 + tokens else None)
    y = 216
    text(left, 118, say("cost.picture.table"), 19, weight=600)
    where = {p * _SIZE + i: n * _SIZE + i for n, p in enumerate(_PLACES) for i in range(_SIZE)}
    for slot in range(slots):
        token = where.get(slot)
        cell(slot, y, token if token is not None and token < tokens else None)
    block = _SIZE * step + 6
    for number, place in enumerate(_PLACES):
        x = left + 330 + number * 62
        parts.append(
            f'<rect x="{x}" y="134" width="56" height="30" rx="3" fill="none" stroke="{ink}" stroke-width="1.5"/>'
        )
        text(x + 28, 155, say.number(place), 17, weight=600, at="middle")
        to = left + place * block + (_SIZE * step - _GAP) / 2
        parts.append(
            f'<path d="M{x + 28} 164 C{x + 28} 196 {to} 178 {to} {y - 4}" fill="none" stroke="{arrow}" '
            'stroke-width="2.5"/>'
        )
    text(left, 155, say("cost.picture.blocks"))
    width = left * 2 + slots * step + blocks * 6
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + _CELL + 12}" width="{width}" '
        f'font-family="{escape(fonts.STACK, quote=True)}" role="img" '
        f'aria-label="{escape(say("cost.picture.alt"), quote=True)}">' + "".join(parts) + "</svg>"
    )
