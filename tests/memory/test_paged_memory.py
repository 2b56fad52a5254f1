"""Paged memory: the free queue, references, block tables and the prefix cache, as in vLLM V1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.paged.blocks import BlockPool, Freed, Place
from vizkv.systems.paged.memory import PagedMemory, Shared, Taken
from vizkv.systems.paged.prefix import PrefixCache, extend_chain


def chain(tokens, block_size=4):
    keys = []
    extend_chain(keys, tokens, block_size)
    return keys


def hold(memory, owner, tokens):
    """Give ``owner`` a table for ``tokens``, found blocks first, and register what is full."""
    keys = chain(tokens, memory.block_size)
    found = memory.lookup(keys, len(tokens))
    memory.allocate(owner, found)
    memory.append(owner, len(tokens))
    memory.register(owner, keys, len(tokens))
    return found


def state(memory):
    return (
        memory.pool.free_queue(),
        memory.pool.references(),
        memory.cached_blocks(),
        {owner: (list(table.blocks), table.registered) for owner, table in memory._tables.items()},
    )


def test_blocks_are_taken_from_the_head_of_the_queue():
    memory = PagedMemory(32, 4)
    memory.allocate(0)
    assert memory.append(0, 9) == [Taken(0, 0, False), Taken(1, 1, False), Taken(2, 2, False)]
    assert memory.pool.free_queue() == [3, 4, 5, 6, 7]


def test_a_block_is_taken_only_when_the_last_is_full():
    memory = PagedMemory(32, 4)
    memory.allocate(0)
    memory.append(0, 4)
    assert memory.append(0, 4) == []
    assert memory.append(0, 5) == [Taken(1, 1, False)]


def test_five_hundred_tokens_take_32_blocks_of_16():
    memory = PagedMemory(4096, 16)
    memory.allocate(0)
    memory.append(0, 500)
    assert len(memory.table(0)) == 32
    assert 32 * 16 - 500 == 12


def test_the_null_block_is_never_handed_out():
    memory = PagedMemory(16, 4, null_block=True)
    assert memory.pool.num_blocks == 4
    assert memory.pool.usable == 3
    memory.allocate(0)
    assert [taken.block for taken in memory.append(0, 12)] == [1, 2, 3]
    assert not memory.can_append(0, 13)


def test_slots_that_fill_no_block_belong_to_none():
    assert PagedMemory(35, 4).pool.usable == 8


def test_the_free_order_comes_first_and_the_rest_ascends():
    assert PagedMemory(36, 4, free_order=[7, 1, 3]).pool.free_queue() == [7, 1, 3, 0, 2, 4, 5, 6, 8]


@pytest.mark.parametrize("order", [[0], [9], [1, 1], [-1]])
def test_a_free_order_names_usable_blocks_once(order):
    with pytest.raises(ValueError, match=r"1\.\.8 at most once"):
        BlockPool(9, null_block=True, free_order=order)


def test_figure_6_fills_7_1_and_3():
    memory = PagedMemory(36, 4, free_order=[7, 1, 3])
    memory.allocate(0)
    memory.append(0, 7)
    assert memory.table(0) == [7, 1]
    assert memory.append(0, 8) == []
    assert memory.append(0, 9) == [Taken(3, 2, False)]


def test_without_a_cache_freed_blocks_go_to_the_front_tail_first():
    memory = PagedMemory(32, 4)
    memory.allocate(0)
    memory.append(0, 12)
    freed = memory.free(0)
    assert [f.place for f in freed] == [Place.FRONT] * 3
    assert memory.pool.free_queue() == [2, 1, 0, 3, 4, 5, 6, 7]


def test_with_a_cache_the_unhashed_tail_goes_to_the_front_and_hashed_blocks_to_the_back():
    memory = PagedMemory(32, 4, prefix_caching=True)
    hold(memory, 0, list(range(10)))
    assert memory.cached_blocks() == [0, 1]
    assert memory.free(0) == [Freed(2, 0, Place.FRONT), Freed(1, 0, Place.BACK), Freed(0, 0, Place.BACK)]
    assert memory.pool.free_queue() == [2, 3, 4, 5, 6, 7, 1, 0]
    assert memory.cached_blocks() == [0, 1]


def test_what_is_freed_one_by_one_gives_the_queue():
    memory = PagedMemory(64, 4, prefix_caching=True)
    hold(memory, 0, list(range(8)))
    hold(memory, 1, [*range(8), 50, 51, 52])
    memory.append(1, 20)
    queue = memory.pool.free_queue()
    for freed in memory.free(1):
        if freed.place == Place.FRONT:
            queue.insert(0, freed.block)
        elif freed.place == Place.BACK:
            queue.append(freed.block)
    assert queue == memory.pool.free_queue()


def test_the_last_token_is_never_found():
    memory = PagedMemory(64, 4, prefix_caching=True)
    tokens = list(range(8))
    hold(memory, 0, tokens)
    assert memory.lookup(chain(tokens), 8) == [0]
    assert memory.lookup(chain([*tokens, 9]), 9) == [0, 1]


def test_a_lookup_stops_at_the_first_miss():
    memory = PagedMemory(64, 4, prefix_caching=True)
    hold(memory, 0, list(range(12)))
    assert memory.lookup(chain([0, 1, 2, 3, 9, 9, 9, 9, 8, 9, 10, 11, 0]), 13) == [0]


def test_equal_blocks_after_different_beginnings_are_different():
    assert chain([1, 2, 3, 4, 5, 6, 7, 8])[1] != chain([0, 2, 3, 4, 5, 6, 7, 8])[1]
    assert chain([12, 3, 0, 0]) != chain([1, 23, 0, 0])


def test_a_chain_grows_with_its_tokens():
    keys = chain(list(range(6)))
    assert len(keys) == 1
    extend_chain(keys, list(range(13)), 4)
    assert keys == chain(list(range(13)))


def test_a_hit_leaves_the_free_queue_or_adds_a_reference():
    memory = PagedMemory(64, 4, prefix_caching=True)
    tokens = list(range(9))
    hold(memory, 0, tokens)
    assert memory.allocate(1, memory.lookup(chain(tokens), 9)) == [Shared(0, 0, False), Shared(1, 1, False)]
    assert memory.pool.references() == {0: 2, 1: 2, 2: 1}
    memory.free(0)
    assert memory.free(1)[0] == Freed(1, 0, Place.BACK)
    assert memory.allocate(2, [0, 1]) == [Shared(0, 0, True), Shared(1, 1, True)]
    assert 0 not in memory.pool.free_queue()


def test_found_blocks_that_lie_free_count_as_needed():
    memory = PagedMemory(32, 4, prefix_caching=True)
    tokens = list(range(9))
    hold(memory, 0, tokens)
    assert memory.cost(9, [0, 1]) == 1
    memory.free(0)
    assert memory.cost(9, [0, 1]) == 3
    assert memory.can_allocate(9, [0, 1], spare=5)
    assert not memory.can_allocate(9, [0, 1], spare=6)


def test_the_first_registered_duplicate_answers_until_it_is_evicted():
    cache = PrefixCache()
    for block in (5, 2, 9):
        cache.register(block, b"same")
    assert cache.find(b"same") == 5
    assert cache.evict(5)
    assert cache.find(b"same") == 2
    assert cache.evict(2)
    assert cache.evict(9)
    assert cache.find(b"same") is None
    assert not cache.evict(9)


def test_a_cached_block_keeps_its_key_until_it_is_handed_out_again():
    memory = PagedMemory(12, 4, prefix_caching=True)
    hold(memory, 0, list(range(9)))
    memory.free(0)
    memory.allocate(1)
    assert memory.append(1, 5) == [Taken(2, 0, False), Taken(1, 1, True)]  # the suffix goes before the prefix
    assert memory.cached_blocks() == [0]


def test_vllms_walk_through_ends_with_7_8_9_4_3():
    """The design document's example, in which the queue is given: the document counts block 0 as usable."""
    memory = PagedMemory(40, 4, prefix_caching=True)
    prefix = list(range(12))
    hold(memory, 0, prefix)
    memory.free(0)
    memory.pool._free = type(memory.pool._free).fromkeys([7, 8, 9, 4, 3, 2, 6, 5, 1, 0])
    tokens = [*prefix, *range(100, 117)]  # 29 tokens
    assert hold(memory, 1, tokens) == [0, 1, 2]
    assert memory.table(1) == [0, 1, 2, 7, 8, 9, 4, 3]


