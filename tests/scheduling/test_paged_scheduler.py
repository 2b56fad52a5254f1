"""vLLM V1's rules where no recording shows them, and the events that they leave."""

from vizkv.scenario.schema import from_dict
from vizkv.systems.base.request import Refusal, Sequence
from vizkv.systems.paged.scheduler import PagedScheduler
from vizkv.trace.events import Event, Kind


def told(events):
    """Events without the token ids that a step writes: what they mean is the model's business."""
    return [e._replace(c=0) if e.kind == Kind.WRITTEN else e for e in events]


def paged(slots, *, max_num_batched_tokens=2560, **system):
    """A scheduler over blocks of 4 slots."""
    scenario = from_dict({
        "slots": slots, "model": "none", "max_num_batched_tokens": max_num_batched_tokens,
        "systems": [{"kind": "paged", "block_size": 4, **system}],
        "requests": [{"prompt_tokens": 1, "output_tokens": 1}],
    })  # fmt: skip
    return PagedScheduler(scenario.systems[0], scenario)


def request(index, prompt, final):
    """Its prompt has nothing in common with others'."""
    return Sequence(index, prompt, final, 2048, [1000 * (index + 1) + i for i in range(prompt)])


def step(scheduler, *arrivals):
    """One step of the engine: (plan, events at its end)."""
    for sequence in arrivals:
        scheduler.arrive(sequence)
    plan = scheduler.schedule()
    return plan, scheduler.complete({s.index: 0 for s, _, _ in plan.scheduled if not s.left})


def of(kind, events):
    return [e for e in events if e.kind == kind]


def run(scheduler, until):
    while not until():
        step(scheduler)


def test_an_admission_takes_the_chunks_blocks_and_writes():
    scheduler = paged(40)
    assert scheduler.arrive(request(0, 7, 9)) == [Event(Kind.ARRIVED, 0)]
    assert told(scheduler.schedule().events) == [
        Event(Kind.ADMITTED, 0, -1, 8, 8),
        Event(Kind.BLOCK, 0, 0, 0),
        Event(Kind.BLOCK, 0, 1, 1),
        Event(Kind.WRITTEN, 0, 0, 7),
    ]
    assert scheduler.complete({0: 50}) == []
    plan, _ = step(scheduler)
    assert told(plan.events) == [Event(Kind.WRITTEN, 0, 7, 1)]
    plan, late = step(scheduler)
    assert told(plan.events) == [Event(Kind.BLOCK, 0, 2, 2), Event(Kind.WRITTEN, 0, 8, 1)]
    assert late == [
        Event(Kind.FINISHED, 0),
        Event(Kind.FREED_BLOCK, 0, 0, 0, 0),
        Event(Kind.FREED_BLOCK, 0, 1, 0, 0),
        Event(Kind.FREED_BLOCK, 0, 2, 0, 0),
    ]
    assert scheduler.free_queue() == [2, 1, 0, 3, 4, 5, 6, 7, 8, 9]


def test_figures_6_and_7_give_the_printed_block_numbers():
    scheduler = paged(36, free_order=[7, 1, 3, 5, 2])
    a = request(0, 7, 9)
    step(scheduler, a)
    assert a.block_table == [7, 1]
    step(scheduler)
    assert a.block_table == [7, 1]  # `fathers` fills block 1
    scheduler.schedule()
    assert a.block_table == [7, 1, 3]  # `brought`
    scheduler = paged(36, free_order=[7, 1, 5, 2, 3])
    a, b = request(0, 7, 9), request(1, 6, 9)
    step(scheduler, a, b)
    assert (a.block_table, b.block_table) == ([7, 1], [5, 2])


def test_a_prompt_is_admitted_only_if_all_of_it_fits_though_it_takes_a_chunk():
    scheduler = paged(16, max_num_batched_tokens=4)
    plan, _ = step(scheduler, request(0, 4, 16))
    assert len(scheduler.free_queue()) == 3
    plan, _ = step(scheduler, request(1, 13, 13))
    assert of(Kind.REFUSED, plan.events) == [Event(Kind.REFUSED, 1, 16, 8, 8, 8)]
    assert scheduler.refused == Refusal(16, 8, 8, 8)
    assert not scheduler.stranded
    plan, _ = step(scheduler)
    assert of(Kind.REFUSED, plan.events) == []
    assert scheduler.refused is not None


def test_the_watermark_keeps_blocks_free_only_while_something_runs():
    scheduler = paged(40, watermark=0.2)
    plan, _ = step(scheduler, request(0, 36, 36 + 4))  # 9 of 10 blocks, and 2 would stay free
    assert len(of(Kind.ADMITTED, plan.events)) == 1
    scheduler = paged(40, watermark=0.2)
    plan, _ = step(scheduler, request(0, 4, 8), request(1, 29, 30))
    assert of(Kind.REFUSED, plan.events) == [Event(Kind.REFUSED, 1, (8 + 2) * 4, 36, 36, 4)]
    plan, _ = step(paged(40, watermark=0.2), request(0, 4, 8), request(1, 28, 30))
    assert len(of(Kind.ADMITTED, plan.events)) == 2


