"""A chart as an exhibit: series of points over one axis, drawn by vizkv/exhibit/js/chart.js."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vizkv.exhibit.exhibit import Exhibit, Words

Place = float | str


@dataclass(frozen=True)
class Point:
    """One value with its range over repetitions."""

    x: Place
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Series:
    """One line; ``look`` decides its colour, dash and symbol."""

    look: int
    points: Sequence[Point]


@dataclass(frozen=True)
class Chart:
    """What is drawn, without a word. ``quoted``: (series, x, y) of others' numbers; ``band``: a range of y."""

    xs: Sequence[Place]
    series: Sequence[Series]
    low: float
    high: float
    logarithmic: bool = False
    quoted: Sequence[tuple[int, Place, float]] = ()
    band: tuple[float, float] | None = None
    mark: Place | None = None  # the value of x that is usual


@dataclass(frozen=True)
class ChartWords:
    """The words of one language: a name for each series, the axes, and what the quoted numbers and the band are."""

    lang: str
    alt: str
    x: str
    y: str
    names: Sequence[str]
    unit: str = ""
    quoted: str = ""
    band: str = ""
    mark: str = ""
    note: str = ""
    places: dict[str, str] = field(default_factory=dict)  # of words on the axis
    hint: str = ""  # how the keyboard walks along it


def chart(drawn: Chart, words: dict[str, ChartWords]) -> Exhibit:
    """Return the exhibit."""
    inner: dict[str, Any] = {
        "xs": list(drawn.xs), "low": drawn.low, "high": drawn.high, "log": drawn.logarithmic,
        "quoted": [list(one) for one in drawn.quoted], "band": drawn.band, "mark": drawn.mark,
        "series": [
            {"look": one.look, "points": [[p.x, *(round(v, 3) for v in (p.y, p.low, p.high))] for p in one.points]}
            for one in drawn.series
        ],
    }  # fmt: skip
    data = zlib.compress(json.dumps(inner, separators=(",", ":")).encode(), 9)
    return Exhibit("chart", data, {lang: Words(dict(vars(told)), told.alt) for lang, told in words.items()})
