"""Under pressure: who is refused, who is preempted and why, and what it costs, on runs that can be checked by hand."""

import pytest

from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.replay import walk
from vizkv.scenario.presets import list_presets, preset
from vizkv.scenario.schema import from_dict, to_dict
from vizkv.trace.events import Kind
from vizkv.views.charts import strips
from vizkv.views.facts import pressure
from vizkv.views.facts.pressure import STATES, Stay

SAY = messages()
SWAP, RECOMPUTE, CACHED, ORCA = range(4)
PRESETS = [p.id for p in list_presets() if p.page == "pressure"]


def run(slots, *requests, size=4, **settings):
    """Requests as (prompt tokens, sampled tokens) in pools of swap, recompute, recompute with cache, Orca (Max)."""
    return engine.run(
        from_dict({
            "slots": slots, "max_model_len": settings.pop("longest", slots // 2), "model": "none",
            "systems": [
                {"kind": "paged", "name": "swap", "block_size": size, "recovery": "swap"},
                {"kind": "paged", "name": "recompute", "block_size": size},
                {"kind": "paged", "name": "cached", "block_size": size, "prefix_caching": True},
                {"kind": "contiguous", "reserve": "max", "placement": "first-fit", "unit": 1},
            ],
            "requests": [
                {"prompt_tokens": r[0], "output_tokens": r[1], **(r[2] if len(r) > 2 else {})} for r in requests
            ],
        } | settings)
    )  # fmt: skip


@pytest.fixture(scope="module")
def two():
    """Four blocks of 4; A and B begin with 7 tokens each, two blocks. At step 2 A writes its ninth and needs a third.

    A ends at step 5 with 12 slots written (7 + 6 - 1); B needs 4 blocks by then and can only go on when A has gone.
    """
    return run(16, (7, 6), (7, 6), longest=12)


def only(items):
    (item,) = items
    return item


def test_the_last_of_the_running_list_goes_for_the_one_that_needs_a_block(two):
    for system in pressure.by_system(two)[:3]:
        p = only(system.preemptions)
        assert (p.step, p.victims, p.needy, p.need, p.free, p.itself) == (2, (1,), 0, 1, 0, False)
        assert (p.blocks, p.slots) == (2, 8)  # both full after step 1


def test_eight_tokens_are_computed_again_or_two_blocks_go_out_and_back(two):
    swap, recompute, cached, orca = pressure.by_system(two)
    assert (swap.again, swap.out, swap.back, swap.copied_slots) == (0, 2, 2, 16)
    assert (recompute.again, recompute.found, recompute.out) == (8, 0, 0)
    # A took one of B's two blocks, the one at the head of the free queue: B's tail; its first block is found again
    assert (cached.again, cached.found) == (4, 4)
    assert (orca.again, orca.out, orca.preemptions, orca.refusals[0].request) == (0, 0, (), 1)


def test_what_was_lost_is_computed_again_or_found_again():
    for name in PRESETS:
        for system in pressure.by_system(run_of(name)):
            if all(len(p.victims) == 1 for p in system.preemptions):
                lost = sum(p.slots for p in system.preemptions if not p.swap)
                # who is preempted while it still computes again loses less than it has had
                assert system.again + system.found >= lost
                assert system.again <= lost


def test_the_reason_is_said_in_words(two):
    swap, recompute, *_ = pressure.by_system(two)
    why = "**B** is preempted: A needed a block, none was free, and **B** was the last of the running list."
    assert pressure.why(recompute.preemptions[0], recompute, two, SAY) == (
        f"{why} 8 written slots are given up and will be computed again."
    )
    assert pressure.why(swap.preemptions[0], swap, two, SAY) == f"{why} 2 blocks go to the CPU pool."


def test_who_needs_a_block_itself_and_stands_last_goes_itself():
    # three blocks: A takes one, B one; both are full after step 0, and A takes the third
    trace = run(12, (4, 3), (4, 3), longest=6)
    system = pressure.by_system(trace)[RECOMPUTE]
    p = only(system.preemptions)
    assert (p.step, p.victims, p.needy, p.need, p.itself) == (1, (1,), 1, 1, True)
    assert "it needed a block more itself, none was free" in pressure.why(p, system, trace, SAY)


def test_samples_are_one_victim_and_what_they_share_counts_once():
    # prompt of 4: one shared block; then a block each. A needs its third block at step 6: 2 + 1 + 2 = 5 of 5 are taken
    trace = run(20, (4, 8), (4, 8, {"samples": 2}), longest=12)
    swap, recompute, *_ = pressure.by_system(trace)
    p = recompute.preemptions[0]
    assert p.victims == (1, 2) and p.needy == 0
    assert p.blocks == 3  # not 4: the prompt's is shared
    assert p.slots == 4 + 2 * 4
    assert swap.preemptions[0].blocks == 3 and swap.out >= 3
    assert "**A**" not in pressure.why(p, recompute, trace, SAY)
    assert pressure.why(p, recompute, trace, SAY).startswith("**B1**, **B2** are preempted, together as one request: A")


def test_a_forked_sample_stands_where_its_first_stands(two):
    trace = run(40, (4, 4, {"samples": 2}))
    for system in pressure.by_system(trace)[:3]:
        assert system.stays[0] == (Stay("prefill", 0, 1), Stay("running", 1, 4))
        assert system.stays[1] == system.stays[0]


def test_every_strip_has_its_states_in_order(two):
    swap, recompute, _, orca = pressure.by_system(two)
    assert swap.stays[1] == (
        Stay("prefill", 0, 1), Stay("running", 1, 2), Stay("swapped", 2, 6), Stay("running", 6, 10),
    )  # fmt: skip
    assert recompute.stays[1] == (
        Stay("prefill", 0, 1), Stay("running", 1, 2), Stay("preempted", 2, 6), Stay("again", 6, 7),
        Stay("running", 7, 10),
    )  # fmt: skip
    assert orca.stays[1] == (Stay("waiting", 0, 6), Stay("prefill", 6, 7), Stay("running", 7, 12))
    assert swap.waits == recompute.waits == {0: 0, 1: 4}


def test_latency_is_from_arrival_to_end_by_the_clock(two):
    recompute = pressure.by_system(two)[RECOMPUTE]
    seconds = two.systems[RECOMPUTE].time_s
    assert recompute.mean_latency == pytest.approx((seconds[5] + seconds[9]) / 2)
    # two steps of 33 ms each: 4 + 1 tokens and 4 of the other's prompt; 1 + 4 + 1 tokens
    late = pressure.by_system(run(16, (4, 2), (4, 2, {"arrival_step": 1})))[RECOMPUTE]
    assert late.mean_latency == pytest.approx(2 * 0.033 + ((4 + 1 + 4) + (1 + 4 + 1)) / 2 * 0.0001)


def test_a_refusal_names_who_holds_what_and_how_little_of_it_is_written():
    trace = run(16, (2, 4), (2, 4), (2, 4), longest=8)
    orca = pressure.by_system(trace)[ORCA]
    refused = only(orca.refusals)
    assert (refused.step, refused.request, refused.need, refused.free) == (0, 2, 8, 0)
    assert (refused.running, refused.held, refused.written) == ((0, 1), 16, 4)
    assert orca.waits[2] == 4 and orca.most == 2
    assert pressure.by_system(trace)[RECOMPUTE].most == 3


def test_who_can_never_run_is_told_and_has_no_strip():
    trace = run(16, (2, 4), (10, 9), (2, 4), longest=20)
    paged, orca = pressure.by_system(trace)[RECOMPUTE], pressure.by_system(trace)[ORCA]
    assert [n.request for n in paged.never] == [1]
    assert pressure.never(paged, trace, SAY) == ["B can never run: it needs 18 slots, and the pool has 16."]
    assert set(paged.stays) == {0, 2}
    assert len(orca.never) == 3 and orca.most == 0 and orca.mean_latency == 0.0


def test_a_full_cpu_pool_means_computing_again():
    trace = run_of("pressure-storm")
    swap = next(s for s in pressure.by_system(trace) if s.recovery == "swap")
    p = only(p for p in swap.preemptions if not p.swap)
    assert (p.step, p.blocks, swap.again) == (146, 20, p.slots)
    assert "The CPU pool has no room for 20 blocks more" in pressure.why(p, swap, trace, SAY)


def test_what_goes_out_comes_back():
    for name in PRESETS:
        for system in pressure.by_system(run_of(name)):
            assert system.out == system.back  # everybody ends


def test_copying_takes_as_long_as_its_bytes():
    # 16 slots of OPT-13B are 13.1 MB: 0.8192 ms at 16 GB a second
    assert pressure.milliseconds(16, 819_200, 16) == pytest.approx(0.8192)
    assert pressure.milliseconds(0, 819_200, 1) == 0


_RUNS = {}


def run_of(name):
    """An example's run without the model."""
    if name not in _RUNS:
        from vizkv.model import load_model

        scenario = preset(name).scenario
        tokens = load_model("tiny").tokenizer
        data = to_dict(scenario) | {"model": "none"}
        for request in data["requests"]:
            if "prompt" in request:
                request["prompt_tokens"] = len(tokens.encode(request.pop("prompt")))
        _RUNS[name] = engine.run(from_dict(data))
    return _RUNS[name]


def test_the_first_example_has_the_numbers_that_its_text_says():
    swap, recompute, orca = pressure.by_system(run_of("pressure"))
    assert [(p.step, p.victims, p.needy) for p in recompute.preemptions] == [
        (13, (4,), 4), (19, (3,), 1), (27, (2,), 1), (46, (4,), 2),
    ]  # fmt: skip
    assert (recompute.again, swap.out, swap.back) == (16 + 22 + 32 + 22, 4 + 6 + 8 + 6, 24)
    assert (swap.steps, recompute.steps, orca.steps) == (59, 63, 99)
    assert (recompute.most, orca.most, orca.waits) == (5, 2, {0: 0, 1: 0, 2: 34, 3: 34, 4: 65})


def test_the_other_examples_have_the_numbers_that_their_texts_say():
    recompute, cached, *_ = pressure.by_system(run_of("pressure-storm"))
    assert [p.step for p in recompute.preemptions if p.victims == (8,)] == [34, 189, 219]
    assert recompute.stays[8][0].first == 24
    assert (recompute.again, cached.again, cached.found) == (998, 726, 304)
    swap, recompute, _ = pressure.by_system(run_of("pressure-samples"))
    assert [(p.step, p.victims, p.needy, p.blocks) for p in swap.preemptions] == [
        (15, (2, 3, 4), 1, 14), (33, (2, 3, 4), 2, 14),
    ]  # fmt: skip
    assert [p.step for p in recompute.preemptions] == [15, 34]
    trace = run_of("pressure-never")
    for system in pressure.by_system(trace):
        assert [trace.requests[n.request].id for n in system.never] == ["C"]
    assert [p.step for p in pressure.by_system(trace)[0].preemptions if p.victims == (3,)] == [17]
    assert pressure.by_system(trace)[2].waits[4] == 77


@pytest.mark.parametrize("name", PRESETS)
def test_each_step_of_a_sequence_lies_in_one_strip(name):
    trace = run_of(name)
    for system, facts in zip(pressure.by_system(trace), trace.systems, strict=True):
        never = {n.request for n in system.never}
        arrived, finished = {}, {}
        for replay in walk(facts, trace.requests):
            for event in replay.events:
                if event.kind == Kind.FINISHED:
                    finished[event.request] = replay.step
                elif event.kind == Kind.ARRIVED:
                    arrived[event.request] = replay.step
        for who, stays in system.stays.items():
            assert who not in never
            assert stays[0].first == arrived.get(who, stays[0].first)
            assert stays[-1].end == finished[who] + 1
            assert all(a.end == b.first and a.state != b.state for a, b in zip(stays, stays[1:], strict=False))
            assert {s.state for s in stays} <= set(STATES)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_strips_show_every_stay_and_the_open_step(two, theme):
    systems = pressure.by_system(two)
    figure = strips.strips(two, systems, 3, theme, SAY)
    drawn = sum(len([x for x in bar.x if x is not None]) for bar in figure.data)
    parted = sum(place == 3.5 for bar in figure.data for place in bar.base)
    assert drawn == sum(len(stays) for s in systems for stays in s.stays.values()) + parted
    assert {(line.x0, line.x1) for line in figure.layout.shapes} == {(3.5, 3.5)}
    assert "step 3" in [a.text for a in figure.layout.annotations]
    shapes = [strips.HATCH[state] for state in STATES]
    assert len(set(shapes)) == len(STATES)  # never colour alone
    assert len(set(strips.COLOURS[theme].values())) == len(STATES)


def test_the_open_steps_line_runs_through_no_word(two):
    systems = pressure.by_system(two)
    for step in range(two.steps):
        for bar in strips.strips(two, systems, step, "light", SAY).data:
            for left, long, word in zip(bar.base, bar.x, bar.text or [], strict=False):
                letters = 0.8 * len(word) * strips._CHARACTER * two.steps
                assert not word or abs(left + long / 2 - step - 0.5) >= letters / 2


def test_of_many_sequences_those_that_were_held_up_are_drawn():
    trace = run(64, *[(6, 6)] * 30)
    systems = pressure.by_system(trace)
    shown = strips.rows(systems, len(trace.requests))
    assert len(shown) == strips.MOST_ROWS and shown == sorted(shown)
    hit = {v for s in systems for p in s.preemptions for v in p.victims}
    assert hit and (hit <= set(shown) or set(shown) <= hit)


def test_no_preemption_leaves_nothing_to_tell():
    for system in pressure.by_system(run(64, (4, 4), (4, 4))):
        assert (system.preemptions, system.refusals, system.again, system.out) == ((), (), 0, 0)