def test_the_last_of_the_running_list_is_preempted_and_nobody_is_admitted():
    scheduler = paged(16)
    first, second, third = request(0, 4, 12), request(1, 4, 12), request(2, 4, 4)
    step(scheduler, first, second)
    run(scheduler, lambda: first.written == 8)
    plan, _ = step(scheduler, third)
    assert told(plan.events) == [
        Event(Kind.SHORT, 0, 1, 0),
        Event(Kind.PREEMPTED, 1, 8),
        Event(Kind.FREED_BLOCK, 1, 1, 0, 0),
        Event(Kind.FREED_BLOCK, 1, 3, 0, 0),
        Event(Kind.BLOCK, 0, 3, 2),
        Event(Kind.WRITTEN, 0, 8, 1),
    ]
    assert [s.index for s in scheduler.waiting] == [1, 2]
    assert (second.written, len(second.tokens), second.block_table) == (0, 9, [])
    assert scheduler.refused is None
    plan, _ = step(scheduler)
    assert of(Kind.REFUSED, plan.events) == [Event(Kind.REFUSED, 1, 12, 4, 4, 4)]


def test_a_sequence_may_preempt_itself():
    scheduler = paged(16)
    first, second = request(0, 8, 12), request(1, 7, 12)
    step(scheduler, first, second)
    step(scheduler)  # each has 8 or 9 slots: the first took no block yet
    run(scheduler, lambda: not second.block_table)
    assert [s.index for s in scheduler.running] == [0]
    assert first.block_table


def test_a_preempted_sequence_computes_its_own_output_again():
    scheduler = paged(16)
    first, second = request(0, 4, 12), request(1, 4, 12)
    step(scheduler, first, second)
    run(scheduler, lambda: second.written == 0)
    kept = list(second.tokens)
    run(scheduler, lambda: scheduler.running == [second] and second.written > 0)
    assert second.written == len(kept)
    assert second.tokens[: len(kept)] == kept


def test_a_refusal_is_told_again_after_a_preemption():
    scheduler = paged(16)
    events = []
    for arrivals in [(request(0, 4, 12), request(1, 4, 12), request(2, 9, 9)), *([()] * 30)]:
        plan, _ = step(scheduler, *arrivals)
        events += plan.events
    refused = [e.request for e in of(Kind.REFUSED, events)]
    assert refused == [2, 1]  # 2 behind both; 1 after it was preempted; 2 had been told before
    assert scheduler.idle()


def test_a_hit_is_told_with_the_blocks_it_shares():
    scheduler = paged(64, prefix_caching=True)
    prompt = list(range(9))
    first, second = Sequence(0, 9, 12, 64, list(prompt)), Sequence(1, 9, 12, 64, list(prompt))
    for sequence in (first, second):
        scheduler.arrive(sequence)
    assert told(scheduler.schedule().events) == [
        Event(Kind.ADMITTED, 0, -1, 12, 12),
        Event(Kind.BLOCK, 0, 0, 0),
        Event(Kind.BLOCK, 0, 1, 1),
        Event(Kind.BLOCK, 0, 2, 2),
        Event(Kind.REGISTERED, 0, 0),
        Event(Kind.REGISTERED, 0, 1),
        Event(Kind.WRITTEN, 0, 0, 9),
        Event(Kind.ADMITTED, 1, -1, 12, 12),
        Event(Kind.HIT, 1, 8),
        Event(Kind.SHARED, 1, 0, 0, 0),
        Event(Kind.SHARED, 1, 1, 1, 0),
        Event(Kind.BLOCK, 1, 3, 2),
        Event(Kind.WRITTEN, 1, 8, 1),
    ]


def test_a_shared_block_is_let_go_without_becoming_free():
    scheduler = paged(64, prefix_caching=True)
    prompt = list(range(9))
    _, late = step(scheduler, Sequence(0, 9, 9, 64, list(prompt)), Sequence(1, 9, 12, 64, list(prompt)))
    assert of(Kind.FREED_BLOCK, late) == [
        Event(Kind.FREED_BLOCK, 0, 2, 0, 0),
        Event(Kind.FREED_BLOCK, 0, 1, 1, -1),
        Event(Kind.FREED_BLOCK, 0, 0, 1, -1),
    ]


def test_a_cached_block_is_evicted_as_it_is_handed_out():
    scheduler = paged(12, prefix_caching=True)
    step(scheduler, Sequence(0, 12, 12, 12, list(range(12))))
    plan, _ = step(scheduler, Sequence(1, 5, 5, 12, list(range(50, 55))))
    assert plan.events[1:5] == [
        Event(Kind.EVICTED, 1, 2),
        Event(Kind.BLOCK, 1, 2, 0),
        Event(Kind.EVICTED, 1, 1),
        Event(Kind.BLOCK, 1, 1, 1),
    ]


def test_a_request_longer_than_all_usable_blocks_never_runs():
    assert paged(18).arrive(request(0, 4, 17)) == [Event(Kind.NEVER, 0, 17, 16, 1)]
    assert paged(18, null_block=True).arrive(request(0, 4, 13)) == [Event(Kind.NEVER, 0, 13, 12, 1)]
    assert paged(18, null_block=True).arrive(request(0, 4, 12)) == [Event(Kind.ARRIVED, 0)]
