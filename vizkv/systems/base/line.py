"""What both engines do: first come, first served, a token budget a step, and the end of a step."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable

from vizkv.systems.base.request import Group, Refusal, Sequence
from vizkv.systems.base.system import Limits
from vizkv.trace.events import Event, Kind


class FirstComeFirstServed:
    """The waiting line, the running list and the books of a step. Memory is what the two engines differ in."""

    def __init__(self, limits: Limits):
        self.running: list[Sequence] = []
        self.waiting: deque[Sequence] = deque()
        self.refused: Refusal | None = None
        self.stranded = False
        self._max_num_seqs = limits.max_num_seqs
        self._max_tokens = limits.max_num_batched_tokens
        self._budget = 0
        self.scheduled: list[tuple[Sequence, int, int]] = []  # in this step
        self._told: set[int] = set()  # whose refusal has been reported since they last ran
        self.before_preemption: Callable[[Group], None] = lambda group: None

    def arrive(self, sequence: Sequence) -> list[Event]:
        """Join the line: ARRIVED; or NEVER, and the sequence is dropped."""
        if sequence.final_slots > sequence.max_len:
            return [Event(Kind.NEVER, sequence.index, sequence.final_slots, sequence.max_len, 0)]
        need, limit = self._need_and_limit(sequence)
        if need > limit:
            return [Event(Kind.NEVER, sequence.index, need, limit, 1)]
        self.waiting.append(sequence)
        return [Event(Kind.ARRIVED, sequence.index)]

    def complete(self, sampled: dict[int, int], parents: dict[int, int] | None = None) -> list[Event]:
        """End the step: sampled tokens join their sequences, and those with all their output give back their slots.

        Raises KeyError where a sequence that was to sample is missing from ``sampled``.
        """
        events: list[Event] = []
        for sequence in self._branch(parents or {}, events):
            if sequence.left:
                continue  # a part of its prompt is still to come
            sequence.tokens.append(sampled[sequence.index])
            if sequence.finished:
                events.append(Event(Kind.FINISHED, sequence.index))
                self._finish(sequence, events)
        return events

    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return not self.running and not self.waiting

    # -- by hand: a kind that cannot do it has nothing to do ----------------------------------------------------------

    def free_queue(self) -> list[int]:
        """The free blocks in the order in which they will be handed out; empty where there are none."""
        return []

    def blocks(self) -> range:
        """The physical blocks that tables can name; empty where there are none."""
        return range(0)

    def exchange(self, pairs: list[tuple[int, int]]) -> list[Event]:
        """Let pairs of physical blocks change places, one pair after another."""
        return []

    def compact(self) -> list[Event]:
        """Move all pieces together."""
        return []

    # -- what a run that skips ahead asks -----------------------------------------------------------------------------

    def wait(self, position: int, *, first: bool = False) -> int | None:
        """How many steps a sequence that writes one token in each may go unasked; None: all of them."""
        return None

    def grow_one(self, sequence: Sequence, events: list[Event]) -> bool:
        """Take what the next token of a running sequence needs; False if it had to go for that itself."""
        return True

    def awaited(self) -> Hashable | None:
        """What would make the refused head of the line need less, although nothing is given back; None: nothing."""
        return None

    def has_come(self, awaited: Hashable) -> bool:
        """Whether that has happened."""
        return False

    def _branch(self, parents: dict[int, int], events: list[Event]) -> list[Sequence]:
        """Let sequences fork that are to; all those whose step ends, in order."""
        return [sequence for sequence, _, _ in self.scheduled]

    def begin(self, writing: int = 0) -> None:
        """Open a step in which ``writing`` tokens are spoken for by sequences that only write one each."""
        self._budget, self.scheduled = self._max_tokens - writing, []
        self.refused, self.stranded = None, False

    def _room(self) -> bool:
        """Whether someone waits, and the step has tokens and a place left."""
        return bool(self.waiting) and self._budget > 0 and self._places() < self._max_num_seqs

    def _places(self) -> int:
        """Sequences that run."""
        return len(self.running)

    def _write(self, sequence: Sequence, count: int, events: list[Event]) -> None:
        """Schedule the next ``count`` tokens of a sequence that has the slots for them."""
        last = sequence.tokens[sequence.written + count - 1]
        events.append(Event(Kind.WRITTEN, sequence.index, sequence.written, count, last))
        self.scheduled.append((sequence, sequence.written, count))
        sequence.written += count
        self._budget -= count

    def _admit(self) -> Sequence:
        """The head of the line joins the running list."""
        sequence = self.waiting.popleft()
        self._told.discard(sequence.index)
        self.running.append(sequence)
        return sequence

    def _refuse(self, sequence: Sequence, refusal: Refusal, events: list[Event]) -> None:
        """Note that the head of the line does not fit; tell it once, not in each step that it waits."""
        self.refused = refusal
        if sequence.index not in self._told:
            self._told.add(sequence.index)
            events.append(Event(Kind.REFUSED, sequence.index, *refusal))

    def _need_and_limit(self, sequence: Sequence) -> tuple[int, int]:
        """The slots a sequence needs at most, and those that the empty pool could give it."""
        raise NotImplementedError

    def _finish(self, sequence: Sequence, events: list[Event]) -> None:
        """A sequence has all its output: release it, now or when the batch is done."""
        raise NotImplementedError
