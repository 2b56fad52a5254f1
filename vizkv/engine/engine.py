"""The step loop: admit requests, run the model once on the scheduled batch, release finished requests, record events.

All systems of a scenario advance together, step by step. With ``model = "none"`` nothing is computed and token ids are
synthetic; every decision about memory is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from vizkv.engine.sampling import Row
from vizkv.engine.sequences import Prepared, prepare
from vizkv.engine.skipping import Ahead, can_skip
from vizkv.engine.system_run import SystemRun
from vizkv.limits.limits import MAX_STEPS as MAX_STEPS
from vizkv.messages.sentence import told
from vizkv.scenario.schema import Scenario, ScenarioError, to_dict
from vizkv.systems.base.request import Sequence
from vizkv.trace.events import Event, Kind
from vizkv.trace.trace import RequestFacts, SystemTrace, Trace

if TYPE_CHECKING:
    from vizkv.model import LoadedModel, Tensor
    from vizkv.model.runner import Observer, Runner, Work

MAX_POOL_BYTES = 4 * 2**30  # of all pools together, CPU pools included

Progress = Callable[[int, int], bool | None]
"""Called with (tokens written so far, all tokens to write); returning True stops the run."""


class Cancelled(Exception):
    """The run was stopped by its progress callback."""


class _Run:
    """A scenario that is being run in all its systems."""

    def __init__(
        self, scenario: Scenario, model: LoadedModel | None, observe: Observer | None, max_steps: int,
        max_bytes: int = MAX_POOL_BYTES,
    ):  # fmt: skip
        if scenario.model != "none" and model is None:
            from vizkv.model import load_model  # imported late: it loads torch

            model = load_model(scenario.model)
        self.model = None if scenario.model == "none" else model
        self.scenario, self.max_steps = scenario, max_steps
        self.prepared = prepare(scenario, self.model)
        _check_steps(scenario, self.prepared, max_steps)
        self.runner = _runner(scenario, self.prepared, self.model, observe, max_bytes) if self.model else None
        self.systems = [SystemRun(i, scenario, self.prepared) for i in range(len(scenario.systems))]
        self.total = _tokens_to_write(scenario, self.prepared) * len(self.systems)
        self.step = 0

    @property
    def written(self) -> int:
        return sum(run.written for run in self.systems)

    def advance(self) -> bool:
        """Run one step of every system that is not done; return False if all are."""
        active = [run for run in self.systems if not run.done]
        if not active:
            for run in self.systems:
                run.interventions.finish()
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
        """Return (most probable token, logits) of each piece of scheduled work; zeros and None without a model."""
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
    max_bytes: int = MAX_POOL_BYTES,
) -> Trace:
    """Run a scenario to its end and return its trace.

    ``model``: loaded here from ``scenario.model`` if None. ``progress``: see :data:`Progress`. ``observe``: called with
    the logits of every sampled token. ``max_steps``, ``max_bytes``: the most steps of the run, and bytes of its pools.
    ``plain``: step one by one even without a model; the trace is the same, event for event, once its spans are
    expanded. Raises ScenarioError, ModelError, or Cancelled.
    """
    if scenario.model == "none" and not plain:
        prepared = prepare(scenario, None)
        if can_skip(scenario, prepared):
            _check_steps(scenario, prepared, max_steps)
            return _skipping(scenario, prepared, progress, max_steps)
    under_way = _Run(scenario, model, observe, max_steps, max_bytes)
    while under_way.advance():
        if progress and under_way.step % 16 == 0 and progress(under_way.written, under_way.total):
            raise Cancelled
    return _freeze(under_way)


def _skipping(scenario: Scenario, prepared: list[Prepared], progress: Progress | None, max_steps: int) -> Trace:
    """Run the systems one after another without a model, skipping ahead where nothing happens."""
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
    """Refuse a request that arrives after the last step that a run may have. Raises ScenarioError."""
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
    """Return the trace of systems that were run one by one without a model."""
    requests = tuple(RequestFacts(p.id, len(p.prompt_ids), p.final_slots, p.arrival, (), p.group) for p in prepared)
    return Trace(scenario=to_dict(scenario), requests=requests, systems=tuple(systems), model="none")


@dataclass(frozen=True)
class Peek:
    """The memory of all systems after a step of a run, including the tensors."""

    runner: Runner
    systems: tuple[SystemRun, ...]

    @property
    def nbytes(self) -> int:
        """Size of the pools in bytes; the bookkeeping is small in comparison."""
        return self.runner.nbytes

    def sequences(self, system: int) -> dict[int, Sequence]:
        """Return the running sequences of a system by index, in their state before the next step."""
        return {sequence.index: sequence for sequence in self.systems[system].scheduler.running}

    def pool(self, system: int) -> Tensor:
        """Return the K and V of a system: [layers, 2, slots, kv_heads, head_dim]."""
        return self.runner.pools[system].tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Number of layers of the model, and of query heads in each."""
        config = self.runner.model.config
        return config.layers, config.heads

    def slot(self, system: int, slot: int) -> np.ndarray:
        """Return the K and V of one slot, [2, layers, kv_heads, head_dim]; NaN if nothing was written."""
        return self.pool(system)[:, :, slot].transpose(0, 1).float().numpy()

    def attention(self, system: int, token: int, position: int, table: list[int], size: int) -> np.ndarray:
        """Return the attention weights of the token at ``position``, [layers, heads, position + 1].

        ``token``: its id. ``table``: the block table to read through. ``size``: slots per block.
        """
        from vizkv.model.attention_weights import weights
        from vizkv.model.pool import PagedChunk

        chunk = PagedChunk(self.runner.pools[system], [token], position, table, size)
        return weights(self.runner.model, chunk).float().numpy()


