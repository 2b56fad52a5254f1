"""Random workloads through both engines until they are idle: nobody is lost, nothing leaks, no step is wasted."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from vizkv.scenario.schema import from_dict
from vizkv.systems.base.request import Sequence
from vizkv.systems.contiguous.scheduler import ContiguousScheduler
from vizkv.systems.paged.scheduler import PagedScheduler
from vizkv.trace.events import Kind

# (prompt, sampled - 1, arrival step, how long its prompt's beginning is common with others')
REQUESTS = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 25), st.integers(0, 12), st.integers(0, 40)), min_size=1, max_size=10
)
LIMITS = {"max_num_seqs": st.integers(1, 6), "max_num_batched_tokens": st.integers(1, 60), "slots": st.integers(8, 160)}
contiguous = st.fixed_dictionaries(
    {
        "kind": st.just("contiguous"),
        "reserve": st.sampled_from(["max", "pow2", "pow2-total", "oracle", "multiple"]),
        "placement": st.sampled_from(["buddy", "first-fit", "best-fit", "ideal"]),
        "unit": st.integers(1, 8),
        "batching": st.sampled_from(["iteration", "static"]),
    }
)
paged = st.fixed_dictionaries(
    {
        "kind": st.just("paged"),
        "block_size": st.integers(1, 4),
        "prefix_caching": st.booleans(),
        "watermark": st.sampled_from([0.0, 0.1, 0.5]),
        "null_block": st.booleans(),
    }
)


def whole(system, limits, max_model_len=50):
    return from_dict(
        {"max_model_len": max_model_len, "model": "none", "systems": [system], **limits}
        | {"requests": [{"prompt_tokens": 1, "output_tokens": 1}]}
    )


def drive(scheduler, requests, scenario, check):
    """Run to the end; the events. ``check(plan)`` after each schedule. Every step of a busy system does some work."""
    events = []
    pending = sorted(enumerate(requests), key=lambda r: r[1][2])
    step, written = 0, {}
    while pending or not scheduler.idle():
        assert step < 5000, "a deadlock"
        while pending and pending[0][1][2] <= step:
            index, (prompt, more, _, common) = pending.pop(0)
            ids = list(range(min(common, prompt))) + [1000 * (index + 1) + i for i in range(max(0, prompt - common))]
            events += scheduler.arrive(Sequence(index, prompt, prompt + more, scenario.max_model_len, ids))
        plan = scheduler.schedule()
        assert sum(count for _, _, count in plan.scheduled) <= scenario.max_num_batched_tokens
        assert len(scheduler.running) <= scenario.max_num_seqs
        if scheduler.running or scheduler.waiting:
            assert plan.scheduled or any(e.kind == Kind.PREEMPTED for e in plan.events)
        for event in plan.events:  # what is written continues where the sequence was
            if event.kind in (Kind.ADMITTED, Kind.PREEMPTED):
                written[event.request] = 0
            elif event.kind == Kind.HIT:
                written[event.request] = event.a
            elif event.kind == Kind.WRITTEN:
                assert event.a == written[event.request]
                written[event.request] += event.b
        check(plan)
        late = scheduler.complete({s.index: 7 for s, _, _ in plan.scheduled if not s.left})
        for event in late:
            if event.kind == Kind.FINISHED:
                assert written[event.request] == sum(requests[event.request][:2])
        events += plan.events + late
        step += 1
    return events


def everybody_ends(events, requests):
    ends = Counter(e.request for e in events if e.kind in (Kind.FINISHED, Kind.NEVER))
    assert ends == Counter(range(len(requests)))
    arrived = {e.request for e in events if e.kind == Kind.ARRIVED}
    assert arrived == {e.request for e in events if e.kind == Kind.FINISHED}


@given(system=contiguous, limits=st.fixed_dictionaries(LIMITS), requests=REQUESTS)
def test_contiguous_workloads_end_with_an_empty_pool(system, limits, requests):
    system["unit"] = min(system["unit"], limits["slots"])
    scenario = whole(system, limits)
    scheduler = ContiguousScheduler(scenario.systems[0], scenario)
    holds = {}

    def check(plan):
        for event in plan.events:
            if event.kind == Kind.MOVED:
                assert holds[event.request] == (event.a, event.c)
                holds[event.request] = (event.b, event.c)
            elif event.kind == Kind.ADMITTED:
                assert event.c >= event.b >= sum(requests[event.request][:2])
                holds[event.request] = (event.a, event.c)
        for gone in set(holds) - {s.index for s in scheduler.running}:
            del holds[gone]
        assert holds == {s.index: (s.start, s.held) for s in scheduler.running}
        pieces = sorted(holds.values())
        assert all(a + size <= b for (a, size), (b, _) in zip(pieces, pieces[1:]))
        assert scheduler.memory.total_free == scenario.slots - sum(size for _, size in pieces)
        if scheduler.stranded:
            assert scheduler.refused.hole < scheduler.refused.need <= scheduler.refused.free
            assert system["placement"] != "ideal"

    events = drive(scheduler, requests, scenario, check)
    everybody_ends(events, requests)
    assert scheduler.memory.total_free == scenario.slots
    admitted = [e.request for e in events if e.kind == Kind.ADMITTED]
    assert admitted == [e.request for e in events if e.kind == Kind.ARRIVED]  # first come, first served
    assert Counter(admitted) == Counter(e.request for e in events if e.kind == Kind.FREED)


@given(system=paged, limits=st.fixed_dictionaries(LIMITS), requests=REQUESTS)
def test_paged_workloads_end_with_every_block_free(system, limits, requests):
    scenario = whole(system, limits)
    scheduler = PagedScheduler(scenario.systems[0], scenario)
    pool = scheduler.memory.pool
    told = set()

    def check(plan):
        entries = Counter(block for s in scheduler.running for block in s.block_table)
        assert pool.references() == entries
        assert len(pool.free_queue()) + len(entries) == pool.usable
        assert not set(pool.free_queue()) & set(entries)
        assert system["null_block"] <= min([*entries, *pool.free_queue()])
        for s in scheduler.running:
            assert len(s.block_table) == scheduler.memory.blocks_for(s.written)
        assert all(not s.block_table and s.written == 0 for s in scheduler.waiting)
        if any(e.kind == Kind.PREEMPTED for e in plan.events):
            assert not any(e.kind == Kind.ADMITTED for e in plan.events)
        assert not scheduler.stranded
        for event in plan.events:
            if event.kind == Kind.REFUSED:
                assert event.request not in told
                assert event.a > event.b
                told.add(event.request)
            elif event.kind in (Kind.ADMITTED, Kind.PREEMPTED):
                told.discard(event.request)

    events = drive(scheduler, requests, scenario, check)
    everybody_ends(events, requests)
    assert pool.free_blocks == pool.usable
    assert pool.references() == {}


@given(system=paged, limits=st.fixed_dictionaries(LIMITS), requests=REQUESTS)
def test_the_events_alone_rebuild_the_free_queue_the_references_and_the_cache(system, limits, requests):
    scenario = whole(system, limits)
    scheduler = PagedScheduler(scenario.systems[0], scenario)
    queue, references, cached = scheduler.free_queue(), Counter(), set()

    for event in drive(scheduler, requests, scenario, lambda plan: None):
        if event.kind == Kind.BLOCK:
            assert queue.pop(0) == event.a
            assert event.a not in cached
            references[event.a] = 1
        elif event.kind == Kind.SHARED:
            if event.c:
                queue.remove(event.a)
            references[event.a] += 1
        elif event.kind == Kind.FREED_BLOCK:
            references[event.a] -= 1
            assert references[event.a] == event.b
            if event.b == 0:
                queue.insert(0 if event.c == 0 else len(queue), event.a)
                assert (event.c == 1) == (event.a in cached)
        elif event.kind == Kind.REGISTERED:
            cached.add(event.a)
        elif event.kind == Kind.EVICTED:
            cached.remove(event.a)
    assert queue == scheduler.free_queue()
    assert sorted(cached) == scheduler.memory.cached_blocks()
