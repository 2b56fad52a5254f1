"""The blocks of paged memory: which are free and in what order they go, and how many references each has."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from vizkv.systems.base.errors import OutOfMemory

make = tuple.__new__  # a NamedTuple, without the Python function that its class makes one by: in half the time


class Place(IntEnum):
    """Where a block went when one of its references was dropped."""

    HELD = -1  # others still hold it
    FRONT = 0  # the free queue's front: the next to be handed out
    BACK = 1  # its back: it holds content that may be asked for again


class Freed(NamedTuple):
    """One reference to ``block`` was dropped; ``references`` are left."""

    block: int
    references: int
    place: Place


def places(exchanges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Where what lay in each block lies after pairs of blocks have changed places, one pair after another."""
    inside: dict[int, int] = {}
    for a, b in exchanges:
        inside[a], inside[b] = inside.get(b, b), inside.get(a, a)
    return {origin: block for block, origin in inside.items()}


class BlockPool:
    """The free queue and the reference counts. Every operation takes the same time however many blocks there are."""

    def __init__(self, num_blocks: int, *, null_block: bool = False, free_order: Sequence[int] = ()):
        """``null_block``: block 0 is never handed out. ``free_order``: the queue's beginning, the rest follows."""
        first = int(null_block)
        named = dict.fromkeys(free_order)
        if len(named) != len(free_order) or not all(first <= block < num_blocks for block in named):
            raise ValueError(f"free_order must name each of the blocks {first}..{num_blocks - 1} at most once")
        self.num_blocks, self.usable = num_blocks, max(0, num_blocks - first)
        rest = (block for block in range(first, num_blocks) if block not in named)
        self._free: OrderedDict[int, None] = OrderedDict.fromkeys([*named, *rest])
        self._references: dict[int, int] = {}

    @property
    def free_blocks(self) -> int:
        """Number of free blocks."""
        return len(self._free)

    @property
    def next_free(self) -> int:
        """The block that goes next, -1 if none is free."""
        return next(iter(self._free), -1)

    def free_queue(self) -> list[int]:
        """The free blocks in the order in which they will be handed out."""
        return list(self._free)

    def references(self) -> dict[int, int]:
        """References by block, of the blocks in use."""
        return dict(self._references)

    def count(self, block: int) -> int:
        """A block's references; 0 if it is free."""
        return self._references.get(block, 0)

    def is_free(self, block: int) -> bool:
        """Whether a block lies in the free queue."""
        return block in self._free

    def take(self) -> int:
        """The block at the front of the queue, now with one reference. Raises OutOfMemory."""
        if not self._free:
            raise OutOfMemory("no block is free")
        block, _ = self._free.popitem(last=False)
        self._references[block] = 1
        return block

    def share(self, block: int) -> bool:
        """Add a reference; whether the block lay in the free queue, which it has then left."""
        was_free = block in self._free
        if was_free:
            del self._free[block]
        self._references[block] = self._references.get(block, 0) + 1
        return was_free

    def rearrange(self, place: Mapping[int, int]) -> None:
        """What lay in block b lies in place[b] from now on: in the queue, and in what refers to it."""
        self._free = OrderedDict.fromkeys(place.get(block, block) for block in self._free)
        self._references = {place.get(block, block): count for block, count in self._references.items()}

    def drop(self, block: int, place: Place) -> Freed:
        """Drop a reference; with the last one the block goes to ``place``."""
        return self.drop_all((block,), place)[0]

    def drop_all(self, blocks: Iterable[int], place: Place) -> list[Freed]:
        """As :meth:`drop` of each, one after another."""
        freed, references, free = [], self._references, self._free
        for block in blocks:
            left = references[block] - 1
            if left:
                references[block] = left
                freed.append(Freed(block, left, Place.HELD))
                continue
            del references[block]
            free[block] = None
            if place is Place.FRONT:
                free.move_to_end(block, last=False)
            freed.append(make(Freed, (block, 0, place)))
        return freed
