"""Orca's rules: estimates, order, budget, batches, refusals."""

import pytest

from vizkv.scenario.schema import from_dict
from vizkv.systems.base.request import Refusal, Sequence
from vizkv.systems.contiguous.scheduler import ContiguousScheduler, estimate
from vizkv.systems.paged.scheduler import PagedScheduler
from vizkv.trace.events import Event, Kind


def told(events):
    """Events without the token ids that a step writes: what they mean is the model's business."""
    return [e._replace(c=0) if e.kind == Kind.WRITTEN else e for e in events]


def make(system, **scenario):
    """A scheduler over 4096 slots, buddy in units of 16, unless the test says otherwise."""
    whole = from_dict({
        "slots": 4096, "max_model_len": 2048, "model": "none",
        "systems": [{"kind": "contiguous", **system}], "requests": [{"prompt_tokens": 1, "output_tokens": 1}],
        **scenario,
    })  # fmt: skip
    kind = PagedScheduler if whole.systems[0].kind == "paged" else ContiguousScheduler
    return kind(whole.systems[0], whole)


def request(index, prompt, final, max_len=2048):
    return Sequence(index, prompt, final, max_len, list(range(prompt)))


def step(scheduler, *arrivals):
    """One step of the engine: (plan, events at its end)."""
    for sequence in arrivals:
        scheduler.arrive(sequence)
    plan = scheduler.schedule()
    return plan, scheduler.complete({s.index: 0 for s, _, _ in plan.scheduled if not s.left})


def of(kind, events):
    return [e for e in events if e.kind == kind]


@pytest.mark.parametrize(
    ("system", "prompt", "final", "slots"),
    [
        ({"reserve": "max"}, 10, 500, 2048),
        ({"reserve": "pow2"}, 100, 124, 132),  # 25 sampled tokens -> 32
        ({"reserve": "pow2"}, 100, 131, 132),  # 32 -> 32
        ({"reserve": "pow2"}, 100, 132, 164),  # 33 -> 64
        ({"reserve": "pow2"}, 1000, 2048, 2048),  # 1049 -> 2048, and with the prompt more than the maximum
        ({"reserve": "pow2-total"}, 10, 513, 1024),
        ({"reserve": "pow2-total"}, 10, 512, 512),
        ({"reserve": "oracle"}, 10, 500, 500),
        ({"reserve": "multiple", "multiple": 3}, 10, 514, 516),
        ({"reserve": "multiple", "multiple": 3}, 10, 516, 516),
        ({"reserve": "multiple", "multiple": 1000}, 10, 2010, 2048),
    ],
)
def test_the_estimate_is_the_policys(system, prompt, final, slots):
    assert estimate(make(system).system, request(0, prompt, final)) == slots


def test_orca_max_reserves_a_requests_own_maximum_where_it_is_lower():
    assert estimate(make({}).system, request(0, 3, 5, max_len=512)) == 512


@pytest.mark.parametrize("reserve", ["max", "pow2", "pow2-total", "oracle", "multiple"])
def test_an_estimate_is_never_below_what_will_be_written(reserve):
    system = make({"reserve": reserve, "multiple": 7}).system
    for prompt in (1, 5, 31):
        for final in range(prompt, 65):
            assert final <= estimate(system, request(0, prompt, final, max_len=64)) <= 64


def test_the_readers_question():
    """Max 2048, the sequence ends at 500: it holds 2048 until it ends, and then nothing."""
    scheduler = make({})
    sequence = request(0, 8, 500)
    plan, _ = step(scheduler, sequence)
    assert told(plan.events) == [Event(Kind.ADMITTED, 0, 0, 2048, 2048), Event(Kind.WRITTEN, 0, 0, 8)]
    while sequence.written < 499:
        step(scheduler)
    plan, late = step(scheduler)
    assert told(plan.events) == [Event(Kind.WRITTEN, 0, 499, 1)]
    assert late == [Event(Kind.FINISHED, 0), Event(Kind.FREED, 0, 0, 0, 2048)]
    assert len(sequence.tokens) == 501  # the last sampled token is never written
    assert scheduler.idle()


