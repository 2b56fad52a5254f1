"""Where a piece of consecutive slots goes: what all placements have in common.

Sizes and addresses are in slots; a placement counts in its own ``unit`` inside. Slots at the end of the pool that do
not fill a unit are never handed out: they are counted as free, and belong to no hole.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Move(NamedTuple):
    """A live piece slid from ``old`` to ``new`` (lower); ``held`` slots. The two places may overlap."""

    old: int
    new: int
    held: int


class Grant(NamedTuple):
    """A piece handed out. ``held`` >= the size asked for. ``moves``: pieces to copy first, one after another."""

    start: int
    held: int
    moves: tuple[Move, ...] = ()


class Placement(Protocol):
    """Hands out pieces of one pool."""

    slots: int
    strands: bool
    """Whether enough slots can be free in total and yet lie in no hole."""
    capacity: int
    """The largest size that the empty pool could give, in slots."""

    @property
    def total_free(self) -> int:
        """Slots that no piece holds, those included that fill no unit."""

    def can_allocate(self, size: int) -> bool:
        """Whether :meth:`allocate` would succeed now. ``size`` in slots, at least 1."""

    def allocate(self, size: int) -> Grant:
        """Hand out a piece of at least ``size`` slots. Raises OutOfMemory, and then nothing has changed."""

    def free(self, start: int) -> int:
        """Take back the piece that starts at ``start``; the slots it held. Raises KeyError where none starts."""

    def largest_hole(self) -> tuple[int, int]:
        """(size, start) in slots of the largest piece that could be handed out now; (0, -1) if there is none."""

    def compact(self) -> tuple[Move, ...]:
        """Move live pieces to lower addresses until no hole is left that one could; the moves, in order to copy."""

    def fits_ever(self, size: int) -> bool:
        """Whether the empty pool could give ``size`` slots in one piece."""


def next_power_of_two(n: int) -> int:
    """The smallest power of two that is at least ``n`` (n >= 1): 25 -> 32, 32 -> 32."""
    return 1 << (n - 1).bit_length()


def units_of(size: int, unit: int) -> int:
    """``size`` slots in whole units, rounded up. Raises ValueError for a size below 1."""
    if size < 1:
        raise ValueError(f"a piece has at least 1 slot; {size} were asked for")
    return -(-size // unit)
