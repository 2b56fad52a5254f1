"""Placements that keep a list of holes: first-fit, best-fit, and the ideal one that closes holes by moving pieces."""

from __future__ import annotations

from bisect import bisect_left

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.contiguous.placement import Grant, Move, units_of


class Holes:
    """A sorted list of holes; a piece lies at the low end of its hole, neighbouring holes become one."""

    strands = True

    def __init__(self, slots: int, unit: int):
        """``slots``: the pool. ``unit``: every piece is a multiple of so many slots."""
        self.slots, self.unit = slots, unit
        self.capacity = slots // unit * unit
        self.total_free = slots
        units = slots // unit
        self._holes: list[tuple[int, int]] = [(0, units)] if units else []  # (first unit, units), by address
        self._live: dict[int, int] = {}  # first unit -> units

    def can_allocate(self, size: int) -> bool:
        return self._choose(units_of(size, self.unit)) is not None

    def allocate(self, size: int) -> Grant:
        units = units_of(size, self.unit)
        index = self._choose(units)
        if index is None:
            raise OutOfMemory(f"no hole of {size} slots")
        return self._take(index, units)

    def free(self, start: int) -> int:
        at = start // self.unit
        if start % self.unit or at not in self._live:
            raise KeyError(start)
        units = self._live.pop(at)
        held = units * self.unit
        index = bisect_left(self._holes, (at, 0))
        if index < len(self._holes) and self._holes[index][0] == at + units:
            units += self._holes.pop(index)[1]
        if index and sum(self._holes[index - 1]) == at:
            before = self._holes.pop(index - 1)
            index, at, units = index - 1, before[0], units + before[1]
        self._holes.insert(index, (at, units))
        self.total_free += held
        return held

    def largest_hole(self) -> tuple[int, int]:
        start, units = max(self._holes, key=lambda hole: hole[1], default=(-1, 0))
        return units * self.unit, start * self.unit if units else -1

    def fits_ever(self, size: int) -> bool:
        return units_of(size, self.unit) * self.unit <= self.capacity

    def holes(self) -> list[tuple[int, int]]:
        """(start, size) in slots of every hole, by address."""
        return [(start * self.unit, units * self.unit) for start, units in self._holes]

    def compact(self) -> tuple[Move, ...]:
        """Slide all pieces together at the low end; the moves, in the order to copy them."""
        return self._slide(self.slots + 1)

    def _choose(self, units: int) -> int | None:
        """The index of the hole to use, or None."""
        raise NotImplementedError

    def _slide(self, units: int) -> tuple[Move, ...]:
        """Slide the lowest pieces down, one after another, until a hole of ``units`` has opened, or to the last.

        Each move goes to a lower address and ends before the next piece, so copying them in this order is safe.
        """
        moves, end = [], 0
        for start in sorted(self._live):
            if start - end >= units:
                break
            length = self._live[start]
            if start > end:
                del self._live[start]
                self._live[end] = length
                moves.append(Move(start * self.unit, end * self.unit, length * self.unit))
            end += length
        self._holes, end = [], 0
        for start in sorted(self._live):
            if start > end:
                self._holes.append((end, start - end))
            end = start + self._live[start]
        if end * self.unit < self.capacity:
            self._holes.append((end, self.capacity // self.unit - end))
        return tuple(moves)

    def _take(self, index: int, units: int) -> Grant:
        start, room = self._holes[index]
        if room == units:
            del self._holes[index]
        else:
            self._holes[index] = (start + units, room - units)
        self._live[start] = units
        self.total_free -= units * self.unit
        return Grant(start * self.unit, units * self.unit)


class FirstFit(Holes):
    """The lowest hole that is large enough."""

    def _choose(self, units: int) -> int | None:
        return next((i for i, (_, room) in enumerate(self._holes) if room >= units), None)


class BestFit(Holes):
    """The smallest hole that is large enough, the lowest of equals."""

    def _choose(self, units: int) -> int | None:
        return min(
            (i for i, (_, room) in enumerate(self._holes) if room >= units),
            key=lambda i: self._holes[i][1],
            default=None,
        )


class Ideal(FirstFit):
    """No placement loss: first-fit, and where no hole is large enough, live pieces slide down until one is."""

    strands = False

    def can_allocate(self, size: int) -> bool:
        return units_of(size, self.unit) * self.unit <= self.total_free - (self.slots - self.capacity)

    def allocate(self, size: int) -> Grant:
        if not self.can_allocate(size):
            raise OutOfMemory(f"fewer than {size} slots are free")
        units = units_of(size, self.unit)
        moves = () if self._choose(units) is not None else self._slide(units)
        index = self._choose(units)
        assert index is not None  # enough is free, and it has been pushed together
        return self._take(index, units)._replace(moves=moves)
