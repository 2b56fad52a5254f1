"""Memory that runs out: who is refused, who is preempted and why, what coming back costs. Read from a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from vizkv.events import Event, Kind
from vizkv.messages import Messages
from vizkv.replay import Replay
from vizkv.trace import SystemTrace, Trace

State = Literal["waiting", "prefill", "running", "again", "preempted", "swapped"]
STATES: tuple[State, ...] = ("waiting", "prefill", "running", "again", "preempted", "swapped")
_TAKES = (Kind.BLOCK, Kind.COPIED)


class Stay(NamedTuple):
    """A sequence was in one state from step ``first`` to step ``end`` - 1."""

    state: State
    first: int
    end: int


@dataclass(frozen=True)
class Preemption:
    """Sequences of one request lost their blocks, together.

    ``needy``: the sequence for whose next blocks they had to go. It took ``taken`` of them, when ``free`` were free;
    where it is a victim itself, it was the last that ran. ``blocks`` and ``slots``: physical ones that they held and
    had written, counted once where they shared them.
    """

    step: int
    victims: tuple[int, ...]
    needy: int
    taken: int
    free: int
    swap: bool
    blocks: int
    slots: int

    @property
    def itself(self) -> bool:
        """Whether the victim was the one that needed blocks."""
        return self.needy in self.victims


class Never(NamedTuple):
    """A request can never run: it needs ``need`` slots, and ``limit`` is the model's maximum, or what a pool gives."""

    request: int
    need: int
    limit: int
    by_length: bool


class Refusal(NamedTuple):
    """The head of the line did not fit: ``need`` slots, ``free`` free; those who ran held and had written so many."""

    step: int
    request: int
    need: int
    free: int
    held: int
    written: int
    running: tuple[int, ...]


@dataclass(frozen=True)
class Told:
    """One system under pressure. Tokens, blocks and steps are of the whole run; sequences are named by index.

    ``again``: tokens computed a second time; ``found``: tokens that the prefix cache saved a preempted sequence from
    computing again. ``out``, ``back``: blocks copied to the CPU pool and from it. ``latency``: seconds from arrival to
    end by sequence that finished; ``waits``: steps that each has spent in the line.
    """

    name: str
    kind: str
    reserve: str
    recovery: str
    block_size: int
    steps: int
    seconds: float
    refusals: tuple[Refusal, ...]
    preemptions: tuple[Preemption, ...]
    never: tuple[Never, ...]
    again: int
    found: int
    out: int
    back: int
    batch: float
    most: int
    latency: dict[int, float]
    waits: dict[int, int]
    stays: dict[int, tuple[Stay, ...]]

    @property
    def copied_slots(self) -> int:
        """Slots copied over the link, both ways: whole blocks, as they lie."""
        return (self.out + self.back) * self.block_size

    @property
    def mean_latency(self) -> float:
        """Seconds; 0 if nobody has finished."""
        return sum(self.latency.values()) / len(self.latency) if self.latency else 0.0


def told(trace: Trace) -> list[Told]:
    """One entry a system."""
    return [_Teller(trace, system).told() for system in trace.systems]


def why(preemption: Preemption, system: Told, trace: Trace, say: Messages) -> str:
    """The victim, the reason, and what becomes of its blocks, in words."""
    p, ids = preemption, [request.id for request in trace.requests]
    who, together = say("narration.list").join(ids[i] for i in p.victims), len(p.victims) > 1
    free = say("pressure.free", n=p.free) if p.free else say("pressure.free.none")
    if p.itself:
        reason = say("pressure.why.itself.all" if together else "pressure.why.itself", victim=who, free=free)
    else:
        key = "pressure.why.other.all" if together else "pressure.why.other"
        reason = say(key, victim=who, needy=ids[p.needy], n=p.taken, free=free)
    if p.swap:
        fate = say("pressure.fate.swap", n=p.blocks)
    elif system.recovery == "swap":
        fate = say("pressure.fate.full", n=p.blocks, slots=p.slots)
    else:
        fate = say("pressure.fate.recompute", n=p.slots)
    return f"{reason} {fate}"


