"""Plotly figures for what does not animate: ledgers over time, and the waste at each system's peak."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vizkv import fonts
from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import plotly
from vizkv.trace.slots import CATEGORIES, Accounting, Lens, word_of
from vizkv.views.charts.series import Series
from vizkv.views.picture.palette import HATCH, PALETTE

MOST_POINTS = 400  # of one curve: more than a chart this size has pixels to show
FONT = 15


def framed(figure: go.Figure, theme: str, height: int) -> go.Figure:
    ink = "#16181D" if theme == "light" else "#E8EAED"
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 36, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": FONT, "color": ink, "family": fonts.STACK},
        legend={
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
            "traceorder": "normal",
            "font": {"size": FONT},
        },
        hovermode="x unified",
    )
    figure.update_annotations(font_size=FONT + 1)
    return figure


def hatch(name: str, theme: str, size: int) -> dict[str, object]:
    """A category's fill pattern, for ``marker.pattern`` or ``fillpattern``."""
    ink = PALETTE[theme]["ink." + name]
    return {"shape": HATCH[name], "size": size, "solidity": 0.25, "fillmode": "overlay", "fgcolor": ink}


def kept_steps(steps: int) -> np.ndarray:
    """Indices of the points drawn; the last step is always one."""
    if steps <= MOST_POINTS:
        return np.arange(steps)
    return np.unique(np.linspace(0, steps - 1, MOST_POINTS).astype(int))


def over_time(systems: list[Series], lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    """Each system's five shares over its steps, stacked to the pool; all on one clock and one scale."""
    # so far apart that a clock's last number does not touch the next one's 0, on a projector either
    figure = make_subplots(
        rows=1, cols=len(systems), shared_yaxes=True, horizontal_spacing=0.03,
        subplot_titles=[plotly(say.name(s.name)) for s in systems],
    )  # fmt: skip
    last = max(s.steps for s in systems)
    for column, system in enumerate(systems, 1):
        kept = kept_steps(system.steps)
        shares = system.shares(lens, accounting)[kept] / system.slots * 100
        for index, name in enumerate(CATEGORIES):
            figure.add_trace(
                go.Scatter(
                    x=kept, y=shares[:, index], name=say(f"category.{word_of(name, accounting)}"), legendgroup=name,
                    showlegend=column == 1, stackgroup="pool", mode="lines",
                    line={"width": 0, "color": PALETTE[theme][name]},  # a share of nothing draws no line
                    fillcolor=PALETTE[theme][name],
                    fillpattern=hatch(name, theme, 6),
                    hovertemplate="%{y:.1f} %",
                ),
                row=1, col=column,
            )  # fmt: skip
    figure.update_yaxes(range=[0, 100], ticksuffix=" %", showgrid=False, automargin=True)
    figure.update_xaxes(range=[0, last], showgrid=False, nticks=4, title={"text": say("chart.step"), "standoff": 4})
    return framed(figure, theme, 380).update_layout(margin_b=84)


def at_peak(systems: list[Series], lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    """One bar a system: the pool at the step in which it holds the most, with that step's number."""
    figure = go.Figure()
    names = [f"{plotly(say.name(s.name))}<br>{say('chart.peak.step', step=s.peak)}" for s in systems]
    shares = [s.shares(lens, accounting)[s.peak] / s.slots * 100 for s in systems]
    for index, name in enumerate(CATEGORIES):
        values = [row[index] for row in shares]
        figure.add_bar(
            y=names, x=values, name=say(f"category.{word_of(name, accounting)}"), orientation="h",
            marker={"color": PALETTE[theme][name],
                    "pattern": hatch(name, theme, 7),
                    "line": {"width": 1, "color": PALETTE[theme]["edge"]}},
            text=[say.percent(v / 100) if v >= 6 else "" for v in values],
            textposition="inside", insidetextanchor="middle",
            textfont={"size": FONT, "color": PALETTE[theme]["on." + name]}, textangle=0,
            hovertemplate="%{x:.1f} %",
        )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_yaxes(autorange="reversed", tickfont={"size": FONT + 1}, automargin=True)
    figure.update_xaxes(range=[0, 100], ticksuffix=" %", showgrid=False)
    # the legend stands above, at the pool over time
    figure = framed(figure, theme, 60 + 52 * len(systems))
    return figure.update_layout(hovermode="closest", margin={"t": 8, "r": 28, "b": 30}, showlegend=False)
