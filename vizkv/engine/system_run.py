"""Run one system step by step: arrivals, scheduling, sampling and recording."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from vizkv import workload
from vizkv.engine.interventions import Interventions
from vizkv.engine.sampling import Chooser, Row
from vizkv.engine.sequences import Prepared
from vizkv.scenario.schema import Scenario
from vizkv.systems import registry
from vizkv.systems.base.request import Group, Scheduler
from vizkv.systems.base.request import Sequence as Running
from vizkv.systems.base.tokens import Tokens
from vizkv.trace.events import Event
from vizkv.trace.recording import SystemRecorder
from vizkv.trace.trace import SystemTrace

_CLOCK = workload.Clock()  # for scenarios without a workload


class SystemRun:
    """One system that is being run: its scheduler, its sequences, and the events recorded so far."""

    def __init__(self, index: int, scenario: Scenario, prepared: list[Prepared]):
        self.index, self.scenario, self.prepared = index, scenario, prepared
        self.system = scenario.systems[index]
        self.scheduler: Scheduler = registry.scheduler(self.system, scenario)
        self.free_order = tuple(self.scheduler.free_queue())
        # if the system can fork sequences, all of one request arrive with its first
        self.pending = [i for i, p in enumerate(prepared) if p.member == 0 or not self.system.forks]
        self.interventions = Interventions(self.scheduler, scenario, [p.id for p in prepared])
        self.recorder = SystemRecorder()
        self.chooser = Chooser(prepared, scenario.seed)
        self.pending.sort(key=lambda i: (prepared[i].arrival, i))
        self.pending.reverse()  # the next to arrive is the last: pop() from the end is cheap
        self.time_s = 0.0
        self.clock = workload.Clock.of(scenario.workload) if scenario.workload else _CLOCK
        source = scenario.workload
        self.timed = source is not None  # arrivals are in seconds, else in steps
        self.until = math.inf if source is None or source.drain else source.duration  # seconds
        self.scheduled: list[tuple[Running, int, int]] = []
        self.written = 0

    @property
    def done(self) -> bool:
        """Whether no request is left, or the workload's duration is over."""
        return (self.time_s >= self.until) or (not self.pending and self.scheduler.idle())

    def tokens_of(self, p: Prepared) -> Tokens:
        """Return the tokens of a sequence that are known when it arrives: its prompt, to which the run appends."""
        return list(p.prompt_ids)

    def begin(self, step: int) -> list[Event]:
        """Begin a step: interventions, arrivals, scheduling. Return the events that may move data."""
        done = self.interventions.act(step)
        self.recorder.add(done)
        self._arrivals(step)
        plan = self.scheduler.schedule()
        self.scheduled = plan.scheduled
        self.recorder.add(plan.events)
        return done + plan.events

    def _arrivals(self, step: int) -> None:
        if self.timed and self.scheduler.idle() and self.pending:  # skip to the next arrival
            self.time_s = max(self.time_s, self.prepared[self.pending[-1]].arrival)
        now = self.time_s if self.timed else step
        while self.pending and self.prepared[self.pending[-1]].arrival <= now:
            self.recorder.add(self.scheduler.arrive(self._sequence(self.pending.pop())))

    def _sequence(self, index: int) -> Running:
        """Return a sequence that arrives; the first of a request brings its other sequences as its group."""
        first = self._member(index)
        p = self.prepared[index]
        if p.members > 1 and self.system.forks:
            members = [first, *(self._member(index + n) for n in range(1, p.members))]
            group = Group(members, p.shared, p.beam, forked=False)
            for member in members:
                member.group = group
        return first

    def _member(self, index: int) -> Running:
        p = self.prepared[index]
        return Running(
            index=index,
            prompt_tokens=len(p.prompt_ids),
            final_slots=p.final_slots,
            max_len=p.max_len,
            tokens=self.tokens_of(p),
        )

    def end(self, best: list[int], rows: list[Row | None]) -> None:
        """Choose the next tokens, pass them to the scheduler and close the step.

        ``best``, ``rows``: the most probable token and the logits of each piece of scheduled work.
        """
        ending = [
            (sequence, token, row)
            for (sequence, _, _), token, row in zip(self.scheduled, best, rows, strict=True)
            if sequence.written == len(sequence.tokens)
        ]
        sampled, parents = self.chooser.choose(ending)
        self.recorder.add(self.scheduler.complete(sampled, parents), late=True)
        tokens = sum(count for _, _, count in self.scheduled)
        self.written += tokens
        self.time_s += self.clock.seconds(tokens)
        self.recorder.close(self.scheduler.stranded, self.time_s)

    def trace(self) -> SystemTrace:
        """Return the trace so far."""
        return self._frozen(tuple(tuple(t) for t in self.chooser.sampled))

    def _frozen(self, tokens: tuple[Sequence[int], ...], **facts: Any) -> SystemTrace:
        system = self.system
        return self.recorder.freeze(
            name=system.label,
            kind=system.kind,
            detail=system.model_dump(exclude={"free_order"}),
            slots=system.pool(self.scenario.slots),
            block_size=system.block,
            free_order=self.free_order,
            tokens=tokens,
            **facts,
        )
