"""Any order of everything that paged memory can do: nobody ever reads what is not their own, and nothing leaks.

Beside the memory the machine keeps what lies in every slot: all tokens of a sequence up to the one that was written
there. Writes, copies on write, swaps and exchanges move it as the memory says; every table is then read through it.
"""

from collections import Counter
from copy import deepcopy

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.paged.memory import Copied, PagedMemory, Write
from vizkv.systems.paged.prefix import extend_chain

BEGINNINGS = ([0] * 12, [0, 1] * 6, [1, 1, 1, 0, 0, 0] * 2, [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])


def state(memory):
    """All that a memory knows, the order of its queues and of duplicates included."""
    cache, cpu = memory.cache, memory.cpu
    return (
        memory.pool.free_queue(),
        memory.pool.references(),
        cache and (dict(cache._key), [(key, list(blocks)) for key, blocks in cache._blocks.items()]),
        {owner: (list(table.blocks), table.registered) for owner, table in memory._tables.items()},
        {owner: list(blocks) for owner, blocks in memory._swapped.items()},
        cpu and (cpu.free_queue(), cpu.references()),
    )


def chain(tokens, block_size):
    keys = []
    extend_chain(keys, tokens, block_size)
    return keys


class Interleavings(RuleBasedStateMachine):
    """Owners are numbered as they come; ``tokens`` is what each of them has written."""

    @initialize(
        blocks=st.integers(2, 12), size=st.integers(1, 4), rest=st.integers(0, 3), caching=st.booleans(),
        null=st.booleans(), swap=st.booleans(),
    )  # fmt: skip
    def begin(self, blocks, size, rest, caching, null, swap):
        slots = blocks * size + min(rest, size - 1)
        self.memory = PagedMemory(slots, size, prefix_caching=caching, null_block=null, swap=swap)
        self.size, self.tokens, self.next = size, {}, 0
        self.slots, self.cpu = {}, {}  # block -> what its slots hold
        self.first = int(null)

    # -- what an owner does ------------------------------------------------------------------------------------------

    def here(self):
        return [owner for owner in self.tokens if not self.memory.swapped(owner)]

    def away(self):
        return [owner for owner in self.tokens if self.memory.swapped(owner)]

    def pick(self, owners, number):
        return owners[number % len(owners)]

    def fails(self, what, *arguments, **named):
        """What cannot be done leaves everything as it was."""
        before = state(self.memory)
        with pytest.raises((OutOfMemory, ValueError, KeyError)):
            what(*arguments, **named)
        assert state(self.memory) == before

    def put(self, owner, tokens, first):
        """Write tokens ``first`` and those behind it into the memory that has been made for them."""
        table = self.memory.table(owner)
        for i in range(first, len(tokens)):
            self.slots.setdefault(table[i // self.size], [None] * self.size)[i % self.size] = tuple(tokens[: i + 1])
        self.tokens[owner] = list(tokens)

    def follow(self, made):
        """Do to the slots what the memory did to its books."""
        for change in made:
            if isinstance(change, Copied):
                self.slots[change.block] = list(self.slots[change.source])
            else:
                self.slots[change.block] = [None] * self.size

    def write(self, owner, more):
        tokens = self.tokens[owner] + more
        first = len(self.tokens[owner])
        if self.memory.can_write([Write(owner, first, len(tokens))]):
            self.follow(self.memory.write(owner, first, len(tokens)))
            self.put(owner, tokens, first)
            return True
        self.fails(self.memory.write, owner, first, len(tokens))
        return False

    def register(self, owner):
        tokens = self.tokens[owner]
        before = set(self.memory.cached_blocks())
        new = self.memory.register(owner, chain(tokens, self.size), len(tokens))
        assert set(self.memory.cached_blocks()) == before | set(new)
        assert not before & set(new)

    @rule(beginning=st.sampled_from(BEGINNINGS), length=st.integers(1, 12), register=st.booleans())
    def open(self, beginning, length, register):
        if len(self.tokens) >= 6:
            return
        owner, tokens = self.next, beginning[:length]
        self.next += 1
        found = self.memory.lookup(chain(tokens, self.size), length)
        assert len(found) * self.size < length  # never the last token
        fits = self.memory.can_allocate(length, found)
        self.memory.allocate(owner, found)
        self.tokens[owner] = tokens[: len(found) * self.size]
        assert self.write(owner, tokens[len(found) * self.size :]) == fits
        if not fits:
            self.memory.free(owner)
            del self.tokens[owner]
        elif register:
            self.register(owner)

    @precondition(lambda self: self.here())
    @rule(number=st.integers(0, 5), more=st.lists(st.integers(0, 2), min_size=1, max_size=6), register=st.booleans())
    def grow(self, number, more, register):
        owner = self.pick(self.here(), number)
        if self.write(owner, more) and register:
            self.register(owner)

    @precondition(lambda self: self.here())
    @rule(number=st.integers(0, 5), more=st.lists(st.integers(0, 2), min_size=1, max_size=6))
    def append(self, number, more):
        """Growing without a look at who shares is for those who begin a new block."""
        owner = self.pick(self.here(), number)
        first, tokens = len(self.tokens[owner]), self.tokens[owner] + more
        if first % self.size:
            return
        if self.memory.can_append(owner, len(tokens)):
            self.follow(self.memory.append(owner, len(tokens)))
            self.put(owner, tokens, first)
        else:
            self.fails(self.memory.append, owner, len(tokens))

    @precondition(lambda self: self.here())
    @rule(number=st.integers(0, 5))
    def enter(self, number):
        self.register(self.pick(self.here(), number))

    @precondition(lambda self: self.here())
    @rule(lengths=st.lists(st.integers(1, 5), min_size=2, max_size=4))
    def together(self, lengths):
        """Several writes fit together exactly if one after another can be made, in this order."""
        writes = [
            Write(owner, len(self.tokens[owner]), len(self.tokens[owner]) + n)
            for owner, n in zip(self.here(), lengths, strict=False)
        ]
        before = state(self.memory)
        fits = self.memory.can_write(writes)
        assert state(self.memory) == before
        trial = deepcopy(self.memory)
        try:
            for write in writes:
                trial.write(*write)
        except OutOfMemory:
            assert not fits
        else:
            assert fits
            for owner, first, end in writes:
                assert self.write(owner, [owner] * (end - first))

    @precondition(lambda self: self.here() and len(self.tokens) < 6)
    @rule(number=st.integers(0, 5))
    def fork(self, number):
        parent, child = self.pick(self.here(), number), self.next
        self.next += 1
        self.memory.fork(parent, child)
        self.tokens[child] = list(self.tokens[parent])
        assert self.memory.table(child) == self.memory.table(parent)

    @precondition(lambda self: self.here())
    @rule(number=st.integers(0, 5))
    def free(self, number):
        owner = self.pick(self.here(), number)
        freed = self.memory.free(owner)
        del self.tokens[owner]
        for block, references, _ in freed:
            assert references == self.memory.pool.count(block)

    # -- swapping ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.here())
    @rule(data=st.data())
    def swap_out(self, data):
        owners = data.draw(st.lists(st.sampled_from(self.here()), min_size=1, max_size=3, unique=True))
        if not self.memory.can_swap_out(owners):
            self.fails(self.memory.swap_out, owners)
            return
        moved, freed = self.memory.swap_out(owners)
        for move in moved:
            if move.first:
                self.cpu[move.cpu_block] = list(self.slots[move.block])
        assert {owner for owner, _ in freed} == {move.owner for move in moved}

    @precondition(lambda self: self.away())
    @rule(data=st.data(), lengths=st.lists(st.integers(1, 5), min_size=3, max_size=3))
    def swap_in(self, data, lengths):
        owners = data.draw(st.lists(st.sampled_from(self.away()), min_size=1, max_size=3, unique=True))
        ends = [len(self.tokens[owner]) for owner in owners]
        writes = [Write(*w) for w in zip(owners, ends, (e + n for e, n in zip(ends, lengths)), strict=False)]
        free = self.memory.pool.free_blocks
        cost, fits = self.memory.swap_in_cost(writes), self.memory.can_swap_in(writes)
        trial = deepcopy(self.memory)
        try:
            trial.swap_in(owners)
            for write in writes:
                trial.write(*write)
        except OutOfMemory:
            assert not fits
        else:
            assert fits
            assert cost == free - trial.pool.free_blocks
        try:
            moved = self.memory.swap_in(owners)
        except OutOfMemory:
            self.fails(self.memory.swap_in, owners)
            return
        for move in moved:
            if move.first:
                self.slots[move.block] = list(self.cpu[move.cpu_block])

    # -- by hand, and what is refused --------------------------------------------------------------------------------

    @rule(pairs=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), min_size=1, max_size=5))
    def exchange(self, pairs):
        """One pair after another: a shuffle is many."""
        blocks = range(self.first, self.memory.pool.num_blocks)
        if not all(a in blocks and b in blocks for a, b in pairs):
            self.fails(self.memory.exchange, *pairs)
            return
        self.memory.exchange(*pairs)
        for a, b in pairs:
            held = {block: self.slots.pop(block, None) for block in {a, b}}
            self.slots |= {to: held[of] for of, to in ((a, b), (b, a)) if held[of] is not None}

    @rule(nobody=st.integers(100, 101))
    def who_is_not_there_can_do_nothing(self, nobody):
        for what in (self.memory.free, self.memory.table):
            self.fails(what, nobody)
        self.fails(self.memory.append, nobody, 3)
        self.fails(self.memory.write, nobody, 0, 3)
        self.fails(self.memory.fork, nobody, 200)
        self.fails(self.memory.swap_out, [*self.here(), nobody])
        self.fails(self.memory.swap_in, [*self.away(), nobody])

    @precondition(lambda self: self.tokens)
    @rule(number=st.integers(0, 5))
    def who_is_there_cannot_come_again(self, number):
        owner = self.pick(list(self.tokens), number)
        self.fails(self.memory.allocate, owner)
        for parent in self.here():
            self.fails(self.memory.fork, parent, owner)
        if self.memory.swapped(owner):
            for what in (self.memory.free, self.memory.table):
                self.fails(what, owner)
            self.fails(self.memory.swap_out, [owner])
            self.fails(self.memory.swap_in, [owner, owner])
        else:
            self.fails(self.memory.swap_in, [owner])
            self.fails(self.memory.swap_out, [owner, owner])

    # -- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def a_block_is_free_or_referenced_and_references_are_entries(self):
        if not hasattr(self, "memory"):
            return
        memory = self.memory
        entries = Counter(block for owner in self.here() for block in memory.table(owner))
        assert memory.pool.references() == entries
        queue = memory.pool.free_queue()
        assert sorted([*queue, *entries]) == list(range(self.first, memory.pool.num_blocks))
        for owner in self.here():
            assert len(memory.table(owner)) == memory.blocks_for(len(self.tokens[owner]))
        away = Counter(block for owner in self.away() for block in memory._swapped[owner])
        if memory.cpu is not None:
            assert memory.cpu.references() == away
            assert sorted([*memory.cpu.free_queue(), *away]) == list(range(memory.cpu.num_blocks))

    @invariant()
    def everybody_reads_what_they_wrote(self):
        for owner, tokens in getattr(self, "tokens", {}).items():
            swapped = self.memory.swapped(owner)
            table = self.memory._swapped[owner] if swapped else self.memory.table(owner)
            held = self.cpu if swapped else self.slots
            read = [held[table[i // self.size]][i % self.size] for i in range(len(tokens))]
            assert read == [tuple(tokens[: i + 1]) for i in range(len(tokens))]

    @invariant()
    def a_key_belongs_to_the_block_that_holds_its_tokens(self):
        if not getattr(self, "tokens", None) and not hasattr(self, "memory"):
            return
        cache = self.memory.cache
        for block, key in (cache._key if cache else {}).items():
            assert chain(self.slots[block][-1], self.size)[-1] == key
            assert block in cache._blocks[key]
        for key, blocks in (cache._blocks if cache else {}).items():
            assert blocks
            assert all(cache._key[block] == key for block in blocks)

    def teardown(self):
        """When everybody has left there is no reference, and every block lies in its queue."""
        if not hasattr(self, "memory"):
            return
        for owner in self.here():
            self.memory.free(owner)
        for owner in self.away():
            self.memory.swap_in([owner])
            self.memory.free(owner)
        for pool in (self.memory.pool, self.memory.cpu):
            if pool is not None:
                assert pool.references() == {}
                assert sorted(pool.free_queue()) == list(range(pool.num_blocks - pool.usable, pool.num_blocks))
        assert not self.memory._tables
        assert not self.memory._swapped


Interleavings.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


class TestAnyInterleavingOfOperationsLeavesTheInvariantsStanding(Interleavings.TestCase):
    """The machine as a test."""
