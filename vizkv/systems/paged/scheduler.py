"""vLLM V1's scheduler (0.32): one full-attention group, synchronous, first come first served, chunked prefill.

For a request with one sequence every decision is V1's. Requests with several (parallel sampling, beams, a shared
prefix) and recovery by swapping follow the paper (sections 4.4 and 4.5): see :mod:`vizkv.systems.base.groups`.
"""

from __future__ import annotations

from collections.abc import Hashable

from vizkv.systems.base.groups import Groups, Share, shares
from vizkv.systems.base.request import Group, Plan, Refusal, Sequence
from vizkv.systems.base.system import Limits
from vizkv.systems.paged.memory import Copied, PagedMemory, Write
from vizkv.systems.paged.prefix import extend_chain
from vizkv.systems.paged.schema import PagedSystem
from vizkv.trace.events import Event, Kind


class PagedScheduler(Groups):
    """Blocks on demand; where they run out, the last of the running list is preempted."""

    def __init__(self, system: PagedSystem, limits: Limits):
        super().__init__(limits)
        self.system = system
        self.memory = PagedMemory(
            limits.slots,
            system.block_size,
            prefix_caching=system.prefix_caching,
            null_block=system.null_block,
            free_order=system.free_order,
            swap=system.recovery == "swap",
        )
        self._watermark = int(system.watermark * self.memory.pool.num_blocks)

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
            group = self.running[position].group
            planned = shares(group, self._budget)
            before = len(self.running)
            if not self.make_room(group, planned, events):
                return False  # it was the last itself: the step's work ends here
            preempted = preempted or len(self.running) < before
            self._run(planned, events)
            position += len(group.active)
        return not preempted

    def admit(self, events: list[Event]) -> None:
        """Admit while the line, the memory, the budget and the places allow it; say why the head waits."""
        while self._room() and self._try_admission(events):
            pass

    def make_room(self, group: Group, planned: list[Share], events: list[Event]) -> bool:
        """Preempt from the end of the running list until a group can write; False if it had to go itself."""
        while not self.memory.can_write(_writes(planned)):
            events.append(self._short(planned))
            victim = self.running[-1].group
            self.before_preemption(victim)
            self._preempt(victim, events)
            if victim is group:
                return False
        return True

    def _short(self, planned: list[Share]) -> Event:
        """Who lacks blocks, how many it needs, and how many are free."""
        needy = next(share for share in planned if self.memory.write_cost(_writes([share])))
        need = self.memory.write_cost(_writes(planned))
        return Event(Kind.SHORT, needy.sequence.index, need, self.memory.pool.free_blocks)

    def _run(self, planned: list[Share], events: list[Event]) -> None:
        for sequence, count in planned:
            self.grow(sequence, count, events)
            self._write(sequence, count, events)

    def _try_admission(self, events: list[Event]) -> bool:
        """Admit the head of the line if its whole sequence fits, though it takes only this step's blocks."""
        sequence, memory = self.waiting[0], self.memory
        if memory.swapped(sequence.index):
            return self._try_return(sequence.group, events)
        if memory.cache is not None:
            extend_chain(sequence.chain, sequence.tokens, memory.block_size)
        tokens, shared = self._whole(sequence.group)
        found = memory.lookup(sequence.chain, shared)
        # the headroom is kept for those who run; where nobody does, it would only keep the head of the line waiting
        spare = self._watermark if self.running else 0
        if not memory.can_allocate(tokens, found, spare):
            self._refuse_blocks(sequence, memory.cost(tokens, found) + spare, events)
            return False
        self._admit()
        taken = memory.allocate(sequence.index, found)
        sequence.block_table = memory.table(sequence.index)
        sequence.written = len(found) * memory.block_size
        ((_, count),) = planned = shares(sequence.group, self._budget)
        held = memory.blocks_for(sequence.written + count) * memory.block_size
        events.append(Event(Kind.ADMITTED, sequence.index, -1, held, held))
        if found:
            events.append(Event(Kind.HIT, sequence.index, sequence.written))
        events += [Event(Kind.SHARED, sequence.index, block, index, int(was_free)) for block, index, was_free in taken]
        self._run(planned, events)
        return True

    def wait(self, position: int, *, first: bool = False) -> int:
        """Until a block is taken, or with a prefix cache one is filled."""
        size = self.memory.block_size
        taken = -position % size
        return min(taken, (size - 1 - position) % size) if self.memory.cache is not None else taken

    def grow_one(self, sequence: Sequence, events: list[Event]) -> bool:
        """Take the block of the next token, preempting from the end of the running list; False if it had to go."""
        # one token takes one block at most
        if not self.memory.pool.free_blocks and not self.make_room(sequence.group, [Share(sequence, 1)], events):
            return False
        self.grow(sequence, 1, events)
        return True

    def has_come(self, awaited: Hashable) -> bool:
        """Whether a block has been registered under the key that the head of the line waits for."""
        cache = self.memory.cache
        return cache is None or (isinstance(awaited, bytes) and cache.find(awaited) is not None)

    def awaited(self) -> bytes | None:
        """The key that would make the refused head of the line need fewer blocks, if somebody registered it."""
        sequence, cache = self.waiting[0], self.memory.cache
        if cache is None or self.memory.swapped(sequence.index):
            return None
        _, shared = self._whole(sequence.group)
        keys = sequence.chain[: (shared - 1) // self.memory.block_size]
        found = len(self.memory.lookup(sequence.chain, shared))
        return keys[found] if found < len(keys) else None

    def _try_return(self, group: Group, events: list[Event]) -> bool:
        """Bring a swapped group's blocks back and go on, if that and its next tokens fit."""
        planned = shares(group, self._budget)
        if not planned:
            return False
        spare = self._watermark if self.running else 0
        if not self.memory.can_swap_in(_writes(planned), spare):
            self._refuse_blocks(group.active[0], self.memory.swap_in_cost(_writes(planned)) + spare, events)
            return False
        self._admit()
        moved = self.memory.swap_in([member.index for member in group.active])
        for member in group.active:
            member.block_table = self.memory.table(member.index)
            held = len(member.block_table) * self.memory.block_size
            events.append(Event(Kind.ADMITTED, member.index, -1, held, held))
            for m in moved:
                if m.owner == member.index:
                    if m.evicted:
                        events.append(Event(Kind.EVICTED, m.owner, m.block))
                    events.append(Event(Kind.SWAPPED_IN, m.owner, m.cpu_block, m.block, m.logical, int(m.first)))
        self._run(planned, events)
        return True

    def _refuse_blocks(self, sequence: Sequence, blocks: int, events: list[Event]) -> None:
        size, pool = self.memory.block_size, self.memory.pool
        free = pool.free_blocks * size
        hole = pool.next_free * size if free else -1
        self._refuse(sequence, Refusal(blocks * size, free, free, hole), events)

    def grow(self, sequence: Sequence, count: int, events: list[Event]) -> None:
        """Take the blocks for ``count`` more tokens, and register those that they fill.

        Registered before they are written: a request admitted later in this step may already share them, because all
        K/V of a step are written before any attention reads them.
        """
        size, first, who = self.memory.block_size, sequence.written, sequence.index
        for made in self.memory.write(who, first, first + count):
            if made.evicted:
                events.append(Event(Kind.EVICTED, who, made.block))
            if isinstance(made, Copied):
                events.append(Event(Kind.COPIED, who, made.source, made.block, made.logical, first % size))
            else:
                events.append(Event(Kind.BLOCK, who, made.block, made.logical))
        if self.memory.cache is not None:
            extend_chain(sequence.chain, sequence.tokens, size)
            for block in self.memory.register(sequence.index, sequence.chain, first + count):
                events.append(Event(Kind.REGISTERED, sequence.index, block))

    def _preempt(self, group: Group, events: list[Event]) -> None:
        """Back to the front of the line without any slots, but with all tokens sampled so far; sequences together.

        What was swapped out keeps what it has written. Where the CPU pool has no room it is computed again.
        """
        leaving = group.active
        owners = [member.index for member in leaving]
        swap = self.memory.can_swap_out(owners)
        for place, member in enumerate(leaving):
            events.append(Event(Kind.PREEMPTED, member.index, member.written, int(swap), int(place > 0)))
        if swap:
            moved, freed = self.memory.swap_out(owners)
            events += [Event(Kind.SWAPPED_OUT, m.owner, m.block, m.cpu_block, m.logical, int(m.first)) for m in moved]
            for owner, (block, references, place) in freed:
                events.append(Event(Kind.FREED_BLOCK, owner, block, references, int(place)))
        for member in leaving:
            if swap:
                member.block_table = []
            else:
                self._release(member, events)
                member.written = 0
        self._leave(group, again=not swap)
        self.waiting.appendleft(leaving[0])

    def _release(self, sequence: Sequence, events: list[Event]) -> None:
        who = sequence.index
        events += [
            Event(Kind.FREED_BLOCK, who, block, references, int(place))
            for block, references, place in self.memory.free(who)
        ]
        sequence.block_table = []

    def _fork(self, parent: Sequence, child: Sequence, events: list[Event]) -> None:
        self.memory.fork(parent.index, child.index)
        child.block_table = self.memory.table(child.index)
        child.written, child.chain = parent.written, parent.chain[: parent.written // self.memory.block_size]
        events.append(Event(Kind.FORKED, child.index, parent.index, parent.written))

    def blocks(self) -> range:
        """The blocks that tables can name: all but the null block."""
        pool = self.memory.pool
        return range(pool.num_blocks - pool.usable, pool.num_blocks)

    def exchange(self, pairs: list[tuple[int, int]]) -> list[Event]:
        """By hand: let pairs of physical blocks change places, one pair after another."""
        self.memory.exchange(*pairs)
        return [Event(Kind.EXCHANGED, -1, a, b) for a, b in pairs]

    def _whole(self, group: Group) -> tuple[int, int]:
        """Tokens that a group's admission must have room for, and how many of them a look-up may find."""
        if group.forked:
            tokens = len(group.active[0].tokens)
            return tokens, tokens
        return self._apart(group, [len(member.tokens) for member in group.live]), group.shared

    def _apart(self, group: Group, lengths: list[int]) -> int:
        """Slots of so many blocks as sequences of these lengths take that share only their full common blocks."""
        memory, common = self.memory, group.shared // self.memory.block_size
        return (common + sum(memory.blocks_for(n) - common for n in lengths)) * memory.block_size

    def _need_and_limit(self, sequence: Sequence) -> tuple[int, int]:
        members = sequence.group.members
        need = sequence.final_slots
        if len(members) > 1:
            need = self._apart(sequence.group, [member.final_slots for member in members])
        return need, self.memory.pool.usable * self.memory.block_size

    def _finish(self, sequence: Sequence, events: list[Event]) -> None:
        self._release(sequence, events)
        self.running.remove(sequence)


def _writes(planned: list[Share]) -> list[Write]:
    return [Write(sequence.index, sequence.written, sequence.written + count) for sequence, count in planned]
