"""Virtual memory: ranges of addresses that cost nothing, and physical pages that are mapped behind them in order.

Each owner has one range, the lowest that nobody has. With deferred reclaim the pages of a range stay mapped when its
owner leaves, and serve the next one there. Where pages run out, they are taken back from the highest range down, and
only what lies beyond the need of a range. Sizes are in tokens (= slots), needs in pages.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from vizkv.systems.base.errors import OutOfMemory


class Mapped(NamedTuple):
    """``page`` was mapped as page ``place`` of a range; or it was, and is mapped nowhere any more (``gone``)."""

    range: int
    place: int
    page: int
    gone: bool = False


class VirtualMemory:
    """Ranges of addresses over one pool of physical pages."""

    def __init__(self, slots: int, page: int, ranges: int, *, eager: bool = False):
        """``ranges``: how many owners there can be at once. ``eager``: unmap the pages of an owner that leaves."""
        self.page, self.pages, self.eager = page, slots // page, eager
        self._ranges = ranges
        self._free = deque(range(self.pages))  # mapped nowhere, in the order in which they will be mapped
        self._mapped: dict[int, list[int]] = {}  # range -> its pages, in order
        self._need: dict[int, int] = {}  # range that has an owner -> how many pages the owner needs
        self._needed = 0  # the sum of these
        self._range: dict[int, int] = {}  # owner -> range
        self._idle: list[int] = []  # ranges that had an owner and have none, a heap
        self._fresh = 0  # the first range that has never had an owner

    # -- looking -----------------------------------------------------------------------------------------------------

    @property
    def available(self) -> int:
        """Pages that no owner needs: mapped nowhere, or taken back from a range when they are wanted."""
        return self.pages - self._needed

    def pages_for(self, tokens: int) -> int:
        """Pages that ``tokens`` tokens fill, the last one perhaps partly."""
        return -(-tokens // self.page)

    def free_pages(self) -> list[int]:
        """The pages that are mapped nowhere, in the order in which they will be mapped."""
        return list(self._free)

    def table(self, owner: int) -> list[int]:
        """The pages behind an owner's range: the memory's own list, to be read only. Raises KeyError."""
        return self._mapped[self._range[owner]]

    def mapped(self) -> dict[int, list[int]]:
        """The pages behind each range that has any."""
        return {number: list(pages) for number, pages in sorted(self._mapped.items()) if pages}

    # -- changing ----------------------------------------------------------------------------------------------------

    def can_allocate(self, tokens: int) -> bool:
        """Whether a range is idle and ``tokens`` tokens would find pages behind it."""
        return len(self._range) < self._ranges and self.pages_for(tokens) <= self.available

    def allocate(self, owner: int) -> int:
        """Give an owner the lowest idle range, with the pages that are mapped there.

        Raises OutOfMemory where no range is idle, or ValueError for an owner that has one.
        """
        if owner in self._range:
            raise ValueError(f"owner {owner} already has a range")
        if len(self._range) >= self._ranges:
            raise OutOfMemory(f"all {self._ranges} ranges have owners")
        if self._idle:
            number = heapq.heappop(self._idle)
        else:
            number, self._fresh = self._fresh, self._fresh + 1
        self._range[owner], self._need[number] = number, 0
        self._mapped.setdefault(number, [])
        return number

    def can_append(self, owner: int, tokens: int) -> bool:
        """Whether an owner's range could hold ``tokens`` tokens in all."""
        return self.pages_for(tokens) - self._need[self._range[owner]] <= self.available

    def append(self, owner: int, tokens: int) -> list[Mapped]:
        """Map pages behind an owner's range until it holds ``tokens`` tokens; what was taken back for that comes first.

        Raises OutOfMemory, and then nothing has changed.
        """
        if not self.can_append(owner, tokens):
            raise OutOfMemory(f"{self.available} pages do not hold {tokens} tokens of owner {owner}")
        number = self._range[owner]
        pages, need = self._mapped[number], max(self._need[number], self.pages_for(tokens))
        self._needed += need - self._need[number]
        self._need[number] = need
        changed: list[Mapped] = []
        missing = need - len(pages)
        if missing > len(self._free):
            changed += self._take_back(missing - len(self._free), number)
        for _ in range(missing):
            page = self._free.popleft()
            changed.append(Mapped(number, len(pages), page))
            pages.append(page)
        return changed

    def free(self, owner: int) -> tuple[int, int, list[Mapped]]:
        """Take an owner's range: (range, slots mapped behind it, pages unmapped). Raises KeyError for one without."""
        number = self._range.pop(owner)
        self._needed -= self._need.pop(number)
        heapq.heappush(self._idle, number)
        held = len(self._mapped[number]) * self.page
        return number, held, self._unmap(number, len(self._mapped[number])) if self.eager else []

    def _take_back(self, count: int, but: int) -> list[Mapped]:
        """Unmap pages that no owner needs, from the highest range down."""
        gone: list[Mapped] = []
        for number in sorted(self._mapped, reverse=True):
            if len(gone) == count:
                break
            if number != but:
                beyond = len(self._mapped[number]) - self._need.get(number, 0)
                gone += self._unmap(number, min(beyond, count - len(gone)))
        return gone

    def _unmap(self, number: int, count: int) -> list[Mapped]:
        """Take the last pages of a range."""
        pages, gone = self._mapped[number], []
        for _ in range(count):
            page = pages.pop()
            self._free.append(page)
            gone.append(Mapped(number, len(pages), page, gone=True))
        return gone

    # -- by hand -----------------------------------------------------------------------------------------------------

    def exchange(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Pairs of physical pages change places, one after another; every range names them anew."""
        inside: dict[int, int] = {}
        for a, b in pairs:
            inside[a], inside[b] = inside.get(b, b), inside.get(a, a)
        place = {origin: page for page, origin in inside.items()}
        for pages in self._mapped.values():
            pages[:] = [place.get(page, page) for page in pages]
        self._free = deque(place.get(page, page) for page in self._free)
