"""The words of contiguous systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vizkv.messages.catalogue import Messages
from vizkv.replay import Live, Replay
from vizkv.trace.events import Kind
from vizkv.trace.trace import SystemTrace, Trace
from vizkv.views.facts import aftermath, knowledge
from vizkv.views.systems.base import Knob, Quoted, Words

PAPER = {
    "max": Quoted({"used": 20.4, "reserved": 13.3, "internal": 57.3, "external": 8.9}, 7.00),
    "pow2": Quoted({"used": 26.8, "reserved": 17.9, "internal": 13.6, "external": 41.6}, 9.81),
    "oracle": Quoted({"used": 38.2, "reserved": 25.2, "internal": 0.0, "external": 36.6}, 13.62),
}


class ContiguousWords(Words):
    """Orca and its kin."""

    knobs = (
        Knob("multiple", (1, 4096), "number"),
        Knob("placement", ("buddy", "first-fit", "best-fit", "ideal"), "choice"),
        Knob("unit", (1, 2, 4, 8, 16, 32, 64), "choice"),
        Knob("batching", ("iteration", "static"), "choice"),
    )

    def subtitle(self, system: SystemTrace, trace: Trace, say: Messages) -> str:
        """The policy in a few words."""
        detail = system.detail
        reserve = detail["reserve"]
        facts: dict[str, Any] = {}
        if reserve == "max":
            lengths = sorted({*knowledge.longest(trace)}) or [trace.scenario.get("max_model_len", 2048)]
            facts = {"length": lengths[0]} if len(lengths) == 1 else {"least": lengths[0], "most": lengths[-1]}
            reserve = "max" if len(lengths) == 1 else "max.own"
        if reserve == "multiple":
            facts["multiple"] = detail["multiple"]
        text = say(f"system.{reserve}", **facts)
        return say("system.static", subtitle=text) if detail["batching"] == "static" else text

    def admitted(self, live: Live, replay: Replay, say: Messages) -> str:
        """A request has got its piece, perhaps one that was given back just before."""
        text, shares = super().admitted(live, replay, say), aftermath.just_given_back(replay, live)
        key = "narration.admitted.after"
        return say.sentences(text, _given(key, shares, live, replay, say) if shares else "")

    def came(self, replay: Replay, say: Messages) -> str:
        """Who has taken what was given back just before."""
        for event in replay.events:
            if event.kind == Kind.ADMITTED:
                live = replay.live[event.request]
                if shares := aftermath.just_given_back(replay, live):
                    key = "narration.takes"
                    return _given(key, shares, live, replay, say)
        return ""

    def quoted(self, fields: Mapping[str, Any]) -> Quoted | None:
        """The paper's numbers of its policy."""
        return PAPER.get(str(fields["reserve"]))


def _given(key: str, shares: dict[int, int], live: Live, replay: Replay, say: Messages) -> str:
    whose, name = aftermath.names(shares, replay.requests, say), replay.requests[live.index].id
    return say(key, request=name, who=whose, n=len(shares), slots=sum(shares.values()))
