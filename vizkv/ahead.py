"""One system of an allocation-only run, asked only about those to whom something can happen.

A sequence that decodes writes one token a step until it ends, and when it will need a block or end is known from the
start. So a calendar names the steps in which the memory or the scheduler has to be asked about it; in all others a
counter moves. Whatever is decided is decided by the same memory and scheduler as in the plain loop of
:mod:`vizkv.engine`, and the trace is the same, event for event (docs/invariants.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vizkv.events import Event
from vizkv.prepare import Prepared
from vizkv.scenario import PagedSystem, Scenario, ScenarioError
from vizkv.scheduling import Group, PagedScheduler
from vizkv.scheduling import Sequence as Running
from vizkv.scheduling.groups import Share
from vizkv.scheduling.tokens import MadeUp
from vizkv.system_run import SystemRun
from vizkv.told import told
from vizkv.trace import BEHIND, SystemTrace


def can_skip(scenario: Scenario, prepared: Sequence[Prepared]) -> bool:
    """Whether a scenario's systems can be run by :class:`Ahead`.

    Not where a model writes, where something is done by hand, where a request has several sequences or given tokens,
    and where a step's tokens might not do for all that decode.
    """
    return (
        scenario.model == "none"
        and not scenario.actions
        and all(p.members == 1 and p.forced is None for p in prepared)
        and scenario.max_num_seqs <= scenario.max_num_batched_tokens
    )


class Ahead(SystemRun):
    """One system under way. ``prepared`` may be shared by the systems of a scenario."""

    def __init__(self, scenario: Scenario, index: int, prepared: list[Prepared], max_steps: int = 10**7):
        super().__init__(index, scenario, prepared)
        self.step, self.max_steps = 0, max_steps
        self._begun: dict[int, Running] = {}  # those that have run
        self._spans: list[list[int]] = []  # as in SystemTrace; steps = -1 while open
        self._open: dict[int, int] = {}  # sequence -> its span, in running order
        self._ends: dict[int, list[int]] = {}  # step -> spans whose last it is
        self._grows: dict[int, list[int]] = {}  # step -> spans that need a block, or fill one, in it
        self._prefilling = False  # whether the last of the running list has not read all of its prompt
        self._stuck = False  # whether the head of the line was refused, and nothing has been given back since
        self._size = self.system.block_size if isinstance(self.system, PagedSystem) else 0
        self._caching = isinstance(self.system, PagedSystem) and self.system.prefix_caching
        self._awaited: bytes | None = None  # with a prefix cache: the key whose coming would change that
        if isinstance(self.scheduler, PagedScheduler):
            self.scheduler.before_preemption = self._interrupt

    def advance(self, until_s: float = math.inf, steps: int = 10**9) -> bool:
        """Go on until the clock passes ``until_s`` or so many steps are done; False when nothing is left to do.

        Raises ScenarioError where the run takes too many steps.
        """
        last = self.step + steps
        while not self.done and self.time_s < until_s and self.step < last:
            if self.step >= self.max_steps:
                raise ScenarioError(
                    told(
                        "The run takes more than {max_steps:,} steps; give fewer requests, shorter ones or earlier "
                        "arrivals.",
                        max_steps=self.max_steps,
                    )
                )
            self._one_step()
            self._quiet_steps(min(until_s, self.until), min(last, self.max_steps))
        return not self.done

    def tokens_of(self, p: Prepared) -> MadeUp:
        """The prompt, and behind it made-up ids."""
        return MadeUp(p.prompt_ids, p.made_up)

    def trace(self) -> SystemTrace:
        """What has happened so far."""
        spans = np.array(self._spans, np.int64).reshape(-1, 5)
        rows = list(self._open.values())
        spans[rows, 2] = self.step - spans[rows, 1]
        tokens = []
        for index, p in enumerate(self.prepared):
            known = self._known(index) if index in self._begun else len(p.prompt_ids)
            first = p.made_up + len(p.prompt_ids)
            tokens.append(range(first, p.made_up + known))
        return self._frozen(tuple(tokens), spans=spans)

    # -- a step in which something may happen ------------------------------------------------------------------------

    def _one_step(self) -> None:
        scheduler, step = self.scheduler, self.step
        self._arrivals(step)
        before = scheduler.refused, scheduler.stranded
        scheduler.begin(len(self._open))
        if self._stuck:
            scheduler.refused, scheduler.stranded = before  # as it was found in an earlier step
        admits = self._grow(self._grows.pop(step, ()))
        events: list[Event] = []
        if self._prefilling and scheduler.running and scheduler.running[-1].index not in self._open:
            admits = scheduler.go_on(len(scheduler.running) - 1, events) and admits
        if not admits:  # whoever was preempted is the head of the line now
            self._stuck, scheduler.refused, scheduler.stranded = False, None, False
        elif scheduler.waiting and not (self._stuck and self._in_vain()):
            scheduler.refused = None
            scheduler.admit(events)
            self._stuck = scheduler.refused is not None
            if self._stuck and isinstance(scheduler, PagedScheduler):
                self._awaited = scheduler.awaited()
        if events:
            self.recorder.add(events, place=BEHIND)
        self._end_step()

    def _in_vain(self) -> bool:
        """Whether the head of the line, once refused, would be refused again: free blocks only become fewer."""
        if self._awaited is None or not isinstance(self.scheduler, PagedScheduler):
            return True
        cache = self.scheduler.memory.cache
        return cache is None or cache.find(self._awaited) is None

    def _grow(self, rows: Sequence[int]) -> bool:
        """Let spans take or fill their blocks in running order; whether nobody had to be preempted."""
        scheduler, undisturbed = self.scheduler, True
        if not rows:
            return True
        assert isinstance(scheduler, PagedScheduler)
        pool = scheduler.memory.pool
        for row in sorted(rows):
            who, first, steps, position, _ = self._spans[row]
            if steps >= 0:
                continue  # ended meanwhile
            sequence = self._settle(who)
            events: list[Event] = []
            fits = True
            if not pool.free_blocks:  # one token takes one block at most
                running = len(scheduler.running)
                fits = scheduler.make_room(sequence.group, [Share(sequence, 1)], events)
                undisturbed = undisturbed and len(scheduler.running) == running
            if fits:
                scheduler.grow(sequence, 1, events)
                self._next_growth(row, position + self.step - first + 1, self.step + 1)
            self.recorder.add(events, place=row)
        return undisturbed

    def _end_step(self) -> None:
        scheduler, step = self.scheduler, self.step
        read = scheduler.scheduled  # pieces of prompts, which stand in the trace as such
        tokens = len(self._open) + sum(count for _, _, count in read)
        ends = self._ends.pop(step, ())
        if read or ends:
            self._complete(read, ends)
        last = scheduler.running[-1] if scheduler.running else None
        self._prefilling = last is not None and last.index not in self._open and not last.finished
        self._close_step(tokens)

    def _complete(self, read: list[tuple[Running, int, int]], ends: Sequence[int]) -> None:
        """Let those sample who have read pieces of their prompts, and those of whose spans this step is the last."""
        scheduler, step, ending = self.scheduler, self.step, []
        for row in sorted(ends):
            who, first, steps, _, _ = self._spans[row]
            if steps >= 0:
                continue
            sequence = self._settle(who)
            ending.append((sequence, sequence.written, 1))
            sequence.written += 1
            self._close(who, step + 1 - first)
        scheduler.scheduled = ending + read
        sampled = {sequence.index: self._next_id(sequence) for sequence, _, _ in scheduler.scheduled}
        events = scheduler.complete(sampled)
        if events:  # somebody has finished
            self._stuck = False
        self.recorder.add(events, late=True, place=BEHIND)
        for sequence, _, _ in read:
            self._begun[sequence.index] = sequence
            if sequence.left == 1 and not sequence.finished and sequence.written >= sequence.prompt_tokens:
                self._begin_span(sequence)

    def _close_step(self, tokens: int) -> None:
        self.written += tokens
        self.time_s += self.clock.seconds(tokens)
        self.recorder.close(self.scheduler.stranded, self.time_s)
        self.step += 1

    # -- spans ---------------------------------------------------------------------------------------------------------

    def _begin_span(self, sequence: Running) -> None:
        """From the next step on a sequence writes one token a step."""
        row, first, position = len(self._spans), self.step + 1, sequence.written
        self._spans.append([sequence.index, first, -1, position, sequence.tokens[position]])
        self._open[sequence.index] = row
        self._ends.setdefault(first + sequence.final_slots - 1 - position, []).append(row)
        if self._size:
            self._next_growth(row, position, first)

    def _next_growth(self, row: int, position: int, step: int) -> None:
        """Enter the next step in which a span takes a block, or with a prefix cache fills one; from ``step`` on."""
        size = self._size
        wait = -position % size
        if self._caching:
            wait = min(wait, (size - 1 - position) % size)
        self._grows.setdefault(step + wait, []).append(row)

    def _settle(self, who: int) -> Running:
        """A sequence of an open span as it stands at the beginning of this step."""
        _, first, _, position, _ = self._spans[self._open[who]]
        sequence = self._begun[who]
        sequence.written = position + self.step - first
        assert isinstance(sequence.tokens, MadeUp)
        sequence.tokens.known = sequence.written + 1
        return sequence

    def _close(self, who: int, steps: int) -> None:
        row = self._open.pop(who)
        self._spans[row][2] = steps

    def _interrupt(self, group: Group) -> None:
        """A victim is preempted before it has written in this step."""
        for sequence in group.members:
            if sequence.index in self._open:
                self._settle(sequence.index)
                self._close(sequence.index, self.step - self._spans[self._open[sequence.index]][1])

    def _known(self, who: int) -> int:
        """Tokens known of a sequence that has begun to decode."""
        row = self._open.get(who)
        if row is None:
            return len(self._begun[who].tokens)
        _, first, _, position, _ = self._spans[row]
        return position + self.step - first + 1

    def _next_id(self, sequence: Running) -> int:
        assert isinstance(sequence.tokens, MadeUp)
        return sequence.tokens.next

    # -- steps in which nothing happens ------------------------------------------------------------------------------

    def _quiet_steps(self, until_s: float, last: int) -> None:
        """Go on while everybody only writes the next token."""
        writing = len(self._open)
        if not writing or self._prefilling or (self.scheduler.waiting and not self._stuck):
            return
        seconds, stranded, close = self.clock.seconds(writing), self.scheduler.stranded, self.recorder.close
        grows, ends = self._grows, self._ends
        arrival = self.prepared[self.pending[-1]].arrival if self.pending else math.inf
        step, time_s = self.step, self.time_s
        while (
            step not in grows and step not in ends and step < last and time_s < until_s
            and (time_s if self.timed else step) < arrival
        ):  # fmt: skip
            time_s += seconds
            close(stranded, time_s)
            step += 1
        self.written += writing * (step - self.step)
        self.step, self.time_s = step, time_s
