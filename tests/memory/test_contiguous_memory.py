"""Contiguous memory: owners of pieces."""

import pytest

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.contiguous.memory import ContiguousMemory, Moved, Reservation, make_placement


def test_an_owner_holds_one_piece_until_it_is_freed():
    memory = ContiguousMemory(make_placement("buddy", 4096, 16, 2048))
    assert memory.allocate(7, 500) == Reservation(0, 512)
    assert memory.start_of(7) == 0
    assert memory.total_free == 4096 - 512
    with pytest.raises(ValueError, match="already holds"):
        memory.allocate(7, 1)
    assert memory.free(7) == (0, 512)
    assert memory.total_free == 4096
    with pytest.raises(KeyError):
        memory.free(7)


def test_moved_pieces_keep_their_owners():
    memory = ContiguousMemory(make_placement("ideal", 100, 1, 100))
    for owner in range(5):
        memory.allocate(owner, 20)
    for owner in (0, 2, 4):
        memory.free(owner)
    assert memory.allocate(9, 60) == Reservation(40, 60, (Moved(1, 20, 0, 20), Moved(3, 60, 20, 20)))
    assert [memory.start_of(owner) for owner in (1, 3, 9)] == [0, 20, 40]
    assert memory.free(3) == (20, 20)


def test_a_failed_allocation_leaves_no_owner_behind():
    memory = ContiguousMemory(make_placement("first-fit", 100, 1, 100))
    memory.allocate(0, 90)
    with pytest.raises(OutOfMemory):
        memory.allocate(1, 20)
    assert memory.total_free == 10
    with pytest.raises(KeyError):
        memory.free(1)
