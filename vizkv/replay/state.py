"""The state of a system at a step, as its events made it.

:class:`Replay` keeps the state that events change (who runs, who waits, block tables, the free queue, references) and
paints the slots: each step leaves the runs of slots that changed, and the pool counted by code. All pictures, numbers
and exports are read from here.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from vizkv.events import Event, Kind
from vizkv.replay import seeking
from vizkv.replay.parts import CODES, LedgerError, Live, Run
from vizkv.slots import Code
from vizkv.trace import RequestFacts, SystemTrace


class Replay:
    """The state of one system at a step; :meth:`advance` moves to the next. Before the first call it is step -1."""

    def __init__(self, system: SystemTrace, requests: tuple[RequestFacts, ...]):
        self.system, self.requests = system, requests
        self.step = -1
        self.live: OrderedDict[int, Live] = OrderedDict()  # by request, in running order
        self.waiting: list[int] = []
        self.free_queue: OrderedDict[int, None] = OrderedDict.fromkeys(system.free_order)
        self.references: dict[int, int] = {}
        self.cached: set[int] = set()
        self.holders: dict[int, list[int]] = {}
        self.swapped: dict[int, list[int]] = {}  # by sequence: its blocks in the CPU pool
        self.cpu_references: dict[int, int] = {}
        self.repointed: dict[tuple[int, int], int] = {}  # (sequence, index in its table): what attention reads instead
        self.counts = [0] * CODES
        self.runs: list[Run] = []
        self.scheduled: dict[int, int] = {}
        self.hits: dict[int, int] = {}
        self.preempted: list[int] = []
        self.finished: list[int] = []
        self.events: list[Event] = []
        self._codes = bytearray([Code.FREE]) * system.slots
        self.counts[Code.FREE] = system.slots
        self._late: list[Event] = []
        self._inside: dict[int, int] = {}  # after exchanges: in this block lies what lay in that one
        self._kept: dict[int, int] = {}  # tokens written by sequences that are swapped out
        self._tokens: dict[int, dict[int, int]] = {}  # ids by position, where this system's text is its own
        self._null_block = bool(system.detail.get("null_block"))
        self._blind = False  # while steps are skipped nothing is painted
        self._anew = True  # whether the next step begins with painting the whole pool

    # -- walking ------------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Play the next step; ``runs``, ``counts`` and the lists then describe its end.

        What a finished request gives back is applied to the free queue, the references and the cache at once, but to
        the slots only with the next step: the ledger of the step still books them as held.
        """
        self.runs = []
        self.scheduled, self.hits, self.preempted, self.finished, self.events = {}, {}, [], [], []
        self.begin()
        if self._anew and not self._blind:
            self._paint_all()
        self.repointed = {key: block for key, block in self.repointed.items() if key[0] in self.live}
        if self.step == self.system.steps:
            return  # the closing frame: nothing happens any more, what finished last is given back
        for event, late in self.system.events(self.step):
            self.events.append(event)
            self.apply(event, late)
        if self._inside:
            self._rearrange()

    def begin(self) -> None:
        """The next step; what was given back at the end of the one before is free now."""
        self.step += 1
        late, self._late = self._late, []
        for event in late:
            self._release(event)

    def apply(self, event: Event, late: bool) -> None:
        """One event of the step."""
        kind, who, a, b, c, _ = event
        if kind == Kind.EXCHANGED:
            self._inside[a], self._inside[b] = self._inside.get(b, b), self._inside.get(a, a)
            return
        if self._inside:
            self._rearrange()
        if kind == Kind.WRITTEN:
            self._write(self.live[who], a, b)
            self.scheduled[who] = b
            if self.system.vocabulary:
                self._tokens.setdefault(who, {})[a + b - 1] = c
        elif kind == Kind.BLOCK:
            self._take_block(self.live[who], a)
        elif kind == Kind.SHARED:
            self._share_block(self.live[who], a, was_free=bool(c))
        elif kind == Kind.FREED_BLOCK:
            self._let_go(event, late)
        elif kind == Kind.FREED:
            if late:
                self._late.append(event)
            else:
                self._release(event)
        elif kind == Kind.ADMITTED:
            self._admit(who, a, b, c)
        elif kind == Kind.MOVED:
            self._move(self.live[who], b)
        elif kind == Kind.FINISHED:
            ended = self.live[who]
            self.finished.append(who)
            self._realise(ended)
            ended.finished, ended.written = True, ended.final
        elif kind == Kind.PREEMPTED:
            self.preempted.append(who)
            del self.live[who]
            if not c:
                self.waiting.insert(0, who)
            if b:
                self._kept[who] = a
        elif kind == Kind.ARRIVED:
            self.waiting.append(who)
        elif kind == Kind.NEVER:
            if who in self.waiting:
                self.waiting.remove(who)
        elif kind == Kind.HIT:
            self.hits[who] = a
            self.live[who].written = a
        elif kind == Kind.REGISTERED:
            self.cached.add(a)
        elif kind == Kind.EVICTED:
            self.cached.discard(a)
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

    def skip_to(self, step: int) -> None:
        """Go on so that the next :meth:`advance` plays ``step``; its ``runs`` then paint the whole pool.

        Nothing is painted on the way, and who only wrote one token after another is not asked: a few microseconds an
        event that is no such write.
        """
        if step <= self.step + 1:
            return
        self._blind, spans = True, self.system.spans
        seeking.skip(self, step)
        self.repointed = {key: block for key, block in self.repointed.items() if key[0] in self.live}
        through = (spans[:, 1] <= self.step) & (self.step < spans[:, 1] + spans[:, 2])
        for who, first, _, position, _ in spans[through].tolist():
            self.live[who].written = position + self.step - first + 1
        if self._inside:
            self._rearrange()
        self._blind, self._anew = False, True

    def piece(self, who: int, position: int) -> str:
        """The text of a token as this system has it at this step, "" where it is not known."""
        token = self._tokens.get(who, {}).get(position)
        if token is not None:
            return self.system.vocabulary.get(token, "")
        pieces = self.requests[who].pieces
        return pieces[position] if position < len(pieces) else ""

    @property
    def running(self) -> list[Live]:
        """Whoever holds slots, in running order: those that finish in this step too, and all of a static batch."""
        return list(self.live.values())

    # -- contiguous ---------------------------------------------------------------------------------------------------

    def _admit(self, who: int, start: int, estimate: int, held: int) -> None:
        facts = self.requests[who]
        if who in self.waiting:
            self.waiting.remove(who)
        written = self._kept.pop(who, 0)  # what was swapped out is still written
        request = Live(who, facts.prompt_tokens, facts.final_slots, estimate, held, start, written)
        self.live[who] = request
        if self.system.kind == "contiguous":
            self._claim(start, held)
            self._paint_piece(request)

    def _paint_piece(self, r: Live) -> None:
        bounds = (0, r.written, r.final, r.estimate, r.held)
        rest = Code.REALISED if r.finished else Code.SURPLUS  # finished, and moved in a static batch
        for low, high, code in zip(bounds, bounds[1:], (Code.USED, Code.PENDING, rest, Code.ROUNDING)):
            if high > low:
                self._paint(Run(r.start + low, high - low, code, r.index, low))

    def _move(self, r: Live, start: int) -> None:
        self._paint(Run(r.start, r.held, Code.FREE, -1, -1))
        self._claim(start, r.held)
        r.start = start
        self._paint_piece(r)

    # -- paged --------------------------------------------------------------------------------------------------------

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
            code = Code.CACHED if block in self.cached else Code.FREE
            self._paint(Run(block * size, size, code, -1, -1))

    def _fork(self, event: Event) -> None:
        _, who, parent, written, _, _ = event
        facts, source = self.requests[who], self.live[parent]
        child = Live(who, facts.prompt_tokens, facts.final_slots, source.estimate, source.held, written=written)
        child.block_table = list(source.block_table)
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
            self._release(event)

    # -- slots --------------------------------------------------------------------------------------------------------

    def _write(self, r: Live, position: int, count: int) -> None:
        r.written = position + count
        if self.system.kind == "contiguous":
            self._paint(Run(r.start + position, count, Code.USED, r.index, position))
            return
        size = self.system.block_size
        while count:
            offset = position % size
            length = min(count, size - offset)
            self._paint(Run(r.block_table[position // size] * size + offset, length, Code.USED, r.index, position))
            position, count = position + length, count - length

    def _realise(self, r: Live) -> None:
        """The moment this tool is about: what was held and never written turns out to be internal fragmentation."""
        if r.estimate <= r.final:
            return
        if self.system.kind == "contiguous":
            self._paint(Run(r.start + r.final, r.estimate - r.final, Code.REALISED, r.index, r.final))
            return
        size = self.system.block_size
        block, offset = r.block_table[r.final // size], r.final % size
        if any(not self.live[who].finished for who in self.holders[block] if who != r.index):
            return  # another sequence will write there
        self._paint(Run(block * size + offset, size - offset, Code.REALISED, r.index, r.final))

    def _release(self, event: Event) -> None:
        """Give slots back to the picture."""
        kind, who, a, _, c, _ = event
        if kind == Kind.FORKED:  # a block that is shared is booked anew
            self._paint_physical(self.live[who].block_table[-1])
            return
        if kind == Kind.FREED:
            self._paint(Run(a, c, Code.FREE, -1, -1))
            self.live.pop(who, None)
            return
        r = self.live.get(who)
        if r is not None and r.finished:
            self.live.pop(who)
        self._paint_physical(a)  # where others still read it, the slots are theirs from now on

    def _paint_all(self) -> None:
        """Every slot as the books say."""
        self._anew = False
        self._paint(Run(0, self.system.slots, Code.FREE, -1, -1))
        if self._null_block:
            self._paint(Run(0, self.system.block_size, Code.ROUNDING, -1, -1))
        for r in self.live.values():
            if self.system.kind == "contiguous":
                self._paint_piece(r)
        for block in [*self.holders, *self.cached]:
            if self.holders.get(block) or block in self.free_queue:
                self._paint_physical(block)

    def _claim(self, start: int, length: int) -> None:
        """Slots about to be handed out must be free: never two owners."""
        if self._blind:
            return
        piece = self._codes[start : start + length]
        if len(piece) != length or piece.count(Code.FREE) + piece.count(Code.CACHED) != length:
            raise LedgerError(f"slots {start}..{start + length - 1} of {self.system.name} have two owners")

    def _paint(self, run: Run) -> None:
        if self._blind:
            return
        start, length, code = run.start, run.length, run.code
        if length == 1:
            self.counts[self._codes[start]] -= 1
            self._codes[start] = code
        else:
            piece = self._codes[start : start + length]
            for old in range(CODES):
                self.counts[old] -= piece.count(old)
            self._codes[start : start + length] = bytes([code]) * length
        self.counts[code] += length
        self.runs.append(run)

    @property
    def stranded(self) -> bool:
        """Whether the free slots of this step are stranded."""
        return self.step < self.system.steps and bool(self.system.stranded[self.step])

    def booked(self) -> list[int]:
        """Slots by code with free slots booked as stranded where they are."""
        counts = list(self.counts)
        if self.stranded:
            counts[Code.STRANDED], counts[Code.FREE] = counts[Code.FREE], 0
        return counts

    def codes(self) -> np.ndarray:
        """The code of every slot, uint8 [slots]."""
        codes = np.frombuffer(bytes(self._codes), np.uint8).copy()
        if self.stranded:
            codes[codes == Code.FREE] = Code.STRANDED
        return codes