def never(system: Told, trace: Trace, say: Messages) -> list[str]:
    """A sentence for each request that can never run."""
    whole = "narration.never.blocks" if system.kind == "paged" else "narration.never.pool"
    return [
        say("narration.never.length" if n.by_length else whole, request=_asked(n.request, trace), need=n.need,
            limit=n.limit)
        for n in system.never
    ]  # fmt: skip


def _asked(who: int, trace: Trace) -> str:
    """The name of the request that a sequence belongs to."""
    requests = trace.scenario.get("requests", [])
    group = trace.requests[who].group
    named = requests[group].get("id", "") if 0 <= group < len(requests) else ""
    return str(named) or trace.requests[who].id


def milliseconds(slots: int, bytes_per_token: int, gigabytes_per_second: float) -> float:
    """How long copying so many slots takes on a link that nothing else keeps busy."""
    return slots * bytes_per_token / (gigabytes_per_second * 1e6)


class _Teller:
    """Walks one system once."""

    def __init__(self, trace: Trace, system: SystemTrace):
        self.trace, self.system = trace, system
        self.refusals: list[Refusal] = []
        self.preemptions: list[Preemption] = []
        self.never: list[Never] = []
        self.again = self.found = self.out = self.back = self.most = 0
        self.high: dict[int, int] = {}  # tokens that a sequence has had computed at most
        self.away: dict[int, State] = {}  # since it was preempted
        self.present: dict[int, int] = {}  # arrived and not finished, with the step of its arrival
        self.stays: dict[int, list[Stay]] = {}
        self.latency: dict[int, float] = {}
        self.batched: list[int] = []

    def told(self) -> Told:
        system = self.system
        replay = Replay(system, self.trace.requests)
        for step in range(system.steps):
            events = [event for event, _ in system.events(step)]
            if any(event.kind == Kind.PREEMPTED for event in events):
                self.preemptions += preemptions(replay, events, step)
            replay.advance()
            self._take_in(events, replay)
        line = ("waiting", "preempted", "swapped")
        return Told(
            name=system.name,
            kind=system.kind,
            reserve=str(system.detail.get("reserve", "")),
            recovery=str(system.detail.get("recovery", "")),
            block_size=system.block_size,
            steps=system.steps,
            seconds=float(system.time_s[-1]) if system.steps else 0.0,
            refusals=tuple(self.refusals),
            preemptions=tuple(self.preemptions),
            never=tuple(self.never),
            again=self.again,
            found=self.found,
            out=self.out,
            back=self.back,
            batch=float(np.mean(self.batched)) if self.batched else 0.0,
            most=self.most,
            latency=self.latency,
            waits={w: sum(s.end - s.first for s in stays if s.state in line) for w, stays in self.stays.items()},
            stays={who: tuple(stays) for who, stays in sorted(self.stays.items())},
        )

    def _take_in(self, events: list[Event], replay: Replay) -> None:
        step, high = replay.step, dict(self.high)  # as it was before the step
        first: dict[int, int] = {}  # where a sequence's work of this step begins
        forked: dict[int, int] = {}  # from whom it forked at the end of this step
        for event in events:
            kind, who, a, b, c, d = event
            if kind == Kind.ARRIVED:
                self.present |= dict.fromkeys(self._together(who), step)
            elif kind == Kind.NEVER:
                self.never.append(Never(who, a, b, not c))
            elif kind == Kind.REFUSED:
                held, written = sum(r.held for r in replay.running), sum(r.written for r in replay.running)
                self.refusals.append(Refusal(step, who, a, b, held, written, tuple(replay.live)))
            elif kind == Kind.PREEMPTED:
                self.away[who] = "swapped" if b else "preempted"
            elif kind == Kind.HIT:
                self.found += min(a, self.high.get(who, 0))
            elif kind == Kind.WRITTEN:
                first.setdefault(who, a)
                self.again += max(0, min(a + b, self.high.get(who, 0)) - a)
                self.high[who] = max(self.high.get(who, 0), a + b)
            elif kind == Kind.FORKED:
                forked[who] = a
                self.high[who] = max(self.high.get(who, 0), b)
            elif kind == Kind.SWAPPED_OUT:
                self.out += d
            elif kind == Kind.SWAPPED_IN:
                self.back += d
        for child, parent in forked.items():  # its parent has worked for it
            if parent in first and child not in first:
                first[child], high[child] = first[parent], high.get(parent, 0)
        self.batched.append(len(replay.scheduled))
        self.most = max(self.most, len(replay.live))
        for who in self.present:
            self._stand(who, step, self._state(who, replay, first, high))
        for who in replay.finished:
            arrived = self.present.pop(who, step)
            self.latency[who] = float(self.system.time_s[step]) - self._clock_at(who, arrived)

    def _together(self, who: int) -> list[int]:
        """The sequences that arrive as this one: in a paged system all of its request."""
        group = self.trace.requests[who].group
        if self.system.kind != "paged" or group < 0:
            return [who]
        return [i for i, r in enumerate(self.trace.requests) if r.group == group]

    def _clock_at(self, who: int, step: int) -> float:
        """When a sequence arrived: in a workload as drawn, else at the beginning of its step."""
        if self.trace.scenario.get("workload") is not None:
            return self.trace.requests[who].arrival
        return float(self.system.time_s[step - 1]) if step else 0.0

    def _state(self, who: int, replay: Replay, first: dict[int, int], high: dict[int, int]) -> State:
        if who not in replay.live:
            return self.away.get(who, "waiting")
        self.away.pop(who, None)
        if who not in first:
            return "running"
        if first[who] < high.get(who, 0):
            return "again"
        return "prefill" if first[who] < self.trace.requests[who].prompt_tokens else "running"

    def _stand(self, who: int, step: int, state: State) -> None:
        stays = self.stays.setdefault(who, [])
        if stays and stays[-1].state == state and stays[-1].end == step:
            stays[-1] = Stay(state, stays[-1].first, step + 1)
        else:
            stays.append(Stay(state, step, step + 1))


