"""Why a request waits or was preempted, as the scheduler recorded it: the blocks that it needed, and those free.

Every sentence about a refusal or a preemption comes from here, so that narration, bars, lists and questions agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from vizkv.messages.catalogue import Messages
from vizkv.replay import Live, Replay
from vizkv.trace.events import Event, Kind
from vizkv.trace.trace import RequestFacts

Name = Callable[[int], str]  # of a sequence, by its index
Reason = Literal["prompt", "again", "back"]


@dataclass(frozen=True)
class Preemption:
    """The sequences of one request, last in the running list, lost their blocks.

    ``needy``: the sequence that needed ``need`` blocks while ``free`` were free; it may be a victim itself. ``need`` is
    0 in traces that do not record it. ``blocks``, ``slots``: physical blocks that the victims held, and slots that they
    had written, shared ones counted once. ``swap``: whether the blocks were copied to the CPU pool.
    """

    victims: tuple[int, ...]
    needy: int
    need: int
    free: int
    swap: bool
    blocks: int
    slots: int

    @property
    def itself(self) -> bool:
        """Whether the sequence that needed blocks is itself a victim."""
        return self.needy in self.victims


@dataclass(frozen=True)
class Refusal:
    """The head of the waiting queue does not fit: it needs ``need`` blocks, and ``spare`` more must stay free.

    ``reason``: what it needs them for: "prompt"; "again", to recompute its tokens; "back", to swap them in.
    """

    request: int
    need: int
    spare: int
    free: int
    reason: Reason


# ---- decisions -------------------------------------------------------------------------------------------------------


def preemptions(now: Replay) -> list[Preemption]:
    """Return the preemptions in the current step of a replay, in order."""
    found, short = [], None
    for at, event in enumerate(now.events):
        if event.kind == Kind.SHORT:
            short = event
        elif event.kind == Kind.PREEMPTED and not event.c:
            victims = [event.request]
            for other in now.events[at + 1 :]:
                if other.kind != Kind.PREEMPTED or not other.c:
                    break
                victims.append(other.request)
            filled = _filled([now.lost[who] for who in victims], now.system.block_size)
            needy, need, free = (short.request, short.a, short.b) if short else (-1, 0, 0)
            swap = bool(event.b)
            found.append(Preemption(tuple(victims), needy, need, free, swap, len(filled), sum(filled.values())))
            short = None
    return found


def _filled(lost: Iterable[Live], size: int) -> dict[int, int]:
    """Return the number of written slots of each physical block of some sequences."""
    filled: dict[int, int] = {}
    for one in lost:
        for index, block in enumerate(one.block_table):
            filled[block] = max(filled.get(block, 0), min(size, max(0, one.written - index * size)))
    return filled


def refusal(event: Event, then: Replay) -> Refusal:
    """Return the refusal of a paged system. ``then``: its state at the end of the step of the REFUSED event."""
    system, size = then.system, then.system.block_size
    # the watermark applies only while requests run; otherwise it would block the waiting queue for nothing
    spare = int(system.detail.get("watermark", 0.0) * (system.slots // size)) if then.live else 0
    group = then.requests[event.request].group
    away = [who for who in then.swapped if who == event.request or then.requests[who].group == group >= 0]
    reason: Reason = "back" if away else "again" if event.request in then.preempted_before else "prompt"
    return Refusal(event.request, event.a // size - spare, spare, event.b // size, reason)


# ---- sentences -------------------------------------------------------------------------------------------------------


def waits(refusal: Refusal, say: Messages, name: Name) -> str:
    """Return a sentence that says why the head of the waiting queue waits in a paged system."""
    free = say("decision.free.now", n=refusal.free) if refusal.free else say("decision.free.now.none")
    text = say(f"decision.refused.{refusal.reason}", request=name(refusal.request), need=refusal.need, free=free)
    return say.sentences(text, say("decision.spare", n=refusal.spare) if refusal.spare else "")


def needed(preemption: Preemption, requests: Sequence[RequestFacts], say: Messages, name: Name) -> tuple[str, str]:
    """Return (the sequence that needed blocks, the number of free blocks), in words."""
    needy, group = preemption.needy, requests[preemption.needy].group
    several = group >= 0 and sum(one.group == group for one in requests) > 1
    who = say("decision.group", request=name(needy)) if several else name(needy)
    free = say("decision.free", n=preemption.free) if preemption.free else say("decision.free.none")
    return who, free


def why(
    preemption: Preemption, recovery: str, requests: Sequence[RequestFacts], say: Messages, name: Name
) -> str:  # fmt: skip
    """Return sentences about the victim, the reason, and what happens to its blocks.

    ``recovery``: the system's setting, "recompute" or "swap"; it falls back to recomputing if the CPU pool is full.
    """
    p, together = preemption, len(preemption.victims) > 1
    victims = [name(who) for who in p.victims]
    victim = say("narration.list").join(victims[:4])
    if len(victims) > 4:
        victim = say("narration.forked.more", others=victim, more=len(victims) - 4)
    if not p.need:
        reason = say("decision.preempted.unrecorded", victim=victim)
    elif p.itself:
        _, free = needed(p, requests, say, name)
        key = "decision.preempted.itself.all" if together else "decision.preempted.itself"
        reason = say(key, victim=victim, n=p.need, free=free)
    else:
        needy, free = needed(p, requests, say, name)
        key = "decision.preempted.all" if together else "decision.preempted"
        reason = say(key, victim=victim, needy=needy, n=p.need, free=free)
    if p.swap:
        fate = say("decision.fate.swap", n=p.blocks)
    elif recovery == "swap":
        fate = say("decision.fate.full", n=p.blocks, slots=p.slots)
    else:
        fate = say("decision.fate.recompute", n=p.slots)
    return say.sentences(reason, fate)
