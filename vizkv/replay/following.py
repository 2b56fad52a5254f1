"""Follow one token: its sequence, the slot of its K and V, and the block table by which attention finds that slot."""

from __future__ import annotations

from dataclasses import dataclass

from vizkv.replay.walking import at, walk
from vizkv.systems.base.replay import Replay
from vizkv.trace.events import Kind
from vizkv.trace.trace import Trace


@dataclass(frozen=True)
class Spot:
    """A followed token of one system at one step."""

    system: int  # index
    request: int  # index of its sequence
    position: int  # of the token in its sequence
    written: int  # tokens of the sequence whose K and V are written
    table: list[int]  # the block table that attention reads
    size: int  # slots per block
    last: int  # id of the newest token of the sequence

    @property
    def block(self) -> int:
        """The physical block of the followed token."""
        return self.table[self.position // self.size]

    @property
    def slot(self) -> int:
        """The slot that holds its K and V."""
        return self.block * self.size + self.position % self.size

    @property
    def known(self) -> int:
        """Number of positions whose slot has been written."""
        return min(self.written, len(self.table) * self.size)


def paged(trace: Trace) -> int | None:
    """Return the index of the first system with blocks; None if there is none."""
    return next((i for i, s in enumerate(trace.systems) if s.block_size), None)


def read_table(replay: Replay, who: int) -> list[int]:
    """Return the block table that attention reads, including the entries that were repointed by hand."""
    table = list(replay.live[who].block_table)
    return [replay.repointed.get((who, i), block) for i, block in enumerate(table)]


def spot_of(trace: Trace, system: int, step: int, request: int = -1, position: int = -1) -> Spot | None:
    """Return the followed token at a step of the system; None if its sequence holds no slots then.

    ``request``: index of the sequence; if negative, the first that holds slots. ``position``: if negative, the newest.
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
    """Return the id of the last token that a sequence has written up to a step; -1 if none."""
    for earlier in range(step, -1, -1):
        for event, _ in trace.systems[system].events(earlier):
            if event.kind == Kind.WRITTEN and event.request == who:
                return event.c
    return -1


def followed(trace: Trace, system: int, request: int = -1) -> list[tuple[int, int]]:
    """Return the ranges (first, last) of steps in which :func:`spot_of` does not return None."""
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