def test_what_is_held_is_the_estimate_rounded_by_the_placement():
    scheduler = make({"reserve": "oracle"})
    sequence = request(0, 8, 514)
    step(scheduler, sequence)
    assert (sequence.estimate, sequence.held) == (514, 1024)
    exact = make({"reserve": "oracle", "placement": "first-fit", "unit": 1})
    sequence = request(0, 8, 514)
    step(exact, sequence)
    assert (sequence.estimate, sequence.held) == (514, 514)


def test_a_request_of_one_sampled_token_ends_with_its_prompt():
    scheduler = make({"reserve": "oracle"})
    _, late = step(scheduler, request(0, 8, 8))
    assert [e.kind for e in late] == [Kind.FINISHED, Kind.FREED]


def test_the_head_of_the_line_blocks_those_behind_it():
    scheduler = make({"reserve": "oracle"}, slots=2048)
    plan, _ = step(scheduler, request(0, 4, 1000), request(1, 4, 2000), request(2, 4, 10))
    assert [s.index for s, _, _ in plan.scheduled] == [0]
    assert [s.index for s in scheduler.waiting] == [1, 2]


def test_a_refusal_is_told_once_and_known_in_every_step():
    scheduler = make({"reserve": "oracle"}, slots=2048)
    plan, _ = step(scheduler, request(0, 4, 1000), request(1, 4, 2000))
    assert of(Kind.REFUSED, plan.events) == [Event(Kind.REFUSED, 1, 2000, 1024, 1024, 1024)]
    assert scheduler.refused == Refusal(2000, 1024, 1024, 1024)
    plan, _ = step(scheduler)
    assert of(Kind.REFUSED, plan.events) == []
    assert scheduler.refused == Refusal(2000, 1024, 1024, 1024)
    assert not scheduler.stranded  # 1024 would not hold it in one piece either
    while scheduler.running[0].index == 0:
        step(scheduler)
        if not scheduler.running:
            break
    plan, _ = step(scheduler)
    assert of(Kind.ADMITTED, plan.events) == [Event(Kind.ADMITTED, 1, 0, 2000, 2048)]
    assert scheduler.refused is None


def scattered(placement):
    """Two holes of 400 with a live piece between them, and a request for 700."""
    scheduler = make({"reserve": "oracle", "placement": placement, "unit": 1}, slots=1200)
    step(scheduler, request(0, 400, 400), request(1, 4, 400), request(2, 400, 400))
    plan, _ = step(scheduler, request(3, 4, 700))
    return scheduler, plan


def test_free_slots_are_stranded_when_they_would_do_but_no_hole_does():
    scheduler, plan = scattered("first-fit")
    assert scheduler.stranded
    assert scheduler.refused == Refusal(700, 800, 400, 0)
    assert [e.kind for e in plan.events] == [Kind.WRITTEN, Kind.REFUSED]


def test_the_ideal_placement_moves_pieces_instead_and_says_so_before_the_admission():
    scheduler, plan = scattered("ideal")
    assert not scheduler.stranded
    assert plan.events[1:3] == [Event(Kind.MOVED, 1, 400, 0, 400), Event(Kind.ADMITTED, 3, 400, 700, 700)]
    assert [s.start for s in scheduler.running] == [0, 400]


def test_slots_are_stranded_whatever_else_the_head_waits_for():
    scheduler, _ = scattered("first-fit")
    scheduler._max_num_seqs = 1  # the running list is full as well
    scheduler.schedule()
    assert scheduler.stranded


