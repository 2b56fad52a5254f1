"""One sentence a step: what happened in a system, and why."""

from __future__ import annotations

from dataclasses import dataclass

from vizkv.events import Event, Kind
from vizkv.messages import Messages
from vizkv.replay import Live, Replay
from vizkv.slots import Lens

# what is told first when several things happen in one step
_RANK = {
    Kind.NEVER: 7,
    Kind.REFUSED: 6,
    Kind.PREEMPTED: 5,
    Kind.FINISHED: 4,
    Kind.HIT: 3,
    Kind.ADMITTED: 2,
    Kind.BLOCK: 1,
}
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


def _both(rank: int, text: str) -> Told:
    return Told(rank, text, text)


def _tell_event(event: Event, replay: Replay, say: Messages) -> Told:
    kind, who, a, b, c, _ = event
    rank, name = _RANK[kind], replay.requests[who].id
    paged = replay.system.kind == "paged"
    if kind == Kind.NEVER:
        key = "narration.never.length" if c == 0 else "narration.never.blocks" if paged else "narration.never.pool"
        return _both(rank, say(key, request=name, need=a, limit=b))
    if kind == Kind.REFUSED:
        if paged:
            return _both(rank, say("narration.refused.blocks", request=name, need=a, free=b))
        key = "narration.refused.stranded" if replay.stranded else "narration.refused.full"
        return _both(rank, say(key, request=name, need=a, free=b, hole=c))
    if kind == Kind.PREEMPTED:
        return _both(rank, say("narration.preempted", request=name, lost=a))
    if kind == Kind.FINISHED:
        return _tell_finished(replay.live[who], name, rank, say)
    if kind == Kind.HIT:
        return _both(rank, say("narration.hit", request=name, tokens=a))
    live = replay.live[who]
    if kind == Kind.BLOCK:
        free = len(replay.free_queue)
        return _both(rank, say("narration.block", request=name, block=a, written=live.written, n=free))
    if paged:
        blocks, size = len(live.block_table), replay.system.block_size
        return _both(rank, say("narration.admitted.paged", request=name, written=live.written, n=blocks, size=size))
    return _both(rank, say("narration.admitted.contiguous", request=name, held=live.held, written=live.written))


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
    facts = {"request": name, "written": live.written, "empty": empty}
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
    """Who waits at the end of scheduling, "" if nobody: at most four names."""
    ids = [replay.requests[i].id for i in replay.waiting]
    if not ids:
        return ""
    who = say("narration.list").join(ids[:4])
    if len(ids) > 4:
        return say("narration.waits.more", who=who, more=len(ids) - 4)
    return say("narration.waits", who=who, n=len(ids))
