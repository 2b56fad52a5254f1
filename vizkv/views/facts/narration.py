"""One sentence per step: what happened in a system, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vizkv.messages.catalogue import Messages
from vizkv.replay import Live, Replay, at
from vizkv.trace.events import Event, Kind
from vizkv.trace.slots import Lens
from vizkv.trace.trace import SystemTrace, Trace
from vizkv.views.facts import aftermath, decisions, knowledge
from vizkv.views.systems.registry import words

# the importance of events: of several in one step, the most important is narrated
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
    Kind.MAPPED: 1,
}
TAKES = (Kind.BLOCK, Kind.MAPPED)  # a running request got more memory
_NAMES = 20  # characters of the names of waiting requests; the others are only counted
NEWS = 1  # events that rank higher are narrated for all systems together


@dataclass(frozen=True)
class Narration:
    """A sentence for each lens, and its rank: of several systems, the highest is shown."""

    rank: int
    online: str
    hindsight: str

    def __getitem__(self, lens: Lens) -> str:
        return self.online if lens == "online" else self.hindsight


def tell(replay: Replay, say: Messages, longest: Sequence[int], whole: SystemTrace | None = None) -> Narration:
    """Return the sentence of the current step of a replay.

    ``longest``: from :func:`vizkv.views.facts.knowledge.longest`. ``whole``: the system's whole trace, from which the
    hindsight lens reports the next step; if None, it does not.
    """
    ranked = [e for e in replay.events if e.kind in _RANK]
    admitted = {e.request for e in ranked if e.kind == Kind.ADMITTED}
    # a block taken on admission is part of the admission
    ranked = [e for e in ranked if e.kind not in TAKES or e.request not in admitted]
    if ranked:
        event = max(ranked, key=lambda e: _RANK[e.kind])  # the first of the most important kind
        return _tell_event(event, replay, say, whole)
    return _tell_write(replay, say, longest, whole)


def first_never(trace: Trace, system: int, say: Messages) -> str:
    """Return the sentence about the first request that can never run; the system must have one."""
    part = trace.systems[system]
    who, need, limit, why, _ = part.values[np.flatnonzero(part.kinds == Kind.NEVER)[0]].tolist()
    return _tell_never(trace.requests[who].id, need, limit, why, part.kind, say)


def _tell_never(name: str, need: int, limit: int, why: int, kind: str, say: Messages) -> str:
    facts = {"request": name, "need": need, "limit": limit}
    return words(kind).never(facts, say) if why else say("narration.never.length", **facts)


def _both(rank: int, text: str) -> Narration:
    return Narration(rank, text, text)


def _tell_event(event: Event, replay: Replay, say: Messages, whole: SystemTrace | None) -> Narration:
    kind, who, a, b, c, _ = event
    rank, name = _RANK[kind], replay.requests[who].id
    system = words(replay.system.kind)
    if kind == Kind.NEVER:
        return _both(rank, _tell_never(name, a, b, c, replay.system.kind, say))
    if kind == Kind.REFUSED:
        return _both(rank, say.sentences(system.came(replay, say), refused(event, replay, say)))
    if kind == Kind.PREEMPTED:
        return _both(rank, _tell_preempted(replay, say))
    if kind == Kind.FINISHED:
        return _tell_finished(replay, replay.live[who], say, whole)
    if kind == Kind.HIT:
        return _both(rank, say("narration.hit", request=name, tokens=a))
    if kind in (Kind.EXCHANGED, Kind.REPOINTED, Kind.MOVED):
        return _both(rank, _tell_by_hand(event, replay, say))
    if kind in (Kind.COPIED, Kind.FORKED, Kind.SWAPPED_IN):
        return _both(rank, _tell_sharing(event, replay, say))
    if kind in TAKES:
        return _both(rank, system.took(event, replay, say))
    return _both(rank, system.admitted(replay.live[who], replay, say))


def refused(event: Event, then: Replay, say: Messages) -> str:
    """Return a sentence that says why a request is refused. ``then``: the state at the end of that step."""
    return words(then.system.kind).refused(event, then, say)


def still_refused(system: SystemTrace, replay: Replay, say: Messages) -> list[tuple[Event, Replay, str]]:
    """Return the waiting requests that were refused in an earlier step and not admitted since.

    For each: its REFUSED event, the state at the end of that step, and the sentence.
    """
    found = []
    rows = slice(0, int(system.offsets[min(replay.step, system.steps)]))
    kinds, who = system.kinds[rows], system.values[rows, 0]
    decided = np.flatnonzero((kinds == Kind.REFUSED) | (kinds == Kind.ADMITTED))
    for request in replay.waiting:
        last = decided[who[decided] == request][-1:]
        if len(last) and kinds[last[0]] == Kind.REFUSED:
            event = Event(Kind.REFUSED, *system.values[last[0]].tolist())
            step = int(np.searchsorted(system.offsets, last[0], "right")) - 1
            then = at(system, replay.requests, step)
            found.append((event, then, refused(event, then, say)))
    return found


def _names(replay: Replay) -> decisions.Name:
    return lambda who: replay.requests[who].id


def _tell_preempted(replay: Replay, say: Messages) -> str:
    """Narrate a preemption: the first victim, the reason, the number of other victims, and the free blocks after it."""
    system = replay.system
    first, *others = decisions.preemptions(replay)
    return say.sentences(
        decisions.why(first, str(system.detail.get("recovery", "")), replay.requests, say, _names(replay)),
        say("decision.more", n=len(others)) if others else "",
        say("decision.free.end", n=len(replay.free_queue)),
    )


def _tell_by_hand(event: Event, replay: Replay, say: Messages) -> str:
    kind, who, a, b, c, _ = event
    if kind == Kind.EXCHANGED:
        return say("narration.exchanged")
    if kind == Kind.REPOINTED:
        return say("narration.repointed", request=replay.requests[who].id, index=a, block=b, right=c)
    moved = {e.request for e in replay.events if e.kind == Kind.MOVED}
    # slots written after the move do not count
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


def _tell_finished(replay: Replay, live: Live, say: Messages, whole: SystemTrace | None) -> Narration:
    rank, name, empty = _RANK[Kind.FINISHED], replay.requests[live.index].id, live.estimate - live.final
    rounding = say("narration.finished.rounding", n=live.held - live.estimate) if live.held > live.estimate else ""
    static = replay.system.detail.get("batching") == "static" and not replay.released(live.index)
    stays = say("narration.finished.static") if static else ""
    then = aftermath.next_step(whole, replay, live.index, say) if whole else ""
    if empty > 0:
        facts = {"request": name, "slots": live.final, "n": empty}
        online = say("narration.finished.internal.online", **facts)
        hindsight = say("narration.finished.internal.hindsight", **facts)
    else:
        online = hindsight = say("narration.finished.clean", request=name, slots=live.final)
    return Narration(rank, say.sentences(online, rounding, stays), say.sentences(hindsight, rounding, stays, then))


def ended(system: SystemTrace, say: Messages) -> tuple[str, str]:
    """Return how a system's run has ended, in a word and in a sentence."""

    def those(*kinds: Kind) -> set[int]:
        return set(system.values[np.isin(system.kinds, kinds), 0].tolist())

    if open_ := those(Kind.ARRIVED, Kind.ADMITTED, Kind.FORKED) - those(Kind.FINISHED):
        return say("row.stopped"), say("narration.stopped", n=len(open_))
    return say("row.finished"), say("narration.done.never" if those(Kind.NEVER) else "narration.done")


