"""Requests running and waiting in each step, and the share of the pool that is held: what a server logs.

Counted from the events, for runs in which every request is one sequence, as in a workload.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vizkv.replay.ledgers import Series
from vizkv.trace.events import Kind
from vizkv.trace.slots import Code
from vizkv.trace.trace import SystemTrace

_CHANGES = {  # by kind of event: (running, waiting)
    Kind.ARRIVED: (0, 1),
    Kind.NEVER: (0, -1),
    Kind.ADMITTED: (1, -1),
    Kind.PREEMPTED: (-1, 1),
}


@dataclass(frozen=True)
class Queues:
    """The queues of a run after each step was scheduled, or those of a server at the times that it logged.

    ``time_s``: the clock at the end of each step [steps]. ``running``, ``waiting``: requests [steps]. ``held``: percent
    of the usable pool that requests hold [steps], which vLLM calls KV cache usage.
    """

    time_s: np.ndarray
    running: np.ndarray
    waiting: np.ndarray
    held: np.ndarray


def queues(system: SystemTrace, series: Series) -> Queues:
    """Return the queues of a run in each step. ``series``: the system's ledgers."""
    steps = np.repeat(np.arange(system.steps), np.diff(system.offsets))
    running, waiting = np.zeros((2, system.steps + 1), np.int64)
    for kind, (runs, waits) in _CHANGES.items():
        at = steps[system.kinds == kind]
        np.add.at(running, at, runs)
        np.add.at(waiting, at, waits)
    np.add.at(running, steps[system.kinds == Kind.FINISHED] + 1, -1)
    null = series.counts[:, Code.ROUNDING] if system.detail.get("null_block") else 0
    idle = series.counts[:, [Code.FREE, Code.STRANDED, Code.CACHED]].sum(1)
    return Queues(
        system.time_s,
        np.cumsum(running)[: system.steps],
        np.cumsum(waiting)[: system.steps],
        (1 - idle / (series.slots - null)) * 100,
    )


def mean_running(running: np.ndarray, waiting: np.ndarray) -> float:
    """Return the mean number of running requests while others wait, when the memory is full. NaN if none ever waits."""
    busy = waiting > 0
    return float(running[busy].mean()) if busy.any() else math.nan
