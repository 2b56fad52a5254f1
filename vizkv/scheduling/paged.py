"""vLLM V1's scheduler (0.32): one full-attention group, synchronous, first come first served, chunked prefill."""

from __future__ import annotations

from vizkv.events import Event, Kind
from vizkv.memory import PagedMemory, extend_chain
from vizkv.scenario import PagedSystem, Scenario, ScenarioError
from vizkv.scheduling.line import FirstComeFirstServed
from vizkv.scheduling.request import Plan, Refusal, Sequence


class PagedScheduler(FirstComeFirstServed):
    """Blocks on demand; where they run out, the last of the running list is preempted and computed again later."""

    def __init__(self, system: PagedSystem, scenario: Scenario):
        super().__init__(scenario)
        if system.recovery != "recompute":
            raise ScenarioError(
                f"The system {system.label!r} has recovery = {system.recovery!r}; only 'recompute' can be run."
            )
        self.system = system
        self.memory = PagedMemory(
            scenario.slots,
            system.block_size,
            prefix_caching=system.prefix_caching,
            null_block=system.null_block,
            free_order=system.free_order,
        )
        self._watermark = int(system.watermark * self.memory.pool.num_blocks)

    def free_queue(self) -> list[int]:
        """The free blocks in the order in which they will be handed out."""
        return self.memory.pool.free_queue()

    def schedule(self) -> Plan:
        """Running sequences first, in order; then, if nobody was preempted, admissions while the budget lasts."""
        self._begin()
        events: list[Event] = []
        if self._continue_running(events):
            while self._room() and self._try_admission(events):
                pass
        return Plan(self._scheduled, events)

    def _continue_running(self, events: list[Event]) -> bool:
        """Give each running sequence its tokens, preempting from the end; whether nobody had to be."""
        preempted = False
        position = 0
        while position < len(self.running) and self._budget:
            sequence = self.running[position]
            count = min(sequence.left, self._budget)
            while not self.memory.can_append(sequence.index, sequence.written + count):
                preempted = True
                victim = self.running.pop()
                self._preempt(victim, events)
                if victim is sequence:  # it was the last itself: the step's work ends here
                    return False
            self._grow(sequence, count, events)
            self._write(sequence, count, events)
            position += 1
        return not preempted

    def _try_admission(self, events: list[Event]) -> bool:
        """Admit the head of the line if its whole sequence fits, though it takes only this step's blocks."""
        sequence, memory = self.waiting[0], self.memory
        if memory.cache is not None:
            extend_chain(sequence.chain, sequence.tokens, memory.block_size)
        found = memory.lookup(sequence.chain, len(sequence.tokens))
        # the headroom is kept for those who run; where nobody does, it would only keep the head of the line waiting
        spare = self._watermark if self.running else 0
        if not memory.can_allocate(len(sequence.tokens), found, spare):
            size, pool = memory.block_size, memory.pool
            need, free = memory.cost(len(sequence.tokens), found) + spare, pool.free_blocks * size
            hole = pool.next_free * size if free else -1
            self._refuse(sequence, Refusal(need * size, free, free, hole), events)
            return False
        self._admit()
        shared = memory.allocate(sequence.index, found)
        sequence.block_table = memory.table(sequence.index)
        sequence.written = len(found) * memory.block_size
        count = min(sequence.left, self._budget)
        held = memory.blocks_for(sequence.written + count) * memory.block_size
        events.append(Event(Kind.ADMITTED, sequence.index, -1, held, held))
        if found:
            events.append(Event(Kind.HIT, sequence.index, sequence.written))
        events += [Event(Kind.SHARED, sequence.index, block, index, int(was_free)) for block, index, was_free in shared]
        self._grow(sequence, count, events)
        self._write(sequence, count, events)
        return True

    def _grow(self, sequence: Sequence, count: int, events: list[Event]) -> None:
        """Take the blocks for ``count`` more tokens, and register those that they fill.

        Registered before they are written: a request admitted later in this step may already share them, because all
        K/V of a step are written before any attention reads them.
        """
        end = sequence.written + count
        for block, index, evicted in self.memory.append(sequence.index, end):
            if evicted:
                events.append(Event(Kind.EVICTED, sequence.index, block))
            events.append(Event(Kind.BLOCK, sequence.index, block, index))
        if self.memory.cache is not None:
            extend_chain(sequence.chain, sequence.tokens, self.memory.block_size)
            for block in self.memory.register(sequence.index, sequence.chain, end):
                events.append(Event(Kind.REGISTERED, sequence.index, block))

    def _preempt(self, sequence: Sequence, events: list[Event]) -> None:
        """Back to the front of the line without any slots, but with all tokens sampled so far."""
        events.append(Event(Kind.PREEMPTED, sequence.index, sequence.written))
        self._release(sequence, events)
        sequence.written = 0
        self.waiting.appendleft(sequence)

    def _release(self, sequence: Sequence, events: list[Event]) -> None:
        for block, references, place in self.memory.free(sequence.index):
            events.append(Event(Kind.FREED_BLOCK, sequence.index, block, references, int(place)))
        sequence.block_table = []

    def _need_and_limit(self, sequence: Sequence) -> tuple[int, int]:
        return sequence.final_slots, self.memory.pool.usable * self.memory.block_size

    def _finish(self, sequence: Sequence, events: list[Event]) -> None:
        self._release(sequence, events)
        self.running.remove(sequence)
