"""A chart as it has to be for the back row: larger type, thicker lines, wider hatches. The data stay the same."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

TYPE, LINE, MARK, HATCH, HEIGHT = 1.32, 1.7, 1.35, 1.6, 1.16  # times as large
_ROOM = {"t": 10, "b": 34, "r": 14}  # pixels more, for the type around the plot, and half of an axis' last number
_BESIDE = 60  # of a margin that words stand in: it grows with them
_SIZES = {
    "font": TYPE, "textfont": TYPE, "tickfont": TYPE, "title_font": TYPE, "marker": MARK, "pattern": HATCH,
    "fillpattern": HATCH,
}  # fmt: skip
_PLAIN = {"light": "#000000", "dark": "#FFFFFF"}


def for_projector(figure: go.Figure, theme: str, larger: float = 1.0) -> go.Figure:
    """Another figure of the same data. ``larger``: times as large again, on a screen of many pixels."""
    # not to_dict: it packs arrays, and whoever draws the figure elsewhere would have to unpack them
    made: dict[str, Any] = {"data": [trace.to_plotly_json() for trace in figure.data]}
    layout = made["layout"] = figure.layout.to_plotly_json()
    template = layout.pop("template", None)
    layout.setdefault("font", {})["color"] = _PLAIN[theme]
    _grow(made, larger)
    if "height" in layout:
        layout["height"] = round(layout["height"] * HEIGHT * larger)
    for side in ("l", "r"):
        if layout.get("margin", {}).get(side, 0) >= _BESIDE:
            layout["margin"][side] = round(layout["margin"][side] * TYPE * larger)
    for side, more in _ROOM.items():
        if side in layout.get("margin", {}):
            layout["margin"][side] += round(more * larger)
    if template is not None:
        layout["template"] = template
    return go.Figure(made)


def _grow(thing: Any, larger: float, name: str = "") -> None:
    """Everything that has a size, wherever it lies in the figure."""
    if isinstance(thing, list):
        for one in thing:
            _grow(one, larger, name)
    if not isinstance(thing, dict):
        return
    for key, by in (("size", _SIZES.get(name)), ("width", LINE if name == "line" else None)):
        if by and thing.get(key) is not None:
            thing[key] = _times(thing[key], by * larger)
    for inner, value in thing.items():
        _grow(value, larger, inner)


def _times(size: Any, by: float) -> Any:
    return [one * by for one in size] if isinstance(size, (tuple, list)) else size * by
