"""Who runs, who waits, who is swapped out: a strip a sequence over the steps, all systems on one axis.

Never colour alone: each state but the plain one has a hatch of its own, and its word where the strip is long enough.
The colours are not those of the slots, which mean something else; only writing is blue in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import plotly
from vizkv.trace.trace import Trace
from vizkv.views.facts.pressure import STATES, Pressure, State, Stay

MOST_ROWS = 14  # of one system: more cannot be read from the back row
COLOURS: dict[str, dict[State, str]] = {
    "light": {
        "waiting": "#DDE1E6", "prefill": "#A9CCFF", "running": "#3487FF", "again": "#F2A7D4", "preempted": "#3F4652",
        "swapped": "#00806C",
    },
    "dark": {
        "waiting": "#39414A", "prefill": "#A9CCFF", "running": "#2F7FD0", "again": "#F2A7D4", "preempted": "#5F6978",
        "swapped": "#35B99F",
    },
}  # fmt: skip
_INK: dict[str, dict[State, str]] = {
    "light": {
        "waiting": "#16181D", "prefill": "#16181D", "running": "#FFFFFF", "again": "#16181D", "preempted": "#FFFFFF",
        "swapped": "#FFFFFF",
    },
    "dark": {
        "waiting": "#E8EAED", "prefill": "#16181D", "running": "#FFFFFF", "again": "#16181D", "preempted": "#FFFFFF",
        "swapped": "#16181D",
    },
}  # fmt: skip
HATCH: dict[State, str] = {
    "waiting": ".", "prefill": "/", "running": "", "again": "\\", "preempted": "x", "swapped": "-",
}  # fmt: skip
_FONT = 15
_GAP, _ABOVE, _BELOW = 48, 34, 84  # pixels between two systems, above the first and below the last
_CHARACTER = 1 / 105  # share of the chart's width that a letter of a label takes


def rows(systems: Sequence[Pressure], count: int) -> list[int]:
    """The sequences that are drawn: all, or those of many that were held up longest anywhere, in their order."""
    if count <= MOST_ROWS:
        return list(range(count))

    def held_up(who: int) -> tuple[int, int]:
        hit = sum(who in p.victims for s in systems for p in s.preemptions) + sum(
            who == n.request for s in systems for n in s.never
        )
        return hit, sum(s.waits.get(who, 0) for s in systems)

    return sorted(sorted(range(count), key=held_up, reverse=True)[:MOST_ROWS])


def strips(trace: Trace, systems: Sequence[Pressure], step: int, theme: str, say: Messages) -> go.Figure:
    """The figure, with the open step marked by a line through all systems."""
    drawn = rows(systems, len(trace.requests))
    ids = [trace.requests[who].id for who in drawn]
    place = {who: index for index, who in enumerate(drawn)}
    last = max(1, trace.steps)
    figure = make_subplots(
        rows=len(systems), cols=1, shared_xaxes=True, subplot_titles=[plotly(say.name(s.name)) for s in systems],
        vertical_spacing=_GAP / _height(len(drawn), len(systems)),
    )  # fmt: skip
    nothing: list[None] = [None]  # a trace without points would have no entry in the legend
    fields = {"request": "%{customdata[0]}", "first": "%{customdata[1]}", "last": "%{customdata[2]}"}
    for row, system in enumerate(systems, 1):
        for state in STATES:
            stays = [
                (who, stay)
                for who, of_one in system.stays.items()
                if who in place
                for stay in of_one
                if stay.state == state
            ]
            word = say(f"pressure.state.{state}")
            width = (len(word) + 2) * _CHARACTER * last
            least = (0.8 * len(word) + 1) * _CHARACTER * last if word.isascii() else width  # beside the line
            parts = [(who, part) for who, stay in stays for part in _parted(stay, min(step, last) + 0.5, width)]
            figure.add_trace(
                go.Bar(
                    y=[place[who] for who, _ in parts] or nothing,
                    x=[stay.end - stay.first for _, stay in parts] or nothing,
                    base=[stay.first for _, stay in parts] or nothing,
                    orientation="h", name=word, legendgroup=state, showlegend=row == 1, width=0.82,
                    marker={"color": COLOURS[theme][state], "line": {"width": 0}, "pattern": _pattern(state, theme)},
                    text=[word if s.end - s.first > (least if s.half else width) else "" for _, s in parts],
                    textposition="inside", insidetextanchor="middle", textangle=0, constraintext="none",
                    textfont={"size": _FONT - 1, "color": _INK[theme][state]},
                    customdata=[[plotly(trace.requests[who].id), s.told.first, s.told.end - 1] for who, s in parts],
                    hovertemplate=say("pressure.hover", state=word, **fields) + "<extra></extra>",
                ),
                row=row, col=1,
            )  # fmt: skip
        for one in system.never:
            if one.request in place:
                figure.add_annotation(
                    x=0, y=place[one.request], text=say("pressure.never.strip"), showarrow=False, xanchor="left",
                    row=row, col=1,
                )  # fmt: skip
        figure.update_yaxes(
            tickvals=list(range(len(ids))), ticktext=[plotly(name) for name in ids],
            range=[len(ids) - 0.45, -0.55], showgrid=False,
            zeroline=False, ticks="", ticklabelstandoff=6, automargin=True, row=row, col=1,
        )  # fmt: skip
    figure.update_layout(height=_height(len(drawn), len(systems)) + _ABOVE + _BELOW)
    return _dress(figure, len(systems), step, last, theme, say)


class _Part(NamedTuple):
    """What is drawn as one bar, and the stay that it is of."""

    first: float
    end: float
    told: Stay
    half: bool = False


def _parted(stay: Stay, line: float, width: float) -> list[_Part]:
    """The stay, in two where the step's line would run through its word: then a half that is long enough has it."""
    if abs((stay.first + stay.end) / 2 - line) > width / 2 or not stay.first < line < stay.end:
        return [_Part(stay.first, stay.end, stay)]
    return [_Part(stay.first, line, stay, True), _Part(line, stay.end, stay, True)]