def test_a_failed_append_changes_nothing():
    memory = PagedMemory(16, 4, prefix_caching=True)
    hold(memory, 0, list(range(6)))
    before = state(memory)
    with pytest.raises(OutOfMemory):
        memory.append(0, 17)
    with pytest.raises(ValueError, match="already has a block table"):
        memory.allocate(0, [0])
    with pytest.raises(KeyError):
        memory.free(1)
    assert state(memory) == before


@given(
    slots=st.integers(4, 80),
    block_size=st.integers(1, 5),
    caching=st.booleans(),
    null_block=st.booleans(),
    operations=st.lists(
        st.tuples(st.sampled_from(["open", "grow", "free"]), st.integers(0, 5), st.integers(1, 30)), max_size=60
    ),
)
def test_any_order_of_operations_keeps_references_equal_to_table_entries(
    slots, block_size, caching, null_block, operations
):
    memory = PagedMemory(slots, block_size, prefix_caching=caching, null_block=null_block)
    tokens, usable = {}, memory.pool.usable
    for what, owner, number in operations:
        before = state(memory)
        if what == "open" and owner not in tokens:
            sequence = [i // 3 % 2 for i in range(number)]  # many equal beginnings
            found = memory.lookup(chain(sequence, block_size), number)
            if memory.can_allocate(number, found):
                hold(memory, owner, sequence)
                tokens[owner] = sequence
        elif what == "grow" and owner in tokens:
            longer = tokens[owner] + [number] * number
            if memory.can_append(owner, len(longer)):
                memory.append(owner, len(longer))
                memory.register(owner, chain(longer, block_size), len(longer))
                tokens[owner] = longer
            else:
                with pytest.raises(OutOfMemory):
                    memory.append(owner, len(longer))
                assert state(memory) == before
        elif what == "free" and owner in tokens:
            memory.free(owner)
            del tokens[owner]
        entries = [block for name in tokens for block in memory.table(name)]
        assert memory.pool.references() == {block: entries.count(block) for block in set(entries)}
        queue = memory.pool.free_queue()
        assert sorted({*queue, *entries}) == list(range(int(null_block), usable + int(null_block)))
        assert len(queue) + len(set(entries)) == usable
        if not caching:
            assert len(entries) == len(set(entries))
        for name in tokens:
            assert len(memory.table(name)) == memory.blocks_for(len(tokens[name]))
    for owner in list(tokens):
        memory.free(owner)
    assert memory.pool.free_blocks == usable
    assert memory.pool.references() == {}
