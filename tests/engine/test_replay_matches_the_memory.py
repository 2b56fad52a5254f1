"""What is replayed from events is what the memory itself held, block for block, in order."""

from hypothesis import given
from hypothesis import strategies as st

from vizkv import replay
from vizkv.scenario import schema as scenario
from vizkv.systems.base.request import Sequence
from vizkv.systems.paged.scheduler import PagedScheduler
from vizkv.trace.recording import SystemRecorder
from vizkv.trace.trace import RequestFacts

prompts = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=30), min_size=1, max_size=6)


@given(
    prompts=prompts,
    outputs=st.lists(st.integers(1, 25), min_size=6, max_size=6),
    slots=st.integers(24, 90),
    size=st.sampled_from([1, 3, 4, 8]),
    caching=st.booleans(),
    null=st.booleans(),
    budget=st.sampled_from([2, 16, 2560]),
)
def test_tables_queue_references_and_cache_are_replayed_exactly(prompts, outputs, slots, size, caching, null, budget):
    run = scenario.from_dict({
        "slots": slots, "max_num_batched_tokens": budget, "model": "none",
        "systems": [{"kind": "paged", "block_size": size, "prefix_caching": caching, "null_block": null}],
        "requests": [{"prompt_token_ids": p, "output_tokens": n} for p, n in zip(prompts, outputs)],
    })  # fmt: skip
    scheduler, recorder, held = PagedScheduler(run.systems[0], run), SystemRecorder(), []
    queue = tuple(scheduler.free_queue())
    finals = [len(p) + n - 1 for p, n in zip(prompts, outputs)]
    waiting = [Sequence(i, len(p), finals[i], 2048, list(p)) for i, p in enumerate(prompts)]
    while waiting or not scheduler.idle():
        if waiting:  # one a step
            recorder.add(scheduler.arrive(waiting.pop(0)))
        plan = scheduler.schedule()
        recorder.add(plan.events)
        tables = {s.index: (s.written, list(s.block_table)) for s in scheduler.running}
        queued = [s.index for s in scheduler.waiting]
        sampled = {s.index: 1 for s, _, _ in plan.scheduled if s.written == len(s.tokens)}
        recorder.add(scheduler.complete(sampled), late=True)
        recorder.close(scheduler.stranded, 0.0)
        memory = scheduler.memory
        held.append((tables, queued, scheduler.free_queue(), memory.pool.references(), sorted(memory.cached_blocks())))
    trace = recorder.freeze(
        name="paged", kind="paged", detail={"null_block": null}, slots=slots, block_size=size, free_order=queue,
        tokens=((),) * len(prompts),
    )  # fmt: skip
    facts = tuple(RequestFacts(str(i), len(p), finals[i], 0, ()) for i, p in enumerate(prompts))
    for state, (tables, queued, free, references, cached) in zip(replay.walk(trace, facts), held, strict=True):
        assert {r.index: (r.written, r.block_table) for r in state.running} == tables
        assert state.waiting == queued
        assert list(state.free_queue) == free
        assert state.references == references
        assert sorted(state.cached) == cached
