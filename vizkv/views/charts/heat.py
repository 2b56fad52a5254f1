"""Plotly figures of what really lies in a slot and of who looks at it: K and V of one token, attention by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import plotly
from vizkv.views.picture.svg import wrap

MEAN = -1  # of all layers, of all heads
_FONT = 15
_ROW = 22  # pixels of a head's row; many layers make them thinner
_TALLEST = 520
_LABELS = 16  # beside each other, before they touch
# negative, zero, positive: purple and green differ in lightness too, and are no category's colour
SCALES = {
    "light": ["#5E1A72", "#B98CC6", "#F4F4F6", "#7FBF7B", "#0B5C2A"],
    "dark": ["#D9A8EE", "#8A4FA3", "#1B2026", "#2F8A4C", "#9BE8A5"],
}
_INK = {"light": "#16181D", "dark": "#E8EAED"}
_INK_ON_LOW = {"light": "#FFFFFF", "dark": "#16181D"}
_BARS = {"light": ("#1F5FD1", "#8DB2EE"), "dark": ("#6FA8FF", "#34568A")}  # blocks in turn
_HATCHES = ("", "/")  # and never by colour alone
_BELOW = 280  # pixels of a line below the bars: they have half a page, and larger type on a projector
_SIGN, _WIDE = 6, 260  # pixels of a minus, where its cell is no smaller; of each of the two tables
_STRONG = 0.35  # of the largest value: from here on a cell says that it is negative


def _frame(figure: go.Figure, theme: str, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 32, "b": 52},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": _FONT, "color": _INK[theme], "family": '"Source Sans", "Source Sans Pro", sans-serif'},
        showlegend=False,
        hovermode="closest",
    )
    figure.update_annotations(font_size=_FONT + 1)
    return figure


def vectors(kv: np.ndarray, theme: str, say: Messages) -> go.Figure:
    """K and V of one slot, [2, layers, heads, head_dim], side by side: a row a layer and head, a column a dimension."""
    _, layers, heads, width = kv.shape
    rows = layers * heads
    names = [say("heat.row", layer=layer + 1, head=head + 1) for layer in range(layers) for head in range(heads)]
    figure = make_subplots(
        rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.12, subplot_titles=["K", "V"]
    )  # fmt: skip
    customdata = np.repeat(np.array(names)[:, None], width, 1)
    hover = ", %{customdata}, " + say("heat.dimension") + " %{x}<br><b>%{z:.4f}</b><extra></extra>"
    bar = {"xanchor": "left", "thickness": 10, "tickfont": {"size": 13}, "nticks": 5, "outlinewidth": 0}
    for column, name in enumerate("KV", 1):
        values = kv[column - 1].reshape(rows, width)
        most = float(np.abs(values).max()) or 1.0
        figure.add_trace(
            go.Heatmap(
                z=values, y=list(range(rows)), customdata=customdata, zmin=-most, zmax=most, colorscale=_scale(theme),
                ygap=1, colorbar={"x": 0.44 if column == 1 else 1.0} | bar, hovertemplate=name + hover,
            ),
            row=1, col=column,
        )  # fmt: skip
    # purple and green are alike to some eyes: a minus stands in what is negative
    size = max(2.0, min(_SIGN, _WIDE / width))
    for column in (1, 2):
        values = kv[column - 1].reshape(rows, width)
        low = np.argwhere(values < -_STRONG * (float(np.abs(values).max()) or 1.0))
        figure.add_trace(
            go.Scatter(
                x=low[:, 1], y=low[:, 0], mode="markers", hoverinfo="skip",
                marker={"symbol": "line-ew", "size": size, "line": {"width": size / 4, "color": _INK_ON_LOW[theme]}},
            ),
            row=1, col=column,
        )  # fmt: skip
    shown = range(0, rows, heads if rows > 16 else 1)
    figure.update_yaxes(
        autorange="reversed", tickvals=list(shown), ticktext=[names[i] for i in shown], showgrid=False, zeroline=False,
        tickfont={"size": 13}, automargin=True, ticks="",
    )  # fmt: skip
    figure.update_xaxes(nticks=5, showgrid=False, zeroline=False, tickfont={"size": 13},
                        title={"text": say("heat.dimension"), "standoff": 2, "font": {"size": 13}})  # fmt: skip
    return _frame(figure, theme, 96 + min(_TALLEST, rows * _ROW))


def _scale(theme: str) -> list[list[object]]:
    colours = SCALES[theme]
    return [[i / (len(colours) - 1), colour] for i, colour in enumerate(colours)]


def attention(
    weights: np.ndarray, table: Sequence[int], size: int, pieces: Sequence[str], theme: str, say: Messages
) -> go.Figure:
    """How much a token looks at each earlier one: ``weights`` [n], adding up to one. Above, the sum of each block.

    ``table``: the physical block of each ``size`` positions, as attention reads them; ``pieces``: the tokens' texts.
    """
    count = len(weights)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.36, 0.64], vertical_spacing=0.04)
    starts = list(range(0, count, size))
    sums = [float(weights[i : i + size].sum()) for i in starts]
    widths = [min(size, count - i) for i in starts]
    centres = [i + (width - 1) / 2 for i, width in zip(starts, widths, strict=True)]
    tones = [_BARS[theme][row % 2] for row in range(len(sums))]
    hatches = [_HATCHES[row % 2] for row in range(len(sums))]
    pattern = {"size": 6, "solidity": 0.2, "fillmode": "overlay", "fgcolor": _INK[theme]}
    hover = say("heat.attention.block.hover", row="%{customdata[0]}", block="%{customdata[1]}")
    figure.add_bar(
        x=centres, y=sums, width=[width * 0.96 for width in widths],
        marker={"color": tones, "pattern": {"shape": hatches} | pattern},
        text=[say.percent(share) if len(sums) <= _LABELS else "" for share in sums], textposition="outside",
        cliponaxis=False, textangle=0, constraintext="none",
        customdata=[[row, table[row]] for row in range(len(sums))],
        hovertemplate=hover + " %{y:.1%}<extra></extra>", row=1, col=1,
    )  # fmt: skip
    figure.add_bar(
        x=list(range(count)), y=weights, width=0.86,
        marker={"color": [tones[i // size] for i in range(count)],
                "pattern": {"shape": [hatches[i // size] for i in range(count)]} | pattern},
        customdata=[_visible(piece) for piece in pieces[:count]],
        hovertemplate="%{x}: “%{customdata}” %{y:.1%}<extra></extra>", row=2, col=1,
    )  # fmt: skip
    for edge in starts[1:]:
        figure.add_vline(x=edge - 0.5, line={"width": 1, "color": _INK[theme], "dash": "dot"}, opacity=0.5)
    # the blocks' numbers, as far apart as they can be read
    every = -(-len(sums) // _LABELS)
    figure.update_xaxes(
        tickvals=centres[::every], ticktext=[str(block) for block in table[: len(sums)]][::every],
        showgrid=False, zeroline=False, range=[-0.5, max(count, 2) - 0.5],
    )  # fmt: skip
    title = "<br>".join(wrap(say("heat.attention.block"), _BELOW, 13))
    figure.update_xaxes(title={"text": title, "standoff": 4, "font": {"size": 13}}, automargin=True, row=2, col=1)
    figure.update_yaxes(tickformat=".0%", showgrid=False, zeroline=False, nticks=4, automargin=True, rangemode="tozero")
    figure.update_yaxes(showticklabels=False, range=[0, max(sums, default=1.0) * 1.35], row=1, col=1)
    return _frame(figure, theme, 300)


def chosen(weights: np.ndarray, layer: int = MEAN, head: int = MEAN) -> np.ndarray:
    """Attention of one layer and head, or the mean of all: [layers, heads, n] -> [n]."""
    of = weights if layer == MEAN else weights[layer : layer + 1]
    return (of if head == MEAN else of[:, head : head + 1]).mean((0, 1))


def word(token: str) -> str:
    """A token's text inside of a line, with what cannot be seen spelled out."""
    text = token.replace("\n", "⏎").replace("\t", "⇥").replace("`", "ˋ").strip(" ")
    return "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in text) or "␣"


def _visible(piece: str) -> str:
    """A token's text as a hover line can show it."""
    return plotly(piece.replace("\n", "⏎"))