def _tell_write(replay: Replay, say: Messages, longest: Sequence[int], whole: SystemTrace | None) -> Narration:
    """Narrate a step without notable events: what the first running request writes."""
    if not replay.scheduled:
        over = replay.step == replay.system.steps
        return _both(0, ended(whole or replay.system, say)[1] if over else say("narration.idle"))
    who, count = next(iter(replay.scheduled.items()))
    live, name = replay.live[who], replay.requests[who].id
    if count > 1:
        return _both(0, say("narration.prefill", request=name, count=count, written=live.written))
    empty = live.estimate - live.written
    if not empty:
        return _both(0, say("narration.write.full", request=name, written=live.written))
    facts = {"request": name, "written": live.written, "n": empty}
    pending = min(live.final, live.estimate) - live.written
    key = "narration.write.hindsight" if pending < empty else "narration.write.exact"
    rounding = say("narration.write.rounding", n=live.held - live.estimate) if live.held > live.estimate else ""
    return Narration(
        0,
        say.sentences(_known(replay, live, longest[who], facts, say), rounding),
        say.sentences(say(key, pending=pending, surplus=empty - pending, **facts), rounding),
    )


def _known(replay: Replay, live: Live, limit: int, facts: dict[str, object], say: Messages) -> str:
    """Return a sentence about what the system knows of the empty slots that a running request holds."""
    bounds = knowledge.ends(replay.system, replay.requests[live.index], live.estimate, limit)
    if bounds is None:
        return say("narration.write.online", **facts)
    least = max(bounds.least, live.written + 1)  # it still runs
    if least == bounds.most == live.estimate:
        return say("narration.write.online.exact", **facts)
    key = "narration.write.online.one" if least == bounds.most else "narration.write.online.range"
    return say(key, least=least, most=bounds.most, **facts)


def waiting(replay: Replay, say: Messages) -> str:
    """Return a sentence that names the waiting requests: at most four, fewer if their names are long; "" if none."""
    n = len(replay.waiting)
    if not n:
        return ""
    names = [replay.requests[i].id for i in replay.waiting[:4]]
    if n == len(names):
        return say("narration.waits", who=say("narration.list").join(names), n=n)
    while len(names) > 1 and len(say("narration.list").join(names)) > _NAMES:
        names.pop()
    return say("narration.waits.more", who=say("narration.list").join(names), more=n - len(names))
