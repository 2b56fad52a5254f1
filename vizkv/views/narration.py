"""One sentence a step: what happened in a system, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkv.events import Event, Kind
from vizkv.messages import Messages
from vizkv.replay import Live, Replay
from vizkv.slots import Lens
from vizkv.trace import SystemTrace, Trace

# what is told first when several things happen in one step
_RANK = {
    Kind.EXCHANGED: 13,
    Kind.REPOINTED: 12,
    Kind.NEVER: 11,
    Kind.REFUSED: 10,
    Kind.PREEMPTED: 9,
    Kind.FINISHED: 8,
    Kind.COPIED: 7,
    Kind.FORKED: 6,
    Kind.SWAPPED_IN: 5,
    Kind.MOVED: 4,
    Kind.HIT: 3,
    Kind.ADMITTED: 2,
    Kind.BLOCK: 1,
}
_NAMES = 20  # letters of those who wait, before it is said how many more do
NEWS = 1  # what ranks higher is told for all systems together


@dataclass(frozen=True)
class Told:
    """A sentence in both lenses and how much it matters, for choosing between systems."""

    rank: int
    online: str
    hindsight: str

    def __getitem__(self, lens: Lens) -> str:
        return self.online if lens == "online" else self.hindsight


def tell(replay: Replay, say: Messages) -> Told:
    """The sentence of the step that the replay stands at."""
    ranked = [e for e in replay.events if e.kind in _RANK]
    admitted = {e.request for e in ranked if e.kind == Kind.ADMITTED}
    # a block taken on admission is part of the admission
    ranked = [e for e in ranked if e.kind != Kind.BLOCK or e.request not in admitted]
    if ranked:
        event = max(ranked, key=lambda e: _RANK[e.kind])  # the first of the most important kind
        return _tell_event(event, replay, say)
    return _tell_write(replay, say)


def first_never(trace: Trace, system: int, say: Messages) -> str:
    """The sentence about the first request that can never run in a system in which there is one."""
    told = trace.systems[system]
    who, need, limit, why, _ = told.values[np.flatnonzero(told.kinds == Kind.NEVER)[0]].tolist()
    return _tell_never(trace.requests[who].id, need, limit, why, told.kind == "paged", say)


def _tell_never(name: str, need: int, limit: int, why: int, paged: bool, say: Messages) -> str:
    key = "narration.never.length" if why == 0 else "narration.never.blocks" if paged else "narration.never.pool"
    return say(key, request=name, need=need, limit=limit)


def _both(rank: int, text: str) -> Told:
    return Told(rank, text, text)


def _tell_event(event: Event, replay: Replay, say: Messages) -> Told:
    kind, who, a, b, c, _ = event
    rank, name = _RANK[kind], replay.requests[who].id
    paged = replay.system.kind == "paged"
    if kind == Kind.NEVER:
        return _both(rank, _tell_never(name, a, b, c, paged, say))
    if kind == Kind.REFUSED:
        return _both(rank, _tell_refused(event, replay, replay.stranded, say))
    if kind == Kind.PREEMPTED:
        return _both(rank, _tell_preempted(event, replay, say))
    if kind == Kind.FINISHED:
        return _tell_finished(replay.live[who], name, rank, say)
    if kind == Kind.HIT:
        return _both(rank, say("narration.hit", request=name, tokens=a))
    if kind in (Kind.EXCHANGED, Kind.REPOINTED, Kind.MOVED):
        return _both(rank, _tell_by_hand(event, replay, say))
    if kind in (Kind.COPIED, Kind.FORKED, Kind.SWAPPED_IN):
        return _both(rank, _tell_sharing(event, replay, say))
    live = replay.live[who]
    if kind == Kind.BLOCK:
        free = len(replay.free_queue)
        return _both(rank, say("narration.block", request=name, block=a, n=free))
    if paged:
        blocks, size = len(live.block_table), replay.system.block_size
        return _both(rank, say("narration.admitted.paged", request=name, written=live.written, n=blocks, size=size))
    return _both(rank, say("narration.admitted.contiguous", request=name, held=live.held, written=live.written))


def _tell_refused(event: Event, replay: Replay, stranded: bool, say: Messages) -> str:
    _, who, a, b, c, _ = event
    name = replay.requests[who].id
    if replay.system.kind == "paged":
        return say("narration.refused.blocks", request=name, need=a, free=b)
    key = "narration.refused.stranded" if stranded else "narration.refused.full"
    return say(key, request=name, need=a, free=b, hole=c)


def still_refused(system: SystemTrace, replay: Replay, say: Messages) -> list[tuple[Event, str]]:
    """Of those who wait, who was refused before this step and has not been admitted since: (refusal, its sentence)."""
    found = []
    rows = slice(0, int(system.offsets[min(replay.step, system.steps)]))
    kinds, who = system.kinds[rows], system.values[rows, 0]
    told = np.flatnonzero((kinds == Kind.REFUSED) | (kinds == Kind.ADMITTED))
    for request in replay.waiting:
        last = told[who[told] == request][-1:]
        if len(last) and kinds[last[0]] == Kind.REFUSED:
            event = Event(Kind.REFUSED, *system.values[last[0]].tolist())
            stranded = bool(system.stranded[np.searchsorted(system.offsets, last[0], "right") - 1])
            found.append((event, _tell_refused(event, replay, stranded, say)))
    return found


def _tell_preempted(event: Event, replay: Replay, say: Messages) -> str:
    """The sequences of one request go together: they are told together."""
    group = replay.requests[event.request].group
    gone = [e for e in replay.events if e.kind == Kind.PREEMPTED and replay.requests[e.request].group == group]
    names = say("narration.list").join(replay.requests[e.request].id for e in gone[:4])
    if len(gone) > 4:
        names = say("narration.forked.more", others=names, more=len(gone) - 4)
    together = len(gone) > 1
    if event.b:
        who = {e.request for e in gone}
        n = sum(e.kind == Kind.SWAPPED_OUT and e.d == 1 and e.request in who for e in replay.events)
        return say("narration.preempted.swap.group" if together else "narration.preempted.swap", request=names, n=n)
    lost = sum(e.a for e in gone)
    return say("narration.preempted.group" if together else "narration.preempted", request=names, lost=lost)


def _tell_by_hand(event: Event, replay: Replay, say: Messages) -> str:
    kind, who, a, b, c, _ = event
    if kind == Kind.EXCHANGED:
        return say("narration.exchanged")
    if kind == Kind.REPOINTED:
        return say("narration.repointed", request=replay.requests[who].id, index=a, block=b, right=c)
    moved = {e.request for e in replay.events if e.kind == Kind.MOVED}
    # what has been written since they were moved does not count
    slots = sum(replay.live[i].written - replay.scheduled.get(i, 0) for i in moved if i in replay.live)
    return say("narration.moved", n=len(moved), slots=slots)


def _tell_sharing(event: Event, replay: Replay, say: Messages) -> str:
    kind, who, a, b, _, d = event
    ids, name = replay.requests, replay.requests[who].id
    if kind == Kind.COPIED:
        return say("narration.copied", request=name, source=a, block=b, n=d)
    if kind == Kind.SWAPPED_IN:
        n = sum(e.kind == Kind.SWAPPED_IN and e.request == who for e in replay.events)
        return say("narration.swapped-in", request=name, n=n)
    forks = [e for e in replay.events if e.kind == Kind.FORKED and e.a == a]
    others = say("narration.list").join(ids[e.request].id for e in forks[:4])
    if len(forks) > 4:
        others = say("narration.forked.more", others=others, more=len(forks) - 4)
    dropped = any(e.kind == Kind.FREED_BLOCK and e.request == who for e in replay.events)
    key = "narration.dropped" if dropped else "narration.forked"
    return say(key, parent=ids[a].id, others=others, n=len(forks), written=b)


def _tell_finished(live: Live, name: str, rank: int, say: Messages) -> Told:
    empty = live.estimate - live.final
    if empty <= 0:
        return _both(rank, say("narration.finished.clean", request=name, slots=live.final))
    facts = {"request": name, "slots": live.final, "n": empty}
    return Told(
        rank,
        say("narration.finished.internal.online", **facts),
        say("narration.finished.internal.hindsight", **facts),
    )


def _tell_write(replay: Replay, say: Messages) -> Told:
    """No event: what the first running request does."""
    if not replay.scheduled:
        return _both(0, say("narration.done" if replay.step == replay.system.steps else "narration.idle"))
    who, count = next(iter(replay.scheduled.items()))
    live, name = replay.live[who], replay.requests[who].id
    if count > 1:
        return _both(0, say("narration.prefill", request=name, count=count, written=live.written))
    empty = live.estimate - live.written
    facts = {"request": name, "written": live.written, "n": empty}
    if not empty:
        return _both(0, say("narration.write.full", request=name, written=live.written))
    if live.estimate <= live.final:
        return _both(0, say("narration.write.exact", **facts))
    pending = live.final - live.written
    return Told(
        0,
        say("narration.write.online", **facts),
        say("narration.write.hindsight", pending=pending, surplus=empty - pending, **facts),
    )  # fmt: skip


def waiting(replay: Replay, say: Messages) -> str:
    """Who waits at the end of scheduling, "" if nobody: at most four names, fewer if they are long."""
    n = len(replay.waiting)
    if not n:
        return ""
    names = [replay.requests[i].id for i in replay.waiting[:4]]
    if n == len(names):
        return say("narration.waits", who=say("narration.list").join(names), n=n)
    while len(names) > 1 and len(say("narration.list").join(names)) > _NAMES:
        names.pop()
    return say("narration.waits.more", who=say("narration.list").join(names), more=n - len(names))
