"""What happens to the slots that a finished request releases: which requests take them in the next step."""

from __future__ import annotations

from collections.abc import Iterable

from vizkv.messages.catalogue import Messages
from vizkv.replay import Live, Replay
from vizkv.systems.base.live import Span
from vizkv.trace.events import Kind
from vizkv.trace.trace import RequestFacts, SystemTrace


def next_step(system: SystemTrace, now: Replay, who: int, say: Messages) -> str:
    """Return a sentence about the slots that a request releases in this step; "" if it releases none.

    ``system``: the whole trace of the system; ``now`` may have only a part of it.
    """
    back = now.released(who)
    if not back:
        return ""
    slots, shares = sum(span.end - span.first for span in back), _takers(system, now, back)
    n = sum(shares.values())
    if not n:
        return say("narration.next.free", slots=slots)
    key = "narration.next.all" if n == slots else "narration.next.some"
    return say(key, who=names(shares, now.requests, say), n=len(shares), taken=n, slots=slots)


def _takers(system: SystemTrace, now: Replay, back: list[Span]) -> dict[int, int]:
    """Return how many of the released slots each request holds at the end of the next step."""
    if now.step + 1 >= system.steps:
        return {}
    found: dict[int, list[Span]] = {}
    for event, late in system.events(now.step + 1):
        if late:
            break
        for span in now.taken(event):
            for spans in found.values():
                if span in spans:  # of a request that was preempted meanwhile
                    spans.remove(span)
            found.setdefault(event.request, []).append(span)
        if event.kind == Kind.PREEMPTED:
            found.pop(event.request, None)
    return {who: n for who, spans in found.items() if (n := _common(back, spans))}


def just_given_back(now: Replay, live: Live) -> dict[int, int]:
    """Return how many slots of a new piece other requests released at the end of the previous step, by request."""
    piece = [Span(live.start, live.start + live.held)]
    shares = {e.request: _common([Span(e.a, e.a + e.c)], piece) for e in now.given_back if e.kind == Kind.FREED}
    return {who: n for who, n in shares.items() if n}


def names(some: Iterable[int], requests: tuple[RequestFacts, ...], say: Messages) -> str:
    """Return the names of some requests as a list; of many, the first four."""
    ids = [requests[who].id for who in some]
    listed = say("narration.list").join(ids[:4])
    return say("narration.forked.more", others=listed, more=len(ids) - 4) if len(ids) > 4 else listed


def _common(some: Iterable[Span], others: Iterable[Span]) -> int:
    """Return how many slots are in both."""
    others = list(others)
    return sum(max(0, min(a.end, b.end) - max(a.first, b.first)) for a in some for b in others)
