"""What the events of a virtual system do: pages behind ranges of addresses, in use or mapped and idle."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from vizkv.systems.base.live import LedgerError, Live, Run, Span
from vizkv.systems.base.rows import Rows
from vizkv.systems.paged.replay import PagedReplay
from vizkv.trace.events import Event, Kind
from vizkv.trace.slots import Code
from vizkv.trace.trace import RequestFacts, SystemTrace


class VirtualReplay(PagedReplay):
    """A request's table names the pages behind its range. ``cached``: pages that are mapped and belong to nobody."""

    requires: ClassVar[frozenset[str]] = frozenset({"page"})
    takes: ClassVar[tuple[Code, ...]] = (Code.FREE, Code.MAPPED)
    resting: ClassVar[Code] = Code.MAPPED
    books: ClassVar[tuple[str, ...]] = (*PagedReplay.books, "range_of")

    def __init__(self, system: SystemTrace, requests: tuple[RequestFacts, ...]):
        super().__init__(system, requests)
        self.range_of: dict[int, int] = {}  # request -> its range, or the last one that it had

    @classmethod
    def counted(cls, rows: Rows) -> np.ndarray | None:
        """None: whose a mapped page is depends on who had the range before."""
        return None

    def place(self, r: Live) -> dict[str, Any]:
        """The range, its first address, and the pages behind it."""
        return {"range": self.range_of[r.index], "start": r.start, "block_table": list(r.block_table)}

    def pool(self) -> dict[str, Any]:
        """The pages that are mapped nowhere, and those behind each range."""
        mapped = {str(number): list(pages) for number, pages in sorted(self.ranges.items()) if pages}
        return {"free_queue": list(self.free_queue), "mapped": mapped}

    def taken(self, event: Event) -> list[Span]:
        """Return the pages that stayed mapped behind the range that a request gets, or a page that is mapped."""
        if event.kind == Kind.ADMITTED:
            return [self._span(page) for page in self.ranges.get(event.d, [])]
        return [self._span(event.a)] if event.kind == Kind.MAPPED else []

    def _admitted(self, r: Live, event: Event) -> None:
        number = event.d
        if number in self.owners:
            raise LedgerError(f"range {number} of {self.system.name} has two owners")
        self.owners[number], self.range_of[r.index] = r.index, number
        size = self.system.block_size
        r.block_table = list(self.ranges.setdefault(number, []))
        r.estimate = r.held = len(r.block_table) * size
        for index, page in enumerate(r.block_table):
            self._claim(page * size, size)
            self.cached.discard(page)
            self.references[page], self.holders[page] = 1, [r.index]
            self._paint_block(r, index)

    def _happen(self, event: Event, late: bool) -> None:
        kind, who, page, _, number, _ = event
        if kind == Kind.MAPPED:
            self.ranges[number].append(page)
            self._take_block(self.live[who], page)
        elif kind == Kind.UNMAPPED:
            self._unmap(page, number)
            self._later(event, late)
        elif kind == Kind.FREED:
            self._leave(event.b)
            self._later(event, late)
        else:
            super()._happen(event, late)

    def _later(self, event: Event, late: bool) -> None:
        if late:
            self._late.append(event)
        else:
            self._give_back(event)

    def _unmap(self, page: int, number: int) -> None:
        """The last page of a range is mapped nowhere; a request that has the range holds it no more."""
        if self.ranges[number].pop() != page:
            raise LedgerError(f"page {page} of {self.system.name} is not the last of range {number}")
        if number in self.owners:
            r = self.live[self.owners[number]]
            r.block_table.pop()
            r.estimate = r.held = len(r.block_table) * self.system.block_size
            del self.references[page], self.holders[page]
        self.cached.discard(page)
        self.free_queue[page] = None

    def _leave(self, number: int) -> None:
        """A range has no owner any more; its pages stay mapped."""
        del self.owners[number]
        for page in self.ranges[number]:
            del self.references[page], self.holders[page]
            self.cached.add(page)

    def _give_back(self, event: Event) -> None:
        if event.kind == Kind.UNMAPPED:
            self._paint_physical(event.a)
            return
        r = self.live.get(event.request)
        if r is not None and r.finished:
            del self.live[event.request]
        for page in self.ranges[event.b]:
            self._paint_physical(page)

    def _rearrange(self) -> None:
        place = {origin: page for page, origin in self._inside.items()}
        for pages in self.ranges.values():
            pages[:] = [place.get(page, page) for page in pages]
        super()._rearrange()

    def _unwritten(self, r: Live) -> list[Run]:
        size, runs, position = self.system.block_size, [], r.final
        while position < r.estimate:
            offset = position % size
            first = r.block_table[position // size] * size + offset
            runs.append(Run(first, size - offset, Code.REALISED, r.index, position))
            position += size - offset
        return runs

    def _paint_pool(self) -> None:
        for page in [*self.holders, *self.cached]:
            self._paint_physical(page)
