"""What a kind of system is called and how its steps are told: the words that every kind may replace by its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vizkv.messages.catalogue import Messages
from vizkv.replay import Live, Replay
from vizkv.trace.events import Event
from vizkv.trace.trace import SystemTrace, Trace
from vizkv.views.facts.decisions import Refusal


@dataclass(frozen=True)
class Knob:
    """A field that a page offers to change. ``values``: what it offers, besides the value that is there.

    ``how``: "steps" (a slider over the values), "number" (any whole number from the first to the last value), "choice".
    """

    name: str
    values: tuple[Any, ...]
    how: Literal["steps", "number", "choice"]


@dataclass(frozen=True)
class Quoted:
    """What the paper prints of a system: percent of the pool by category, and mean batched requests."""

    shares: Mapping[str, float]
    batched: float


class Words:
    """The words of a kind that has none of its own."""

    knobs: tuple[Knob, ...] = ()
    """What a page offers to change, of those fields that :meth:`System.knobs` names."""

    def subtitle(self, system: SystemTrace, trace: Trace, say: Messages) -> str:
        """The policy in a few words."""
        return system.kind

    def never(self, facts: Mapping[str, Any], say: Messages) -> str:
        """A request is too long for the pool. ``facts``: request, need and limit in slots."""
        return say("narration.never.pool", **facts)

    def admitted(self, live: Live, replay: Replay, say: Messages) -> str:
        """A request has joined those that run."""
        return say("narration.admitted.contiguous", request=_name(live.index, replay), held=live.held,
                   written=live.written)  # fmt: skip

    def took(self, event: Event, replay: Replay, say: Messages) -> str:
        """A running request has taken a block: BLOCK."""
        return say("narration.block", request=_name(event.request, replay), block=event.a, n=len(replay.free_queue))

    def refused(self, event: Event, then: Replay, say: Messages) -> str:
        """The head of the line does not fit: REFUSED. ``then``: the state at the end of the step of its refusal."""
        key = "narration.refused.full" if event.b else "narration.refused.none"
        if then.stranded:
            key = "narration.refused.stranded"
        return say(key, request=_name(event.request, then), need=event.a, free=event.b, hole=event.c)

    def came(self, replay: Replay, say: Messages) -> str:
        """Who was admitted in a step that also refused somebody, where that explains the refusal; "" if nobody."""
        return ""

    def decided(self, event: Event, then: Replay) -> Refusal | None:
        """What a REFUSED event decided, in blocks; None where the kind does not count its refusals in blocks."""
        return None

    def quoted(self, fields: Mapping[str, Any]) -> Quoted | None:
        """The paper's numbers of a system with these fields, if it has any."""
        return None


def _name(request: int, replay: Replay) -> str:
    return replay.requests[request].id
