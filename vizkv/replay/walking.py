"""Replay the steps of a system, one after another or from any step."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace

from vizkv.messages.sentence import told
from vizkv.systems import registry
from vizkv.systems.base.live import LedgerError
from vizkv.systems.base.replay import Replay
from vizkv.trace.events import Event
from vizkv.trace.trace import RequestFacts, SystemTrace, Trace, TraceError

_PIECE = 500  # steps whose events are held as objects at the same time
_LOOK = 64  # events between two checks of the deadline


def walk(
    system: SystemTrace, requests: tuple[RequestFacts, ...], *, closing: bool = False, first: int = 0,
    last: int | None = None,
) -> Iterator[Replay]:  # fmt: skip
    """Yield the state at each step ``first`` <= step < ``last``: the same object each time, advanced by one step.

    ``closing``: also yield the closing frame, in which all requests have released their memory. At the first step
    ``runs`` describe the whole pool, at the others only what changed.
    """
    replay = registry.replay(system, requests)
    end = system.steps + closing
    if last is not None:
        end = min(last, end)
    replay.skip_to(first)
    if first or last is not None:
        replay.system = part(system, min(first, system.steps), end)
    for _ in range(first, end):
        replay.advance()
        yield replay


class _TooLong(Exception):
    """The replay passed its deadline."""


def _timed(system: SystemTrace, requests: tuple[RequestFacts, ...], until: float) -> Replay:
    """Return a replay that raises _TooLong once ``time.monotonic()`` passes ``until``, even within a step."""

    class Timed(registry.replay_class(system)):  # type: ignore[misc]
        applied = 0

        def apply(self, event: Event, late: bool) -> None:
            self.applied += 1
            if self.applied % _LOOK == 0 and time.monotonic() > until:
                raise _TooLong
            super().apply(event, late)

    return Timed(system, requests)


def checked(trace: Trace, seconds: float = math.inf) -> Trace:
    """Return the trace after replaying all of it.

    Raises TraceError if its events contradict each other, or if replaying takes longer than ``seconds``.
    """
    until = time.monotonic() + seconds
    try:
        for system in trace.systems:
            requires, tables = registry.replay_class(system).requires, registry.schema(system).has_block_table
            if not requires <= set(system.detail) or tables != (system.block_size > 0):
                raise LookupError(system.kind)
            _walk_through(system, trace.requests, until)
    except _TooLong:
        raise TraceError(
            told("To replay the trace takes longer than {seconds:g} seconds; give a shorter run.", seconds=seconds)
        ) from None
    except (LedgerError, LookupError, ValueError, TypeError, ArithmeticError, MemoryError):
        raise TraceError(told("The trace's events contradict each other: the file is damaged.")) from None
    return trace


def _walk_through(system: SystemTrace, requests: tuple[RequestFacts, ...], until: float) -> None:
    """Replay every step and the closing frame, holding the events of only a few steps as objects at a time."""
    replay = _timed(system, requests, until)
    for first in range(0, system.steps, _PIECE):
        last = min(first + _PIECE, system.steps)
        replay.system = part(system, first, last)
        for _ in range(first, last):
            replay.advance()
    replay.system = system
    replay.advance()  # the closing frame


def at(system: SystemTrace, requests: tuple[RequestFacts, ...], step: int) -> Replay:
    """Return the state at one step; at ``system.steps``, the closing frame. Raises IndexError for any other."""
    if not 0 <= step <= system.steps:
        raise IndexError(f"step {step} is outside 0..{system.steps}")
    replay = registry.replay(system, requests)
    replay.skip_to(step)
    replay.system = part(system, step, step + 1)
    replay.advance()
    replay.system = system
    return replay


def part(system: SystemTrace, first: int, last: int) -> SystemTrace:
    """Return the run with only the events of the steps ``first`` <= step < ``last``, which are cheap to expand."""
    offsets = system.offsets
    low, high = int(offsets[first]), int(offsets[max(first, min(last, system.steps))])
    rows = slice(low, high)
    return replace(
        system, offsets=offsets.clip(low, high) - low, kinds=system.kinds[rows], values=system.values[rows],
        late=system.late[rows], places=None if system.places is None else system.places[rows],
    )  # fmt: skip
