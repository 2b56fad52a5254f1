"""Our side of a recorded case whose layers fall into groups, and what differs from the recording.

As :mod:`scripts.vllm.replay`: :func:`decided` asks the scheduler itself, :func:`printed` reads the lines of
``vizkv run --json``. A case is that of the recordings in tests/golden/hybrid.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from vizkv.scenario.schema import from_dict
from vizkv.systems.base.request import Sequence
from vizkv.systems.paged.group_scheduler import GroupScheduler
from vizkv.trace.events import Kind

Step = dict[str, Any]


def sampled(request: dict[str, Any]) -> list[int]:
    """The token ids that a request samples: those given, else made up of its name as when it was recorded."""
    made_up = [zlib.crc32(f"{request['id']}:{k}".encode()) % 4000 + 10 for k in range(request["output_len"])]
    return request.get("output_token_ids") or made_up


def scenario(case: dict[str, Any]) -> dict[str, Any]:
    """The case as the tables of a scenario's file."""
    retention = case.get("retention", 0)
    return {
        "model": "none",
        "max_model_len": case.get("max_model_len", 2048),
        "max_num_seqs": case["max_num_seqs"],
        "max_num_batched_tokens": case["max_num_batched_tokens"],
        "systems": [
            {
                "kind": "paged",
                "block_size": case["block_size"],
                "num_blocks": case["num_blocks"],
                "prefix_caching": case["enable_prefix_caching"],
                "watermark": float(case.get("watermark", 0.0)),
                "retention": "dense" if retention is None else retention,
                "groups": case["groups"],
            }
        ],
        "requests": [
            {
                "id": request["id"],
                "prompt_token_ids": request["prompt_token_ids"],
                "output_token_ids": sampled(request),
                "arrival_step": request.get("arrival_step", 0),
            }
            for request in case["requests"]
        ],
    }


def decided(case: dict[str, Any]) -> Iterator[Step]:
    """Step by step what :class:`GroupScheduler` decides when it is fed by hand."""
    asked = from_dict(scenario(case))
    scheduler = GroupScheduler(asked.systems[0], asked)  # type: ignore[arg-type]
    requests = asked.requests
    ids = [request.id for request in requests]
    outputs = [iter(request.output_token_ids or ()) for request in requests]
    coming = sorted(range(len(ids)), key=lambda index: requests[index].arrival_step)
    memory, step = scheduler.memory, 0
    while coming or not scheduler.idle():
        while coming and requests[coming[0]].arrival_step <= step:
            index = coming.pop(0)
            prompt, output = requests[index].prompt_token_ids or [], requests[index].output_token_ids or []
            final = len(prompt) + len(output) - 1
            scheduler.arrive(Sequence(index, len(prompt), final, asked.max_model_len, list(prompt)))
        plan = scheduler.schedule()
        told: Step = {
            "scheduled": {ids[s.index]: count for s, _, count in plan.scheduled},
            "running": [
                [ids[s.index], [list(t) for t in memory.tables(s.index)], s.written] for s in scheduler.running
            ],
            "waiting": [ids[s.index] for s in scheduler.waiting],
            "preempted": sorted(ids[e.request] for e in plan.events if e.kind == Kind.PREEMPTED),
            "hits": sum(e.a for e in plan.events if e.kind == Kind.HIT),
        }
        tokens = {s.index: next(outputs[s.index]) for s, _, _ in plan.scheduled if s.written == len(s.tokens)}
        late = scheduler.complete(tokens)
        yield told | {
            "finished": sorted(ids[e.request] for e in late if e.kind == Kind.FINISHED),
            "free_queue": scheduler.free_queue(),
            "ref_count": memory.pool.references(),
            "cached": set(memory.cached_blocks()),
        }
        step += 1


def printed(lines: Iterable[Step]) -> Iterator[Step]:
    """The same of lines that ``vizkv run --json`` has printed, with the group and the index of what is cached."""
    for line in lines:
        yield {
            "scheduled": line["scheduled"],
            "running": [[row["id"], row["block_tables"], row["slots_written"]] for row in line["running"]],
            "waiting": line["waiting"],
            "preempted": sorted(line["preempted"]),
            "hits": sum(line["cache_hits"].values()),
            "finished": sorted(line["finished"]),
            "free_queue": line["free_queue"],
            "ref_count": {int(block): count for block, count in line["ref_count"].items()},
            "cached": {int(block): spot for block, spot in line["cached_blocks"].items()},
        }


def expected(step: Step) -> Step:
    """A recorded step in the same words."""
    return {
        "scheduled": step["scheduled"],
        "running": [
            [row["id"], row["tables"], row["slots_written" if "slots_written" in row else "computed_after"]]
            for row in step["running"]
        ],
        "waiting": step["waiting"],
        "preempted": sorted(step["preempted"]),
        "hits": step["hits"],
        "finished": sorted(step["finished"]),
        "free_queue": step["free_queue"],
        "ref_count": {int(block): count for block, count in step["ref_count"].items()},
        "cached": {int(block): spot[:2] for block, spot in step["cached"].items()},
    }


def differences(ours: Iterable[Step], theirs: list[Step]) -> list[str]:
    """What differs in the first step that is not vLLM's; nothing where all are."""
    for number, (mine, step) in enumerate(zip(ours, theirs, strict=True)):
        wanted = expected(step)
        if isinstance(mine["cached"], set):
            wanted["cached"] = set(wanted["cached"])
        found = [key for key in wanted if mine[key] != wanted[key]]
        if found:
            return [f"step {number}, {key}: ours {mine[key]!r}, vLLM's {wanted[key]!r}" for key in found]
    return []
