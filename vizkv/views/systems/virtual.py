"""The words of virtual systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vizkv.messages.catalogue import Messages
from vizkv.replay import Live, Replay
from vizkv.trace.events import Event, Kind
from vizkv.trace.trace import SystemTrace, Trace
from vizkv.views.systems.base import Knob, Words


class VirtualWords(Words):
    """vAttention."""

    knobs = (
        Knob("page", (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024), "steps"),
        Knob("ids", (0, 256), "number"),
        Knob("reclaim", ("deferred", "eager"), "choice"),
    )

    def subtitle(self, system: SystemTrace, trace: Trace, say: Messages) -> str:
        """The policy in a few words."""
        return say("system.virtual", size=system.block_size)

    def never(self, facts: Mapping[str, Any], say: Messages) -> str:
        """A request is too long for the pool."""
        return say("narration.never.pages", **facts)

    def admitted(self, live: Live, replay: Replay, say: Messages) -> str:
        """A request has got a range: with the pages that were mapped there, and new ones."""
        event = next(e for e in replay.events if e.kind == Kind.ADMITTED and e.request == live.index)
        new = sum(e.kind == Kind.MAPPED and e.request == live.index for e in replay.events)
        facts = {"request": replay.requests[live.index].id, "range": event.d, "written": live.written, "new": new}
        kept = len(live.block_table) - new
        if kept > 0:
            return say("narration.admitted.virtual.kept", n=kept, **facts)
        return say("narration.admitted.virtual", n=len(live.block_table), **facts)

    def took(self, event: Event, replay: Replay, say: Messages) -> str:
        """A page was mapped behind the range of a running request, perhaps one that was taken from another range."""
        name, free = replay.requests[event.request].id, len(replay.free_queue)
        taken = [e for e in replay.events if e.kind == Kind.UNMAPPED]
        if taken:
            return say("narration.mapped.taken", request=name, page=event.a, index=event.b, range=taken[0].c,
                       n=len(taken))  # fmt: skip
        return say("narration.mapped", request=name, page=event.a, index=event.b, n=free)

    def refused(self, event: Event, then: Replay, say: Messages) -> str:
        """The head of the line does not fit: no range is idle, or too few pages can be had."""
        name = then.requests[event.request].id
        if event.a <= event.b:
            return say("narration.refused.ranges", request=name)
        return say("narration.refused.pages", request=name, need=event.a, free=event.b)
