"""Fork and copy-on-write: tables share blocks, and nobody writes into a block that others refer to."""

import pytest

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.paged.blocks import Freed, Place
from vizkv.systems.paged.memory import Copied, PagedMemory, Taken, Write
from vizkv.systems.paged.prefix import extend_chain


def forked(children=1, tokens=7, slots=36, **fields):
    """Owner 0 with so many tokens, and others that forked from it."""
    memory = PagedMemory(slots, 4, free_order=[7, 1, 3], **fields)
    memory.allocate(0)
    memory.append(0, tokens)
    for child in range(1, children + 1):
        memory.fork(0, child)
    return memory


def chain(tokens):
    keys = []
    extend_chain(keys, tokens, 4)
    return keys


def test_a_fork_names_the_same_blocks_and_takes_none():
    memory = forked()
    assert memory.table(0) == memory.table(1) == [7, 1]
    assert memory.pool.references() == {7: 2, 1: 2}
    assert memory.pool.free_queue() == [3, 0, 2, 4, 5, 6, 8]


def test_a_forks_table_is_its_own():
    memory = forked(tokens=8)
    memory.write(1, 8, 9)
    assert memory.table(0) == [7, 1]
    assert memory.table(1) == [7, 1, 3]


def test_a_shared_block_is_copied_before_it_is_written():
    """Figure 8: A1 writes first and gets a copy, A2 then writes in place."""
    memory = forked()
    assert memory.write(0, 7, 8) == [Copied(1, 3, 1, False)]
    assert memory.table(0) == [7, 3]
    assert memory.pool.references() == {7: 2, 1: 1, 3: 1}
    assert memory.write(1, 7, 8) == []
    assert memory.table(1) == [7, 1]


def test_a_full_shared_block_is_never_copied():
    memory = forked(tokens=8)
    assert memory.write(0, 8, 9) == [Taken(3, 2, False)]
    assert memory.pool.references() == {7: 2, 1: 2, 3: 1}


def test_a_write_copies_and_grows_at_once():
    memory = forked()
    assert memory.write(0, 7, 13) == [Copied(1, 3, 1, False), Taken(0, 2, False), Taken(2, 3, False)]


def test_of_three_who_share_two_copy():
    memory = forked(children=2)
    writes = [Write(owner, 7, 8) for owner in range(3)]
    made = [memory.write(*write) for write in writes]
    assert made == [[Copied(1, 3, 1, False)], [Copied(1, 0, 1, False)], []]


@pytest.mark.parametrize(("free", "fits"), [(2, True), (1, False)])
def test_copies_count_when_it_is_asked_whether_writes_fit(free, fits):
    memory = forked(children=2)
    memory.allocate(9)
    memory.append(9, 4 * (memory.pool.free_blocks - free))
    assert memory.can_write([Write(owner, 7, 8) for owner in range(3)]) == fits
    assert memory.can_write([Write(0, 7, 8)])


def test_a_copy_for_which_no_block_is_free_changes_nothing():
    memory = forked()
    memory.allocate(9)
    memory.append(9, 4 * memory.pool.free_blocks)
    before = memory.table(0)[:], memory.pool.references(), memory.pool.free_queue()
    with pytest.raises(OutOfMemory, match="0 free blocks"):
        memory.write(0, 7, 8)
    assert (memory.table(0), memory.pool.references(), memory.pool.free_queue()) == before


def test_a_block_is_free_when_its_last_reference_goes():
    memory = forked()
    assert memory.free(0) == [Freed(7, 1, Place.HELD), Freed(1, 1, Place.HELD)]
    assert memory.pool.references() == {7: 1, 1: 1}
    assert memory.free(1) == [Freed(7, 0, Place.FRONT), Freed(1, 0, Place.FRONT)]
    assert memory.pool.free_blocks == 9


def test_who_is_left_alone_with_a_block_writes_in_place():
    memory = forked()
    memory.free(0)
    assert memory.write(1, 7, 8) == []


