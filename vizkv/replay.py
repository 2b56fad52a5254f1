"""From a trace's events to what they mean: walk a system step by step.

:class:`Replay` keeps the state that events change (who runs, who waits, block tables, the free queue, references) and
paints the slots: each step leaves the runs of slots that changed, and the pool counted by code. All pictures, numbers
and exports are read from here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from vizkv.events import Event, Kind
from vizkv.slots import Code
from vizkv.trace import RequestFacts, SystemTrace, Trace, TraceError

CODES = len(Code)


class Run(NamedTuple):
    """Consecutive slots that became ``code`` in a step. ``position``: the sequence's position at the first, -1 none."""

    start: int
    length: int
    code: int
    owner: int
    position: int


class LedgerError(AssertionError):
    """A slot would be in two states or have two owners: the engine, not the user, is wrong."""


@dataclass
class Live:
    """One request that holds slots: p, t, L, E and R of SPEC 2."""

    index: int
    prompt: int
    final: int
    estimate: int
    held: int
    start: int = -1
    written: int = 0
    finished: bool = False
    block_table: list[int] = field(default_factory=list)


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
        self._null_block = bool(system.detail.get("null_block"))

    # -- walking ------------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Play the next step; ``runs``, ``counts`` and the lists then describe its end.

        What a finished request gives back is applied to the free queue, the references and the cache at once, but to
        the slots only with the next step: the ledger of the step still books them as held.
        """
        self.step += 1
        self.runs = []
        self.scheduled, self.hits, self.preempted, self.finished, self.events = {}, {}, [], [], []
        if self.step == 0:
            self._paint(Run(0, self.system.slots, Code.FREE, -1, -1))
            if self._null_block:
                self._paint(Run(0, self.system.block_size, Code.ROUNDING, -1, -1))
        for event in self._late:
            self._release(event)
        self._late = []
        if self.step == self.system.steps:
            return  # the closing frame: nothing happens any more, what finished last is given back
        for event, late in self.system.events(self.step):
            self.events.append(event)
            self._apply(event, late)

    def _apply(self, event: Event, late: bool) -> None:
        kind, who, a, b, c, _ = event
        if kind == Kind.WRITTEN:
            self._write(self.live[who], a, b)
            self.scheduled[who] = b
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
            self.finished.append(who)
            self._realise(self.live[who])
            self.live[who].finished = True
        elif kind == Kind.PREEMPTED:
            self.preempted.append(who)
            self.live.pop(who, None)
            self.waiting.insert(0, who)
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

    @property
    def running(self) -> list[Live]:
        """Whoever holds slots, in running order: those that finish in this step too, and all of a static batch."""
        return list(self.live.values())

    # -- contiguous ---------------------------------------------------------------------------------------------------

    def _admit(self, who: int, start: int, estimate: int, held: int) -> None:
        facts = self.requests[who]
        if who in self.waiting:
            self.waiting.remove(who)
        request = Live(who, facts.prompt_tokens, facts.final_slots, estimate, held, start)
        self.live[who] = request
        if self.system.kind == "contiguous":
            self._claim(start, held)
            self._paint_piece(request)

    def _paint_piece(self, r: Live) -> None:
        bounds = (0, r.written, r.final, r.estimate, r.held)
        for low, high, code in zip(bounds, bounds[1:], (Code.USED, Code.PENDING, Code.SURPLUS, Code.ROUNDING)):
            if high > low:
                self._paint(Run(r.start + low, high - low, code, r.index, low))

    def _move(self, r: Live, start: int) -> None:
        self._paint(Run(r.start, r.held, Code.FREE, -1, -1))
        self._claim(start, r.held)
        r.start = start
        self._paint_piece(r)

    # -- paged --------------------------------------------------------------------------------------------------------

    def _take_block(self, r: Live, block: int) -> None:
        size, position = self.system.block_size, len(r.block_table) * self.system.block_size
        if block not in self.free_queue:
            raise LedgerError(f"block {block} of {self.system.name} was handed out twice")
        del self.free_queue[block]
        self._claim(block * size, size)
        self.references[block], self.holders[block] = 1, [r.index]
        r.block_table.append(block)
        r.estimate = r.held = len(r.block_table) * size
        will = min(size, max(0, r.final - position))
        if will:
            self._paint(Run(block * size, will, Code.PENDING, r.index, position))
        if will < size:
            self._paint(Run(block * size + will, size - will, Code.SURPLUS, r.index, position + will))

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
        self._paint(Run(block * size + offset, size - offset, Code.REALISED, r.index, r.final))

    def _release(self, event: Event) -> None:
        """Give slots back to the picture."""
        kind, who, a, _, c, _ = event
        if kind == Kind.FREED:
            self._paint(Run(a, c, Code.FREE, -1, -1))
            self.live.pop(who, None)
            return
        size = self.system.block_size
        r = self.live.get(who)
        if r is not None and r.finished:
            self.live.pop(who)
        holders = self.holders.get(a)
        if holders:  # others still read it: the slots are theirs from now on
            owner = self.live[holders[0]]
            self._paint(Run(a * size, size, Code.USED, owner.index, owner.block_table.index(a) * size))
            return
        self._paint(Run(a * size, size, Code.CACHED if c == 1 else Code.FREE, -1, -1))

    def _claim(self, start: int, length: int) -> None:
        """Slots about to be handed out must be free: never two owners."""
        piece = self._codes[start : start + length]
        if len(piece) != length or piece.count(Code.FREE) + piece.count(Code.CACHED) != length:
            raise LedgerError(f"slots {start}..{start + length - 1} of {self.system.name} have two owners")

    def _paint(self, run: Run) -> None:
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


def walk(system: SystemTrace, requests: tuple[RequestFacts, ...], *, closing: bool = False) -> Iterator[Replay]:
    """The same Replay object at each step in turn; with ``closing`` once more after the last, all given back."""
    replay = Replay(system, requests)
    for _ in range(system.steps + closing):
        replay.advance()
        yield replay


def checked(trace: Trace) -> Trace:
    """The trace, once all of it has been walked. Raises TraceError if its events contradict each other."""
    try:
        for system in trace.systems:
            for _ in walk(system, trace.requests, closing=True):
                pass
    except (LedgerError, LookupError, ValueError, TypeError, ZeroDivisionError):
        raise TraceError("The trace's events contradict each other: the file is damaged.") from None
    return trace


def at(system: SystemTrace, requests: tuple[RequestFacts, ...], step: int) -> Replay:
    """The state at one step; ``system.steps`` is the closing frame."""
    if not 0 <= step <= system.steps:
        raise IndexError(f"step {step} is outside 0..{system.steps}")
    replay = Replay(system, requests)
    for _ in range(step + 1):
        replay.advance()
    return replay
