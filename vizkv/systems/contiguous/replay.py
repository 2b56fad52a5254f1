"""What the events of a contiguous system do to its slots."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from vizkv.systems.base.live import Live, Run, Span
from vizkv.systems.base.replay import Replay
from vizkv.systems.base.rows import Rows
from vizkv.trace.events import Event, Kind
from vizkv.trace.slots import Code


class ContiguousReplay(Replay):
    """Each request holds one piece, from its admission to its end."""

    requires: ClassVar[frozenset[str]] = frozenset({"reserve"})

    @classmethod
    def counted(cls, rows: Rows) -> np.ndarray:
        """Slots by code at each step: sums over the pieces that are held."""
        return _count(rows)

    def place(self, r: Live) -> dict[str, Any]:
        """The first slot of the piece."""
        return {"start": r.start}

    def released(self, who: int) -> list[Span]:
        """Return the piece, where its request gives it back at once."""
        pieces = (e for e in self.events if e.kind == Kind.FREED and e.request == who)
        return [Span(e.a, e.a + e.c) for e in pieces]

    def taken(self, event: Event) -> list[Span]:
        """Return the piece that a request gets, or that is moved there."""
        first = {Kind.ADMITTED: event.a, Kind.MOVED: event.b}.get(event.kind)
        return [] if first is None else [Span(first, first + event.c)]

    def _admitted(self, r: Live, event: Event) -> None:
        self._claim(r.start, r.held)
        self._paint_piece(r)

    def _happen(self, event: Event, late: bool) -> None:
        if event.kind == Kind.FREED:
            if late:
                self._late.append(event)
            else:
                self._give_back(event)
        elif event.kind == Kind.MOVED:
            self._move(self.live[event.request], event.b)
        else:
            super()._happen(event, late)

    def _paint_piece(self, r: Live) -> None:
        bounds = (0, r.written, r.final, r.estimate, r.held)
        rest = Code.REALISED if r.finished else Code.SURPLUS  # finished, and moved in a static batch
        for low, high, code in zip(bounds, bounds[1:], (Code.USED, Code.PENDING, rest, Code.ROUNDING)):
            if high > low:
                self._paint(Run(r.start + low, high - low, code, r.index, low))

    def _move(self, r: Live, start: int) -> None:
        self._paint(Run(r.start, r.held, Code.FREE, -1, -1))
        self._claim(start, r.held)
        r.start = start
        self._paint_piece(r)

    def _slots(self, r: Live, position: int, count: int) -> list[Run]:
        return [Run(r.start + position, count, Code.USED, r.index, position)]

    def _unwritten(self, r: Live) -> list[Run]:
        return [Run(r.start + r.final, r.estimate - r.final, Code.REALISED, r.index, r.final)]

    def _give_back(self, event: Event) -> None:
        self._paint(Run(event.a, event.c, Code.FREE, -1, -1))
        self.live.pop(event.request, None)

    def _paint_pool(self) -> None:
        for r in self.live.values():
            self._paint_piece(r)


def _count(rows: Rows) -> np.ndarray:
    held, estimate = np.zeros((2, len(rows.final)), np.int64)
    admitted, finished, freed = (rows.of(kind) for kind in (Kind.ADMITTED, Kind.FINISHED, Kind.FREED))
    held[rows.who[admitted]], estimate[rows.who[admitted]] = rows.c[admitted], rows.b[admitted]
    final, surplus, rounding = rows.final, estimate - rows.final, held - estimate

    def sums(which: np.ndarray, amounts: np.ndarray, steps: np.ndarray = rows.booked) -> np.ndarray:
        return rows.change(steps[which], amounts[rows.who[which]])

    ended, gone = sums(finished, surplus, rows.step), sums(freed, surplus)
    written = rows.written()
    return rows.counts({
        Code.USED: written - sums(freed, final),
        Code.PENDING: sums(admitted, final) - written,
        Code.SURPLUS: sums(admitted, surplus) - ended,
        Code.REALISED: ended - gone,
        Code.ROUNDING: sums(admitted, rounding) - sums(freed, rounding),
    })  # fmt: skip
