"""The ledgers of all steps of a run at once, counted from the events without computing the state of each slot.

They equal the ledgers that :func:`painted` gets by replaying every step (docs/invariants.md), but take milliseconds for
25,000 steps. Systems whose slots cannot be counted this way are replayed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkv.replay.walking import walk
from vizkv.systems import registry
from vizkv.systems.base.rows import Rows
from vizkv.trace.events import Kind
from vizkv.trace.slots import CATEGORIES, Accounting, Code, Lens, category_of
from vizkv.trace.trace import RequestFacts, SystemTrace


@dataclass(frozen=True)
class Series:
    """The ledgers and counts of one system.

    ``counts``: slots by code [steps, codes]. ``batched``: requests scheduled in each step [steps]. Over the whole run:
    ``written`` tokens, ``preemptions``, ``cache_hits`` in tokens, sequences ``finished``, and those that ``never`` fit.
    """

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
        """Number of steps until the system had nothing left to do."""
        return len(self.counts)

    def shares(self, lens: Lens, accounting: Accounting) -> np.ndarray:
        """Return the slots by category, [steps, categories]; each row adds up to the pool."""
        table = np.zeros((len(Code), len(CATEGORIES)), np.int64)
        for code in Code:
            table[code, CATEGORIES.index(category_of(code, lens, accounting))] = 1
        return self.counts @ table

    @property
    def peak(self) -> int:
        """The step in which the system holds the most slots; among equal ones, the one with the most slots written."""
        if not self.steps:
            return 0
        idle = self.counts[:, [Code.FREE, Code.STRANDED, Code.CACHED, Code.MAPPED]].sum(1)
        order = np.lexsort((-self.counts[:, Code.USED], idle))
        return int(order[0])


def ledgers(system: SystemTrace, requests: tuple[RequestFacts, ...]) -> Series:
    """Return the ledgers of one system, counted from its events if its kind allows, otherwise by replaying it."""
    rows = Rows(system, requests)
    counts = registry.replay_class(system).counted(rows)
    if counts is None:
        return painted(system, requests)
    return Series(
        name=system.name,
        slots=system.slots,
        counts=counts,
        batched=np.bincount(rows.step[rows.of(Kind.WRITTEN)], minlength=system.steps)[: system.steps]
        + np.cumsum(rows.writing())[: system.steps],
        written=int(rows.b[rows.of(Kind.WRITTEN)].sum() + system.spans[:, 2].sum()),
        preemptions=int(rows.of(Kind.PREEMPTED).sum()),
        cache_hits=int(rows.a[rows.of(Kind.HIT)].sum()),
        finished=int(rows.of(Kind.FINISHED).sum()),
        never=int(rows.of(Kind.NEVER).sum()),
    )


def painted(system: SystemTrace, requests: tuple[RequestFacts, ...]) -> Series:
    """Return the ledgers of one system by replaying every step and counting its slots."""
    counts, batched = [], []
    preemptions = hits = finished = never = written = 0
    for replay in walk(system, requests):
        counts.append(replay.booked())
        batched.append(len(replay.scheduled))
        written += sum(replay.scheduled.values())
        preemptions += len(replay.preempted)
        hits += sum(replay.hits.values())
        finished += len(replay.finished)
        never += sum(e.kind == Kind.NEVER for e in replay.events)
    return Series(
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