def preemptions(before: Replay, events: list[Event], step: int) -> list[Preemption]:
    """The preemptions of a step. ``before``: the state at the end of the step before it.

    The victim goes so that another can have a block, and that one has it at once: whoever takes a block next is the
    one that was in need. If nobody does, the last victim was, and the step's work ended with it.
    """
    groups = [request.group for request in before.requests]
    free, found = len(before.free_queue), []
    for at, event in enumerate(events):
        kind, who, _, b, c, d = event
        if kind in _TAKES or (kind == Kind.SHARED and c) or (kind == Kind.SWAPPED_IN and d):
            free -= 1
        elif kind == Kind.FREED_BLOCK and not b:
            free += 1
        elif kind == Kind.PREEMPTED and not c:
            victims = [who]
            for other in events[at + 1 :]:
                if other.kind != Kind.PREEMPTED or not other.c:
                    break
                victims.append(other.request)
            needy, taken = _needy(events[at:], groups)
            blocks, slots = _held(before, victims)
            found.append(Preemption(step, tuple(victims), needy, taken, free, bool(b), blocks, slots))
    return found


def _needy(events: list[Event], groups: list[int]) -> tuple[int, int]:
    """Who takes blocks next, and how many it takes for all of its sequences; else the last victim, and none."""
    last = events[0].request
    for at, event in enumerate(events):
        if event.kind == Kind.PREEMPTED and not event.c:
            last = event.request
        elif event.kind in _TAKES:
            who, taken = event.request, 0
            for later in events[at:]:
                if later.kind in _TAKES and groups[later.request] == groups[who]:
                    taken += 1
                elif later.kind == Kind.PREEMPTED or (later.kind in _TAKES and groups[later.request] != groups[who]):
                    break
            return who, taken
    return last, 0


def _held(before: Replay, victims: list[int]) -> tuple[int, int]:
    """Physical blocks and written slots of some sequences."""
    size, filled = before.system.block_size, dict[int, int]()
    for live in (before.live[who] for who in victims if who in before.live):
        for index, block in enumerate(live.block_table):
            filled[block] = max(filled.get(block, 0), min(size, max(0, live.written - index * size)))
    return len(filled), sum(filled.values())
