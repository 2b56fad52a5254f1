"""The ledger over simulated seconds, system beside system; the run before it as dashed lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import plotly
from vizkv.trace.slots import CATEGORIES, Accounting, Lens, word_of
from vizkv.views.charts.ledgers import framed, kept_steps
from vizkv.views.picture.palette import HATCH, PALETTE

if TYPE_CHECKING:
    from vizkv.replay.ledgers import Series

HEIGHT = 400
_MOST_SECONDS = 1e9
_FREE = CATEGORIES.index("free")


@dataclass(frozen=True)
class Line:
    """One system over time: its ledger, and the clock at the end of each step."""

    name: str
    series: Series
    time_s: np.ndarray


def over_time(
    systems: Sequence[Line],
    before: Sequence[Line | None],
    lens: Lens,
    accounting: Accounting,
    theme: str,
    say: Messages,
    *,
    duration: float,
    warmup: float,
) -> go.Figure:
    """Shares stacked to the pool; a click on a point names a system and a second: see :func:`clicked`.

    ``before``: the ghosts, system by system.
    """
    figure = make_subplots(
        rows=1, cols=len(systems), shared_yaxes=True, horizontal_spacing=0.015,
        subplot_titles=[plotly(say.name(line.name)) for line in systems],
    )  # fmt: skip
    for column, line in enumerate(systems, 1):
        kept = kept_steps(line.series.steps)
        seconds = np.round(line.time_s[kept], 2)
        shares = np.round(line.series.shares(lens, accounting)[kept] / line.series.slots * 100, 2)
        for index, name in enumerate(CATEGORIES):
            paper = accounting == "paper"
            title = say(f"category.{word_of(name, accounting)}")
            first = column == 1 and not (paper and name == "free")
            figure.add_trace(_band(name, title, seconds, shares[:, index], theme, first), row=1, col=column)
    (ink, rim), named = figure_inks(theme), set[str]()
    for column, ghost in enumerate(before[: len(systems)], 1):
        if ghost is None or ghost.series is systems[column - 1].series:
            continue
        kept = kept_steps(ghost.series.steps)
        shares = ghost.series.shares(lens, accounting)[kept] / ghost.series.slots * 100
        seconds = np.round(ghost.time_s[kept], 2)
        lines = [(say("figure2.chart.used"), "dash", shares[:, 0])]
        if accounting != "paper":  # nothing is free there: all is held by name
            lines.append((say("figure2.chart.held"), "dot", shares[:, :_FREE].sum(1)))
        for name, dash, values in lines:
            for colour, width in ((rim, 6), (ink, 2.5)):  # legible on every band
                figure.add_trace(
                    go.Scatter(
                        x=seconds, y=np.round(values, 2), name=name, legendgroup=name, mode="lines", hoverinfo="skip",
                        line={"width": width, "color": colour, "dash": dash},
                        showlegend=colour == ink and name not in named,
                    ),
                    row=1, col=column,
                )  # fmt: skip
            named.add(name)
    if warmup > 0:
        figure.add_vrect(x0=0, x1=min(warmup, duration), fillcolor=ink, opacity=0.12, line_width=0, layer="above")
    figure.update_yaxes(range=[0, 100], ticksuffix=" %", showgrid=False, automargin=True, fixedrange=True)
    figure.update_xaxes(
        range=[0, duration], showgrid=False, nticks=4, fixedrange=True,
        title={"text": say("figure2.chart.seconds"), "standoff": 4},
    )  # fmt: skip
    figure = framed(figure, theme, HEIGHT)
    return figure.update_layout(margin_b=88, hovermode="x", clickmode="event+select", dragmode=False, hoverdistance=40)


def figure_inks(theme: str) -> tuple[str, str]:
    """The colour of lines over the bands, and of their rim."""
    return ("#16181D", "#FFFFFF") if theme == "light" else ("#F4F6F8", "#0B0E13")


def _band(name: str, title: str, x: np.ndarray, y: np.ndarray, theme: str, first: bool) -> go.Scatter:
    ink = PALETTE[theme]["ink." + name]
    return go.Scatter(
        x=x, y=y, name=title, legendgroup=name, showlegend=first, stackgroup="pool",
        mode="lines+markers",  # a click takes hold of points only
        marker={"size": 9, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
        line={"width": 0, "color": PALETTE[theme][name]},
        fillcolor=PALETTE[theme][name],
        fillpattern={"shape": HATCH[name], "size": 6, "solidity": 0.25, "fillmode": "overlay", "fgcolor": ink},
        hovertemplate="%{y:.1f} %",
        unselected={"marker": {"opacity": 1}},
    )  # fmt: skip


def clicked(points: Sequence[Mapping[str, Any]], systems: int) -> tuple[int, float] | None:
    """Return the (system, second) that was clicked on, as a browser tells it; None for nothing."""
    for point in points:
        curve, second = point.get("curve_number"), point.get("x")
        if type(curve) is not int or not isinstance(second, float | int):
            continue
        if 0 <= curve // len(CATEGORIES) < systems and 0 <= second < _MOST_SECONDS:
            return curve // len(CATEGORIES), float(second)
    return None
