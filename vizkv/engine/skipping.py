"""Run one system without a model, skipping the steps in which only decoding happens.

A decoding sequence writes one token per step until it ends, and the steps in which it needs a block or ends are known
when it starts. They are entered in a calendar; the memory and the scheduler are called only in those steps, and in all
others a counter advances. All decisions are made by the same memory and scheduler as in the plain loop of
:mod:`vizkv.engine.engine`, and the trace is the same, event for event (docs/invariants.md).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from vizkv.engine.sequences import Prepared
from vizkv.engine.system_run import SystemRun
from vizkv.messages.sentence import told
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.systems.base.request import Group
from vizkv.systems.base.request import Sequence as Running
from vizkv.systems.base.tokens import MadeUp
from vizkv.trace.events import Event
from vizkv.trace.trace import BEHIND, SystemTrace


def can_skip(scenario: Scenario, prepared: Sequence[Prepared]) -> bool:
    """Whether the systems of a scenario can be run by :class:`Ahead`.

    They cannot with a model, interventions, requests of several sequences or with given tokens, or if the token budget
    of a step may be too small for all decoding sequences.
    """
    return (
        scenario.model == "none"
        and not scenario.actions
        and all(p.members == 1 and p.forced is None for p in prepared)
        and scenario.max_num_seqs <= scenario.max_num_batched_tokens
    )


class Ahead(SystemRun):
    """One system that is run with skipped steps. ``prepared`` may be shared by the systems of a scenario."""

    def __init__(self, scenario: Scenario, index: int, prepared: list[Prepared], max_steps: int = 10**7):
        super().__init__(index, scenario, prepared)
        self.step, self.max_steps = 0, max_steps
        self._begun: dict[int, Running] = {}  # sequences that have run
        self._spans: list[list[int]] = []  # as in SystemTrace; steps = -1 while open
        self._open: dict[int, int] = {}  # sequence -> row of its open span, in running order
        self._ends: dict[int, list[int]] = {}  # step -> rows of the spans that end with it
        self._grows: dict[int, list[int]] = {}  # step -> rows of the spans that may need memory in it
        self._prefilling = False  # whether the last running sequence has not computed all of its prompt
        self._stuck = False  # whether the head of the waiting queue was refused, and no memory was released since
        self._awaited: Hashable | None = None  # the scheduler's token for another event that may unblock the head
        self.scheduler.before_preemption = self._interrupt

    def advance(self, until_s: float = math.inf, steps: int = 10**9) -> bool:
        """Run until the clock passes ``until_s``, or for ``steps`` steps; return False once nothing is left to do.

        Raises ScenarioError if the run takes more than ``max_steps`` steps.
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
        """Return the tokens of a sequence: its prompt, followed by synthetic ids."""
        return MadeUp(p.prompt_ids, p.made_up)

    def trace(self) -> SystemTrace:
        """Return the trace so far."""
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
            scheduler.refused, scheduler.stranded = before  # unchanged since the step that refused it
        admits = self._grow(self._grows.pop(step, ()))
        events: list[Event] = []
        if self._prefilling and scheduler.running and scheduler.running[-1].index not in self._open:
            admits = scheduler.go_on(len(scheduler.running) - 1, events) and admits
        if not admits:  # a preempted sequence is now the head of the waiting queue
            self._stuck, scheduler.refused, scheduler.stranded = False, None, False
        elif scheduler.waiting and not (self._stuck and self._in_vain()):
            scheduler.refused = None
            scheduler.admit(events)
            self._stuck = scheduler.refused is not None
            if self._stuck:
                self._awaited = scheduler.awaited()
        if events:
            self.recorder.add(events, place=BEHIND)
        self._end_step()

    def _in_vain(self) -> bool:
        """Whether the refused head of the waiting queue would be refused again: no memory has been released since."""
        return self._awaited is None or not self.scheduler.has_come(self._awaited)

    def _grow(self, rows: Sequence[int]) -> bool:
        """Allocate for the spans that need it in this step, in running order; return whether none was preempted."""
        scheduler, undisturbed = self.scheduler, True
        if not rows:
            return True
        for row in sorted(rows):
            who, first, steps, position, _ = self._spans[row]
            if steps >= 0:
                continue  # closed since it was entered
            sequence = self._settle(who)
            events: list[Event] = []
            running = len(scheduler.running)
            if scheduler.grow_one(sequence, events):
                self._next_growth(row, position + self.step - first + 1, self.step + 1)
            undisturbed = undisturbed and len(scheduler.running) == running
            self.recorder.add(events, place=row)
        return undisturbed

    def _end_step(self) -> None:
        """Complete the sequences that sample in this step, and close it."""
        scheduler, step = self.scheduler, self.step
        read = scheduler.scheduled  # pieces of prompts; decoding is in the spans
        tokens = len(self._open) + sum(count for _, _, count in read)
        ends = self._ends.pop(step, ())
        if read or ends:
            self._complete(read, ends)
        last = scheduler.running[-1] if scheduler.running else None
        self._prefilling = last is not None and last.index not in self._open and not last.finished
        self._close_step(tokens)

    def _complete(self, read: list[tuple[Running, int, int]], ends: Sequence[int]) -> None:
        """Sample for the sequences that computed a piece of their prompt, and for those whose span ends here."""
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
        if events:  # a sequence has finished and released its memory
            self._stuck = False
        self.recorder.add(events, late=True, place=BEHIND)
        for sequence, _, _ in read:
            self._begun[sequence.index] = sequence
            if sequence.left == 1 and not sequence.finished and sequence.written >= sequence.prompt_tokens:
                self._begin_span(sequence)

    def _close_step(self, tokens: int) -> None:
        """Advance the clock by a step that wrote ``tokens``."""
        self.written += tokens
        self.time_s += self.clock.seconds(tokens)
        self.recorder.close(self.scheduler.stranded, self.time_s)
        self.step += 1

    # -- spans ---------------------------------------------------------------------------------------------------------

    def _begin_span(self, sequence: Running) -> None:
        """Open a span: from the next step on, the sequence writes one token per step."""
        row, first, position = len(self._spans), self.step + 1, sequence.written
        self._spans.append([sequence.index, first, -1, position, sequence.tokens[position]])
        self._open[sequence.index] = row
        self._ends.setdefault(first + sequence.final_slots - 1 - position, []).append(row)
        self._next_growth(row, position, first, first=True)

    def _next_growth(self, row: int, position: int, step: int, *, first: bool = False) -> None:
        """Enter in the calendar the next step, not before ``step``, in which a span may need memory."""
        wait = self.scheduler.wait(position, first=first)
        if wait is not None:
            self._grows.setdefault(step + wait, []).append(row)

    def _settle(self, who: int) -> Running:
        """Return the sequence of an open span, brought up to the beginning of this step."""
        _, first, _, position, _ = self._spans[self._open[who]]
        sequence = self._begun[who]
        sequence.written = position + self.step - first
        assert isinstance(sequence.tokens, MadeUp)
        sequence.tokens.known = sequence.written + 1
        return sequence

    def _close(self, who: int, steps: int) -> None:
        """Close the open span of a sequence after a number of steps."""
        row = self._open.pop(who)
        self._spans[row][2] = steps

    def _interrupt(self, group: Group) -> None:
        """Close the spans of a request that is about to be preempted, before it writes in this step."""
        for sequence in group.members:
            if sequence.index in self._open:
                self._settle(sequence.index)
                self._close(sequence.index, self.step - self._spans[self._open[sequence.index]][1])

    def _known(self, who: int) -> int:
        """Return the number of known tokens of a sequence that has begun to run."""
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
        """Skip the steps in which every running sequence only writes its next token."""
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
