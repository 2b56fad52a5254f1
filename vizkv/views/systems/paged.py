"""The words of paged systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vizkv.messages.catalogue import Messages
from vizkv.replay import Live, Replay
from vizkv.trace.events import Event
from vizkv.trace.trace import SystemTrace, Trace
from vizkv.views.facts import decisions
from vizkv.views.systems.base import Knob, Quoted, Words

PAPER = Quoted({"used": 96.3}, 30.42)


class PagedWords(Words):
    """PagedAttention."""

    knobs = (Knob("block_size", (1, 2, 4, 8, 16, 32, 64, 128, 256), "steps"),)

    def subtitle(self, system: SystemTrace, trace: Trace, say: Messages) -> str:
        """The policy in a few words."""
        return say("system.paged", size=system.block_size)

    def never(self, facts: Mapping[str, Any], say: Messages) -> str:
        """A request is too long for the pool."""
        return say("narration.never.blocks", **facts)

    def admitted(self, live: Live, replay: Replay, say: Messages) -> str:
        """A request has joined those that run."""
        name, blocks, size = replay.requests[live.index].id, len(live.block_table), replay.system.block_size
        key = "narration.admitted.again" if live.index in replay.returned else "narration.admitted.paged"
        return say(key, request=name, written=live.written, n=blocks, size=size)

    def refused(self, event: Event, then: Replay, say: Messages) -> str:
        """The head of the line does not fit: any free blocks would do."""
        return decisions.waits(decisions.refusal(event, then), say, lambda who: then.requests[who].id)

    def decided(self, event: Event, then: Replay) -> decisions.Refusal | None:
        """What a REFUSED event decided, in blocks."""
        return decisions.refusal(event, then)

    def quoted(self, fields: Mapping[str, Any]) -> Quoted | None:
        """The paper's numbers of vLLM."""
        return PAPER
