"""Reaching a step without painting those before it, from the nearest step that somebody has reached before.

A replay on its way to a step leaves its books behind every few thousand steps (keyframes), for as long as the trace
lives: whoever seeks again in the same run begins there.
"""

from __future__ import annotations

import pickle
import weakref
from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

from vizkv.events import Event
from vizkv.trace import SystemTrace

if TYPE_CHECKING:
    from vizkv.replay.state import Replay

EVERY = 2_000  # steps between two keyframes; fewer in a run so long that it would have more than MOST
MOST = 64  # keyframes of one system: some 30 kB each in the paper's experiment
_BOOKS = (
    "step", "live", "waiting", "free_queue", "references", "cached", "holders", "swapped", "cpu_references",
    "repointed", "_late", "_inside", "_kept", "_tokens",
)  # fmt: skip
_keyframes: dict[int, dict[int, bytes]] = {}  # by the id of a system that is alive: step -> books


def _kept(system: SystemTrace) -> dict[int, bytes]:
    if id(system) not in _keyframes:
        weakref.finalize(system, _keyframes.pop, id(system), None)
    return _keyframes.setdefault(id(system), {})


def skip(replay: Replay, step: int) -> None:
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
            kept[replay.step] = pickle.dumps({name: getattr(replay, name) for name in _BOOKS}, pickle.HIGHEST_PROTOCOL)


def _play(replay: Replay, end: int) -> None:
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


def part(system: SystemTrace, first: int, last: int) -> SystemTrace:
    """The same run without the events outside of steps ``first`` to before ``last``: cheap to turn into rows."""
    offsets = system.offsets
    low, high = int(offsets[first]), int(offsets[max(first, min(last, system.steps))])
    rows = slice(low, high)
    return replace(
        system, offsets=offsets.clip(low, high) - low, kinds=system.kinds[rows], values=system.values[rows],
        late=system.late[rows], places=None if system.places is None else system.places[rows],
    )  # fmt: skip
