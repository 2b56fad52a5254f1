"""What Plotly calls things, and what matplotlib does: colours, dashes, symbols, hatches, numbers, texts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import unescape
from typing import Any

import numpy as np

Colour = tuple[float, float, float, float]

_RGB = re.compile(r"rgba?\(([^)]*)\)")
_TAG = re.compile(r"<(/?)([a-zA-Z]+)[^>]*>")
DASHES: dict[str, Any] = {
    "solid": "-", "dot": (0, (1, 1.6)), "dash": (0, (4, 2)), "dashdot": (0, (4, 2, 1, 2)), "longdash": (0, (8, 2.5)),
    "longdashdot": (0, (8, 2.5, 1, 2.5)),
}  # fmt: skip
SYMBOLS = {
    "circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "triangle-down": "v", "triangle-left": "<",
    "triangle-right": ">", "x": "X", "cross": "P", "star": "*", "hexagon": "h", "pentagon": "p", "octagon": "8",
    "line-ew": "_", "line-ns": "|", "bowtie": (4, 0, 90), "hourglass": (4, 1, 0), "x-thin": "x", "cross-thin": "+",
    "diamond-tall": "d", "star-diamond": (4, 1, 45), "hexagram": (6, 1, 0),
}  # fmt: skip
_HATCH = {"/": "/", "\\": "\\", "x": "x", "-": "-", "|": "|", "+": "+", ".": "."}


def colour(value: Any, opacity: float | None = None) -> Colour:
    """Any CSS colour that our figures use, as (r, g, b, a) of one."""
    from matplotlib.colors import to_rgba

    if value is None:
        return (0.0, 0.0, 0.0, 0.0)
    if hit := _RGB.fullmatch(str(value).strip()):
        parts = [float(part) for part in re.split(r"[\s,/]+", hit.group(1).strip())]
        r, g, b = (part / 255 for part in parts[:3])
        a = parts[3] if len(parts) > 3 else 1.0
    else:
        r, g, b, a = to_rgba(value)
    return (r, g, b, a * (1.0 if opacity is None else opacity))


def dash(value: Any) -> Any:
    """A line's dash; "5px,5px" too."""
    if not value:
        return "-"
    if value in DASHES:
        return DASHES[value]
    lengths = [float(part.strip().removesuffix("px")) for part in re.split(r"[,\s]+", str(value)) if part]
    return (0, tuple(length / 1.5 for length in lengths))


def symbol(value: Any) -> tuple[Any, bool]:
    """(matplotlib's marker, whether it is hollow)."""
    name = str(value or "circle")
    bare = name.removesuffix("-open").removesuffix("-dot").removesuffix("-open")
    if bare not in SYMBOLS:
        raise ValueError(f"no marker is known for the symbol {name!r}")
    return SYMBOLS[bare], "-open" in name


def hatch(shape: Any, size: float | None) -> str:
    """A fill pattern; matplotlib repeats a hatch six times an inch for each time that it is said."""
    if not shape:
        return ""
    return _HATCH[shape] * max(1, round(12 / (size or 8)))


def first(value: Any, index: int = 0) -> Any:
    """A value that may be given once or a point."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return value[index] if index < len(value) else None
    return value


def text_of(value: Any) -> tuple[str, bool]:
    """(the text without tags, whether it is bold). A <br> is a new line."""
    text = str(value)
    bold = "<b>" in text
    text = text.replace("<br>", "\n").replace("<br/>", "\n").replace("<br />", "\n")
    return unescape(_TAG.sub("", text)), bold


def number(value: float, pattern: str | None, separators: str = ".,") -> str:
    """A number as an axis writes it: ``pattern`` is d3's, as far as our figures use it."""
    point, thousands = separators[0], separators[1] if len(separators) > 1 else ""
    if pattern:
        pattern = pattern.replace("~", "")
        share = pattern.endswith("%")
        text = format(value, pattern if pattern[-1] in "%dfgse" else pattern + ".10g")
        text = text if not share else text.rstrip()
    else:
        text = f"{value:,.10g}" if abs(value) < 1e15 else f"{value:.3g}"
    text = "0" if text == "-0" else text
    return text.replace("-", "−").translate({ord("."): point, ord(","): thousands})


def is_number(value: Any) -> bool:
    """Whether a place on an axis is one of numbers."""
    if isinstance(value, (int, float, np.integer, np.floating)):
        return True
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def numbers(values: Any) -> np.ndarray:
    """Values as floats; nothing is NaN."""
    if values is None:
        return np.zeros(0)
    return np.array([math.nan if v is None else float(v) for v in values], float)


def scale(stops: Any, name: str = "figure") -> Any:
    """A colour scale."""
    from matplotlib.colors import LinearSegmentedColormap

    points = [(float(at), colour(tone)) for at, tone in stops]
    return LinearSegmentedColormap.from_list(name, points)


def wrapped(text: str, width: float, measure: Any) -> list[str]:
    """Lines of a text no wider than ``width``; Chinese may break between any two characters."""
    pieces: Sequence[str] = re.findall(r"[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef]+|\s+", text)
    lines, line = [], ""
    for piece in pieces:
        # no line begins with a full stop
        if line.strip() and measure(line + piece.rstrip()) > width and piece not in "，。：；、）”":
            lines.append(line.strip())
            line = ""
        line += piece
    return [*lines, line.strip()] if line.strip() else lines
