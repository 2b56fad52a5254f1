"""The paged scheduler decides, step by step, as vLLM 0.32.0's own scheduler did (tests/golden)."""

import json
from pathlib import Path

import pytest

from vizkv.events import Kind
from vizkv.scenario import from_dict
from vizkv.scheduling import PagedScheduler, Sequence

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = sorted(path.name.removesuffix(".json") for path in GOLDEN.glob("*.json"))


def steps(case, recorded):
    """Run ``case`` with the recorded tokens; one description a step, in the recording's words."""
    size = case["block_size"]
    scenario = from_dict({
        "slots": case["num_blocks"] * size, "max_model_len": case.get("max_model_len", 2048), "model": "none",
        "max_num_seqs": case["max_num_seqs"], "max_num_batched_tokens": case["max_num_batched_tokens"],
        "systems": [{
            "kind": "paged", "block_size": size, "null_block": True, "watermark": case.get("watermark", 0.0),
            "prefix_caching": case["enable_prefix_caching"],
        }],
        "requests": [
            {"id": r["id"], "prompt_token_ids": r["prompt_token_ids"], "output_tokens": r["output_len"]}
            for r in case["requests"]
        ],
    })  # fmt: skip
    scheduler = PagedScheduler(scenario.systems[0], scenario)
    ids = [r["id"] for r in case["requests"]]
    pending = sorted(range(len(ids)), key=lambda i: case["requests"][i].get("arrival_step", 0))
    for step, record in enumerate(recorded):
        while pending and case["requests"][pending[0]].get("arrival_step", 0) <= step:
            request, index = case["requests"][pending[0]], pending.pop(0)
            prompt = request["prompt_token_ids"]
            final = len(prompt) + request["output_len"] - 1
            scheduler.arrive(Sequence(index, len(prompt), final, scenario.max_model_len, list(prompt)))
        plan = scheduler.schedule()
        running = [
            {
                "id": ids[s.index],
                "block_table": list(s.block_table),
                "computed_after": s.written,
                "num_tokens": len(s.tokens),
            }
            for s in scheduler.running
        ]
        free_after_schedule = len(scheduler.free_queue())
        waiting = [ids[s.index] for s in scheduler.waiting]
        sampling = [s for s, _, _ in plan.scheduled if s.written == len(s.tokens)]
        late = scheduler.complete({s.index: record["sampled"][ids[s.index]] for s in sampling})
        yield {
            "scheduled": {ids[s.index]: count for s, _, count in plan.scheduled},
            "running": running,
            "waiting": waiting,
            "preempted": sorted(ids[e.request] for e in plan.events if e.kind == Kind.PREEMPTED),
            "hits": sum(e.a for e in plan.events if e.kind == Kind.HIT),
            "free_blocks_after_schedule": free_after_schedule,
            "sampled": sorted(ids[s.index] for s in sampling),
            "finished": sorted(ids[e.request] for e in late if e.kind == Kind.FINISHED),
            "free_queue": scheduler.free_queue(),
            "ref_cnt": scheduler.memory.pool.references(),
            "cached": scheduler.memory.cached_blocks(),
        }
    assert not pending
    assert scheduler.idle()


def expected(record):
    """A recorded step in the same words."""
    keep = ("id", "block_table", "computed_after", "num_tokens")
    cache = record["prefix_cache"]
    return {
        "scheduled": record["scheduled"],
        "running": [{key: row[key] for key in keep} for row in record["running"]],
        "waiting": record["waiting"],
        "preempted": sorted(record["preempted"]),
        "hits": cache["hits"] + cache["preempted_hits"],
        "free_blocks_after_schedule": record["free_blocks_after_schedule"],
        "sampled": sorted(record["sampled"]),
        "finished": record["finished"],
        "free_queue": record["free_queue"],
        "ref_cnt": {int(block): count for block, count in record["ref_cnt"].items()},
        "cached": sorted(map(int, record["cached"])),
    }


@pytest.mark.parametrize("name", CASES)
def test_every_step_is_vllms(name):
    case = json.loads((GOLDEN / f"{name}.json").read_text())
    *recorded, summary = [json.loads(line) for line in (GOLDEN / f"{name}.vllm.jsonl").read_text().splitlines()]
    assert summary["summary"]["vllm"] == "0.32.0"
    for step, (ours, theirs) in enumerate(zip(steps(case, recorded), recorded, strict=True)):
        theirs = expected(theirs)
        for key, value in theirs.items():
            assert (step, key, ours[key]) == (step, key, value)
        assert list(ours["scheduled"]) == list(theirs["scheduled"])


def test_the_eight_recordings_are_there():
    assert len(CASES) == 8
