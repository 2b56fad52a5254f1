"""Figure 2 as a chart that stands still: the bars of the page "What if" at the end of the run, for a file."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import plotly
from vizkv.replay.averages import by_category
from vizkv.trace.slots import CATEGORIES, Accounting, Lens, word_of
from vizkv.views.charts.figure2.live import ACCOUNTING, LENS, Told, quoted
from vizkv.views.charts.ledgers import FONT, framed, hatch
from vizkv.views.picture.palette import PALETTE

_HEIGHT = 460
_LEAST = 3.5  # percent: a thinner part has no number in it
_INK = {"light": "#16181D", "dark": "#E8EAED"}


def bars(systems: Sequence[Told], lens: Lens, accounting: Accounting, theme: str, say: Messages) -> go.Figure:
    """Means of the pool's shares, a bar a system; where the paper has numbers of the same run, marks at its parts."""
    figure, colours = go.Figure(), PALETTE[theme]
    names = [plotly(say.name(told.name)) for told in systems]
    shares = [by_category(told.shares, lens, accounting) for told in systems]
    for name in CATEGORIES:
        values = [round(row[name], 2) for row in shares]
        if accounting == "paper" and name == "free":
            continue  # nothing is free in the paper's books
        figure.add_bar(
            x=names, y=values, name=say(f"category.{word_of(name, accounting)}"),
            marker={"color": colours[name], "pattern": hatch(name, theme, 7),
                    "line": {"width": 1, "color": colours["edge"]}},
            text=[say.percent(value / 100) if value >= _LEAST else "" for value in values],
            textposition="inside", insidetextanchor="middle", textangle=0,
            textfont={"size": FONT, "color": colours["on." + name]},
        )  # fmt: skip
    if (lens, accounting) == (LENS, ACCOUNTING):
        _paper(figure, systems, names, theme, say)
    for name, told in zip(names, systems, strict=True):
        figure.add_annotation(
            x=name, y=102.5, text=say("figure2.bars.batched", n=round(told.batched, 1)), showarrow=False,
            xanchor="center", yanchor="bottom", font={"size": FONT, "color": _INK[theme]},
        )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_xaxes(tickfont={"size": FONT + 1}, showgrid=False)
    figure.update_yaxes(range=[0, 112], tickvals=[0, 20, 40, 60, 80, 100], ticksuffix=" %", showgrid=False)
    return framed(figure, theme, _HEIGHT).update_layout(hovermode="closest")


def _paper(figure: go.Figure, systems: Sequence[Told], names: Sequence[str], theme: str, say: Messages) -> None:
    """The upper edges of the paper's parts, where it measured the same."""
    xs: list[str] = []
    ys: list[float] = []
    for name, told in zip(names, systems, strict=True):
        paper, top = quoted(told.system), 0.0
        if paper is None or not told.comparable.shares:
            continue
        for share in (paper.shares[part] for part in CATEGORIES if paper.shares.get(part)):
            top += share
            xs.append(name)
            ys.append(round(top, 1))
    if xs:
        figure.add_scatter(
            x=xs, y=ys, mode="markers", name=say("figure2.bars.paper"), cliponaxis=False,
            marker={"symbol": "diamond", "size": 11, "color": _INK["dark" if theme == "light" else "light"],
                    "line": {"width": 1.5, "color": _INK[theme]}},
        )  # fmt: skip
