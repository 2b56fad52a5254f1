"""The step loop: admit, run the model once on everything that was scheduled, release what finished, write the trace.

All systems of a scenario are stepped on one clock. With ``model = "none"`` nothing is computed and token ids are made
up; every decision about memory is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from vizkv.ahead import Ahead, can_skip
from vizkv.choose import Row
from vizkv.events import Event, Kind
from vizkv.prepare import Prepared, prepare
from vizkv.scenario import PagedSystem, Scenario, ScenarioError, to_dict
from vizkv.scheduling import Sequence
from vizkv.system_run import SystemRun
from vizkv.told import told
from vizkv.trace import RequestFacts, SystemTrace, Trace

if TYPE_CHECKING:
    from vizkv.model import LoadedModel, Tensor
    from vizkv.model.runner import Observer, Runner, Work

MAX_STEPS = 200_000
MAX_POOL_BYTES = 4 * 2**30  # of all pools together

Progress = Callable[[int, int], bool | None]
"""Called with (tokens written so far, all tokens to write); returning True stops the run."""


class Cancelled(Exception):
    """The run was stopped by its progress callback."""


class _Run:
    """A scenario under way in all its systems."""

    def __init__(self, scenario: Scenario, model: LoadedModel | None, observe: Observer | None, max_steps: int):
        if scenario.model != "none" and model is None:
            from vizkv.model import load_model  # torch is paid for only here

            model = load_model(scenario.model)
        self.model = None if scenario.model == "none" else model
        self.scenario, self.max_steps = scenario, max_steps
        self.prepared = prepare(scenario, self.model)
        _check_steps(scenario, self.prepared, max_steps)
        self.runner = _runner(scenario, self.prepared, self.model, observe) if self.model else None
        self.systems = [SystemRun(i, scenario, self.prepared) for i in range(len(scenario.systems))]
        self.total = _tokens_to_write(scenario, self.prepared) * len(self.systems)
        self.step = 0

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
                told(
                    "The run takes more than {max_steps:,} steps; give fewer requests, shorter ones or earlier "
                    "arrivals.",
                    max_steps=self.max_steps,
                )
            )
        for run in active:
            events = run.begin(self.step)
            if self.runner:
                _move_data(self.runner, run.index, events)
        best, rows = self._compute(active)
        at = 0
        for run in active:
            end = at + len(run.scheduled)
            run.end(best[at:end], rows[at:end])
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


def _row(logits: Tensor, index: int) -> Tensor:
    return logits[index]


def run(
    scenario: Scenario,
    model: LoadedModel | None = None,
    *,
    progress: Progress | None = None,
    observe: Observer | None = None,
    max_steps: int = MAX_STEPS,
    plain: bool = False,
) -> Trace:
    """Run a scenario to its end.

    ``model``: loaded by the caller, or from ``scenario.model`` if None. ``observe`` sees the logits of every sampled
    token (the proof lamp). ``plain``: one step at a time also where only lengths are run; the trace is the same, event
    for event, once its spans are expanded. Raises ScenarioError, ModelError, or Cancelled.
    """
    if scenario.model == "none" and not plain:
        prepared = prepare(scenario, None)
        if can_skip(scenario, prepared):
            _check_steps(scenario, prepared, max_steps)
            return _skipping(scenario, prepared, progress, max_steps)
    under_way = _Run(scenario, model, observe, max_steps)
    while under_way.advance():
        if progress and under_way.step % 16 == 0 and progress(under_way.written, under_way.total):
            raise Cancelled
    return _freeze(under_way)


def _skipping(scenario: Scenario, prepared: list[Prepared], progress: Progress | None, max_steps: int) -> Trace:
    """Each system by itself: without a model nothing couples them."""
    each, done = _tokens_to_write(scenario, prepared), 0
    systems = []
    for index in range(len(scenario.systems)):
        under_way = Ahead(scenario, index, prepared, max_steps)
        while under_way.advance(steps=512):
            if progress and progress(done + under_way.written, each * len(scenario.systems)):
                raise Cancelled
        done += each
        systems.append(under_way.trace())
    return assemble(scenario, prepared, systems)


def _check_steps(scenario: Scenario, prepared: list[Prepared], max_steps: int) -> None:
    if scenario.workload is None:
        late = max(prepared, key=lambda p: p.arrival)
        if late.arrival >= max_steps:
            raise ScenarioError(
                told(
                    "Request {id!r} has arrival_step = {arrival}; a run takes at most {max_steps} steps: valid is 0 "
                    "to {last}.",
                    id=late.id,
                    arrival=late.arrival,
                    max_steps=max_steps,
                    last=max_steps - 1,
                )
            )


def _tokens_to_write(scenario: Scenario, prepared: list[Prepared]) -> int:
    return sum(min(p.final_slots, scenario.slots) for p in prepared)


def assemble(scenario: Scenario, prepared: list[Prepared], systems: list[SystemTrace]) -> Trace:
    """One trace of systems that were run by themselves, lengths only."""
    requests = tuple(RequestFacts(p.id, len(p.prompt_ids), p.final_slots, p.arrival, (), p.group) for p in prepared)
    return Trace(scenario=to_dict(scenario), requests=requests, systems=tuple(systems), model="none")


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

    @property
    def shape(self) -> tuple[int, int]:
        """Layers of the model, and query heads of each."""
        config = self.runner.model.config
        return config.layers, config.heads

    def slot(self, system: int, slot: int) -> np.ndarray:
        """K and V of one slot, [2, layers, kv_heads, head_dim]; NaN where nothing was written."""
        return self.pool(system)[:, :, slot].transpose(0, 1).float().numpy()

    def attention(self, system: int, token: int, position: int, table: list[int], size: int) -> np.ndarray:
        """How much the token at ``position`` looks at each up to itself, [layers, heads, position + 1]."""
        from vizkv.model.attention import weights
        from vizkv.model.pool import PagedChunk

        chunk = PagedChunk(self.runner.pools[system], [token], position, table, size)
        return weights(self.runner.model, chunk).float().numpy()


def peek(scenario: Scenario, model: LoadedModel, step: int) -> Peek:
    """Run a scenario up to the end of ``step`` and stop there. Raises ScenarioError for a scenario without a model."""
    under_way = _Run(scenario, model, None, MAX_STEPS)
    if under_way.runner is None:
        raise ScenarioError(told("The scenario has model = 'none'; valid is a model, for without one no K/V exist."))
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
            told(
                "slots = {slots} needs {gib:.1f} GiB of K/V in {count} systems with model {name!r}; give at most "
                '{most}, or model = "none".',
                slots=scenario.slots,
                gib=need / 2**30,
                count=count,
                name=model.name,
                most=most,
            )
        )
    for p in prepared:
        limit = min(config.max_positions, scenario.max_model_len)
        if config.max_positions < p.final_slots <= scenario.max_model_len:
            raise ScenarioError(
                told(
                    "Request {id!r} reaches {final_slots} tokens; model {name!r} reads at most {limit}: make it "
                    "shorter, or choose another model.",
                    id=p.id,
                    final_slots=p.final_slots,
                    name=model.name,
                    limit=limit,
                )
            )
    sizes = [s.block_size if isinstance(s, PagedSystem) else 0 for s in scenario.systems]
    return Runner(model.model, scenario.slots, sizes, observe)


def _freeze(under_way: _Run) -> Trace:
    scenario, model, runs = under_way.scenario, under_way.model, under_way.systems
    requests = []
    for index, p in enumerate(under_way.prepared):
        longest = max((r.chooser.sampled[index] for r in runs), key=len)
        ids = [*p.prompt_ids, *longest][: p.final_slots] if model else []
        pieces = tuple(model.tokenizer.piece(i) for i in ids) if model else ()
        requests.append(RequestFacts(p.id, len(p.prompt_ids), p.final_slots, p.arrival, pieces, p.group))
    systems = [replace(r.trace(), vocabulary=_vocabulary(r, runs, model)) for r in runs]
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


__all__ = ["Cancelled", "Peek", "Prepared", "SystemRun", "assemble", "peek", "prepare", "run"]
