"""The memory that sharing saves, as in the paper's Figure 15: blocks saved / blocks without sharing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from vizkv.messages.catalogue import Messages
from vizkv.replay import Replay, walk
from vizkv.trace.trace import Trace
from vizkv.views.charts.ledgers import framed, kept_steps
from vizkv.views.picture.palette import PALETTE


@dataclass(frozen=True)
class Saving:
    """The saving of one paged system over its steps.

    ``without``: blocks that the live sequences would hold without sharing, int [steps]. ``held``: blocks that they
    hold, int [steps].
    """

    block_size: int
    without: np.ndarray
    held: np.ndarray

    @property
    def saved(self) -> np.ndarray:
        """Blocks saved, int [steps]."""
        return self.without - self.held

    @property
    def shares(self) -> np.ndarray:
        """Blocks saved / blocks without sharing, float [steps]; 0 while no sequence holds a block."""
        return self.saved / np.maximum(self.without, 1)

    @property
    def most(self) -> int:
        """The first step in which the most blocks are saved."""
        return int(self.saved.argmax()) if len(self.held) else 0

    @property
    def overall(self) -> float:
        """The share over the whole run: the sum of blocks saved / the sum of blocks without sharing."""
        total = int(self.without.sum())
        return float(self.saved.sum() / total) if total else 0.0


def count(replay: Replay) -> tuple[int, int]:
    """Return (blocks without sharing, blocks held) of the sequences that are live at a step."""
    size = replay.system.block_size
    without = sum(-(-live.written // size) for live in replay.live.values())
    return without, len({block for live in replay.live.values() for block in live.block_table})


def saving(trace: Trace, system: int) -> Saving:
    """Return the saving of a paged system in all its steps."""
    facts = trace.systems[system]
    counts = [count(replay) for replay in walk(facts, trace.requests)]
    table = np.array(counts, np.int64).reshape(-1, 2)
    return Saving(facts.block_size, table[:, 0], table[:, 1])


def figure(facts: Saving, step: int, theme: str, say: Messages) -> go.Figure:
    """Return a chart of the share saved over the steps, with a mark at ``step``."""
    blue, ink = PALETTE[theme]["used"], "#16181D" if theme == "light" else "#E8EAED"
    shares, steps = facts.shares * 100, len(facts.held)
    kept = kept_steps(steps)
    chart = go.Figure()
    chart.add_scatter(
        x=kept, y=shares[kept], mode="lines", line={"shape": "hv", "width": 3, "color": blue}, fill="tozeroy",
        customdata=np.stack([facts.without[kept], facts.held[kept]], 1), showlegend=False,
        hovertemplate=say("sharing.saving.hover", share="%{y:.1f}", without="%{customdata[0]}",
                          held="%{customdata[1]}") + "<extra></extra>",
    )  # fmt: skip
    if step < steps:
        chart.add_vline(x=step, line={"color": ink, "width": 2, "dash": "dot"})
        chart.add_scatter(
            x=[step], y=[shares[step]], mode="markers+text", showlegend=False, hoverinfo="skip",
            marker={"size": 13, "color": ink}, text=[say.percent(facts.shares[step])],
            textposition="top left" if step > steps * 0.7 else "top right", textfont={"size": 18, "color": ink},
        )  # fmt: skip
    top = max(10.0, float(shares.max(initial=0)) * 1.3)
    chart.update_yaxes(range=[0, min(109.0, top)], ticksuffix=" %", automargin=True, nticks=6, zeroline=False,
                       gridcolor="rgba(128,128,128,0.25)",
                       title={"text": say("chart.saving.axis"), "standoff": 8})  # fmt: skip
    chart.update_xaxes(
        range=[0, max(1, steps - 1)], showgrid=False, nticks=8, title={"text": say("chart.step"), "standoff": 4}
    )
    return framed(chart, theme, 420).update_layout(margin_t=12, margin_b=56)
