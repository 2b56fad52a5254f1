"""Sweeps: many runs of a scenario, as a data frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from vizkv import sweeps
from vizkv.api.scenarios import Source, load
from vizkv.sweeps.table import frame, in_order

if TYPE_CHECKING:
    import pandas as pd


def sweep(
    scenario: Source, vary: Mapping[str, Iterable[Any] | str], *, seeds: int = 1, jobs: int | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Run a scenario at every point of a grid, and return a row for each system, point and seed.

    ``vary``: the values by parameter, as a list (``{"block_size": [8, 16, 32]}``) or as on the command line
    (``{"rate": "1..9:2"}``). ``seeds``: runs of each point, in which a workload draws its requests anew. ``jobs``:
    worker processes; one per core if None. ``progress``: called with (runs done, runs in all).

    Columns: ``system``, one of each parameter, ``seed``, every metric, and ``problem``, the sentence of a run that
    failed. Raises ScenarioError.
    """
    axes = [
        sweeps.parse_axis(f"{name}={values if isinstance(values, str) else ','.join(map(_word, values))}")
        for name, values in vary.items()
    ]
    tasks = sweeps.points(load(scenario), axes, seeds)
    found, total = [], len(tasks)
    for task, outcome in sweeps.run(tasks, jobs=jobs):
        found.append((task, outcome))
        if progress is not None:
            progress(len(found), total)
    return frame(in_order(tasks, found))


def _word(value: Any) -> str:
    """Return a value as the command line has it."""
    return ("false", "true")[value] if isinstance(value, bool) else str(value)
