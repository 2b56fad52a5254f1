"""Collect the events of a system while it runs."""

from __future__ import annotations

from array import array
from itertools import chain, repeat
from typing import Any

import numpy as np

from vizkv.trace.events import Event, Kind
from vizkv.trace.trace import SystemTrace, no_spans


class SystemRecorder:
    """Collect one system's events while the engine runs, then freeze them into a :class:`SystemTrace`."""

    def __init__(self) -> None:
        self._rows = array("q")  # six numbers per event: tuples would take ten times the memory
        self._late = bytearray()
        self._places = array("q")
        self._offsets = array("q", [0])
        self._stranded = bytearray()
        self._time = array("d")

    def add(self, events: list[Event], late: bool = False, place: int = 0) -> None:
        """Append events to the current step.

        ``late``: they follow the closing of the step's ledger. ``place``: they come after the spans in the rows before
        this one. See :class:`SystemTrace` for both.
        """
        if len(events) == 1:  # the usual case; the general code costs as much for one event as for ten
            self._rows.extend(events[0])
            self._late.append(late)
            self._places.append(place)
        elif events:
            self._rows.extend(chain.from_iterable(events))
            self._late.extend(bytes((late,)) * len(events))
            self._places.extend(repeat(place, len(events)))

    def tokens_written(self) -> set[int]:
        """Return the id of the last token of each WRITTEN event."""
        return {self._rows[i + 4] for i in range(0, len(self._rows), 6) if self._rows[i] == Kind.WRITTEN}

    def close(self, stranded: bool, time_s: float) -> None:
        """End the step. ``stranded``: whether its free slots are stranded. ``time_s``: the clock at its end."""
        self._offsets.append(len(self._late))
        self._stranded.append(stranded)
        self._time.append(time_s)

    def freeze(self, *, spans: np.ndarray | None = None, **facts: Any) -> SystemTrace:
        """Return the trace so far, immutable.

        ``spans``: see :class:`SystemTrace`. ``facts``: its remaining fields, which the recorder does not know.
        """
        rows = np.array(self._rows, np.int64).reshape(-1, 6)
        return SystemTrace(
            offsets=np.array(self._offsets, np.int64),
            kinds=rows[:, 0].astype(np.uint8),
            values=rows[:, 1:].copy(),
            late=np.array(self._late, np.bool_),
            stranded=np.array(self._stranded, np.bool_),
            time_s=np.array(self._time, np.float64),
            places=None if spans is None else np.array(self._places, np.int64),
            spans=no_spans() if spans is None else spans,
            **facts,
        )
