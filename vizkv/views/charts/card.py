"""Where the memory of a card goes, as a bar; below it, what requests of some lengths need of the part for K and V."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from vizkv.messages.catalogue import Messages
from vizkv.scenario.hardware import GIB
from vizkv.scenario.memory_plan import Hardware
from vizkv.views.facts.memory_plan import rows
from vizkv.views.picture.palette import PALETTE

# never colour alone: each part has a hatch of its own, and its name and size stand in it or in the legend
_FILL = {
    "light": {"weights": "#5A5F66", "activations": "#B84A00", "graphs": "#9A2F80", "outside": "#EDEDED"},
    "dark": {"weights": "#8A929C", "activations": "#FFAF5C", "graphs": "#F09ADB", "outside": "#23292F"},
}
_ON = {
    "light": {"weights": "#FFFFFF", "activations": "#FFFFFF", "graphs": "#FFFFFF", "outside": "#16181D"},
    "dark": {"weights": "#16181D", "activations": "#16181D", "graphs": "#16181D", "outside": "#E8EAED"},
}
_HATCH = {"weights": "", "activations": "/", "graphs": "x", "kv": "", "outside": ""}
_INK = {"light": "#16181D", "dark": "#E8EAED"}
_FITS = {"light": "#00705A", "dark": "#4FD6B4"}
_NOT = {"light": "#B80000", "dark": "#FF8A80"}
_TEXT = '"Source Sans", "Source Sans Pro", sans-serif'
_FONT, _ROW, _AROUND = 16, 62, 150  # pixels: of letters, of a row, of axis and legend
_LEAST = 0.09  # of the width: a narrower part is named in the legend only


def chart(plan: Hardware, lengths: Sequence[int], theme: str, say: Messages) -> go.Figure:
    """Return the bar of one card in GiB, from the weights to what is not taken, and a row for each length."""
    figure, parts = go.Figure(), rows(plan, say)
    whole = max(plan.memory, sum(plan.parts().values())) / GIB
    kv = next(size for part, _, size, _ in parts if part == "kv")
    start = sum(size for _, _, size, _ in parts[:3])
    card = plan.card.name
    for part, name, size, _ in parts:
        fill = PALETTE[theme]["used"] if part == "kv" else _FILL[theme][part]
        ink = PALETTE[theme]["on.used"] if part == "kv" else _ON[theme][part]
        written = say("plan.chart.gib", gib=round(size, 2))
        figure.add_bar(
            x=[size], y=[card], orientation="h", name=say("plan.chart.part", name=name, size=written),
            showlegend=size > 0,
            marker={"color": fill, "line": {"color": _INK[theme], "width": 1},
                    "pattern": _hatch(part, ink)},
            text=[f"{name}<br>{written}" if size / whole >= _LEAST else ""],
            textposition="inside", insidetextanchor="middle", textangle=0, textfont={"color": ink, "size": _FONT},
            hovertemplate="%{x:.2f} GiB<extra></extra>",
        )  # fmt: skip
    names = [card]
    if plan.blocks is not None and plan.groups:
        for length in lengths:
            needed = plan.blocks_of(length) * plan.block_bytes * plan.copies / plan.cards / GIB
            fits = plan.holds(length)
            colour = (_FITS if fits else _NOT)[theme]
            name = say("plan.chart.length", length=length)
            names.append(name)
            key = "plan.chart.fits" if fits else "plan.chart.not"
            pattern = {"shape": "" if fits else "x", "fillmode": "overlay", "fgcolor": _INK[theme], "size": 7}
            figure.add_bar(
                x=[needed], y=[name], base=[start], orientation="h", showlegend=False,
                marker={"color": colour, "pattern": pattern}, hovertemplate="%{x:.2f} GiB<extra></extra>",
            )  # fmt: skip
            figure.add_annotation(
                x=start, y=name, text=say(key, gib=round(needed, 2)), showarrow=False,
                xanchor="right", xshift=-8, font={"color": colour, "size": _FONT},
            )  # fmt: skip
        if len(names) > 1:  # the end of the part for K and V, through all rows
            for place in (start, start + kv):
                figure.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, yref="paper",
                                 line={"color": _INK[theme], "width": 1.5, "dash": "dot"})  # fmt: skip
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], automargin=True, ticksuffix="  ")
    figure.update_xaxes(
        range=[0, whole * 1.01], ticksuffix=" GiB", showgrid=False, zeroline=False, automargin=True, nticks=8,
    )  # fmt: skip
    return figure.update_layout(
        barmode="stack", bargap=0.28, height=_AROUND + _ROW * len(names), margin={"l": 8, "r": 16, "t": 8, "b": 8},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.28, "yanchor": "top", "traceorder": "normal"},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        font={"size": _FONT, "color": _INK[theme], "family": _TEXT},
    )  # fmt: skip


def _hatch(part: str, ink: str) -> dict[str, object]:
    return {"shape": _HATCH[part], "fillmode": "overlay", "fgcolor": ink, "fgopacity": 0.35, "size": 9}