def test_running_sequences_come_first_and_share_the_budget_in_order():
    scheduler = make({"reserve": "oracle"}, max_num_batched_tokens=10)
    plan, _ = step(scheduler, request(0, 4, 8), request(1, 25, 30), request(2, 3, 5))
    assert [(s.index, at, n) for s, at, n in plan.scheduled] == [(0, 0, 4), (1, 0, 6)]  # a prompt is split
    plan, _ = step(scheduler)
    assert [(s.index, at, n) for s, at, n in plan.scheduled] == [(0, 4, 1), (1, 6, 9)]
    assert scheduler.running[1].tokens == list(range(25))  # nothing is sampled before the prompt is whole
    step(scheduler)
    plan, _ = step(scheduler)
    assert [(s.index, at, n) for s, at, n in plan.scheduled] == [(0, 6, 1), (1, 24, 1), (2, 0, 3)]
    assert len(scheduler.running[1].tokens) == 26


def test_no_more_than_max_num_seqs_run():
    scheduler = make({"reserve": "oracle"}, max_num_seqs=2)
    plan, _ = step(scheduler, *(request(i, 4, 8) for i in range(3)))
    assert [s.index for s, _, _ in plan.scheduled] == [0, 1]
    assert scheduler.refused is None  # it has memory; it waits for a place
    assert of(Kind.REFUSED, plan.events) == []


def test_a_finished_request_leaves_at_once_and_its_slots_serve_the_next_step():
    scheduler = make({}, slots=2048)
    step(scheduler, request(0, 4, 5), request(1, 4, 5))
    _, late = step(scheduler)
    assert of(Kind.FREED, late) == [Event(Kind.FREED, 0, 0, 0, 2048)]
    plan, _ = step(scheduler)
    assert of(Kind.ADMITTED, plan.events) == [Event(Kind.ADMITTED, 1, 0, 2048, 2048)]


def test_a_static_batch_holds_everything_until_the_last_has_finished():
    scheduler = make({"reserve": "oracle", "batching": "static"})
    short, long, late_comer = request(0, 4, 5), request(1, 4, 7), request(2, 4, 4)
    step(scheduler, short, long)
    plan, late = step(scheduler, late_comer)
    assert late == [Event(Kind.FINISHED, 0)]
    assert [s.index for s, _, _ in plan.scheduled] == [0, 1]  # the batch is closed
    assert scheduler.refused is None  # there is memory for it
    plan, late = step(scheduler)
    assert [s.index for s, _, _ in plan.scheduled] == [1]
    assert [s.index for s in scheduler.running] == [0, 1]
    assert late == []
    _, late = step(scheduler)
    assert late == [Event(Kind.FINISHED, 1), Event(Kind.FREED, 0, 0, 0, 16), Event(Kind.FREED, 1, 16, 0, 16)]
    plan, late = step(scheduler)
    assert [e.kind for e in plan.events] == [Kind.ADMITTED, Kind.WRITTEN]
    assert [e.kind for e in late] == [Kind.FINISHED, Kind.FREED]
    assert scheduler.idle()


@pytest.mark.parametrize("system", [{}, {"kind": "paged"}])
def test_a_request_beyond_the_models_maximum_never_runs_and_is_not_queued(system):
    scheduler = make(system)
    assert scheduler.arrive(request(0, 4, 2049)) == [Event(Kind.NEVER, 0, 2049, 2048, 0)]
    assert scheduler.arrive(request(1, 4, 513, max_len=512)) == [Event(Kind.NEVER, 1, 513, 512, 0)]
    assert scheduler.idle()


@pytest.mark.parametrize(
    ("system", "need", "limit"),
    [
        ({}, 2048, 512),  # a buddy's pool of 1000 slots has no piece above 512
        ({"reserve": "oracle"}, 600, 512),
        ({"placement": "first-fit"}, 2048, 992),
        ({"placement": "ideal", "unit": 1}, 2048, 1000),
        ({"kind": "paged"}, None, None),
    ],
)
def test_a_need_that_the_empty_pool_could_not_give_never_runs(system, need, limit):
    scheduler = make(system, slots=1000)
    expected = [Event(Kind.ARRIVED, 0)] if need is None else [Event(Kind.NEVER, 0, need, limit, 1)]
    assert scheduler.arrive(request(0, 4, 600)) == expected


def test_a_length_below_the_prompt_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="final_slots = 4 below its prompt of 5; give at least 5"):
        request(0, 5, 4)
