"""The averages of a run: which steps count, and the mean ledger and batch size over them. Every view uses these.

The steps that count are those from the end of the warm-up to the end of the arrivals (docs/decisions/0013); without a
workload, all steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vizkv.replay.ledgers import Series
from vizkv.scenario.requests import Workload
from vizkv.trace.slots import CATEGORIES, Accounting, Code, Lens, category_of

Window = tuple[float, float]
"""Seconds of the simulated clock: the end of the warm-up, and the end of the arrivals."""


def window_of(scenario: Mapping[str, Any]) -> Window | None:
    """Return the window of a scenario; None without a workload. ``scenario``: its fields; defaults may be left out."""
    workload = scenario.get("workload")
    if workload is None:
        return None
    fields = Workload.model_fields
    warmup, duration = (float(workload.get(name, fields[name].default)) for name in ("warmup", "duration"))
    return warmup, duration


def span(time_s: np.ndarray, window: Window | None) -> tuple[int, int]:
    """Return the steps that count, as (first, end). ``time_s``: the clock at the end of each step, ascending.

    If no step ends within the window, all steps up to its end count, and at least the first one.
    """
    if window is None:
        return 0, len(time_s)
    first, end = int(np.searchsorted(time_s, window[0], "left")), int(np.searchsorted(time_s, window[1], "right"))
    return (first, end) if first < end else (0, min(len(time_s), max(end, 1)))


def is_within(time_s: np.ndarray, window: Window) -> bool:
    """Whether any step ends within the window; if not, :func:`span` returns the steps before it."""
    first, end = span(time_s, window)
    return end > first and bool(time_s[first] >= window[0]) and bool(time_s[end - 1] <= window[1])


@dataclass(frozen=True)
class Averages:
    """Means of one system over the steps ``first`` <= step < ``end``; NaN if there are none.

    ``shares``: percent of the pool by code, [codes]. ``batched``: requests in the batch of a step.
    """

    shares: np.ndarray
    batched: float
    first: int
    end: int

    @property
    def steps(self) -> int:
        """Number of steps that count."""
        return self.end - self.first

    def percent(self, lens: Lens, accounting: Accounting) -> dict[str, float]:
        """Return the percentage of the pool in each category."""
        return by_category(self.shares, lens, accounting)


def averages(series: Series, time_s: np.ndarray, window: Window | None) -> Averages:
    """Return the means over the steps that count. ``time_s``: the clock at the end of each step, ascending."""
    first, end = span(time_s, window)
    shares, batched = means(series, np.array([first]), np.array([end]))
    return Averages(shares[0], float(batched[0]), first, end)


def means(series: Series, first: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the means over n ranges of steps: (percent of the pool by code [n, codes], batched requests [n]).

    ``first`` [n], ``end`` [n]: the first step of each range, and the step after its last. The means of an empty range
    are NaN.
    """
    columns = np.column_stack([series.counts, series.batched])
    sums = np.vstack([np.zeros((1, len(Code) + 1), np.int64), np.cumsum(columns, axis=0)])
    steps = np.maximum(0, end - first)
    table = np.full((len(steps), len(Code) + 1), math.nan)
    some = steps > 0
    table[some] = (sums[end[some]] - sums[first[some]]) / steps[some, None]
    return table[:, :-1] / series.slots * 100, table[:, -1]


def by_category(shares: np.ndarray, lens: Lens, accounting: Accounting) -> dict[str, float]:
    """Return the shares of the slot codes, summed by category."""
    result = dict.fromkeys(CATEGORIES, 0.0)
    for code, share in enumerate(shares):
        result[category_of(code, lens, accounting)] += float(share)
    return result
