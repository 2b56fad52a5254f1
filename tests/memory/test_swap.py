"""Swapping: all blocks of some owners to the CPU pool and back, shared as before."""

import pytest

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.paged.blocks import Freed, Place
from vizkv.systems.paged.memory import PagedMemory, Swapped, Write
from vizkv.systems.paged.prefix import extend_chain


def chain(tokens):
    keys = []
    extend_chain(keys, tokens, 4)
    return keys


def two(slots=32, **fields):
    """Owner 0 with 7 tokens, owner 1 forked from it and grown to 9: they share block 0."""
    memory = PagedMemory(slots, 4, swap=True, **fields)
    memory.allocate(0)
    memory.append(0, 7)
    memory.fork(0, 1)
    memory.write(1, 7, 9)
    return memory


def state(memory):
    return (
        memory.pool.free_queue(),
        memory.pool.references(),
        memory.cpu.free_queue(),
        memory.cpu.references(),
        {owner: list(table.blocks) for owner, table in memory._tables.items()},
        {owner: list(blocks) for owner, blocks in memory._swapped.items()},
    )


def test_the_cpu_pool_has_as_many_blocks_as_the_pool():
    assert PagedMemory(35, 4, swap=True).cpu.num_blocks == 8
    assert PagedMemory(35, 4).cpu is None


def test_what_is_swapped_out_lies_in_the_cpu_pool_and_its_blocks_are_free():
    memory = two()
    assert (memory.table(0), memory.table(1)) == ([0, 1], [0, 2, 3])
    moved, freed = memory.swap_out([0, 1])
    assert moved == [
        Swapped(0, 0, 0, 0, True),
        Swapped(0, 1, 1, 1, True),
        Swapped(1, 0, 0, 0, False),  # shared: copied once
        Swapped(1, 1, 2, 2, True),
        Swapped(1, 2, 3, 3, True),
    ]
    assert freed[0] == (0, Freed(0, 1, Place.HELD))
    assert memory.swapped(0)
    assert memory.swapped(1)
    assert memory.pool.references() == {}
    assert memory.cpu.references() == {0: 2, 1: 1, 2: 1, 3: 1}


def test_what_comes_back_is_shared_as_before():
    memory = two()
    memory.swap_out([0, 1])
    memory.allocate(9)
    memory.append(9, 4)  # somebody else has a block in the meantime
    moved = memory.swap_in([0, 1])
    assert [(m.owner, m.logical, m.first) for m in moved] == [
        (0, 0, True), (0, 1, True), (1, 0, False), (1, 1, True), (1, 2, True)
    ]  # fmt: skip
    assert memory.table(0)[0] == memory.table(1)[0]
    assert len({*memory.table(0), *memory.table(1), *memory.table(9)}) == 5
    assert memory.pool.count(memory.table(0)[0]) == 2
    assert not memory.swapped(0)
    assert memory.cpu.references() == {}
    assert memory.cpu.free_blocks == 8


def test_one_of_two_who_share_can_leave_alone():
    memory = two()
    memory.swap_out([0])
    assert memory.pool.references() == {0: 1, 2: 1, 3: 1}
    assert memory.table(1) == [0, 2, 3]


def test_blocks_that_come_back_can_be_found_in_the_cache_again():
    memory = PagedMemory(16, 4, prefix_caching=True, swap=True)
    tokens = list(range(9))
    memory.allocate(0)
    memory.append(0, 9)
    memory.register(0, chain(tokens), 9)
    memory.fork(0, 1)
    memory.swap_out([0, 1])
    assert memory.cached_blocks() == [0, 1]  # what was left behind is still there, until it is handed out
    moved = memory.swap_in([0, 1])
    assert [m.block for m in moved if m.evicted] == [1]  # two unhashed blocks first; the suffix goes before the prefix
    assert memory.register(0, chain(tokens), 9) == memory.table(0)[:2]
    assert memory.register(1, chain(tokens), 9) == []  # the same blocks
    assert memory.lookup(chain(tokens), 9)[0] == 0  # the first registered still answers


def test_a_cpu_pool_without_room_refuses_and_changes_nothing():
    memory = PagedMemory(16, 4, swap=True)
    memory.allocate(0)
    memory.append(0, 12)
    memory.swap_out([0])
    memory.allocate(1)
    memory.append(1, 8)
    assert not memory.can_swap_out([1])
    before = state(memory)
    with pytest.raises(OutOfMemory, match="no room"):
        memory.swap_out([1])
    assert state(memory) == before


def test_a_full_pool_takes_nobody_back_and_nothing_changes():
    memory = two(slots=16)
    memory.swap_out([0, 1])
    memory.allocate(9)
    memory.append(9, 4)
    before = state(memory)
    with pytest.raises(OutOfMemory, match="3 free blocks"):
        memory.swap_in([0, 1])
    assert state(memory) == before


def test_without_a_cpu_pool_nothing_is_swapped():
    memory = PagedMemory(16, 4)
    memory.allocate(0)
    assert not memory.can_swap_out([0])
    with pytest.raises(OutOfMemory):
        memory.swap_out([0])


@pytest.mark.parametrize(("ends", "cost"), [((7, 9), 4), ((8, 10), 4), ((9, 13), 6)])
def test_coming_back_costs_the_blocks_and_what_is_written_next(ends, cost):
    memory = two()
    memory.swap_out([0, 1])
    writes = [Write(0, 7, ends[0]), Write(1, 9, ends[1])]
    assert memory.swap_in_cost(writes) == cost
    assert memory.can_swap_in(writes, spare=8 - cost)
    assert not memory.can_swap_in(writes, spare=9 - cost)


def test_a_block_that_comes_back_shared_is_copied_when_both_write():
    memory = PagedMemory(32, 4, swap=True)
    memory.allocate(0)
    memory.append(0, 7)
    memory.fork(0, 1)
    memory.swap_out([0, 1])
    assert memory.swap_in_cost([Write(0, 7, 8), Write(1, 7, 8)]) == 3
    assert memory.swap_in_cost([Write(0, 7, 8)]) == 2  # alone it shares with nobody


def test_who_lies_in_the_cpu_pool_cannot_be_opened_forked_over_or_freed():
    memory = two()
    memory.swap_out([1])
    before = state(memory)
    with pytest.raises(ValueError, match="owner 1 already has"):
        memory.allocate(1)
    with pytest.raises(ValueError, match="owner 1 already has"):
        memory.fork(0, 1)
    for what in (memory.free, memory.table):
        with pytest.raises(KeyError):
            what(1)
    assert state(memory) == before


def test_nobody_is_swapped_twice_at_once():
    memory = two()
    before = state(memory)
    with pytest.raises(ValueError, match="different"):
        memory.swap_out([0, 0])
    assert state(memory) == before
    memory.swap_out([0])
    before = state(memory)
    with pytest.raises(ValueError, match="different"):
        memory.swap_in([0, 0])
    assert state(memory) == before
