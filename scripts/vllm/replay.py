"""Our side of a recorded case: the same requests and the same sampled tokens, and what differs from the recording.

Twice: :func:`decided` asks the paged scheduler itself, :func:`printed` runs the engine on a scenario and reads what
``vizkv run --json`` prints. Both give a step in the recording's words; :func:`differences` compares.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vizkv.engine import engine
from vizkv.scenario.schema import Scenario, from_dict
from vizkv.systems.base.request import Sequence
from vizkv.systems.paged.scheduler import PagedScheduler
from vizkv.trace.events import Kind
from vizkv.views.facts.records import records

Step = dict[str, Any]


class Recording(NamedTuple):
    """A case and what vLLM did with it; ``steps`` is without the summary."""

    name: str
    case: dict[str, Any]
    steps: list[Step]
    summary: dict[str, Any]


class Difference(NamedTuple):
    """The first step at which we decide otherwise."""

    way: str
    step: int
    field: str
    ours: Any
    theirs: Any

    def __str__(self) -> str:
        return f"{self.way}, step {self.step}, {self.field}: ours {self.ours!r}, vLLM's {self.theirs!r}"


def load(recording: Path) -> Recording:
    """NAME.vllm.jsonl and the NAME.json beside it."""
    name = recording.name.removesuffix(".vllm.jsonl")
    case = json.loads((recording.parent / f"{name}.json").read_text(encoding="utf-8"))
    *steps, last = (json.loads(line) for line in recording.read_text(encoding="utf-8").splitlines())
    return Recording(name, case, steps, last["summary"])


def scenario(recording: Recording) -> Scenario:
    """The case as a scenario; its requests sample what was sampled when it was recorded."""
    case, outputs = recording.case, {request["id"]: [] for request in recording.case["requests"]}
    for step in recording.steps:
        for name, token in step["sampled"].items():
            outputs[name].append(token)
    return from_dict({
        "model": "none",
        "slots": case["num_blocks"] * case["block_size"],
        "max_model_len": case.get("max_model_len", 2048),
        "max_num_seqs": case["max_num_seqs"],
        "max_num_batched_tokens": case["max_num_batched_tokens"],
        "systems": [{
            "kind": "paged",
            "block_size": case["block_size"],
            "prefix_caching": case["enable_prefix_caching"],
            "watermark": float(case.get("watermark", 0.0)),
            "null_block": True,
        }],
        "requests": [
            {
                "id": request["id"],
                "prompt_token_ids": request["prompt_token_ids"],
                "output_token_ids": outputs[request["id"]],
                "arrival_step": request.get("arrival_step", 0),
            }
            for request in case["requests"]
        ],
    })  # fmt: skip


# -- the two ways ------------------------------------------------------------------------------------------------------


def decided(recording: Recording) -> Iterator[Step]:
    """Step by step what :class:`PagedScheduler` decides when it is fed by hand."""
    asked = scenario(recording)
    scheduler, requests = PagedScheduler(asked.systems[0], asked), asked.requests
    ids = [request.id for request in requests]
    outputs = [iter(request.output_token_ids) for request in requests]
    coming = sorted(range(len(ids)), key=lambda index: requests[index].arrival_step)
    step = 0
    while coming or not scheduler.idle():
        while coming and requests[coming[0]].arrival_step <= step:
            index = coming.pop(0)
            prompt = requests[index].prompt_token_ids
            final = len(prompt) + len(requests[index].output_token_ids) - 1
            scheduler.arrive(Sequence(index, len(prompt), final, asked.max_model_len, list(prompt)))
        plan = scheduler.schedule()
        told: Step = {
            "scheduled": [(ids[s.index], count) for s, _, count in plan.scheduled],
            "hits": {ids[e.request]: e.a for e in plan.events if e.kind == Kind.HIT},
            "running": [(ids[s.index], list(s.block_table), s.written) for s in scheduler.running],
            "num_tokens": [len(s.tokens) for s in scheduler.running],
            "waiting": [ids[s.index] for s in scheduler.waiting],
            "preempted": [ids[e.request] for e in plan.events if e.kind == Kind.PREEMPTED],
            "free_blocks_after_schedule": len(scheduler.free_queue()),
        }
        sampled = {s.index: next(outputs[s.index]) for s, _, _ in plan.scheduled if s.written == len(s.tokens)}
        late = scheduler.complete(sampled)
        yield told | {
            "sampled": {ids[index]: token for index, token in sampled.items()},
            "finished": [ids[e.request] for e in late if e.kind == Kind.FINISHED],
            "free_queue": scheduler.free_queue(),
            "ref_cnt": scheduler.memory.pool.references(),
            "cached": scheduler.memory.cached_blocks(),
        }
        step += 1


def printed(recording: Recording) -> Iterator[Step]:
    """Step by step what ``vizkv run --json`` prints of the case (SPEC 8)."""
    for line in records(engine.run(scenario(recording))):
        yield {
            "scheduled": list(line["scheduled"].items()),
            "hits": line["cache_hits"],
            "running": [(row["id"], row["block_table"], row["slots_written"]) for row in line["running"]],
            "waiting": line["waiting"],
            "preempted": line["preempted"],
            "finished": line["finished"],
            "free_queue": line["free_queue"],
            "ref_cnt": {int(block): count for block, count in line["ref_count"].items()},
            "cached": line["cached_blocks"],
        }


WAYS = {"scheduler": decided, "records": printed}


# -- comparing ---------------------------------------------------------------------------------------------------------


def expected(record: Step) -> Step:
    """A recorded step as :func:`decided` tells it; :func:`printed` tells a part of it."""
    return {
        "scheduled": list(record["scheduled"].items()),
        "hits": record["hits"],
        "running": [(row["id"], row["block_table"], row["computed_after"]) for row in record["running"]],
        "num_tokens": [row["num_tokens"] for row in record["running"]],
        "waiting": record["waiting"],
        "preempted": record["preempted"],
        "free_blocks_after_schedule": record["free_blocks_after_schedule"],
        "sampled": record["sampled"],
        "finished": record["finished"],
        "free_queue": record["free_queue"],
        "ref_cnt": {int(block): count for block, count in record["ref_cnt"].items()},
        "cached": record["cached"],
    }


def differences(recording: Recording) -> list[Difference]:
    """For each way the fields that differ in the first step that is not vLLM's; nothing where all are."""
    return [found for way in WAYS for found in _first(recording, way)]


def _first(recording: Recording, way: str) -> list[Difference]:
    theirs = recording.steps
    steps = 0
    for step, ours in enumerate(WAYS[way](recording)):
        if step == len(theirs):
            return [Difference(way, step, "steps", "more", len(theirs))]
        wanted = expected(theirs[step])
        found = [Difference(way, step, key, ours[key], wanted[key]) for key in ours if ours[key] != wanted[key]]
        if found:
            return found
        steps += 1
    return [] if steps == len(theirs) else [Difference(way, steps, "steps", steps, len(theirs))]
