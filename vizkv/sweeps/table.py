"""The results of a sweep as tables: the metrics of every run, and their means over the seeds."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vizkv.messages.escape import cell
from vizkv.replay.metrics import METRICS
from vizkv.sweeps.axes import Value
from vizkv.sweeps.tasks import Point, Task
from vizkv.sweeps.work import Outcome

if TYPE_CHECKING:
    import pandas as pd

Found = Sequence[tuple[Task, Outcome]]


@dataclass(frozen=True)
class Cell:
    """A metric of one system at one point: mean, minimum and maximum over ``seeds`` runs; NaN if there are none."""

    mean: float
    low: float
    high: float
    seeds: int


def cells(found: Found, metric: str) -> dict[tuple[int, Point], Cell]:
    """Return a metric by (index of the system, point). A run that lacks the metric is left out."""
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
    """Return the outcomes in the order of the tasks; tasks without an outcome are left out."""
    known = {(task.index, task.point, task.seed): outcome for task, outcome in found}
    places = [(task, (task.index, task.point, task.seed)) for task in tasks]
    return [(task, known[place]) for task, place in places if place in known]


def problems(found: Found) -> dict[str, list[Task]]:
    """Return the error messages of failed runs, each with the tasks that failed with it."""
    failed: dict[str, list[Task]] = {}
    for task, outcome in found:
        if isinstance(outcome, str):
            failed.setdefault(outcome, []).append(task)
    return failed


def columns(found: Found) -> dict[str, list[Any]]:
    """Return the columns of a table with one row per task.

    They are: system, the axes, seed, every metric (None if it is not known), and problem, the error message or "".
    """
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
    """Return :func:`columns` as a data frame; metrics are float64, and NaN if they are not known."""
    import pandas as pd

    table = pd.DataFrame(columns(found))
    return table.astype(dict.fromkeys(METRICS, "float64"))


def to_csv(found: Found) -> bytes:
    """Return :func:`frame` as CSV in UTF-8, with a header line."""
    table = frame(found)
    for name in ("system", "problem"):
        table[name] = table[name].map(cell)
    return bytes(table.to_csv(index=False, lineterminator="\n").encode())


def to_parquet(found: Found) -> bytes:
    """Return :func:`frame` as Parquet."""
    file = io.BytesIO()
    frame(found).to_parquet(file, index=False)
    return file.getvalue()


def number(value: Value) -> float | None:
    """Return a value as its position on a numeric axis; None for words and switches."""
    return None if isinstance(value, (str, bool)) else float(value)
