"""The state of a system at a step, as its events made it: what the replays of all kinds have in common.

:class:`Replay` keeps the state that events change (who runs, who waits, block tables, the free queue, references) and
paints the slots: each step leaves the runs of slots that changed, and the pool counted by code. All pictures, numbers
and exports are read from here. What an event does to the slots of a system is said by the class of its kind.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, ClassVar

import numpy as np

from vizkv.systems.base import keyframes
from vizkv.systems.base.live import CODES, LedgerError, Live, Run, Span
from vizkv.systems.base.rows import Rows
from vizkv.trace.events import Event, Kind
from vizkv.trace.slots import Code
from vizkv.trace.trace import RequestFacts, SystemTrace


class Replay:
    """The state of one system at a step; :meth:`advance` moves to the next. Before the first call it is step -1.

    The books of blocks (``free_queue``, ``references``, ``cached``, ...) are empty in a system without blocks.
    """

    requires: ClassVar[frozenset[str]] = frozenset()
    """The fields of ``system.detail`` without which a trace of this kind cannot be drawn."""
    takes: ClassVar[tuple[Code, ...]] = (Code.FREE,)
    """The states from which slots can be handed out."""
    expires: ClassVar[bool] = False
    """Slots may lie behind a window while their request runs."""
    books: ClassVar[tuple[str, ...]] = (
        "step", "live", "waiting", "free_queue", "references", "cached", "holders", "swapped", "cpu_references",
        "repointed", "ranges", "owners", "preempted_before", "_late", "_kept", "_tokens",
    )  # fmt: skip
    """The attributes that say all about a step, but for the painted slots: what a keyframe keeps."""

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
        self.ranges: dict[int, list[int]] = {}  # by range of addresses: the pages behind it, in order
        self.owners: dict[int, int] = {}  # by range: the request that has it
        self.counts = [0] * CODES
        self.runs: list[Run] = []
        self.scheduled: dict[int, int] = {}
        self.hits: dict[int, int] = {}
        self.preempted: list[int] = []
        self.given_back: list[Event] = []  # by those that finished in the step before
        self.returned: set[int] = set()  # admitted in this step after having been preempted
        self.lost: dict[int, Live] = {}  # what the sequences preempted in this step held
        self.preempted_before: set[int] = set()  # have run and wait to be admitted again
        self.finished: list[int] = []
        self.events: list[Event] = []
        self._codes = bytearray([Code.FREE]) * system.slots
        self.counts[Code.FREE] = system.slots
        self._late: list[Event] = []
        self._kept: dict[int, int] = {}  # tokens written by sequences that are swapped out
        self._tokens: dict[int, dict[int, int]] = {}  # ids by position, where this system's text is its own
        self._blind = False  # while steps are skipped nothing is painted
        self._anew = True  # whether the next step begins with painting the whole pool

    # -- what a kind says ---------------------------------------------------------------------------------------------

    @classmethod
    def counted(cls, rows: Rows) -> np.ndarray | None:
        """Slots by code at each step, [steps, codes], counted without painting; None where that is not possible."""
        return None

    def place(self, r: Live) -> dict[str, Any]:
        """Where a request's slots lie, as `vizkv run` prints it."""
        raise NotImplementedError

    def pool(self) -> dict[str, Any]:
        """The state of the pool besides its requests, as `vizkv run` prints it."""
        return {}

    def released(self, who: int) -> list[Span]:
        """Return the slots that a request which ends in this step gives back for the next one."""
        return []

    def taken(self, event: Event) -> list[Span]:
        """Return the slots that a request takes by an event of the next step."""
        return []

    def _admitted(self, r: Live, event: Event) -> None:
        """A request joins those that run: claim and paint what it holds by that."""

    def _happen(self, event: Event, late: bool) -> None:
        """An event that not every kind has."""
        raise LedgerError(f"{self.system.name} cannot have the event {event.kind}")

    def _slots(self, r: Live, position: int, count: int) -> list[Run]:
        """The runs of slots of a request's tokens ``position`` to ``position + count`` - 1, as written."""
        raise NotImplementedError

    def _unwritten(self, r: Live) -> list[Run]:
        """What a request that ends now holds within its estimate and has not written."""
        raise NotImplementedError

    def _give_back(self, event: Event) -> None:
        """Paint what an event of :meth:`_happen` gave back: at once, or at the end of the step if it was late."""
        raise NotImplementedError

    def _paint_pool(self) -> None:
        """Paint what is not free, after the whole pool was painted free."""
        raise NotImplementedError

    def _settle(self) -> None:
        """Bring the books up to date at the end of a step."""

    # -- walking ------------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Play the next step; ``runs``, ``counts`` and the lists then describe its end.

        What a finished request gives back is applied to the free queue, the references and the cache at once, but to
        the slots only with the next step: the ledger of the step still books them as held.
        """
        self.runs = []
        self.scheduled, self.hits, self.preempted, self.finished, self.events = {}, {}, [], [], []
        self.lost, self.returned = {}, set()
        self.begin()
        if self._anew and not self._blind:
            self._paint_all()
        self.repointed = {key: block for key, block in self.repointed.items() if key[0] in self.live}
        if self.step == self.system.steps:
            return  # the closing frame: nothing happens any more, what finished last is given back
        for event, late in self.system.events(self.step):
            self.events.append(event)
            self.apply(event, late)
        self._settle()

    def begin(self) -> None:
        """The next step; what was given back at the end of the one before is free now."""
        self.step += 1
        late, self._late = self._late, []
        self.given_back = late
        for event in late:
            self._give_back(event)

    def apply(self, event: Event, late: bool) -> None:
        """One event of the step."""
        kind, who, a, b, c, _ = event
        if kind == Kind.WRITTEN:
            r = self.live[who]
            r.written = a + b
            if not self._blind:
                for run in self._slots(r, a, b):
                    self._paint(run)
            self.scheduled[who] = b
            if self.system.vocabulary:
                self._tokens.setdefault(who, {})[a + b - 1] = c
        elif kind == Kind.ADMITTED:
            self._admit(event)
        elif kind == Kind.FINISHED:
            self._finish(self.live[who])
        elif kind == Kind.PREEMPTED:
            self.preempted.append(who)
            self.preempted_before.add(who)
            self.lost[who] = self.live.pop(who)
            if not c:
                self.waiting.insert(0, who)
            if b:
                self._kept[who] = a
        elif kind == Kind.ARRIVED:
            self.waiting.append(who)
        elif kind == Kind.NEVER:
            if who in self.waiting:
                self.waiting.remove(who)
        elif kind not in (Kind.REFUSED, Kind.SHORT):
            self._happen(event, late)

    def _admit(self, event: Event) -> None:
        _, who, start, estimate, held, _ = event
        facts = self.requests[who]
        if who in self.preempted_before:
            self.preempted_before.remove(who)
            self.returned.add(who)
        if who in self.waiting:
            self.waiting.remove(who)
        written = self._kept.pop(who, 0)  # what was swapped out is still written
        r = Live(who, facts.prompt_tokens, facts.final_slots, estimate, held, start, written)
        self.live[who] = r
        self._admitted(r, event)

    def _finish(self, r: Live) -> None:
        """What was held and never written turns out to be internal fragmentation: the moment this tool is about."""
        self.finished.append(r.index)
        for run in self._unwritten(r) if r.estimate > r.final else []:
            self._paint(run)
        r.finished, r.written = True, r.final

    def skip_to(self, step: int) -> None:
        """Go on so that the next :meth:`advance` plays ``step``; its ``runs`` then paint the whole pool.

        Nothing is painted on the way, and who only wrote one token after another is not asked: a few microseconds an
        event that is no such write.
        """
        if step <= self.step + 1:
            return
        self._blind, spans = True, self.system.spans
        keyframes.skip(self, step)
        self.repointed = {key: block for key, block in self.repointed.items() if key[0] in self.live}
        through = (spans[:, 1] <= self.step) & (self.step < spans[:, 1] + spans[:, 2])
        for who, first, _, position, _ in spans[through].tolist():
            self.live[who].written = position + self.step - first + 1
        self._settle()
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

    # -- slots --------------------------------------------------------------------------------------------------------

    def _paint_all(self) -> None:
        """Every slot as the books say."""
        self._anew = False
        self._paint(Run(0, self.system.slots, Code.FREE, -1, -1))
        self._paint_pool()

    def _claim(self, start: int, length: int) -> None:
        """Slots about to be handed out must be free: never two owners."""
        if self._blind:
            return
        piece = self._codes[start : start + length]
        # nearly always all of them are free, so the other states are counted only where they are not
        if piece.count(Code.FREE) != length and sum(piece.count(code) for code in self.takes) != length:
            raise LedgerError(f"slots {start}..{start + length - 1} of {self.system.name} have two owners")

    def _paint(self, run: Run) -> None:
        if self._blind:
            return
        start, length, code = run.start, run.length, run.code
        if start < 0 or start + length > self.system.slots:
            raise LedgerError(f"slots {start}..{start + length - 1} of {self.system.name} lie outside the pool")
        if length == 1:
            self.counts[self._codes[start]] -= 1
            self._codes[start] = code
        else:
            piece = self._codes[start : start + length]
            first = piece[0]  # nearly always all are in one state
            same = piece.count(first)
            self.counts[first] -= same
            if same != length:
                for old in range(CODES):
                    if old != first:
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