def test_a_copy_may_evict_what_lay_in_the_block_it_takes():
    memory = PagedMemory(12, 4, prefix_caching=True)
    memory.allocate(5)
    memory.append(5, 4)
    memory.register(5, chain([1, 2, 3, 4]), 4)
    memory.free(5)
    memory.allocate(0)
    memory.append(0, 7)
    memory.fork(0, 1)
    assert memory.cached_blocks() == [0]
    assert memory.write(0, 7, 8) == [Copied(2, 0, 1, True)]
    assert memory.cached_blocks() == []


def test_what_a_parent_entered_into_the_cache_its_fork_does_not_enter_again():
    memory = PagedMemory(32, 4, prefix_caching=True)
    tokens = list(range(9))
    memory.allocate(0)
    memory.append(0, 9)
    assert memory.register(0, chain(tokens), 9) == [0, 1]
    memory.fork(0, 1)
    assert memory.register(1, chain(tokens), 9) == []


def test_a_fork_shares_blocks_that_the_cache_shares_too():
    memory = PagedMemory(32, 4, prefix_caching=True)
    tokens = list(range(9))
    memory.allocate(0)
    memory.append(0, 9)
    memory.register(0, chain(tokens), 9)
    memory.fork(0, 1)
    memory.allocate(2, memory.lookup(chain(tokens), 9))
    assert memory.pool.references() == {0: 3, 1: 3, 2: 2}


def test_a_fork_over_somebody_or_from_nobody_is_refused():
    memory = forked()
    with pytest.raises(ValueError, match="owner 1 already has a block table"):
        memory.fork(0, 1)
    with pytest.raises(KeyError):
        memory.fork(5, 6)
    assert memory.pool.references() == {7: 2, 1: 2}


def test_two_blocks_that_change_places_do_so_in_every_table_key_and_queue():
    memory = PagedMemory(32, 4, prefix_caching=True)
    memory.allocate(0)
    memory.append(0, 9)
    memory.register(0, chain(list(range(9))), 9)
    memory.fork(0, 1)
    memory.exchange((1, 5))
    assert memory.table(0) == memory.table(1) == [0, 5, 2]
    assert memory.pool.references() == {0: 2, 5: 2, 2: 2}
    assert memory.pool.free_queue() == [3, 4, 1, 6, 7]
    assert memory.lookup(chain(list(range(9))), 9) == [0, 5]
    memory.exchange((0, 2))
    assert memory.table(0) == [2, 5, 0]
    assert memory.lookup(chain(list(range(9))), 9) == [2, 5]
    memory.exchange((1, 4))
    assert memory.pool.free_queue() == [3, 1, 4, 6, 7]


def test_duplicates_in_the_cache_keep_their_rank_when_they_change_places():
    memory = PagedMemory(32, 4, prefix_caching=True)
    for owner in (0, 1):
        memory.allocate(owner)
        memory.append(owner, 5)
    for owner in (0, 1):  # blocks 0 and 2 hold the same
        memory.register(owner, chain([1, 2, 3, 4]), 4)
    assert memory.lookup(chain([1, 2, 3, 4]), 5) == [0]
    memory.exchange((0, 2))
    assert memory.lookup(chain([1, 2, 3, 4]), 5) == [2]
    assert (memory.table(0), memory.table(1)) == ([2, 1], [0, 3])
    memory.free(0)
    assert memory.cached_blocks() == [0, 2]


@pytest.mark.parametrize("pair", [(0, 1), (1, 8), (-1, 2)])
def test_only_usable_blocks_change_places(pair):
    memory = PagedMemory(32, 4, null_block=True)
    before = memory.pool.free_queue()
    with pytest.raises(ValueError, match=r"must lie in 1\.\.7"):
        memory.exchange((2, 3), pair)
    assert memory.pool.free_queue() == before
