"""The step loop: admit, run the model once on everything that was scheduled, release what finished, write the trace.

All systems of a scenario are stepped on one clock. With ``model = "none"`` nothing is computed and token ids are made
up; every decision about memory is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vizkv import workload
from vizkv.events import Event, Kind
from vizkv.scenario import PagedSystem, Request, Scenario, ScenarioError, resolve_lengths, to_dict
from vizkv.scheduling import ContiguousScheduler, PagedScheduler, Scheduler, Sequence
from vizkv.trace import RequestFacts, SystemRecorder, Trace

if TYPE_CHECKING:
    from vizkv.model import LoadedModel
    from vizkv.model.runner import Observer, Runner

MAX_STEPS = 200_000
MAX_POOL_BYTES = 4 * 2**30  # of all pools together
_CLOCK = workload.Clock()  # where the scenario gives none

Progress = Callable[[int, int], bool | None]
"""Called with (tokens written so far, all tokens to write); returning True stops the run."""


class Cancelled(Exception):
    """The run was stopped by its progress callback."""


@dataclass
class Prepared:
    """A request ready to run in every system. ``forced``: sampled ids where the scenario gives them."""

    id: str
    prompt_ids: list[int]
    final_slots: int
    max_len: int
    arrival: float
    forced: list[int] | None

    @property
    def sampled(self) -> int:
        """Tokens to sample; the last one's K/V is never written."""
        return self.final_slots - len(self.prompt_ids) + 1


def prepare(scenario: Scenario, model: LoadedModel | None) -> list[Prepared]:
    """Prompts as token ids, lengths as slots. Raises ScenarioError where they cannot be."""
    made_up = _made_up_ids(scenario)
    if scenario.workload is not None:
        return [
            Prepared(a.id, next(made_up)(a.prompt_tokens), a.prompt_tokens + a.output_tokens - 1,
                     scenario.max_model_len, a.time_s, None)
            for a in workload.draw(scenario.workload, scenario)
        ]  # fmt: skip
    prepared = []
    for index, request in enumerate(scenario.requests):
        ids = _prompt_ids(request, index, model, next(made_up))
        sampled = resolve_lengths(len(ids), request)
        prepared.append(
            Prepared(
                id=request.id,
                prompt_ids=ids,
                final_slots=len(ids) + sampled - 1,
                max_len=min(request.max_len or scenario.max_model_len, scenario.max_model_len),
                arrival=request.arrival_step,
                forced=request.output_token_ids,
            )
        )
    return prepared


def _made_up_ids(scenario: Scenario) -> Any:
    """An endless supply of id makers, none of which repeats an id: without a model no two prompts share a prefix."""
    given = [i for r in scenario.requests for i in (r.prompt_token_ids or []) + (r.output_token_ids or [])]
    state = {"next": max(given, default=0) + 1}

    def make(count: int) -> list[int]:
        first = state["next"]
        state["next"] += count
        return list(range(first, first + count))

    while True:
        yield make


def _prompt_ids(request: Request, index: int, model: LoadedModel | None, make: Callable[[int], list[int]]) -> list[int]:
    if request.prompt_token_ids is not None:
        ids = list(request.prompt_token_ids)
    elif request.prompt is not None:
        # without a model a word or a mark is one token: good enough to run lengths only
        ids = model.tokenizer.encode(request.prompt) if model else make(max(1, len(request.prompt.split())))
    elif model:
        ids = model.filler(request.prompt_tokens or 1, index)
    else:
        ids = make(request.prompt_tokens or 1)
    if not ids:
        raise ScenarioError(
            f"The prompt of request {request.id!r} has no token in this model's vocabulary; give at least one word."
        )
    if model:
        top = model.config.vocab_size
        wrong = next((i for i in ids + (request.output_token_ids or []) if i >= top), None)
        if wrong is not None:
            raise ScenarioError(
                f"Request {request.id!r} has the token id {wrong}; model {model.name!r} knows ids 0..{top - 1}."
            )
    return ids


