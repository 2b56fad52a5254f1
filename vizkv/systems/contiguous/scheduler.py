"""Orca and its kin: one piece of slots a request, reserved at admission by an estimate, held until the end."""

from __future__ import annotations

from vizkv.systems.base.line import FirstComeFirstServed
from vizkv.systems.base.request import Plan, Refusal, Sequence
from vizkv.systems.base.system import Limits
from vizkv.systems.contiguous.memory import ContiguousMemory, Moved, make_placement
from vizkv.systems.contiguous.placement import next_power_of_two
from vizkv.systems.contiguous.schema import ContiguousSystem
from vizkv.trace.events import Event, Kind


def estimate(system: ContiguousSystem, sequence: Sequence) -> int:
    """E: the slots that the system's policy thinks a request needs; at least L, at most the request's maximum."""
    final = sequence.final_slots
    if system.reserve == "max":
        slots = sequence.max_len
    elif system.reserve == "pow2":
        slots = sequence.prompt_tokens + next_power_of_two(sequence.sampled_total)
    elif system.reserve == "pow2-total":
        slots = next_power_of_two(final)
    elif system.reserve == "multiple":
        slots = -(-final // system.multiple) * system.multiple
    else:
        slots = final
    return min(slots, sequence.max_len)


class ContiguousScheduler(FirstComeFirstServed):
    """First come, first served; the head of the line blocks; nobody is preempted.

    With ``batching = "iteration"`` a finished request leaves at once. With ``"static"`` a batch is filled in one step
    and is then closed; who has finished stays in ``running``, with its slots, until all have.
    """

    def __init__(self, system: ContiguousSystem, limits: Limits):
        super().__init__(limits)
        self.system = system
        placement = make_placement(system.placement, limits.slots, system.unit, limits.max_model_len)
        self.memory = ContiguousMemory(placement)
        self._static = system.batching == "static"

    def schedule(self) -> Plan:
        """Running sequences first, in order, then admissions, while the token budget lasts."""
        self.begin()
        events: list[Event] = []
        if self.go_on(0, events):
            self.admit(events)
        return Plan(self.scheduled, events)

    def go_on(self, position: int, events: list[Event]) -> bool:
        """Schedule the running sequences from a position of the list on; nobody is ever preempted: True."""
        for sequence in self.running[position:]:
            if not self._budget:
                break
            if not sequence.finished:
                self._write(sequence, min(sequence.left, self._budget), events)
        return True

    def admit(self, events: list[Event]) -> None:
        """Admit while the line, the memory, the budget and the places allow it; say why the head waits."""
        open_to_new = not (self._static and self.running)
        while open_to_new and self._room() and self.memory.can_allocate(self.waiting[0].estimate):
            sequence = self._admit()
            self._reserve(sequence, events)
            self._write(sequence, min(sequence.left, self._budget), events)
        if self.waiting and not self.memory.can_allocate(self.waiting[0].estimate):
            # Asked whatever else keeps it waiting: whether slots are stranded must not depend on the token budget.
            placement, need = self.memory.placement, self.waiting[0].estimate
            refusal = Refusal(need, placement.total_free, *placement.largest_hole())
            self.stranded = placement.strands and refusal.free >= need
            self._refuse(self.waiting[0], refusal, events)

    def _reserve(self, sequence: Sequence, events: list[Event]) -> None:
        piece = self.memory.allocate(sequence.index, sequence.estimate)
        events += self._moved(piece.moves)
        sequence.start, sequence.held = piece.start, piece.held
        events.append(Event(Kind.ADMITTED, sequence.index, piece.start, sequence.estimate, piece.held))

    def compact(self) -> list[Event]:
        """By hand: move all pieces together."""
        return self._moved(self.memory.compact())

    def _moved(self, moves: tuple[Moved, ...]) -> list[Event]:
        by_index = {sequence.index: sequence for sequence in self.running} if moves else {}
        for move in moves:
            by_index[move.owner].start = move.new
        return [Event(Kind.MOVED, *move) for move in moves]

    def _need_and_limit(self, sequence: Sequence) -> tuple[int, int]:
        sequence.estimate = estimate(self.system, sequence)
        return sequence.estimate, self.memory.placement.capacity

    def _finish(self, sequence: Sequence, events: list[Event]) -> None:
        leaving = [sequence]
        if self._static:
            leaving = self.running if all(other.finished for other in self.running) else []
        for other in leaving:
            start, held = self.memory.free(other.index)
            events.append(Event(Kind.FREED, other.index, start, 0, held))
            other.start, other.held = -1, 0
        self.running = [other for other in self.running if other not in leaving]
