"""Follow one token: which sequence is looked at at a step, where its K and V lie, and what attention reads them by."""

from __future__ import annotations

from dataclasses import dataclass

from vizkv.events import Kind
from vizkv.replay.state import Replay
from vizkv.replay.walking import at, walk
from vizkv.trace import Trace


@dataclass(frozen=True)
class Spot:
    """One sequence of one system at one step. ``table``: as attention reads it. ``last``: the newest token's id."""

    system: int
    request: int
    position: int
    written: int
    table: list[int]
    size: int
    last: int

    @property
    def block(self) -> int:
        """The physical block of the followed token."""
        return self.table[self.position // self.size]

    @property
    def slot(self) -> int:
        """Where its K and V lie."""
        return self.block * self.size + self.position % self.size

    @property
    def known(self) -> int:
        """So many positions have a slot with something in it."""
        return min(self.written, len(self.table) * self.size)


def paged(trace: Trace) -> int | None:
    """The first system with blocks."""
    return next((i for i, s in enumerate(trace.systems) if s.block_size), None)


def read_table(replay: Replay, who: int) -> list[int]:
    """The block table that attention reads: what was repointed by hand is in it."""
    table = list(replay.live[who].block_table)
    return [replay.repointed.get((who, i), block) for i, block in enumerate(table)]


def spot_of(trace: Trace, system: int, step: int, request: int = -1, position: int = -1) -> Spot | None:
    """What is followed at a step that the system has; None if its sequence holds no slots then.

    ``request``: below zero the first one that holds slots. ``position``: below zero the newest.
    """
    facts = trace.systems[system]
    replay = at(facts, trace.requests, step)
    who = request if request >= 0 else next(iter(replay.live), -1)
    live = replay.live.get(who)
    if live is None or not live.written:
        return None
    place = position if position >= 0 else live.written - 1
    table, newest = read_table(replay, who), _newest(trace, system, who, step)
    return Spot(system, who, place, live.written, table, facts.block_size, newest)


def _newest(trace: Trace, system: int, who: int, step: int) -> int:
    """The id of the last token that a sequence has written by then."""
    for earlier in range(step, -1, -1):
        for event, _ in trace.systems[system].events(earlier):
            if event.kind == Kind.WRITTEN and event.request == who:
                return event.c
    return -1


def followed(trace: Trace, system: int, request: int = -1) -> list[tuple[int, int]]:
    """(first, last) of the steps, in which :func:`spot_of` finds something."""
    found: list[tuple[int, int]] = []
    for step, replay in enumerate(walk(trace.systems[system], trace.requests)):
        who = request if request >= 0 else next(iter(replay.live), -1)
        live = replay.live.get(who)
        if live is None or not live.written:
            continue
        if found and found[-1][1] == step - 1:
            found[-1] = (found[-1][0], step)
        else:
            found.append((step, step))
    return found
