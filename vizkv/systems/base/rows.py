"""A run's events by column, for ledgers that are counted without painting a slot."""

from __future__ import annotations

import numpy as np

from vizkv.trace.events import Kind
from vizkv.trace.slots import Code
from vizkv.trace.trace import RequestFacts, SystemTrace


class Rows:
    """A system's events by column, and the changes that they make to a count in each step."""

    def __init__(self, system: SystemTrace, requests: tuple[RequestFacts, ...]):
        self.system = system
        self.final = np.array([r.final_slots for r in requests], np.int64)
        self.who, self.a, self.b, self.c, _ = system.values.T
        self.step = np.repeat(np.arange(system.steps), np.diff(system.offsets))
        # the ledger of a step was closed before its late events; only the tail's new name is in it
        self.booked = self.step + system.late

    def of(self, *kinds: Kind) -> np.ndarray:
        """Which events are of these kinds, bool [events]."""
        return np.isin(self.system.kinds, kinds)

    def change(self, steps: np.ndarray, amounts: np.ndarray) -> np.ndarray:
        """[steps + 2]: the sum of the amounts in each step."""
        return np.bincount(steps, amounts, self.system.steps + 2).astype(np.int64)

    def writing(self) -> np.ndarray:
        """[steps + 2]: by how many the spans that write grow and shrink in each step."""
        first, count = self.system.spans[:, 1], self.system.spans[:, 2]
        return self.change(first, np.ones_like(first)) - self.change(first + count, np.ones_like(first))

    def written(self) -> np.ndarray:
        """[steps + 2]: slots written in each step."""
        which = self.of(Kind.WRITTEN)
        return self.change(self.booked[which], self.b[which]) + np.cumsum(self.writing())

    def counts(self, changes: dict[Code, np.ndarray]) -> np.ndarray:
        """[steps, codes] from the changes of what is held and cached; what remains of the pool is free, or stranded."""
        system = self.system
        counts = np.zeros((system.steps, len(Code)), np.int64)
        for code, change in changes.items():
            counts[:, code] = np.cumsum(change)[: system.steps]
        free = system.slots - counts.sum(1)
        counts[:, Code.STRANDED] = np.where(system.stranded, free, 0)
        counts[:, Code.FREE] = np.where(system.stranded, 0, free)
        return counts
