"""A system's ledger over time, and the step at which it holds the most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkv.events import Kind
from vizkv.replay import walk
from vizkv.slots import CATEGORIES, Accounting, Code, Lens, category_of
from vizkv.trace import Trace


@dataclass(frozen=True)
class Series:
    """One system over its steps. ``counts``: [steps, codes] slots by code; ``batched``: requests scheduled a step."""

    name: str
    slots: int
    counts: np.ndarray
    batched: np.ndarray
    written: int
    preemptions: int
    cache_hits: int
    finished: int
    never: int

    @property
    def steps(self) -> int:
        """Steps until the system was idle for good."""
        return len(self.counts)

    def shares(self, lens: Lens, accounting: Accounting) -> np.ndarray:
        """[steps, categories] slots by category; each row adds up to the pool."""
        table = np.zeros((len(Code), len(CATEGORIES)), np.int64)
        for code in Code:
            table[code, CATEGORIES.index(category_of(code, lens, accounting))] = 1
        return self.counts @ table

    @property
    def peak(self) -> int:
        """The step in which the system holds the most slots; of several such steps the one with the most written."""
        if not self.steps:
            return 0
        idle = self.counts[:, [Code.FREE, Code.STRANDED, Code.CACHED]].sum(1)
        order = np.lexsort((-self.counts[:, Code.USED], idle))
        return int(order[0])


def series(trace: Trace) -> list[Series]:
    """One entry a system."""
    result = []
    for system in trace.systems:
        counts, batched = [], []
        preemptions = hits = finished = never = written = 0
        for replay in walk(system, trace.requests):
            counts.append(replay.booked())
            batched.append(len(replay.scheduled))
            written += sum(replay.scheduled.values())
            preemptions += len(replay.preempted)
            hits += sum(replay.hits.values())
            finished += len(replay.finished)
            never += sum(e.kind == Kind.NEVER for e in replay.events)
        result.append(
            Series(
                name=system.name,
                slots=system.slots,
                counts=np.array(counts, np.int64).reshape(-1, len(Code)),
                batched=np.array(batched, np.int64),
                written=written,
                preemptions=preemptions,
                cache_hits=hits,
                finished=finished,
                never=never,
            )
        )
    return result
