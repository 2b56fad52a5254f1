"""What the prefix cache has of a sequence when its layers fall into groups: a hit has to be one in every group.

Each kind of attention is looked up with the length that the kinds before it have left, until none shortens it (vLLM
0.32, ``HybridKVCacheCoordinator.find_longest_cache_hit``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import lcm

from vizkv.systems.paged.window import Look, Window

NULL = 0  # in a table: no block, because nothing reads what it would hold

Find = Callable[[int], list[int] | None]
"""The blocks of the groups of one kind that hold the sequence's block at an index, one a group; None unless all do."""


@dataclass(frozen=True)
class Hit:
    """``tokens`` are found: ``blocks`` has the beginning of each group's table, NULL where none is needed.

    ``junction``: the tokens that some kind of attention has, where that is more than all of them have; else 0.
    """

    tokens: int
    blocks: tuple[tuple[int, ...], ...]
    junction: int = 0


@dataclass(frozen=True)
class Kinds:
    """The groups by kind of attention, in the order of look-up: full attention first, then by first appearance."""

    kinds: tuple[tuple[Window, tuple[int, ...]], ...]  # (what they have in common, their numbers)
    align: int  # tokens: hits end at a multiple of it

    @classmethod
    def of(cls, groups: Sequence[Window]) -> Kinds:
        """Bring equal groups together."""
        members: dict[Window, list[int]] = {}
        for number, group in enumerate(groups):
            members.setdefault(group, []).append(number)
        ordered = sorted(members.items(), key=lambda item: item[0].look is not Look.FULL)
        return cls(tuple((kind, tuple(numbers)) for kind, numbers in ordered), lcm(*(g.block_size for g in groups)))

    def look_up(self, finders: Sequence[Find], tokens: int) -> Hit:
        """Find the longest beginning of ``tokens`` tokens that every group has; ``finders``: one a kind."""
        length, longest, once = tokens, 0, len(self.kinds) == 2 and self.kinds[0][0].look is Look.FULL
        found: list[list[tuple[int, ...]]] = [[] for _ in self.kinds]  # by kind and index: a block of each group
        known = [False] * len(self.kinds)
        while True:
            left = length
            for at, (kind, numbers) in enumerate(self.kinds):
                if kind.look is Look.FULL and known[at]:  # a shorter beginning is there if the longer one is
                    left = left // kind.block_size * kind.block_size
                    continue
                found[at] = _SEARCH[kind.look](kind, finders[at], left, self.align, len(numbers))
                left, known[at] = len(found[at]) * kind.block_size, True
                longest = max(longest, left)
            if left >= length:
                break
            length = left
            if once:
                break
        length = left
        tables: list[tuple[int, ...]] = [()] * sum(len(numbers) for _, numbers in self.kinds)
        for (kind, numbers), blocks in zip(self.kinds, found, strict=True):
            for place, number in enumerate(numbers):
                tables[number] = tuple(row[place] for row in blocks[: length // kind.block_size])
        return Hit(length, tuple(tables), longest if longest > length else 0)


Rows = list[tuple[int, ...]]


def _full(kind: Window, find: Find, limit: int, align: int, width: int) -> Rows:
    """The leftmost run."""
    return _aligned(_run(find, 0, limit // kind.block_size), kind, align)


def _sliding(kind: Window, find: Find, limit: int, align: int, width: int) -> Rows:
    """From the right, as many blocks in a row as the window needs; else the run from the first block on."""
    rows: Rows = [(NULL,) * width] * (limit // kind.block_size)
    run = 0
    for index in range(len(rows) - 1, -1, -1):
        blocks = find(index)
        if blocks is None:
            run = 0
            continue
        if not run and (index + 1) * kind.block_size % align:
            continue  # a hit cannot end here
        rows[index] = tuple(blocks)
        run += 1
        if run >= kind.need:
            return rows[: index + run]
    return _aligned(rows[:run], kind, align)


def _chunked(kind: Window, find: Find, limit: int, align: int, width: int) -> Rows:
    """Nothing of earlier chunks is needed; then a run from the beginning of the last one on."""
    first = kind.dead(limit)
    return _aligned([(NULL,) * width] * first + _run(find, first, limit // kind.block_size), kind, align)


def _run(find: Find, first: int, end: int) -> Rows:
    rows: Rows = []
    for index in range(first, end):
        blocks = find(index)
        if blocks is None:
            break
        rows.append(tuple(blocks))
    return rows


def _aligned(rows: Rows, kind: Window, align: int) -> Rows:
    """Cut to where a hit can end."""
    return rows[: len(rows) * kind.block_size // align * align // kind.block_size]


_SEARCH = {Look.FULL: _full, Look.SLIDING: _sliding, Look.CHUNKED: _chunked}
