"""The step loop: admit, run the model once on everything that was scheduled, release what finished, write the trace.

All systems of a scenario are stepped on one clock. With ``model = "none"`` nothing is computed and token ids are made
up; every decision about memory is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from vizkv import workload
from vizkv.byhand import Hands
from vizkv.choose import Chooser, Row
from vizkv.events import Event, Kind
from vizkv.prepare import Prepared, prepare
from vizkv.scenario import PagedSystem, Scenario, ScenarioError, to_dict
from vizkv.scheduling import ContiguousScheduler, Group, PagedScheduler, Scheduler, Sequence
from vizkv.trace import RequestFacts, SystemRecorder, Trace

if TYPE_CHECKING:
    from torch import Tensor

    from vizkv.model import LoadedModel
    from vizkv.model.runner import Observer, Runner, Work

MAX_STEPS = 200_000
MAX_POOL_BYTES = 4 * 2**30  # of all pools together
_CLOCK = workload.Clock()  # where the scenario gives none

Progress = Callable[[int, int], bool | None]
"""Called with (tokens written so far, all tokens to write); returning True stops the run."""


class Cancelled(Exception):
    """The run was stopped by its progress callback."""


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
        self.scheduled: list[tuple[Sequence, int, int]] = []
        self.written = 0

    @property
    def done(self) -> bool:
        """Whether nothing will happen any more."""
        return not self.pending and self.scheduler.idle()

    def begin(self, step: int) -> list[Event]:
        """Do what is asked for by hand, let arrive what has come, and schedule; what moves data."""
        done = self.hands.act(step)
        self.recorder.add(done)
        timed = self.scenario.workload is not None
        if timed and self.scheduler.idle() and self.pending:  # nothing to do until the next arrival
            self.time_s = max(self.time_s, self.prepared[self.pending[-1]].arrival)
        now = self.time_s if timed else step
        while self.pending and self.prepared[self.pending[-1]].arrival <= now:
            self.recorder.add(self.scheduler.arrive(self._sequence(self.pending.pop())))
        plan = self.scheduler.schedule()
        self.scheduled = plan.scheduled
        self.recorder.add(plan.events)
        return done + plan.events

    def _sequence(self, index: int) -> Sequence:
        first = self._member(index)
        p = self.prepared[index]
        if p.members > 1 and isinstance(self.system, PagedSystem):
            members = [first, *(self._member(index + n) for n in range(1, p.members))]
            group = Group(members, p.shared, p.beam, forked=False)
            for member in members:
                member.group = group
        return first

    def _member(self, index: int) -> Sequence:
        p = self.prepared[index]
        return Sequence(
            index=index,
            prompt_tokens=len(p.prompt_ids),
            final_slots=p.final_slots,
            max_len=p.max_len,
            tokens=list(p.prompt_ids),
        )

    def end(self, best: list[int], rows: list[Row | None], fresh: Callable[[], int]) -> None:
        """Choose tokens, hand them to the scheduler and close the step.

        ``best``, ``rows``: most probable token and logits of each piece of scheduled work.
        """
        ending = [
            (sequence, token, row)
            for (sequence, _, _), token, row in zip(self.scheduled, best, rows, strict=True)
            if sequence.written == len(sequence.tokens)
        ]
        sampled, parents = self.chooser.choose(ending, fresh)
        self.recorder.add(self.scheduler.complete(sampled, parents), late=True)
        tokens = sum(count for _, _, count in self.scheduled)
        self.written += tokens
        self.time_s += self.clock.seconds(tokens)
        self.recorder.close(self.scheduler.stranded, self.time_s)


class _Run:
    """A scenario under way in all its systems."""

    def __init__(self, scenario: Scenario, model: LoadedModel | None, observe: Observer | None, max_steps: int):
        if scenario.model != "none" and model is None:
            from vizkv.model import load_model  # torch is paid for only here

            model = load_model(scenario.model)
        self.model = None if scenario.model == "none" else model
        self.scenario, self.max_steps = scenario, max_steps
        self.prepared = prepare(scenario, self.model)
        self._check_steps()
        self.runner = _runner(scenario, self.prepared, self.model, observe) if self.model else None
        self.systems = [SystemRun(i, scenario, self.prepared) for i in range(len(scenario.systems))]
        self.next_id = max((i for p in self.prepared for i in p.prompt_ids + (p.forced or [])), default=0) + 1
        self.total = sum(min(p.final_slots, scenario.slots) for p in self.prepared) * len(self.systems)
        self.step = 0

    def _check_steps(self) -> None:
        if self.scenario.workload is None:
            late = max(self.prepared, key=lambda p: p.arrival)
            if late.arrival >= self.max_steps:
                raise ScenarioError(
                    f"Request {late.id!r} has arrival_step = {late.arrival}; a run takes at most {self.max_steps} "
                    f"steps: valid is 0 to {self.max_steps - 1}."
                )

    @property
    def written(self) -> int:
        return sum(run.written for run in self.systems)

    def advance(self) -> bool:
        """One step in every system that has something to do; False if none has."""
        active = [run for run in self.systems if not run.done]
        if not active:
            for run in self.systems:
                run.hands.finish()
            return False
        if self.step >= self.max_steps:
            raise ScenarioError(
                f"The run takes more than {self.max_steps:,} steps; give fewer requests, shorter ones or earlier "
                "arrivals."
            )
        for run in active:
            events = run.begin(self.step)
            if self.runner:
                _move_data(self.runner, run.index, events)
        best, rows = self._compute(active)
        at = 0
        for run in active:
            end = at + len(run.scheduled)
            run.end(best[at:end], rows[at:end], self._fresh)
            at = end
        self.step += 1
        return True

    def _compute(self, active: list[SystemRun]) -> tuple[list[int], list[Row | None]]:
        """The model's choice and logits for each piece of scheduled work; zeros and None where there is no model."""
        works = [(run, *piece) for run in active for piece in run.scheduled]
        if self.runner is None or not works:
            return [0] * len(works), [None] * len(works)
        best = self.runner.step([work_of(*work) for work in works])
        logits = self.runner.logits
        assert logits is not None
        return best, [partial(_row, logits, i) for i in range(len(works))]

    def _fresh(self) -> int:
        self.next_id += 1
        return self.next_id - 1