def _height(drawn: int, systems: int) -> int:
    """Pixels of the plots with the gaps between them."""
    return drawn * systems * (25 if drawn * systems <= 24 else 21) + (systems - 1) * _GAP


def _pattern(state: State, theme: str) -> dict[str, object]:
    ink = _INK[theme][state]
    # thin, for words stand on it
    return {
        "shape": HATCH[state],
        "size": 8,
        "solidity": 0.12,
        "fillmode": "overlay",
        "fgcolor": ink,
        "fgopacity": 0.45,
    }


def _dress(figure: go.Figure, systems: int, step: int, last: int, theme: str, say: Messages) -> go.Figure:
    ink = "#16181D" if theme == "light" else "#E8EAED"
    figure.update_annotations(font_size=_FONT)
    for annotation in figure.layout.annotations[:systems]:
        annotation.update(x=0, xanchor="left", font_size=_FONT + 1)
    figure.add_vline(x=min(step, last) + 0.5, line={"width": 2, "color": ink})
    figure.add_annotation(
        x=min(step, last) + 0.5, y=1, yref="paper", yanchor="bottom", yshift=2, showarrow=False,
        text=say("pressure.here", step=step), font={"size": _FONT, "color": ink}, bgcolor="rgba(0,0,0,0)",
        xanchor="right" if step > 0.9 * last else "left" if step < 0.25 * last else "center",
    )  # fmt: skip
    figure.update_xaxes(range=[0, last + 1], showgrid=False, zeroline=False, ticks="outside")
    figure.update_xaxes(title={"text": say("chart.step"), "standoff": 4}, row=systems, col=1)
    return figure.update_layout(
        barmode="overlay",
        margin={"l": 36, "r": 16, "t": _ABOVE, "b": _BELOW},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": _FONT, "color": ink, "family": '"Source Sans", "Source Sans Pro", sans-serif'},
        legend={
            "orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "traceorder": "normal",
            "font": {"size": _FONT},
        },
        hovermode="closest",
    )  # fmt: skip
