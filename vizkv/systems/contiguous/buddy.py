"""The buddy allocator that the paper assumes for Orca: powers of two, split in halves, merged again when both are free.

The arena is as many chunks of the longest length as the pool holds; what remains is cut into falling powers of two.
"""

from __future__ import annotations

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.contiguous.placement import Grant, Move, next_power_of_two, units_of


class Buddy:
    """Pieces of 2^k units. A free list for each k, last in first out; a split hands out the low half."""

    strands = True

    def __init__(self, slots: int, unit: int, longest: int):
        """``slots``: the pool. ``unit``: slots of the smallest piece. ``longest``: the length a chunk is made for."""
        self.slots, self.unit = slots, unit
        self.total_free = slots
        self._top = next_power_of_two(units_of(longest, unit)).bit_length() - 1
        # free pieces by order, each list in the order of arrival (a dict, so that a buddy is taken out in O(1))
        self._free: list[dict[int, None]] = [{} for _ in range(self._top + 1)]
        self._live: dict[int, int] = {}  # first unit -> order
        pieces, start, left = [], 0, slots // unit
        while left:
            order = min(self._top, left.bit_length() - 1)
            pieces.append((start, order))
            start, left = start + (1 << order), left - (1 << order)
        for start, order in reversed(pieces):  # the lowest chunk is the last in, and so the first out
            self._free[order][start] = None
        self.capacity = (1 << pieces[0][1]) * unit if pieces else 0

    def can_allocate(self, size: int) -> bool:
        order = self._order_of(size)
        return any(self._free[order:])

    def allocate(self, size: int) -> Grant:
        wanted = self._order_of(size)
        order = next((k for k in range(wanted, self._top + 1) if self._free[k]), None)
        if order is None:
            raise OutOfMemory(f"no free piece of {size} slots")
        start, _ = self._free[order].popitem()
        while order > wanted:
            order -= 1
            self._free[order][start + (1 << order)] = None  # the high half stays free
        self._live[start] = wanted
        held = (1 << wanted) * self.unit
        self.total_free -= held
        return Grant(start * self.unit, held)

    def free(self, start: int) -> int:
        at = start // self.unit
        if start % self.unit or at not in self._live:
            raise KeyError(start)
        order = self._live.pop(at)
        held = (1 << order) * self.unit
        # Pieces lie at multiples of their size, so flipping one bit gives the buddy. It is never in another chunk:
        # whole chunks stop at the top order, and behind a tail chunk less than its own size remains.
        while order < self._top and at ^ (1 << order) in self._free[order]:
            del self._free[order][at ^ (1 << order)]
            at &= ~(1 << order)
            order += 1
        self._free[order][at] = None
        self.total_free += held
        return held

    def largest_hole(self) -> tuple[int, int]:
        for order in range(self._top, -1, -1):
            if self._free[order]:
                return (1 << order) * self.unit, next(reversed(self._free[order])) * self.unit
        return 0, -1

    def compact(self) -> tuple[Move, ...]:
        """Move pieces into free places of their size below them, the highest first, until none is left; the moves."""
        moves: list[Move] = []
        moved = True
        while moved:
            moved = False
            for at in sorted(self._live, reverse=True):
                order = self._live[at]
                lower = [(a, k) for k in range(order, self._top + 1) for a in self._free[k] if a < at]
                if not lower:
                    continue
                place, room = min(lower)
                del self._free[room][place]
                while room > order:
                    room -= 1
                    self._free[room][place + (1 << room)] = None
                held = self.free(at * self.unit)
                self.total_free -= held
                self._live[place] = order
                moves.append(Move(at * self.unit, place * self.unit, held))
                moved = True
                break
        return tuple(moves)

    def fits_ever(self, size: int) -> bool:
        return next_power_of_two(units_of(size, self.unit)) * self.unit <= self.capacity

    def holes(self) -> list[tuple[int, int]]:
        """(start, size) in slots of every free piece, by address."""
        return sorted((at * self.unit, (1 << k) * self.unit) for k, pieces in enumerate(self._free) for at in pieces)

    def _order_of(self, size: int) -> int:
        return next_power_of_two(units_of(size, self.unit)).bit_length() - 1