def _row(logits: Tensor, index: int) -> Tensor:
    return logits[index]


def run(
    scenario: Scenario,
    model: LoadedModel | None = None,
    *,
    progress: Progress | None = None,
    observe: Observer | None = None,
    max_steps: int = MAX_STEPS,
) -> Trace:
    """Run a scenario to its end.

    ``model``: loaded by the caller, or from ``scenario.model`` if None. ``observe`` sees the logits of every sampled
    token (the proof lamp). Raises ScenarioError, ModelError, or Cancelled.
    """
    under_way = _Run(scenario, model, observe, max_steps)
    while under_way.advance():
        if progress and under_way.step % 16 == 0 and progress(under_way.written, under_way.total):
            raise Cancelled
    return _freeze(under_way)


@dataclass(frozen=True)
class Peek:
    """The memories of a run as they lie after a step, tensors and all."""

    runner: Runner
    systems: tuple[SystemRun, ...]

    def sequences(self, system: int) -> dict[int, Sequence]:
        """The running sequences of a system by index, as the next step will find them."""
        return {sequence.index: sequence for sequence in self.systems[system].scheduler.running}

    def pool(self, system: int) -> Tensor:
        """K and V of a system: [layers, 2, slots, kv_heads, head_dim]."""
        return self.runner.pools[system].tensor


def peek(scenario: Scenario, model: LoadedModel, step: int) -> Peek:
    """Run a scenario up to the end of ``step`` and stop there. Raises ScenarioError for a scenario without a model."""
    under_way = _Run(scenario, model, None, MAX_STEPS)
    if under_way.runner is None:
        raise ScenarioError("The scenario has model = 'none'; valid is a model, for without one no K/V exist.")
    while under_way.step <= step and under_way.advance():
        pass
    return Peek(under_way.runner, tuple(under_way.systems))


