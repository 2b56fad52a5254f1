"""The ledger of every step of a run at once, counted from the events without painting a slot.

The same numbers as :mod:`vizkv.replay` finds by painting (docs/invariants.md), in milliseconds for a run of 25,000
steps. Where several sequences share a block other than through the prefix cache, it is painted after all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkv.events import Kind
from vizkv.replay import walk
from vizkv.slots import CATEGORIES, Accounting, Code, Lens, category_of
from vizkv.trace import RequestFacts, SystemTrace

_PAINTED = (Kind.FORKED, Kind.COPIED, Kind.SWAPPED_OUT, Kind.SWAPPED_IN, Kind.EXCHANGED)


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


def ledgers(system: SystemTrace, requests: tuple[RequestFacts, ...]) -> Series:
    """One system's ledgers, step by step."""
    if np.isin(system.kinds, _PAINTED).any():
        return painted(system, requests)
    rows = _Rows(system, requests)
    return Series(
        name=system.name,
        slots=system.slots,
        counts=_contiguous(rows) if system.kind == "contiguous" else _paged(rows),
        batched=np.bincount(rows.step[rows.of(Kind.WRITTEN)], minlength=system.steps)[: system.steps]
        + np.cumsum(rows.writing())[: system.steps],
        written=int(rows.b[rows.of(Kind.WRITTEN)].sum() + system.spans[:, 2].sum()),
        preemptions=int(rows.of(Kind.PREEMPTED).sum()),
        cache_hits=int(rows.a[rows.of(Kind.HIT)].sum()),
        finished=int(rows.of(Kind.FINISHED).sum()),
        never=int(rows.of(Kind.NEVER).sum()),
    )


def painted(system: SystemTrace, requests: tuple[RequestFacts, ...]) -> Series:
    """The same by walking the run and painting its slots."""
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


class _Rows:
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


def _contiguous(rows: _Rows) -> np.ndarray:
    held, estimate = np.zeros((2, len(rows.final)), np.int64)
    admitted, finished, freed = (rows.of(kind) for kind in (Kind.ADMITTED, Kind.FINISHED, Kind.FREED))
    held[rows.who[admitted]], estimate[rows.who[admitted]] = rows.c[admitted], rows.b[admitted]
    final, surplus, rounding = rows.final, estimate - rows.final, held - estimate

    def sums(which: np.ndarray, amounts: np.ndarray, steps: np.ndarray = rows.booked) -> np.ndarray:
        return rows.change(steps[which], amounts[rows.who[which]])

    ended, gone = sums(finished, surplus, rows.step), sums(freed, surplus)
    written = rows.written()
    return rows.counts({
        Code.USED: written - sums(freed, final),
        Code.PENDING: sums(admitted, final) - written,
        Code.SURPLUS: sums(admitted, surplus) - ended,
        Code.REALISED: ended - gone,
        Code.ROUNDING: sums(admitted, rounding) - sums(freed, rounding),
    })  # fmt: skip


def _paged(rows: _Rows) -> np.ndarray:
    """A block is booked by the sequence that took it; one found in the prefix cache is full, whoever holds it."""
    size = rows.system.block_size
    took, found, ended, dropped = (rows.of(kind) for kind in (Kind.BLOCK, Kind.SHARED, Kind.FINISHED, Kind.FREED_BLOCK))
    # what was written of a sequence's slots when it let go of them: all of it at its end, so much when preempted
    left = ended | rows.of(Kind.PREEMPTED)
    final = rows.final[rows.who[left]]
    written = np.where(ended[left], final, rows.a[left])
    at = rows.step[left] + ended[left]  # at its end the step is booked as it was
    tail = -written % size  # slots of its last block that it had not written; nobody else ever holds that block
    pending = np.minimum(tail, final - written)
    # of its full blocks those have left the ledger that nobody else holds
    key = rows.step * len(rows.final) + rows.who
    order = np.argsort(key[left], kind="stable")
    last = dropped & (rows.b == 0)
    which = order[np.searchsorted(key[left][order], key[last])] if last.any() else np.zeros(0, np.int64)
    blocks = np.bincount(which, minlength=int(left.sum()))
    full = blocks - (tail > 0)
    gone = full * size + np.where(tail > 0, written % size, 0)

    new = rows.b[took] * size
    will = np.clip(rows.final[rows.who[took]] - new, 0, size)  # of a new block's slots
    back = found & (rows.c == 1)  # lay in the free queue
    cached, evicted = dropped & (rows.c == 1), rows.of(Kind.EVICTED)

    def blocks_at(which: np.ndarray) -> np.ndarray:
        return rows.change(rows.booked[which], np.full(int(which.sum()), size))

    realised = rows.change(rows.step[ended], -rows.final[rows.who[ended]] % size)
    wrote = rows.written()
    surplus_left = tail - pending
    changes = {
        Code.USED: wrote + blocks_at(back) - rows.change(at, gone),
        Code.PENDING: rows.change(rows.booked[took], will) - wrote - rows.change(at, pending),
        Code.SURPLUS: rows.change(rows.booked[took], size - will)
        - rows.change(np.where(ended[left], at - 1, at), surplus_left),
        Code.REALISED: realised - rows.change(at[ended[left]], surplus_left[ended[left]]),
        Code.CACHED: blocks_at(cached) - blocks_at(evicted) - blocks_at(back),
    }
    if rows.system.detail.get("null_block"):
        changes[Code.ROUNDING] = rows.change(np.zeros(1, np.int64), np.array([size]))
    return rows.counts(changes)
