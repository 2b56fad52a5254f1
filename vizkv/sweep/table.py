"""What a sweep found, as tables: every run's numbers, and their means over the seeds."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vizkv.metrics import METRICS
from vizkv.sweep.axes import Value
from vizkv.sweep.tasks import Point, Task
from vizkv.sweep.work import Outcome

if TYPE_CHECKING:
    import pandas as pd

Found = Sequence[tuple[Task, Outcome]]


@dataclass(frozen=True)
class Cell:
    """A metric of one system at one point: mean, least and most over ``seeds`` runs; NaN and 0 where there is none."""

    mean: float
    low: float
    high: float
    seeds: int


def cells(found: Found, metric: str) -> dict[tuple[int, Point], Cell]:
    """By (place of the system, point). A run for which the metric is not known is left out."""
    values: dict[tuple[int, Point], list[float]] = {}
    for task, outcome in found:
        known = values.setdefault((task.index, task.point), [])
        if not isinstance(outcome, str) and not math.isnan(outcome[metric]):
            known.append(outcome[metric])
    return {
        where: Cell(sum(known) / len(known), min(known), max(known), len(known))
        if known
        else Cell(math.nan, math.nan, math.nan, 0)
        for where, known in values.items()
    }


def in_order(tasks: Sequence[Task], found: Iterable[tuple[Task, Outcome]]) -> list[tuple[Task, Outcome]]:
    """The outcomes in the order of the tasks, those that are not known left out."""
    known = {(task.index, task.point, task.seed): outcome for task, outcome in found}
    places = [(task, (task.index, task.point, task.seed)) for task in tasks]
    return [(task, known[place]) for task, place in places if place in known]


def problems(found: Found) -> dict[str, list[Task]]:
    """The sentences about runs that could not be made, with the tasks that each is about."""
    told: dict[str, list[Task]] = {}
    for task, outcome in found:
        if isinstance(outcome, str):
            told.setdefault(outcome, []).append(task)
    return told


def columns(found: Found) -> dict[str, list[Any]]:
    """One row a task: system, the axes, seed, every metric (None where it is not known), and what went wrong."""
    axes = [name for name, _ in found[0][0].point] if found else []
    table: dict[str, list[Any]] = {name: [] for name in ("system", *axes, *_own(axes), *METRICS, "problem")}
    for task, outcome in found:
        values: dict[str, Any] = {"seed": task.seed, "system": task.system, **dict(task.point)}
        if isinstance(outcome, str):
            values |= dict.fromkeys(METRICS, None) | {"problem": outcome}
        else:
            values |= {n: None if math.isnan(outcome[n]) else outcome[n] for n in METRICS} | {"problem": ""}
        for name, column in table.items():
            column.append(values[name])
    return table


def _own(axes: list[str]) -> list[str]:
    return [] if "seed" in axes else ["seed"]


def frame(found: Found) -> pd.DataFrame:
    """:func:`columns` as a data frame: metrics are float64, what is not known NaN."""
    import pandas as pd

    table = pd.DataFrame(columns(found))
    return table.astype(dict.fromkeys(METRICS, "float64"))


def to_csv(found: Found) -> bytes:
    """Every run's numbers; UTF-8, a line of names first."""
    return bytes(frame(found).to_csv(index=False, lineterminator="\n").encode())


def to_parquet(found: Found) -> bytes:
    """The same as Parquet."""
    file = io.BytesIO()
    frame(found).to_parquet(file, index=False)
    return file.getvalue()


def number(value: Value) -> float | None:
    """A value as a place on an axis of numbers; None for words and switches."""
    return None if isinstance(value, (str, bool)) else float(value)
