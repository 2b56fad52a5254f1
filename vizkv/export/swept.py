"""Charts of a sweep out of its outcomes, as the pages draw them: for slides and for the command line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vizkv import sweeps as sweep
from vizkv.messages.catalogue import Messages
from vizkv.sweeps import prefix
from vizkv.sweeps.table import cells, number
from vizkv.views.charts import cache, sweeps

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from vizkv.scenario.schema import Scenario
    from vizkv.sweeps import Outcome, Task


def lines(found: Sequence[tuple[Task, Outcome]], metric: str) -> list[sweeps.Line]:
    """A line a system: the first axis across, the second (if there is one) up."""
    known, names = cells(list(found), metric), {task.index: task.system for task, _ in found}

    def place(value: sweep.Value) -> float | str:
        at = number(value)
        return sweep.written(value) if at is None else at

    return [
        sweeps.Line(index, system, [
            sweeps.Spot(
                place(point[0][1]), cell.mean, cell.low, cell.high, "", place(point[1][1]) if len(point) > 1 else ""
            )
            for (who, point), cell in known.items()
            if who == index
        ])
        for index, system in names.items()
    ]  # fmt: skip


def figure(
    found: Sequence[tuple[Task, Outcome]], axes: Sequence[str], metric: str, theme: str, say: Messages
) -> go.Figure:  # fmt: skip
    """``axes``: one name or two."""
    drawn = sweeps.Picture(metric, axes[0], lines(found, metric), axes[1] if len(axes) > 1 else "")
    return sweeps.chart(drawn, theme, say)


def curves(
    scenario: Scenario, pools: sweep.Axis, sizes: sweep.Axis, point: sweep.Point, found: Sequence[tuple[Task, Outcome]]
) -> list[cache.Curve]:
    """What a prefix cache finds: a line a block size, with what is known of it. ``point``: of which is spoken."""
    rates = {task.point: outcome["hit_rate"] for task, outcome in found if not isinstance(outcome, str)}
    made = []
    for block in sizes.values:
        spots = [
            cache.Spot(int(n), rates.get(here, math.nan), sweep.said(here), here == point)
            for n in sorted(pools.values, key=float)
            for here in [(("slots", n), ("block_size", block))]
        ]
        made.append(cache.Curve(int(block), prefix.infinite(scenario, int(block)), spots))
    return made
