"""What the axes and the marks of a chart share: a canvas, its sizes and colours, and where a value lies on an axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vizkv.export.charts.words import is_number

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FONT = 12  # Plotly's default size, where a figure names none


class Axis:
    """One axis of the layout: its range, and where a value lies on it."""

    def __init__(self, name: str, layout: Any, values: list[Any]):
        self.name, self.layout = name, layout
        self.given = getattr(layout, name)
        template = layout.template.layout[name[:5]] if layout.template else None
        self.pick = lambda field, default=None: otherwise(
            self.given[field], otherwise(template[field] if template is not None else None, default)
        )
        words = [v for v in values if v is not None and not is_number(v)]
        self.kind = self.given.type or ("category" if words else "linear")
        self.words: list[str] = []
        if self.kind == "category":
            named = self.given.categoryarray
            order = [*(named if named is not None else ()), *values]
            self.words = list(dict.fromkeys(str(v) for v in order if v is not None))

    def at(self, value: Any) -> float:
        """A value's place; of a category its number."""
        if value is None:
            return math.nan
        if self.words and str(value) in self.words and not isinstance(value, (int, float)):
            return float(self.words.index(str(value)))
        return float(value)

    def noted(self, value: Any) -> float:
        """The place of an annotation: on a logarithmic axis Plotly gives it as an exponent."""
        return 10 ** float(value) if self.kind == "log" else self.at(value)

    def limits(self, low: float, high: float) -> tuple[float, float]:
        """The range that is given, or all that is drawn."""
        given = self.given.range
        if given is not None and None not in given:
            ends = [10 ** float(end) if self.kind == "log" else self.at(end) for end in given]
            return ends[0], ends[1]
        if self.given.rangemode == "tozero":
            low, high = min(low, 0), max(high, 0)
        return (high, low) if self.given.autorange == "reversed" else (low, high)


def otherwise(value: Any, default: Any) -> Any:
    """Return ``value``, or ``default`` where it is None: Plotly marks a field that is not set so."""
    return default if value is None else value


class Sheet:
    """A matplotlib canvas for one Plotly figure: its size of type, its colours, and the colour bars drawn so far."""

    def __init__(self, figure: go.Figure, canvas: Any, ground: str):
        self.figure, self.canvas, self.layout = figure, canvas, figure.layout
        self.ground = ground
        self.size = self.layout.font.size or _FONT
        self.ink = self.layout.font.color or "#2A3F5F"
        self.bars: list[Any] = []  # (axes, x, span, thickness) of each colour bar