def peek(
    scenario: Scenario, model: LoadedModel, step: int, *, progress: Progress | None = None,
    max_bytes: int = MAX_POOL_BYTES,
) -> Peek:  # fmt: skip
    """Run a scenario up to the end of ``step`` and return its memory then.

    Raises ScenarioError, also for a scenario without a model, or Cancelled.
    """
    under_way = _Run(scenario, model, None, MAX_STEPS, max_bytes)
    if under_way.runner is None:
        raise ScenarioError(told("The scenario has model = 'none'; valid is a model, for without one no K/V exist."))
    while under_way.step <= step and under_way.advance():
        if progress and under_way.step % 16 == 0 and progress(under_way.written, under_way.total):
            raise Cancelled
    return Peek(under_way.runner, tuple(under_way.systems))


def work_of(run: SystemRun, sequence: Sequence, position: int, count: int) -> Work:
    """Return a scheduled piece of a sequence as work for the model, with the block table that the model is given."""
    from vizkv.model.runner import Work

    return Work(
        system=run.index,
        request=sequence.index,
        ids=sequence.tokens[position : position + count],
        position=position,
        start=sequence.start,
        block_table=run.interventions.table(sequence),
        samples=position + count == len(sequence.tokens),
        tokens=sequence.tokens,
    )


def _move_data(runner: Runner, system: int, events: Iterable[Event]) -> None:
    """Move data in the tensors as the memory manager did in its bookkeeping, in order, before the step writes."""
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


def pool_bytes(scenario: Scenario, model: LoadedModel) -> int:
    """Return the bytes of K and V of all pools of a run; a system that swaps has a second pool, on the CPU."""
    pools = len(scenario.systems) + sum(system.swaps for system in scenario.systems)
    return model.config.bytes_per_token * scenario.slots * pools


def _runner(
    scenario: Scenario, prepared: list[Prepared], model: LoadedModel, observe: Observer | None, max_bytes: int
) -> Runner:
    from vizkv.model.runner import Runner

    config = model.config
    if (need := pool_bytes(scenario, model)) > max_bytes:
        most = max_bytes // (need // scenario.slots)
        raise ScenarioError(
            told(
                "slots = {slots} needs {gib:.1f} GiB of K/V in {count} systems with model {name!r}; give at most "
                '{most}, or model = "none".',
                slots=scenario.slots,
                gib=need / 2**30,
                count=len(scenario.systems),
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
    return Runner(model.model, scenario.slots, [system.block for system in scenario.systems], observe)


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
    """Return the text by id of every token that a system wrote; empty if the requests' own texts suffice.

    They do not suffice if beams were dropped, or if an intervention changed the text of one system.
    """
    if model is None:
        return {}
    beams = any(p.beam and p.members > 1 for p in run.prepared)
    if not beams and all(other.chooser.sampled == run.chooser.sampled for other in runs):
        return {}
    return {token: model.tokenizer.piece(token) for token in run.recorder.tokens_written()}


__all__ = ["Cancelled", "Peek", "Prepared", "SystemRun", "assemble", "peek", "pool_bytes", "prepare", "run"]
