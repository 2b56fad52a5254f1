"""One system under way: who is to come, its scheduler, what has been recorded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from vizkv import workload
from vizkv.byhand import Hands
from vizkv.choose import Chooser, Row
from vizkv.events import Event
from vizkv.prepare import Prepared
from vizkv.scenario import PagedSystem, Scenario
from vizkv.scheduling import ContiguousScheduler, Group, PagedScheduler, Scheduler
from vizkv.scheduling import Sequence as Running
from vizkv.scheduling.tokens import Tokens
from vizkv.trace import SystemRecorder, SystemTrace

_CLOCK = workload.Clock()  # where the scenario gives none


class SystemRun:
    """One system under way: its scheduler, its sequences, what has been recorded."""

    def __init__(self, index: int, scenario: Scenario, prepared: list[Prepared]):
        self.index, self.scenario, self.prepared = index, scenario, prepared
        self.system = scenario.systems[index]
        self.scheduler: Scheduler
        self.free_order: tuple[int, ...] = ()
        if isinstance(self.system, PagedSystem):
            self.scheduler = paged = PagedScheduler(self.system, scenario)
            self.free_order = tuple(paged.free_queue())
            self.pending = [i for i, p in enumerate(prepared) if p.member == 0]  # the others come with the first
        else:
            self.scheduler = ContiguousScheduler(self.system, scenario)
            self.pending = list(range(len(prepared)))
        self.hands = Hands(self.scheduler, scenario, [p.id for p in prepared])
        self.recorder = SystemRecorder()
        self.chooser = Chooser(prepared, scenario.seed)
        self.pending.sort(key=lambda i: (prepared[i].arrival, i))
        self.pending.reverse()  # the next to arrive is the last: pop() is cheap
        self.time_s = 0.0
        self.clock = workload.Clock.of(scenario.workload) if scenario.workload else _CLOCK
        asked = scenario.workload
        self.timed = asked is not None  # arrivals are seconds, else steps
        self.until = math.inf if asked is None or asked.drain else asked.duration  # seconds
        self.scheduled: list[tuple[Running, int, int]] = []
        self.written = 0

    @property
    def done(self) -> bool:
        """Whether nothing will happen any more, or nothing that the workload asks for."""
        return (self.time_s >= self.until) or (not self.pending and self.scheduler.idle())

    def tokens_of(self, p: Prepared) -> Tokens:
        """What is known of a sequence's tokens when it arrives; it grows."""
        return list(p.prompt_ids)

    def begin(self, step: int) -> list[Event]:
        """Do what is asked for by hand, let arrive what has come, and schedule; what moves data."""
        done = self.hands.act(step)
        self.recorder.add(done)
        self._arrivals(step)
        plan = self.scheduler.schedule()
        self.scheduled = plan.scheduled
        self.recorder.add(plan.events)
        return done + plan.events

    def _arrivals(self, step: int) -> None:
        if self.timed and self.scheduler.idle() and self.pending:  # nothing to do until the next arrival
            self.time_s = max(self.time_s, self.prepared[self.pending[-1]].arrival)
        now = self.time_s if self.timed else step
        while self.pending and self.prepared[self.pending[-1]].arrival <= now:
            self.recorder.add(self.scheduler.arrive(self._sequence(self.pending.pop())))

    def _sequence(self, index: int) -> Running:
        first = self._member(index)
        p = self.prepared[index]
        if p.members > 1 and isinstance(self.system, PagedSystem):
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
        """Choose tokens, hand them to the scheduler and close the step.

        ``best``, ``rows``: most probable token and logits of each piece of scheduled work.
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
        """What has happened so far."""
        return self._frozen(tuple(tuple(t) for t in self.chooser.sampled))

    def _frozen(self, tokens: tuple[Sequence[int], ...], **facts: Any) -> SystemTrace:
        system = self.system
        return self.recorder.freeze(
            name=system.label,
            kind=system.kind,
            detail=system.model_dump(exclude={"free_order"}),
            slots=self.scenario.slots,
            block_size=system.block_size if isinstance(system, PagedSystem) else 0,
            free_order=self.free_order,
            tokens=tokens,
            **facts,
        )
