"""Walk a system's steps, one after another or from anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from vizkv.replay.parts import LedgerError
from vizkv.replay.seeking import part
from vizkv.replay.state import Replay
from vizkv.told import told
from vizkv.trace import RequestFacts, SystemTrace, Trace, TraceError


def walk(
    system: SystemTrace, requests: tuple[RequestFacts, ...], *, closing: bool = False, first: int = 0,
    last: int | None = None,
) -> Iterator[Replay]:  # fmt: skip
    """The same Replay object at each step from ``first`` to before ``last`` in turn.

    ``closing``: once more after the system's last step, all given back. The first one's runs paint the whole pool.
    """
    replay = Replay(system, requests)
    end = system.steps + closing
    if last is not None:
        end = min(last, end)
    replay.skip_to(first)
    if first or last is not None:
        replay.system = part(system, min(first, system.steps), end)
    for _ in range(first, end):
        replay.advance()
        yield replay


def checked(trace: Trace) -> Trace:
    """The trace, once all of it has been walked. Raises TraceError if its events contradict each other."""
    try:
        for system in trace.systems:
            for _ in walk(system, trace.requests, closing=True):
                pass
    except (LedgerError, LookupError, ValueError, TypeError, ArithmeticError, MemoryError):
        raise TraceError(told("The trace's events contradict each other: the file is damaged.")) from None
    return trace


def at(system: SystemTrace, requests: tuple[RequestFacts, ...], step: int) -> Replay:
    """The state at one step; ``system.steps`` is the closing frame."""
    if not 0 <= step <= system.steps:
        raise IndexError(f"step {step} is outside 0..{system.steps}")
    replay = Replay(system, requests)
    replay.skip_to(step)
    replay.system = part(system, step, step + 1)
    replay.advance()
    replay.system = system
    return replay