def work_of(run: SystemRun, sequence: Sequence, position: int, count: int) -> Work:
    """A scheduled piece as the model takes it: where its K/V lie, as the model is told."""
    from vizkv.model.runner import Work

    return Work(
        system=run.index,
        request=sequence.index,
        ids=sequence.tokens[position : position + count],
        position=position,
        start=sequence.start,
        block_table=run.hands.table(sequence),
        samples=position + count == len(sequence.tokens),
        tokens=sequence.tokens,
    )


def _move_data(runner: Runner, system: int, events: Iterable[Event]) -> None:
    """Do to the tensors what the memory did to its books, in the same order and before anything is written."""
    for kind, _, a, b, c, d in events:
        if kind == Kind.MOVED:
            runner.move(system, a, b, c)
        elif kind == Kind.COPIED:
            runner.copy_block(system, a, b)
        elif kind == Kind.SWAPPED_OUT and d:
            runner.swap_out(system, a, b)
        elif kind == Kind.SWAPPED_IN and d:
            runner.swap_in(system, a, b)
        elif kind == Kind.EXCHANGED:
            runner.exchange(system, a, b)


def _runner(scenario: Scenario, prepared: list[Prepared], model: LoadedModel, observe: Observer | None) -> Runner:
    from vizkv.model.runner import Runner

    config, count = model.config, len(scenario.systems)
    need = config.bytes_per_token * scenario.slots * count
    if need > MAX_POOL_BYTES:
        most = MAX_POOL_BYTES // (config.bytes_per_token * count)
        raise ScenarioError(
            f"slots = {scenario.slots} needs {need / 2**30:.1f} GiB of K/V in {count} systems with model "
            f'{model.name!r}; give at most {most}, or model = "none".'
        )
    for p in prepared:
        limit = min(config.max_positions, scenario.max_model_len)
        if config.max_positions < p.final_slots <= scenario.max_model_len:
            raise ScenarioError(
                f"Request {p.id!r} reaches {p.final_slots} tokens; model {model.name!r} reads at most "
                f"{limit}: make it shorter, or choose another model."
            )
    sizes = [s.block_size if isinstance(s, PagedSystem) else 0 for s in scenario.systems]
    return Runner(model.model, scenario.slots, sizes, observe)


def _freeze(under_way: _Run) -> Trace:
    scenario, model, runs = under_way.scenario, under_way.model, under_way.systems
    requests = []
    for index, p in enumerate(under_way.prepared):
        longest = max((r.chooser.sampled[index] for r in runs), key=len)
        ids = (p.prompt_ids + longest)[: p.final_slots] if model else []
        pieces = tuple(model.tokenizer.piece(i) for i in ids) if model else ()
        requests.append(RequestFacts(p.id, len(p.prompt_ids), p.final_slots, p.arrival, pieces, p.group))
    systems = []
    for r in runs:
        systems.append(
            r.recorder.freeze(
                name=r.system.label,
                kind=r.system.kind,
                detail=r.system.model_dump(exclude={"free_order"}),
                slots=scenario.slots,
                block_size=r.system.block_size if isinstance(r.system, PagedSystem) else 0,
                free_order=r.free_order,
                tokens=tuple(tuple(t) for t in r.chooser.sampled),
                vocabulary=_vocabulary(r, runs, model),
            )
        )
    return Trace(
        scenario=to_dict(scenario), requests=tuple(requests), systems=tuple(systems),
        model=model.name if model else "none",
    )  # fmt: skip


def _vocabulary(run: SystemRun, runs: list[SystemRun], model: LoadedModel | None) -> dict[int, str]:
    """The text of every token that a system wrote, where the requests' own texts do not tell it.

    They do not where beams were dropped, and where one system went wrong by hand.
    """
    if model is None:
        return {}
    beams = any(p.beam and p.members > 1 for p in run.prepared)
    if not beams and all(other.chooser.sampled == run.chooser.sampled for other in runs):
        return {}
    return {token: model.tokenizer.piece(token) for token in run.recorder.tokens_written()}


__all__ = ["Cancelled", "Peek", "Prepared", "peek", "prepare", "run"]
