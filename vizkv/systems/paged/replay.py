"""What the events of a paged system do to its blocks: tables, references, the free queue, the prefix cache."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, ClassVar

import numpy as np

from vizkv.systems.base.live import LedgerError, Live, Run, Span
from vizkv.systems.base.replay import Replay
from vizkv.systems.base.rows import Rows
from vizkv.trace.events import Event, Kind
from vizkv.trace.slots import Code
from vizkv.trace.trace import RequestFacts, SystemTrace

# where several sequences share a block other than through the prefix cache, slots cannot be counted from the columns
_SHARES = (Kind.FORKED, Kind.COPIED, Kind.SWAPPED_OUT, Kind.SWAPPED_IN, Kind.EXCHANGED)


class PagedReplay(Replay):
    """Each sequence has a table of blocks, and several may name the same block."""

    requires: ClassVar[frozenset[str]] = frozenset({"block_size"})
    takes: ClassVar[tuple[Code, ...]] = (Code.FREE, Code.CACHED)
    resting: ClassVar[Code] = Code.CACHED
    """The state of a block of ``cached`` that nobody holds."""
    books: ClassVar[tuple[str, ...]] = (*Replay.books, "_inside")

    def __init__(self, system: SystemTrace, requests: tuple[RequestFacts, ...]):
        super().__init__(system, requests)
        self._null_block = bool(system.detail.get("null_block"))
        self._inside: dict[int, int] = {}  # after exchanges: in this block lies what lay in that one

    @classmethod
    def counted(cls, rows: Rows) -> np.ndarray | None:
        """Slots by code at each step: sums over the blocks that are held."""
        return None if np.isin(rows.system.kinds, _SHARES).any() else _count(rows)

    def place(self, r: Live) -> dict[str, Any]:
        """The block table."""
        return {"block_table": list(r.block_table)}

    def pool(self) -> dict[str, Any]:
        """The free queue, references, and every block that has a hash."""
        return {
            "free_queue": list(self.free_queue),
            "ref_count": {str(block): count for block, count in sorted(self.references.items())},
            "cached_blocks": sorted(self.cached),
        }

    def released(self, who: int) -> list[Span]:
        """Return the blocks that nobody else holds."""
        return [self._span(block) for block in self.live[who].block_table if block not in self.references]

    def taken(self, event: Event) -> list[Span]:
        """Return the block that leaves the free queue."""
        free = event.kind == Kind.BLOCK or (event.kind == Kind.SHARED and event.c)
        if free:
            return [self._span(event.a)]
        if event.kind == Kind.COPIED or (event.kind == Kind.SWAPPED_IN and event.d):
            return [self._span(event.b)]
        return []

    def _span(self, block: int) -> Span:
        return Span(block * self.system.block_size, (block + 1) * self.system.block_size)

    def apply(self, event: Event, late: bool) -> None:
        """One event of the step. Exchanges are collected: a shuffle has one for every block."""
        if event.kind == Kind.EXCHANGED:
            a, b = event.a, event.b
            self._inside[a], self._inside[b] = self._inside.get(b, b), self._inside.get(a, a)
            return
        if self._inside:
            self._rearrange()
        super().apply(event, late)

    def _happen(self, event: Event, late: bool) -> None:
        kind, who, a, b, c, _ = event
        if kind == Kind.BLOCK:
            self._take_block(self.live[who], a)
        elif kind == Kind.SHARED:
            self._share_block(self.live[who], a, was_free=bool(c))
        elif kind == Kind.FREED_BLOCK:
            self._let_go(event, late)
        elif kind == Kind.REGISTERED:
            self.cached.add(a)
        elif kind == Kind.EVICTED:
            self.cached.discard(a)
        elif kind == Kind.HIT:
            self.hits[who] = a
            self.live[who].written = a
        elif kind == Kind.FORKED:
            self._fork(event)
        elif kind == Kind.COPIED:
            self._copy(self.live[who], a, b, c)
        elif kind == Kind.SWAPPED_OUT:
            self.swapped.setdefault(who, []).append(b)
            self.cpu_references[b] = self.cpu_references.get(b, 0) + 1
        elif kind == Kind.SWAPPED_IN:
            self._swap_in(event)
        elif kind == Kind.REPOINTED:
            self.repointed[who, a] = b
        else:
            super()._happen(event, late)

    def _settle(self) -> None:
        if self._inside:
            self._rearrange()

    def _take_block(self, r: Live, block: int) -> None:
        self._hand_out(r, block)
        r.block_table.append(block)
        r.estimate = r.held = len(r.block_table) * self.system.block_size
        self._paint_block(r, len(r.block_table) - 1)

    def _hand_out(self, r: Live, block: int) -> None:
        if block not in self.free_queue:
            raise LedgerError(f"block {block} of {self.system.name} was handed out twice")
        del self.free_queue[block]
        self._claim(block * self.system.block_size, self.system.block_size)
        self.references[block], self.holders[block] = 1, [r.index]

    def _paint_block(self, r: Live, index: int) -> None:
        """One block as the books of a sequence that holds it say: written, to be written, never to be.

        Of those who share it, whoever goes on longest may be the one who writes into it.
        """
        if self._blind:
            return
        size, block = self.system.block_size, r.block_table[index]
        first, position = block * size, index * size
        final = max((self.live[who].final for who in self.holders[block] if who in self.live), default=r.final)
        written, will = (min(size, max(0, end - position)) for end in (r.written, final))
        bounds = (0, written, max(written, will), size)
        rest = Code.REALISED if r.finished else Code.SURPLUS
        for low, high, code in zip(bounds, bounds[1:], (Code.USED, Code.PENDING, rest)):
            if high > low:
                self._paint(Run(first + low, high - low, code, r.index, position + low))

    def _paint_physical(self, block: int) -> None:
        """One block as whoever holds it says, or as one of the free queue."""
        if self._blind:
            return
        size, holders = self.system.block_size, self.holders.get(block)
        if holders:
            owner = next((self.live[who] for who in holders if who in self.live), None)
            if owner is not None:  # else a whole group is leaving, one after another
                self._paint_block(owner, owner.block_table.index(block))
        else:
            code = self.resting if block in self.cached else Code.FREE
            self._paint(Run(block * size, size, code, -1, -1))

    def _fork(self, event: Event) -> None:
        _, who, parent, written, _, _ = event
        facts, source = self.requests[who], self.live[parent]
        child = Live(who, facts.prompt_tokens, facts.final_slots, source.estimate, source.held, written=written)
        child.block_table = list(source.block_table)
        self.preempted_before.discard(who)
        if who not in self.live:  # it runs behind the others of its request
            ids = list(self.live)
            at = max(i for i, other in enumerate(ids) if self.requests[other].group == facts.group) + 1
            behind = [(other, self.live.pop(other)) for other in ids[at:]]
            self.live[who] = child
            self.live.update(behind)
        self.live[who] = child
        # behind the fork lies what it has to compute again after a preemption, and that is its own
        texts, own = self._tokens.get(parent, {}), self._tokens.get(who, {})
        self._tokens[who] = {position: token for position, token in texts.items() if position < written}
        self._tokens[who] |= {position: token for position, token in own.items() if position >= written}
        for block in child.block_table:
            self.references[block] += 1
            self.holders[block].append(who)
        if child.final != source.final:
            self._late.append(event)

    def _copy(self, r: Live, source: int, block: int, index: int) -> None:
        self._hand_out(r, block)
        r.block_table[index] = block
        self.references[source] -= 1
        self.holders[source].remove(r.index)
        self._paint_block(r, index)
        self._paint_physical(source)

    def _swap_in(self, event: Event) -> None:
        _, who, cpu_block, block, _, first = event
        r = self.live[who]
        if first:
            self._take_block(r, block)
        else:
            r.block_table.append(block)
            r.estimate = r.held = len(r.block_table) * self.system.block_size
            self.references[block] += 1
            self.holders[block].append(who)
        self.swapped[who].remove(cpu_block)
        if not self.swapped[who]:
            del self.swapped[who]
        self.cpu_references[cpu_block] -= 1
        if not self.cpu_references[cpu_block]:
            del self.cpu_references[cpu_block]

    def _rearrange(self) -> None:
        """Follow all the exchanges since the last other event at once: a shuffle has one for every block."""
        place = {origin: block for block, origin in self._inside.items()}
        self._inside = {}
        for r in self.live.values():
            r.block_table[:] = [place.get(block, block) for block in r.block_table]
        self.free_queue = OrderedDict.fromkeys(place.get(block, block) for block in self.free_queue)
        self.references = {place.get(block, block): count for block, count in self.references.items()}
        self.holders = {place.get(block, block): holders for block, holders in self.holders.items()}
        self.cached = {place.get(block, block) for block in self.cached}
        self.repointed = {key: place.get(block, block) for key, block in self.repointed.items()}
        for block in place:
            self._paint_physical(block)

    def _share_block(self, r: Live, block: int, was_free: bool) -> None:
        size, position = self.system.block_size, len(r.block_table) * self.system.block_size
        r.block_table.append(block)
        r.estimate = r.held = len(r.block_table) * size
        if was_free:
            del self.free_queue[block]
            self.references[block], self.holders[block] = 1, [r.index]
            self._paint(Run(block * size, size, Code.USED, r.index, position))
        else:
            self.references[block] += 1
            self.holders[block].append(r.index)

    def _let_go(self, event: Event, late: bool) -> None:
        _, who, block, left, place, _ = event
        self.holders[block].remove(who)
        self.references[block] = left
        if not left:
            del self.references[block]
            self.free_queue[block] = None
            self.free_queue.move_to_end(block, last=place == 1)
        if late:
            self._late.append(event)
        else:
            self._give_back(event)

    # -- slots --------------------------------------------------------------------------------------------------------

    def _slots(self, r: Live, position: int, count: int) -> list[Run]:
        size, runs = self.system.block_size, []
        while count:
            offset = position % size
            length = min(count, size - offset)
            first = r.block_table[position // size] * size + offset
            runs.append(Run(first, length, Code.USED, r.index, position))
            position, count = position + length, count - length
        return runs

    def _unwritten(self, r: Live) -> list[Run]:
        size = self.system.block_size
        block, offset = r.block_table[r.final // size], r.final % size
        if any(not self.live[who].finished for who in self.holders[block] if who != r.index):
            return []  # another sequence will write there
        return [Run(block * size + offset, size - offset, Code.REALISED, r.index, r.final)]

    def _give_back(self, event: Event) -> None:
        if event.kind == Kind.FORKED:  # a block that is shared is booked anew
            self._paint_physical(self.live[event.request].block_table[-1])
            return
        r = self.live.get(event.request)
        if r is not None and r.finished:
            self.live.pop(event.request)
        self._paint_physical(event.a)  # where others still read it, the slots are theirs from now on

    def _paint_pool(self) -> None:
        if self._null_block:
            self._paint(Run(0, self.system.block_size, Code.ROUNDING, -1, -1))
        for block in [*self.holders, *self.cached]:
            if self.holders.get(block) or block in self.free_queue:
                self._paint_physical(block)


def _count(rows: Rows) -> np.ndarray:
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
