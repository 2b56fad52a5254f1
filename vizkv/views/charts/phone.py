"""A chart for a phone held upright: plots that stand side by side stand below each other. The data stay the same."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

from vizkv.views.picture.svg import wrap

_WIDE, _LETTER = 330, 7.6  # pixels that a phone leaves for a plot; of a letter
_TITLED, _TYPE = 260, 15  # pixels: of a title, which stands in the middle of its plot; of its letters
_PLOT, _GAP, _TITLE = 150, 56, 30  # pixels: of one plot, between two, above the first
_BESIDE = 60  # pixels of a margin that words stand in
_ENTRY, _SAMPLE, _AXIS = 21, 52, 12  # pixels: an entry of the legend or a line, its sample, what parts an axis from it
_LEAST_LETTERS = 10  # pixels: words that would have to be smaller to fit their bar are left out


def for_phone(figure: go.Figure) -> go.Figure:
    """Another figure of the same data, for some 350 pixels."""
    made = figure.to_dict()
    layout = made["layout"]
    template = layout.pop("template", None)
    margin = layout.setdefault("margin", {})
    _stack(made["data"], layout, margin)
    _beside(layout, margin)
    _above(layout, margin)
    for name, axis in layout.items():
        if name.startswith(("xaxis", "yaxis")):
            _wrap(axis)
        if name.startswith("xaxis"):
            _thin(axis)
            axis["automargin"] = True  # a title finds its place below the numbers, however many lines they have
    _more(layout, margin, "b", max(0, _below(made["data"], layout) - margin.get("b", 0)))
    for trace in made["data"]:
        if trace.get("type") == "bar" and trace.get("textposition") == "inside":
            trace["constraintext"] = "inside"
            layout["uniformtext"] = {"mode": "hide", "minsize": _LEAST_LETTERS}
    if template is not None:
        layout["template"] = template
    return go.Figure(made)


def _more(layout: dict[str, Any], margin: dict[str, Any], side: str, pixels: float) -> None:
    """A wider margin, and no smaller plot."""
    margin[side] = margin.get(side, 0) + pixels
    if "height" in layout:
        layout["height"] += pixels


def _columns(layout: dict[str, Any]) -> list[tuple[str, str]]:
    """The axes (x, y) of plots that stand in one row; none where there is but one, or several rows."""
    pairs = [
        (name, "yaxis" + axis.get("anchor", "y")[1:])
        for name, axis in layout.items()
        if name.startswith("xaxis") and "domain" in axis
    ]
    if len({tuple(layout[y].get("domain", (0, 1))) for _, y in pairs}) > 1:
        return []
    return sorted(pairs, key=lambda pair: float(layout[pair[0]]["domain"][0])) if len(pairs) > 1 else []


def _stack(traces: list[dict[str, Any]], layout: dict[str, Any], margin: dict[str, Any]) -> None:
    pairs = _columns(layout)
    if not pairs:
        return
    count = len(pairs)
    whole = count * _PLOT + (count - 1) * _GAP
    margin["t"] = max(_TITLE, margin.get("t", 0))
    layout["height"] = whole + margin["t"] + margin.get("b", 0)
    titles = [one for one in layout.get("annotations", ()) if one.get("xref") == one.get("yref") == "paper"]
    middles = [sum(layout[across]["domain"]) / 2 for across, _ in pairs]
    for index, ((across, up), middle) in enumerate(zip(pairs, middles, strict=True)):
        x, y = layout[across], layout[up]
        top = 1 - index * (_PLOT + _GAP) / whole
        bottom = top - _PLOT / whole
        for title in titles:
            if abs(title["x"] - middle) < 1e-6:
                title |= {"x": 0, "xanchor": "left", "y": top}
        for trace in traces:
            if "colorbar" in trace and trace.get("xaxis", "x") == across.replace("axis", ""):
                trace["colorbar"] |= {"x": 1.0, "y": (top + bottom) / 2, "len": _PLOT / whole}
        x["domain"], y["domain"] = [0.0, 1.0], [max(0.0, bottom), top]
        y["showticklabels"] = True
        if index < count - 1:
            x.pop("title", None)


def _beside(layout: dict[str, Any], margin: dict[str, Any]) -> None:
    """What is written beside the plot moves into it, above the line that it names."""
    if margin.get("r", 0) < _BESIDE:
        return
    margin["r"] = 16
    for one in layout.get("annotations", ()):
        if one.get("xref") == "paper" and one.get("x") == 1:
            one |= {"xanchor": "right", "align": "right", "xshift": 0, "yanchor": "bottom"}
            one["font"] = one.get("font", {}) | {"size": 13}


def _above(layout: dict[str, Any], margin: dict[str, Any]) -> None:
    """What is written above a place of the first plot stands over that plot's title."""
    found = [
        one
        for one in layout.get("annotations", ())
        if one.get("yref") == "paper" and one.get("y") == 1 and one.get("xref", "x") != "paper"
    ]
    for one in found:
        one["yshift"] = one.get("yshift", 0) + _ENTRY
    if found:
        _more(layout, margin, "t", _ENTRY)


def _below(traces: list[dict[str, Any]], layout: dict[str, Any]) -> float:
    """Pixels of the lowest axis's numbers, its title, and the legend, whose entries stand below each other."""
    lines = 0
    for name, axis in layout.items():
        if name.startswith("xaxis") and axis.get("showticklabels") is not False:
            numbers = max((str(text).count("<br>") + 1 for text in axis.get("ticktext") or ()), default=1)
            title = axis.get("title", {}).get("text")
            lines = max(lines, numbers + (title.count("<br>") + 1 if title else 0))
    names = {trace["name"] for trace in traces if trace.get("name") and trace.get("showlegend") is not False}
    if names and layout.get("showlegend") is not False:
        widest = max(_letters(name) for name in names) * _LETTER + _SAMPLE
        lines += math.ceil(len(names) / max(1, _WIDE // widest))
    return _AXIS + lines * _ENTRY


def _wrap(axis: dict[str, Any]) -> None:
    title = axis.get("title", {})
    if title.get("text") and "<br>" not in title["text"]:
        title["text"] = "<br>".join(wrap(title["text"], _TITLED, _TYPE))


def _thin(axis: dict[str, Any]) -> None:
    """As many numbers as stand side by side, the last of them always."""
    values, texts = axis.get("tickvals"), axis.get("ticktext")
    if values is None or texts is None or len(values) != len(texts):
        return
    widest = max((_letters(line) for text in texts for line in str(text).split("<br>")), default=0)
    every = math.ceil(len(texts) * (widest + 1) * _LETTER / _WIDE)
    first = (len(texts) - 1) % max(1, every)
    axis["tickvals"], axis["ticktext"] = list(values)[first::every], list(texts)[first::every]


def _letters(text: str) -> int:
    """How wide a text is: a Chinese character takes the room of two letters."""
    return sum(2 if ord(one) > 0x2E7F else 1 for one in text)
