"""Admission and preemption over virtual memory: first come, first served, as in the paged system.

The original aborts a request where no page is left; here the last running request is preempted, as vLLM does it.
"""

from __future__ import annotations

from vizkv.systems.base.line import FirstComeFirstServed
from vizkv.systems.base.request import Plan, Refusal, Sequence
from vizkv.systems.base.system import Limits
from vizkv.systems.virtual.memory import Mapped, VirtualMemory
from vizkv.systems.virtual.schema import VirtualSystem
from vizkv.trace.events import Event, Kind


class VirtualScheduler(FirstComeFirstServed):
    """Pages on demand behind a range of addresses; where they run out, the last of the running list is preempted."""

    def __init__(self, system: VirtualSystem, limits: Limits):
        super().__init__(limits)
        self.system = system
        self._max_num_seqs = min(system.ids or limits.max_num_seqs, limits.max_num_seqs)
        self._length = limits.max_model_len  # slots of a range
        self.memory = VirtualMemory(limits.slots, system.page, self._max_num_seqs, eager=system.reclaim == "eager")

    def schedule(self) -> Plan:
        """Running sequences first, in order; then, if nobody was preempted, admissions while the budget lasts."""
        self.begin()
        events: list[Event] = []
        if self.go_on(0, events):
            self.admit(events)
        return Plan(self.scheduled, events)

    def go_on(self, position: int, events: list[Event]) -> bool:
        """Give each running sequence its tokens, preempting from the end; whether nobody had to be."""
        preempted = False
        while position < len(self.running) and self._budget:
            sequence, before = self.running[position], len(self.running)
            count = min(sequence.left, self._budget)
            if not self._make_room(sequence, count, events):
                return False  # it was the last itself: the step's work ends here
            preempted = preempted or len(self.running) < before
            self._grow(sequence, count, events)
            self._write(sequence, count, events)
            position += 1
        return not preempted

    def admit(self, events: list[Event]) -> None:
        """Admit while the line, the memory, the budget and the ranges allow it; say why the head waits."""
        while self._room() and self._try_admission(events):
            pass

    def _try_admission(self, events: list[Event]) -> bool:
        """Admit the head of the line if its whole sequence fits, though only this step's pages are mapped."""
        sequence, memory = self.waiting[0], self.memory
        known = len(sequence.tokens)
        if not memory.can_allocate(known):
            pages = memory.free_pages()
            free, need = memory.available * memory.page, memory.pages_for(known) * memory.page
            hole = pages[0] * memory.page if pages else -1
            self._refuse(sequence, Refusal(need, free, free, hole), events)
            return False
        self._admit()
        count = min(sequence.left, self._budget)
        number = memory.allocate(sequence.index)
        sequence.start, sequence.block_table = number * self._length, memory.table(sequence.index)
        held = max(len(sequence.block_table), memory.pages_for(count)) * memory.page
        events.append(Event(Kind.ADMITTED, sequence.index, sequence.start, held, held, number))
        self._grow(sequence, count, events)
        self._write(sequence, count, events)
        return True

    def _make_room(self, sequence: Sequence, count: int, events: list[Event]) -> bool:
        """Preempt from the end of the running list until a sequence can write; False if it had to go itself."""
        while not self.memory.can_append(sequence.index, sequence.written + count):
            victim = self.running[-1]
            self.before_preemption(victim.group)
            events.append(Event(Kind.PREEMPTED, victim.index, victim.written))
            self._release(victim, events)
            victim.written = 0
            self.waiting.appendleft(victim)
            if victim is sequence:
                return False
        return True

    def _grow(self, sequence: Sequence, count: int, events: list[Event]) -> None:
        """Map the pages for ``count`` more tokens, where they are not mapped already."""
        events += _told(self.memory.append(sequence.index, sequence.written + count), sequence.index)

    def _release(self, sequence: Sequence, events: list[Event]) -> None:
        """Leave the range and the running list. The pages stay mapped, or are unmapped at once with eager reclaim."""
        number, held, gone = self.memory.free(sequence.index)
        events.append(Event(Kind.FREED, sequence.index, sequence.start, number, held))
        events += _told(gone, sequence.index)
        sequence.start, sequence.block_table = -1, []
        self.running.remove(sequence)

    def _need_and_limit(self, sequence: Sequence) -> tuple[int, int]:
        return sequence.final_slots, self.memory.pages * self.memory.page

    def _finish(self, sequence: Sequence, events: list[Event]) -> None:
        self._release(sequence, events)

    # -- by hand, and for a run that skips ahead ----------------------------------------------------------------------

    def free_queue(self) -> list[int]:
        """The pages that are mapped nowhere, in the order in which they will be mapped."""
        return self.memory.free_pages()

    def blocks(self) -> range:
        """All physical pages."""
        return range(self.memory.pages)

    def exchange(self, pairs: list[tuple[int, int]]) -> list[Event]:
        """Let pairs of physical pages change places; no virtual address changes."""
        self.memory.exchange(pairs)
        return [Event(Kind.EXCHANGED, -1, a, b) for a, b in pairs]

    def wait(self, position: int, *, first: bool = False) -> int:
        """Until the next page begins."""
        return -position % self.memory.page

    def grow_one(self, sequence: Sequence, events: list[Event]) -> bool:
        """Map the page of the next token, preempting from the end of the running list; False if it had to go."""
        if not self._make_room(sequence, 1, events):
            return False
        self._grow(sequence, 1, events)
        return True


def _told(changed: list[Mapped], owner: int) -> list[Event]:
    """What was mapped for an owner, and what was unmapped, as events."""
    return [
        Event(Kind.UNMAPPED, -1, page, index, number) if gone else Event(Kind.MAPPED, owner, page, index, number)
        for number, index, page, gone in changed
    ]
