"""Memory pressure in a run: refusals, preemptions and their reasons, and the cost of recovery. Read from a trace."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import Markdown, markdown
from vizkv.replay import Replay
from vizkv.replay.averages import window_of
from vizkv.replay.metrics import measure
from vizkv.systems import registry
from vizkv.trace.events import Event, Kind
from vizkv.trace.trace import SystemTrace, Trace
from vizkv.views.facts import decisions
from vizkv.views.systems.registry import words

State = Literal["waiting", "prefill", "running", "again", "preempted", "swapped"]
STATES: tuple[State, ...] = ("waiting", "prefill", "running", "again", "preempted", "swapped")


class Stay(NamedTuple):
    """A sequence was in one state from step ``first`` to step ``end`` - 1."""

    state: State
    first: int
    end: int


@dataclass(frozen=True)
class Preemption(decisions.Preemption):
    """A preemption with the step in which it happened."""

    step: int


class Never(NamedTuple):
    """A request that can never run: it needs ``need`` slots; ``limit``: the model's maximum, or the most of a pool."""

    request: int
    need: int
    limit: int
    by_length: bool


class Refusal(NamedTuple):
    """The head of the waiting queue did not fit: it needed ``need`` slots, and ``free`` were free.

    ``held``, ``written``: slots of the running requests then.
    """

    step: int
    request: int
    need: int
    free: int
    held: int
    written: int
    running: tuple[int, ...]


@dataclass(frozen=True)
class Pressure:
    """The memory pressure of one system over the whole run; sequences are named by index.

    ``again``: tokens that were recomputed. ``found``: tokens that preempted sequences found in the prefix cache instead
    of recomputing them. ``out``, ``back``: blocks copied to the CPU pool and back. ``batch``, ``mean_latency``: metrics
    of the run; 0 if no step counts. ``most``: the most sequences that ran at once. ``waits``: steps that each sequence
    spent in the waiting queue. ``stays``: the states of each sequence over time.
    """

    name: str
    kind: str
    can_preempt: bool
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
    mean_latency: float
    waits: dict[int, int]
    stays: dict[int, tuple[Stay, ...]]

    @property
    def copied_slots(self) -> int:
        """Slots copied between GPU and CPU, in both directions; blocks are copied whole."""
        return (self.out + self.back) * self.block_size


def by_system(trace: Trace) -> list[Pressure]:
    """Return the memory pressure of each system."""
    return [_Collector(trace, system).pressure() for system in trace.systems]


def why(preemption: Preemption, system: Pressure, trace: Trace, say: Messages) -> str:
    """Return, in Markdown, who was preempted (in bold), why, and what happens to the blocks."""

    def name(who: int) -> Markdown:
        escaped = markdown(trace.requests[who].id)
        return Markdown(f"**{escaped}**") if who in preemption.victims else escaped

    return decisions.why(preemption, system.recovery, trace.requests, say.in_markdown, name)


def never(system: Pressure, trace: Trace, say: Messages) -> list[str]:
    """Return a sentence for each request that can never run."""
    found = []
    for n in system.never:
        facts = {"request": _request_id(n.request, trace), "need": n.need, "limit": n.limit}
        found.append(say("narration.never.length", **facts) if n.by_length else words(system.kind).never(facts, say))
    return found


def _request_id(who: int, trace: Trace) -> str:
    """Return the id of the request that a sequence belongs to."""
    requests = trace.scenario.get("requests", [])
    group = trace.requests[who].group
    named = requests[group].get("id", "") if 0 <= group < len(requests) else ""
    return str(named) or trace.requests[who].id


def milliseconds(slots: int, bytes_per_token: int, gigabytes_per_second: float) -> float:
    """Return the time in milliseconds to copy ``slots`` over an otherwise idle link."""
    return slots * bytes_per_token / (gigabytes_per_second * 1e6)


class _Collector:
    """Replays one system once and collects its memory pressure."""

    def __init__(self, trace: Trace, system: SystemTrace):
        self.trace, self.system = trace, system
        self.refusals: list[Refusal] = []
        self.preemptions: list[Preemption] = []
        self.never: list[Never] = []
        self.again = self.found = self.out = self.back = self.most = 0
        self.high: dict[int, int] = {}  # by sequence: the most tokens that it had computed so far
        self.away: dict[int, State] = {}  # preempted sequences that have not been readmitted
        self.present: dict[int, int] = {}  # step of arrival of the sequences that have not finished
        self.stays: dict[int, list[Stay]] = {}

    def pressure(self) -> Pressure:
        """Replay the run and return what was collected."""
        system = self.system
        replay = registry.replay(system, self.trace.requests)
        for step in range(system.steps):
            events = [event for event, _ in system.events(step)]
            replay.advance()
            self.preemptions += [Preemption(**vars(one), step=step) for one in decisions.preemptions(replay)]
            self._collect(events, replay)
        line = ("waiting", "preempted", "swapped")
        numbers = measure(system, self.trace.requests, window_of(self.trace.scenario))
        return Pressure(
            name=system.name,
            kind=system.kind,
            can_preempt=registry.schema(system).can_preempt,
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
            batch=float(np.nan_to_num(numbers["mean_batch"])),
            most=self.most,
            mean_latency=float(np.nan_to_num(numbers["latency_mean"])),
            waits={w: sum(s.end - s.first for s in stays if s.state in line) for w, stays in self.stays.items()},
            stays={who: tuple(stays) for who, stays in sorted(self.stays.items())},
        )

    def _collect(self, events: list[Event], replay: Replay) -> None:
        """Add the events of a step. ``replay``: the state at its end."""
        step, high = replay.step, dict(self.high)  # as it was before the step
        first: dict[int, int] = {}  # by sequence: the first position that it computes in this step
        forked: dict[int, int] = {}  # by sequence: the parent from which it forked in this step
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
        for child, parent in forked.items():  # what the parent computed in this step counts for its forks, too
            if parent in first and child not in first:
                first[child], high[child] = first[parent], high.get(parent, 0)
        self.most = max(self.most, len(replay.live))
        for who in self.present:
            self._stand(who, step, self._state(who, replay, first, high))
        for who in replay.finished:
            self.present.pop(who, None)

    def _together(self, who: int) -> list[int]:
        """Return the sequences that arrive together with this one: all of its request if the system can fork."""
        group = self.trace.requests[who].group
        if not registry.schema(self.system).can_fork or group < 0:
            return [who]
        return self.groups[group]

    @cached_property
    def groups(self) -> dict[int, list[int]]:
        """The sequences of each request, by the request's index."""
        found: dict[int, list[int]] = {}
        for i, request in enumerate(self.trace.requests):
            found.setdefault(request.group, []).append(i)
        return found

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
