"""vLLM V1's scheduler (0.32) for a model whose layers fall into groups: synchronous, first come first served.

As :mod:`vizkv.systems.paged.scheduler` for a request with one sequence; what differs is that every attempt to let a
running request go on first frees what lies behind its windows, that admission asks two questions, and that a hit has
to be one in every group (SPEC 9.2).
"""

from __future__ import annotations

from collections.abc import Hashable

from vizkv.systems.base.line import FirstComeFirstServed
from vizkv.systems.base.request import Plan, Refusal, Sequence
from vizkv.systems.base.system import Limits
from vizkv.systems.paged.group_memory import Chains, GroupFreed, GroupMemory
from vizkv.systems.paged.hits import NULL
from vizkv.systems.paged.schema import PagedSystem
from vizkv.systems.paged.window import Look
from vizkv.trace.events import Event, Kind


class GroupScheduler(FirstComeFirstServed):
    """A table a group for each request; where blocks run out, the last of the running list is preempted."""

    def __init__(self, system: PagedSystem, limits: Limits):
        super().__init__(limits)
        self.system = system
        self.memory = GroupMemory(
            system.pool(limits.slots) // system.block,
            system.windows,
            prefix_caching=system.prefix_caching,
            retention=system.retention,
            budget=limits.max_num_batched_tokens,
            max_model_len=limits.max_model_len,
            free_order=system.free_order,
        )
        self._watermark = int(system.watermark * self.memory.pool.num_blocks)
        self._chains: dict[int, Chains] = {}  # by sequence

    def free_queue(self) -> list[int]:
        """The free blocks in the order in which they will be handed out."""
        return self.memory.pool.free_queue()

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
        """Admit while the line, the memory, the budget and the places allow it; say why the head waits."""
        while self._room() and self._try_admission(events):
            pass

    def wait(self, position: int, *, first: bool = False) -> int:
        """Until a block is taken, left behind, or with a prefix cache filled."""
        if first:  # the prompt's last piece may have left many blocks behind
            return 0
        groups, waits = self.memory.groups, []
        for group in groups:
            size = group.block_size
            waits.append(-position % size)
            if group.look is Look.SLIDING:
                past = position - group.reach + 1  # tokens behind the window
                waits.append(size - past if past < size else -past % size)
            elif group.look is Look.CHUNKED:
                waits.append(-position % group.reach)
        if self.memory.cache is not None:
            align = self.memory.kinds.align
            waits.append((align - 1 - position) % align)
        return min(waits)

    def grow_one(self, sequence: Sequence, events: list[Event]) -> bool:
        """Take the blocks of the next token, preempting from the end of the running list; False if it had to go."""
        if not self._make_room(sequence, 1, events):
            return False
        self._grow(sequence, 1, events)
        return True

    def awaited(self) -> Hashable:
        """How often blocks have been left behind or registered so far."""
        return self.memory.changes

    def has_come(self, awaited: Hashable) -> bool:
        """Whether that has happened again: the head of the line may need less, or find more free."""
        return self.memory.changes != awaited

    def _make_room(self, sequence: Sequence, count: int, events: list[Event]) -> bool:
        """Free what is behind its windows, then preempt from the end until it can go on; False if it had to go."""
        memory, who, end = self.memory, sequence.index, sequence.written + count
        events += [_told(Kind.LEFT_BEHIND, who, gone) for gone in memory.expire(who, sequence.written)]
        while (need := memory.cost(who, end)) > memory.pool.free_blocks:
            events.append(Event(Kind.SHORT, who, need, memory.pool.free_blocks))
            victim = self.running[-1]
            self.before_preemption(victim.group)
            self._preempt(victim, events)
            if victim is sequence:
                return False
        return True

    def _try_admission(self, events: list[Event]) -> bool:
        """Admit the head of the line if all of it fits, and then what this step computes of it.

        The first question counts for a group behind a window no more than it can hold at once, the second everything
        up to this step's last token. Where nobody runs and it still does not fit, it never will: it is reported.
        """
        sequence, memory = self.waiting[0], self.memory
        chains = self._chains.setdefault(sequence.index, Chains())
        hit = memory.lookup(sequence.tokens, chains)
        count = min(len(sequence.tokens) - hit.tokens, self._budget)
        need = max(
            memory.admission_cost(len(sequence.tokens), hit, whole=True),
            memory.admission_cost(hit.tokens + count, hit, whole=False),
        )
        # the headroom is kept for those who run; where nobody does, it would only keep the head of the line waiting
        spare = self._watermark if self.running else 0
        if need + spare > memory.pool.free_blocks:
            return self._turn_away(sequence, need + spare, events)
        self._admit()
        shared = memory.allocate(sequence.index, hit, prompt=sequence.prompt_tokens, chains=chains)
        sequence.written = hit.tokens
        events.append(Event(Kind.ADMITTED, sequence.index, -1, 0, 0))
        if hit.tokens:
            events.append(Event(Kind.HIT, sequence.index, hit.tokens))
        events += [
            Event(Kind.SHARED, sequence.index, block, logical, int(was_free), group)
            for group, block, logical, was_free in shared
            if block != NULL
        ]
        self._grow(sequence, count, events)
        self._write(sequence, count, events)
        return True

    def _turn_away(self, sequence: Sequence, blocks: int, events: list[Event]) -> bool:
        """Let the head of the line wait, or drop it where nobody is left who could give anything back."""
        size, pool = self.system.block, self.memory.pool
        if not self.running:
            self.waiting.popleft()
            self._told.discard(sequence.index)
            self._chains.pop(sequence.index, None)
            events.append(Event(Kind.NEVER, sequence.index, blocks * size, pool.usable * size, 1))
            return True
        free = pool.free_blocks * size
        self._refuse(sequence, Refusal(blocks * size, free, free, pool.next_free * size if free else -1), events)
        return False

    def _grow(self, sequence: Sequence, count: int, events: list[Event]) -> None:
        """Take the blocks for ``count`` more tokens, and register those that they fill, before they are written."""
        who, end = sequence.index, sequence.written + count
        for group, block, logical, evicted in self.memory.append(who, end):
            if evicted:
                events.append(Event(Kind.EVICTED, who, block))
            events.append(Event(Kind.BLOCK, who, block, logical, group))
        for group, block, logical in self.memory.register(who, sequence.tokens, end):
            events.append(Event(Kind.REGISTERED, who, block, logical, group))

    def _preempt(self, sequence: Sequence, events: list[Event]) -> None:
        """Back to the front of the line without any slots, but with all tokens sampled so far."""
        events.append(Event(Kind.PREEMPTED, sequence.index, sequence.written))
        self._release(sequence, events)
        sequence.written = 0
        self.running.remove(sequence)
        self.waiting.appendleft(sequence)

    def _release(self, sequence: Sequence, events: list[Event]) -> None:
        who = sequence.index
        events += [_told(Kind.FREED_BLOCK, who, gone) for gone in self.memory.free(who)]

    def _need_and_limit(self, sequence: Sequence) -> tuple[int, int]:
        size = self.system.block
        return self.memory.least(sequence.final_slots) * size, self.memory.pool.usable * size

    def _finish(self, sequence: Sequence, events: list[Event]) -> None:
        self._release(sequence, events)
        self.running.remove(sequence)
        self._chains.pop(sequence.index, None)


def _told(kind: Kind, who: int, gone: GroupFreed) -> Event:
    block, references, place = gone.freed
    return Event(kind, who, block, references, int(place), gone.group)
