"""Contiguous memory: each owner holds one piece of consecutive slots from admission to release."""

from __future__ import annotations

from typing import NamedTuple

from vizkv.systems.contiguous.buddy import Buddy
from vizkv.systems.contiguous.holes import BestFit, FirstFit, Ideal
from vizkv.systems.contiguous.placement import Move, Placement


def make_placement(name: str, slots: int, unit: int, longest: int) -> Placement:
    """The placement called ``name`` over ``slots``. ``longest``: the longest a request may be, a buddy chunk's size.

    Raises ValueError for a name that is none of buddy, first-fit, best-fit and ideal.
    """
    if name == "buddy":
        return Buddy(slots, unit, longest)
    kinds = {"first-fit": FirstFit, "best-fit": BestFit, "ideal": Ideal}
    if name not in kinds:
        raise ValueError(f"placement = {name!r} is unknown; valid are 'buddy', 'first-fit', 'best-fit' and 'ideal'")
    return kinds[name](slots, unit)


class Moved(NamedTuple):
    """The piece of ``owner`` slid from ``old`` to ``new``, ``held`` slots."""

    owner: int
    old: int
    new: int
    held: int


class Reservation(NamedTuple):
    """What one owner holds. ``moves``: the pieces that were slid to make room, in the order to copy them."""

    start: int
    held: int
    moves: tuple[Moved, ...] = ()


class ContiguousMemory:
    """Owners and their pieces over one placement. Sizes in slots."""

    def __init__(self, placement: Placement):
        self.placement = placement
        self._start: dict[int, int] = {}  # by owner
        self._owner: dict[int, int] = {}  # by first slot

    @property
    def total_free(self) -> int:
        """Slots that nobody holds."""
        return self.placement.total_free

    def start_of(self, owner: int) -> int:
        """The first slot of an owner's piece."""
        return self._start[owner]

    def can_allocate(self, size: int) -> bool:
        """Whether a piece of ``size`` slots could be had now."""
        return self.placement.can_allocate(size)

    def allocate(self, owner: int, size: int) -> Reservation:
        """Give ``owner`` its piece. Raises OutOfMemory, or ValueError for an owner that has one."""
        if owner in self._start:
            raise ValueError(f"owner {owner} already holds a piece")
        grant = self.placement.allocate(size)
        moves = self._follow(grant.moves)
        self._start[owner], self._owner[grant.start] = grant.start, owner
        return Reservation(grant.start, grant.held, moves)

    def compact(self) -> tuple[Moved, ...]:
        """Move all pieces together; the moves, in the order to copy them."""
        return self._follow(self.placement.compact())

    def _follow(self, moves: tuple[Move, ...]) -> tuple[Moved, ...]:
        made = []
        for move in moves:  # a place that is moved to has been left or was free, so one at a time is safe
            mover = self._owner.pop(move.old)
            self._owner[move.new], self._start[mover] = mover, move.new
            made.append(Moved(mover, *move))
        return tuple(made)

    def free(self, owner: int) -> tuple[int, int]:
        """Take back an owner's piece: (first slot, slots held). Raises KeyError for one that has none."""
        start = self._start.pop(owner)
        del self._owner[start]
        return start, self.placement.free(start)
