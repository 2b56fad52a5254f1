"""Placements: which slots a request gets, and what is left."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.contiguous.buddy import Buddy
from vizkv.systems.contiguous.holes import BestFit, FirstFit, Ideal
from vizkv.systems.contiguous.memory import make_placement
from vizkv.systems.contiguous.placement import Grant, Move, next_power_of_two

NAMES = ["buddy", "first-fit", "best-fit", "ideal"]
OPT_13B = 983 * 16  # slots of the paper's pool


def state(placement):
    """All that a placement knows, for comparing before and after."""
    return placement.total_free, placement.holes(), dict(placement._live), placement.largest_hole()


@pytest.mark.parametrize(("n", "power"), [(1, 1), (2, 2), (3, 4), (25, 32), (32, 32), (500, 512), (513, 1024)])
def test_the_next_power_of_two_of_a_power_is_itself(n, power):
    assert next_power_of_two(n) == power


def test_the_buddy_arena_is_whole_chunks_and_a_tail_of_falling_powers_of_two():
    buddy = Buddy(OPT_13B, 16, 2048)
    assert [size for _, size in buddy.holes()] == [2048] * 7 + [1024, 256, 64, 32, 16]
    assert buddy.holes()[7] == (7 * 2048, 1024)
    assert sum(size for _, size in buddy.holes()) == OPT_13B


def test_a_buddy_chunk_is_the_longest_length_rounded_up():
    assert [size for _, size in Buddy(4096, 16, 1500).holes()] == [2048, 2048]


def test_a_pool_below_one_chunk_is_all_tail():
    buddy = Buddy(1000, 16, 2048)  # 62 units, and 8 slots that fill none
    assert buddy.holes() == [(0, 512), (512, 256), (768, 128), (896, 64), (960, 32)]
    assert buddy.total_free == 1000
    assert buddy.capacity == 512
    assert buddy.fits_ever(512)
    assert not buddy.fits_ever(513)


def test_a_buddy_rounds_units_up_to_a_power_of_two():
    buddy = Buddy(4096, 16, 2048)
    assert buddy.allocate(500) == Grant(0, 512)
    assert buddy.allocate(514) == Grant(1024, 1024)
    assert buddy.allocate(1) == Grant(512, 16)


def test_a_split_keeps_the_low_half_and_leaves_the_high_one_free():
    buddy = Buddy(2048, 16, 2048)
    assert buddy.allocate(256).start == 0
    assert buddy.holes() == [(256, 256), (512, 512), (1024, 1024)]


def test_the_lowest_chunk_goes_first():
    buddy = Buddy(3 * 2048, 16, 2048)
    assert [buddy.allocate(2048).start for _ in range(3)] == [0, 2048, 4096]


def test_the_piece_freed_last_is_handed_out_first():
    buddy = Buddy(4 * 64, 16, 64)
    starts = [buddy.allocate(64).start for _ in range(4)]
    buddy.free(starts[2])
    buddy.free(starts[0])
    assert [buddy.allocate(64).start for _ in range(2)] == [starts[0], starts[2]]


def test_a_freed_buddy_merges():
    buddy = Buddy(2048, 16, 2048)
    starts = [buddy.allocate(512).start for _ in range(4)]
    buddy.free(starts[1])
    buddy.free(starts[2])
    assert buddy.largest_hole()[0] == 512  # neighbours, but not buddies
    buddy.free(starts[0])
    assert buddy.largest_hole() == (1024, 0)
    buddy.free(starts[3])
    assert buddy.holes() == [(0, 2048)]


def test_chunks_never_merge_with_each_other():
    buddy = Buddy(2 * 64 + 32 + 16, 16, 64)
    starts = [buddy.allocate(size).start for size in (64, 64, 32, 16)]
    for start in starts:
        buddy.free(start)
    assert buddy.holes() == [(0, 64), (64, 64), (128, 32), (160, 16)]


def test_first_fit_takes_the_lowest_hole_and_best_fit_the_smallest():
    def two_holes(kind):
        placement = kind(100, 1)
        starts = [placement.allocate(size).start for size in (40, 10, 20, 30)]
        placement.free(starts[0])
        placement.free(starts[2])
        return placement

    assert two_holes(FirstFit).allocate(20).start == 0
    assert two_holes(BestFit).allocate(20).start == 50
    assert two_holes(FirstFit).allocate(5).start == 0
    assert two_holes(BestFit).allocate(5).start == 50


def test_best_fit_takes_the_lower_of_two_equal_holes():
    placement = BestFit(60, 1)
    starts = [placement.allocate(10).start for _ in range(6)]
    placement.free(starts[3])
    placement.free(starts[1])
    assert placement.allocate(10).start == starts[1]


def test_a_unit_rounds_up_and_one_slot_units_are_exact():
    assert FirstFit(100, 16).allocate(17) == Grant(0, 32)
    assert FirstFit(100, 1).allocate(17) == Grant(0, 17)


@pytest.mark.parametrize("name", NAMES)
def test_slots_that_fill_no_unit_stay_free_and_are_never_handed_out(name):
    placement = make_placement(name, 40, 16, 16)
    pieces = [placement.allocate(16).start for _ in range(2)]
    assert sorted(pieces) == [0, 16]
    assert placement.total_free == 8
    assert placement.largest_hole() == (0, -1)
    assert not placement.can_allocate(1)
    with pytest.raises(OutOfMemory):
        placement.allocate(1)


def test_first_fit_refuses_what_is_free_but_scattered_and_ideal_moves_pieces():
    grants = {}
    for kind in (FirstFit, Ideal):
        placement = kind(100, 1)
        starts = [placement.allocate(20).start for _ in range(5)]
        for i in (0, 2, 4):
            placement.free(starts[i])
        assert placement.total_free == 60
        assert placement.largest_hole() == (20, 0)
        grants[kind] = placement.allocate(50) if placement.can_allocate(50) else None
    assert grants[FirstFit] is None
    assert grants[Ideal] == Grant(40, 50, (Move(20, 0, 20), Move(60, 20, 20)))


def test_ideal_moves_no_more_pieces_than_it_must():
    placement = Ideal(100, 1)
    starts = [placement.allocate(20).start for _ in range(5)]
    placement.free(starts[0])
    placement.free(starts[2])
    assert placement.allocate(30) == Grant(20, 30, (Move(20, 0, 20),))  # 60..100 did not have to move


def test_ideal_moves_nothing_where_a_hole_is_large_enough():
    placement = Ideal(100, 1)
    first = placement.allocate(20).start
    placement.allocate(20)
    placement.free(first)
    assert placement.allocate(50) == Grant(40, 50)


def test_every_moved_slot_arrives_when_pieces_are_copied_one_after_another():
    rng = random.Random(7)
    for _ in range(50):
        placement, pool, live = Ideal(200, 1), [None] * 200, {}
        for name in range(200):
            if live and rng.random() < 0.45:
                gone = rng.choice(list(live))
                start, size = live.pop(gone)
                placement.free(start)
            size = rng.randint(1, 40)
            if not placement.can_allocate(size):
                continue
            grant = placement.allocate(size)
            for old, new, held in grant.moves:
                pool[new : new + held] = pool[old : old + held]
                mover = next(n for n, (start, _) in live.items() if start == old)
                live[mover] = (new, held)
            pool[grant.start : grant.start + size] = [name] * size
            live[name] = (grant.start, size)
            for owner, (start, length) in live.items():
                assert pool[start : start + length] == [owner] * length


@pytest.mark.parametrize("name", NAMES)
def test_freeing_where_no_piece_starts_is_an_error_and_changes_nothing(name):
    placement = make_placement(name, 128, 16, 128)
    placement.allocate(32)
    before = state(placement)
    for start in (16, 5, 64):
        with pytest.raises(KeyError):
            placement.free(start)
    assert state(placement) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_piece_has_at_least_one_slot(name):
    with pytest.raises(ValueError, match="at least 1 slot"):
        make_placement(name, 128, 16, 128).allocate(0)


def test_an_unknown_placement_is_named():
    with pytest.raises(ValueError, match="'worst-fit' is unknown; valid are 'buddy'"):
        make_placement("worst-fit", 128, 16, 128)


@pytest.mark.parametrize("name", NAMES)
@given(
    slots=st.integers(1, 700),
    unit=st.integers(1, 20),
    longest=st.integers(1, 300),
    operations=st.lists(st.tuples(st.booleans(), st.integers(1, 320)), max_size=60),
)
def test_any_order_of_operations_keeps_the_books(name, slots, unit, longest, operations):
    placement = make_placement(name, slots, unit, longest)
    empty = state(placement)[1]
    live = []  # (start, held)
    for wants, number in operations:
        if wants:
            before = state(placement)
            if placement.can_allocate(number):
                assert placement.fits_ever(number)
                grant = placement.allocate(number)
                for old, new, held in grant.moves:
                    assert new < old
                    live[live.index((old, held))] = (new, held)
                assert grant.held >= number
                live.append((grant.start, grant.held))
            else:
                assert placement.largest_hole()[0] < number or not placement.strands
                if not live:
                    assert not placement.fits_ever(number)
                with pytest.raises(OutOfMemory):
                    placement.allocate(number)
                assert state(placement) == before
        elif live:
            start, held = live.pop(number % len(live))
            assert placement.free(start) == held
        covered = sorted(live + placement.holes())
        assert all(a + length <= b for (a, length), (b, _) in zip(covered, covered[1:]))  # never two owners
        assert sum(length for _, length in covered) == slots // unit * unit
        assert placement.total_free == slots - sum(held for _, held in live)
        size, start = placement.largest_hole()
        assert size == max((length for _, length in placement.holes()), default=0)
        assert (start, size) in placement.holes() or (size, start) == (0, -1)
    for start, _ in live:
        placement.free(start)
    assert placement.total_free == slots
    assert placement.holes() == empty