class _SystemRun:
    """One system under way: its scheduler, its sequences, what has been recorded."""

    def __init__(self, index: int, scenario: Scenario, prepared: list[Prepared]):
        self.index, self.scenario = index, scenario
        self.system = scenario.systems[index]
        self.scheduler: Scheduler
        self.free_order: tuple[int, ...] = ()
        if isinstance(self.system, PagedSystem):
            self.scheduler = paged = PagedScheduler(self.system, scenario)
            self.free_order = tuple(paged.free_queue())
        else:
            self.scheduler = ContiguousScheduler(self.system, scenario)
        self.recorder = SystemRecorder()
        self.prepared = prepared
        self.pending = sorted(range(len(prepared)), key=lambda i: (prepared[i].arrival, i))
        self.pending.reverse()  # the next to arrive is the last: pop() is cheap
        self.sampled: list[list[int]] = [[] for _ in prepared]
        self.time_s = 0.0
        self.clock = workload.Clock.of(scenario.workload) if scenario.workload else _CLOCK
        self.scheduled: list[tuple[Sequence, int, int]] = []
        self.written = 0

    @property
    def done(self) -> bool:
        return not self.pending and self.scheduler.idle()

    def begin(self, step: int) -> list[Event]:
        """Let arrive what has come, and schedule."""
        timed = self.scenario.workload is not None
        if timed and self.scheduler.idle() and self.pending:  # nothing to do until the next arrival
            self.time_s = max(self.time_s, self.prepared[self.pending[-1]].arrival)
        now = self.time_s if timed else step
        while self.pending and self.prepared[self.pending[-1]].arrival <= now:
            index = self.pending.pop()
            p = self.prepared[index]
            self.recorder.add(
                self.scheduler.arrive(
                    Sequence(
                        index=index,
                        prompt_tokens=len(p.prompt_ids),
                        final_slots=p.final_slots,
                        max_len=p.max_len,
                        tokens=list(p.prompt_ids),
                    )
                )
            )
        plan = self.scheduler.schedule()
        self.scheduled = plan.scheduled
        self.recorder.add(plan.events)
        return plan.events

    def end(self, sampled: dict[int, int]) -> None:
        """Hand the sampled tokens to the scheduler and close the step."""
        for index, token in sampled.items():
            self.sampled[index].append(token)
        self.recorder.add(self.scheduler.complete(sampled), late=True)
        tokens = sum(count for _, _, count in self.scheduled)
        self.written += tokens
        self.time_s += self.clock.seconds(tokens)
        self.recorder.close(self.scheduler.stranded, self.time_s)


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
    if scenario.model != "none" and model is None:
        from vizkv.model import load_model  # torch is paid for only here

        model = load_model(scenario.model)
    if scenario.model == "none":
        model = None
    prepared = prepare(scenario, model)
    if scenario.workload is None:
        late = max(prepared, key=lambda p: p.arrival)
        if late.arrival >= max_steps:
            raise ScenarioError(
                f"Request {late.id!r} has arrival_step = {late.arrival}; a run takes at most {max_steps} steps: "
                f"valid is 0 to {max_steps - 1}."
            )
    runner = _runner(scenario, prepared, model, observe) if model else None
    runs = [_SystemRun(i, scenario, prepared) for i in range(len(scenario.systems))]
    next_id = max((i for p in prepared for i in p.prompt_ids + (p.forced or [])), default=0) + 1
    total = sum(min(p.final_slots, scenario.slots) for p in prepared) * len(runs)
    step = 0
    while active := [r for r in runs if not r.done]:
        if step >= max_steps:
            raise ScenarioError(
                f"The run takes more than {max_steps:,} steps; give fewer requests, shorter ones or earlier arrivals."
            )
        planned = [(r, r.begin(step)) for r in active]
        sampled: list[dict[int, int]] = [{} for _ in active]
        places = [
            (slot, run_, sequence, position, count)
            for slot, run_ in enumerate(active)
            for sequence, position, count in run_.scheduled
        ]
        tokens = _compute(runner, planned, places)
        for (slot, run_, sequence, _, _), token in zip(places, tokens, strict=True):
            if sequence.written == len(sequence.tokens):
                forced, done = prepared[sequence.index].forced, len(run_.sampled[sequence.index])
                if forced is not None and done < len(forced):
                    token = forced[done]
                elif runner is None:
                    token, next_id = next_id, next_id + 1
                sampled[slot][sequence.index] = token
        for run_, tokens_of in zip(active, sampled, strict=True):
            run_.end(tokens_of)
        step += 1
        if progress and step % 16 == 0 and progress(sum(r.written for r in runs), total):
            raise Cancelled
    return _freeze(scenario, prepared, runs, model)


def _compute(runner: Runner | None, planned: list, places: list) -> list[int]:
    """The model's choice for each piece of scheduled work; zeros where there is no model."""
    if runner is None or not places:
        return [0] * len(places)
    from vizkv.model.runner import Work

    for run_, events in planned:
        for event in events:
            if event.kind == Kind.MOVED:
                runner.move(run_.index, event.a, event.b, event.c)
    return runner.step([
        Work(
            system=run_.index,
            request=sequence.index,
            ids=sequence.tokens[position : position + count],
            position=position,
            start=sequence.start,
            block_table=sequence.block_table,
            samples=position + count == len(sequence.tokens),
        )
        for _, run_, sequence, position, count in places
    ])  # fmt: skip


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


def _freeze(scenario: Scenario, prepared: list[Prepared], runs: list[_SystemRun], model: LoadedModel | None) -> Trace:
    requests = []
    for index, p in enumerate(prepared):
        longest = max((r.sampled[index] for r in runs), key=len)
        ids = (p.prompt_ids + longest)[: p.final_slots] if model else []
        pieces = tuple(model.tokenizer.piece(i) for i in ids) if model else ()
        requests.append(RequestFacts(p.id, len(p.prompt_ids), p.final_slots, p.arrival, pieces))
    return Trace(
        scenario=to_dict(scenario),
        requests=tuple(requests),
        systems=tuple(
            r.recorder.freeze(
                name=r.system.label,
                kind=r.system.kind,
                detail=r.system.model_dump(exclude={"free_order"}),
                slots=scenario.slots,
                block_size=r.system.block_size if isinstance(r.system, PagedSystem) else 0,
                free_order=r.free_order,
                tokens=tuple(tuple(t) for t in r.sampled),
            )
            for r in runs
        ),
        model=model.name if model else "none",
    )


__all__ = ["Cancelled", "Prepared", "prepare", "run"]
