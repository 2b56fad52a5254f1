"""A server's recording beside our runs of the same workload: our lines, its ticks, and a table of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import plotly
from vizkv.replay.queues import Queues, mean_running
from vizkv.views.charts.figure2.over_time import figure_inks
from vizkv.views.charts.ledgers import framed, kept_steps
from vizkv.views.charts.sweeps import looks

HEIGHT = 460
_MOST_TICKS = 2000


@dataclass(frozen=True)
class Compared:
    """One row of the comparison: requests, requests, percent of the pool; NaN where it is not known."""

    name: str
    running: float  # in the mean, while any request waits
    most_running: float
    most_held: float


def compared(name: str, run: Queues) -> Compared:
    """Return the numbers of a run, ours or the server's."""
    known = run.held[np.isfinite(run.held)]
    most = float(known.max()) if len(known) else np.nan
    return Compared(name, mean_running(run.running, run.waiting), float(run.running.max(initial=0)), most)


def chart(runs: Sequence[tuple[str, Queues]], name: str, recording: Queues, theme: str, say: Messages) -> go.Figure:
    """Draw requests running and the share of the pool in use over seconds.

    ``runs``: (system, its run) in order; ``name``: of the recording's file.
    """
    has_share = bool(np.isfinite(recording.held).any())
    titles = [say("recorded.running"), say("recorded.held")][: 1 + has_share]
    figure = make_subplots(rows=len(titles), cols=1, shared_xaxes=True, vertical_spacing=0.12, subplot_titles=titles)
    for index, (system, run) in enumerate(runs):
        look, kept = looks(index, theme), kept_steps(len(run.time_s))
        for row, values in enumerate((run.running, run.held)[: len(titles)], 1):
            figure.add_trace(
                go.Scatter(
                    x=np.round(run.time_s[kept], 2), y=np.round(values[kept], 2), name=plotly(say.name(system)),
                    legendgroup=system, showlegend=row == 1, mode="lines",
                    line={"color": look["colour"], "dash": look["dash"], "width": 2},
                    hovertemplate="%{y:.1f}" + (" %" if row == 2 else ""),
                ),
                row=row, col=1,
            )  # fmt: skip
    ink, _ = figure_inks(theme)
    kept = np.unique(np.linspace(0, len(recording.time_s) - 1, min(_MOST_TICKS, len(recording.time_s))).astype(int))
    for row, values in enumerate((recording.running, recording.held)[: len(titles)], 1):
        figure.add_trace(
            go.Scatter(
                x=recording.time_s[kept], y=values[kept], name=plotly(say("recorded.ticks", name=name)),
                legendgroup="recorded", showlegend=row == 1, mode="markers",
                marker={"symbol": "line-ew", "size": 9, "line": {"width": 2, "color": ink}},
                hovertemplate="%{y:.1f}" + (" %" if row == 2 else ""),
            ),
            row=row, col=1,
        )  # fmt: skip
    figure.update_yaxes(rangemode="tozero", automargin=True, fixedrange=True, showgrid=False)
    if has_share:
        figure.update_yaxes(range=[0, 100], ticksuffix=" %", row=2, col=1)
    figure.update_xaxes(showgrid=False, fixedrange=True)
    figure.update_xaxes(title={"text": say("figure2.chart.seconds"), "standoff": 4}, row=len(titles), col=1)
    return framed(figure, theme, HEIGHT).update_layout(margin_b=88, dragmode=False)


def table(rows: Sequence[Compared], say: Messages) -> dict[str, list[object]]:
    """Return the comparison by column, the recording's row first."""
    return {
        say("recorded.who"): [say.name(row.name) for row in rows],
        say("recorded.mean"): [row.running for row in rows],
        say("recorded.most"): [row.most_running for row in rows],
        say("recorded.peak"): [row.most_held for row in rows],
    }
