"""Reaching a step without painting those before it, from the nearest step that somebody has reached before.

A replay on its way to a step leaves its books behind every few thousand steps (keyframes), for as long as the trace
lives: whoever seeks again in the same run begins there.
"""

from __future__ import annotations

import pickle
import weakref
from bisect import bisect_right
from typing import Protocol

from vizkv.trace.events import Event
from vizkv.trace.trace import SystemTrace

EVERY = 2_000  # steps between two keyframes; fewer in a run so long that it would have more than MOST
MOST = 64  # keyframes of one system: some 30 kB each in the paper's experiment


class Walker(Protocol):
    """A replay, as far as it is brought to a step here. ``books``: the attributes that a keyframe keeps."""

    system: SystemTrace
    step: int

    @property
    def books(self) -> tuple[str, ...]: ...

    def begin(self) -> None:
        """The next step."""

    def apply(self, event: Event, late: bool) -> None:
        """One event of the step."""


_keyframes: dict[int, dict[int, bytes]] = {}  # by the id of a system that is alive: step -> books


def _kept(system: SystemTrace) -> dict[int, bytes]:
    if id(system) not in _keyframes:
        weakref.finalize(system, _keyframes.pop, id(system), None)
    return _keyframes.setdefault(id(system), {})


def skip(replay: Walker, step: int) -> None:
    """Bring a replay's books to the end of the step before ``step``; nothing is painted."""
    system = replay.system
    every = max(EVERY, -(-system.steps // MOST))
    kept = _kept(system)
    known = sorted(kept)
    at = bisect_right(known, step - 1)
    if at and known[at - 1] > replay.step:
        vars(replay).update(pickle.loads(kept[known[at - 1]]))
    while replay.step + 1 < step:
        end = min(step, (replay.step + 1) // every * every + every)
        _play(replay, end)
        # what the model wrote is kept token by token: too much to write down again and again
        if end % every == 0 and replay.step not in kept and not system.vocabulary:
            books = {name: getattr(replay, name) for name in replay.books}
            kept[replay.step] = pickle.dumps(books, pickle.HIGHEST_PROTOCOL)


def _play(replay: Walker, end: int) -> None:
    """The events of the steps up to before ``end``."""
    system, first = replay.system, replay.step + 1
    offsets = system.offsets[first : end + 1]
    rows = slice(int(offsets[0]), int(offsets[-1]))
    events = map(Event, system.kinds[rows].tolist(), *system.values[rows].T.tolist())
    late = system.late[rows].tolist()
    counts = (offsets[1:] - offsets[:-1]).tolist()
    row = 0
    for count in counts:
        replay.begin()
        for _ in range(count):
            replay.apply(next(events), late[row])
            row += 1
