"""Samples, beams, branches, swapping: the figures block for block, whatever else at random, and with the real model."""

from collections import Counter
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.shadow import check_end, check_replay, check_same_tokens, logits_of, random_scenario, watch
from vizkv.engine import engine, proof
from vizkv.model import load_model
from vizkv.replay import at, walk
from vizkv.scenario import schema as scenario
from vizkv.trace.events import Kind

PAGED = {"kind": "paged", "block_size": 4}
PEOPLE = "The people of this country"


@pytest.fixture(scope="module")
def model():
    return load_model("tiny")


def made(systems, requests, **fields):
    return scenario.from_dict({"slots": 64, "max_model_len": 64, "systems": systems, "requests": requests} | fields)


def tables(trace, step, system=0):
    replay = at(trace.systems[system], trace.requests, step)
    return {trace.requests[r.index].id: r.block_table for r in replay.running}, replay


def of(kind, replay):
    return [tuple(event[1:]) for event in replay.events if event.kind == kind]


def kinds(trace, system=0):
    return Counter(Kind(k) for k in trace.systems[system].kinds.tolist())


def proved(run, model):
    trace = engine.run(run, model)
    evidence = proof.prove(run, trace, model)
    for system in evidence.systems:
        assert system.same_tokens
        assert 0 < system.difference < proof.TOLERANCE
        assert system.tokens > 0
    assert evidence.holds
    return trace


# -- the figures ------------------------------------------------------------------------------------------------------


def test_figure_8_a1_copies_and_a2_writes_in_place():
    prompt, fathers, mothers = [1, 2, 3, 4, 5, 6, 7], [8, 10], [9, 11]
    run = made(
        [PAGED | {"free_order": [7, 1, 3]}],
        [{"id": "A", "prompt_token_ids": prompt, "samples": 2, "sample_token_ids": [fathers, mothers]}],
        slots=36, model="none",
    )  # fmt: skip
    trace = engine.run(run)
    held, replay = tables(trace, 0)
    assert held == {"A1": [7, 1], "A2": [7, 1]}
    assert replay.references == {7: 2, 1: 2}
    assert of(Kind.FORKED, replay) == [(1, 0, 7, 0, 0)]
    held, replay = tables(trace, 1)
    assert of(Kind.COPIED, replay) == [(0, 1, 3, 1, 3)]  # A1: block 1 -> 3, logical block 1, three slots
    assert held == {"A1": [7, 3], "A2": [7, 1]}
    assert of(Kind.BLOCK, replay) == []  # A2 needs none
    assert of(Kind.WRITTEN, replay) == [(0, 7, 1, 8, 0), (1, 7, 1, 9, 0)]
    copies = [e for e in replay.events if e.kind in (Kind.COPIED, Kind.WRITTEN)]
    assert [e.kind for e in copies] == [Kind.COPIED, Kind.WRITTEN, Kind.WRITTEN]


def test_figure_8_block_1_goes_to_one_reference_and_block_3_has_one():
    run = made(
        [PAGED | {"free_order": [7, 1, 3]}], [{"id": "A", "prompt_tokens": 7, "samples": 2, "output_tokens": 3}],
        slots=36, model="none",
    )  # fmt: skip
    _, replay = tables(engine.run(run), 1)
    assert replay.references == {7: 2, 1: 1, 3: 1}


FIGURE_9 = {
    "id": "c", "prompt_tokens": 4, "beam_width": 4, "output_tokens": 15,
    "beam_parents": [[0] * 4, *[[0, 1, 2, 3]] * 3, [0, 0, 0, 3], *[[0, 1, 2, 3]] * 3, [0, 0, 0, 3],
                     *[[0, 1, 2, 3]] * 3, [1, 1, 2, 2]],
}  # fmt: skip
FIGURE_9_ORDER = [0, 1, 13, 14, 2, 3, 15, 16, 4, 5, 6, 7, 8, 9, 10, 11, 12]


def test_figure_9_the_survivors_share_and_the_dropped_beams_blocks_are_freed():
    """Before: c0 = 0,1,3,5, c1 = 0,1,3,6, c2 = 0,1,3,7, c3 = 0,2,4,8. The survivors come from c1 and c2."""
    system = PAGED | {"prefix_caching": True, "free_order": FIGURE_9_ORDER}
    trace = engine.run(made([system], [FIGURE_9], slots=68, model="none"))
    before, replay = tables(trace, 11)
    assert before == {"c0": [0, 1, 3, 5], "c1": [0, 1, 3, 6], "c2": [0, 1, 3, 7], "c3": [0, 2, 4, 8]}
    assert replay.references == {0: 4, 1: 3, 2: 1, 3: 3, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1}
    dropped, replay = tables(trace, 12)
    assert sorted(block for _, block, left, *_ in of(Kind.FREED_BLOCK, replay) if left == 0) == [2, 4, 5, 8]
    assert dropped == {"c0": [0, 1, 3, 6], "c1": [0, 1, 3, 6], "c2": [0, 1, 3, 7], "c3": [0, 1, 3, 7]}
    assert replay.references == {0: 4, 1: 4, 3: 4, 6: 2, 7: 2}
    after, replay = tables(trace, 13)
    assert after == {"c0": [0, 1, 3, 6, 9], "c1": [0, 1, 3, 6, 10], "c2": [0, 1, 3, 7, 11], "c3": [0, 1, 3, 7, 12]}
    assert [block for _, block, *_ in of(Kind.BLOCK, replay)] == [9, 10, 11, 12]


def test_figure_10_the_prefixs_last_block_is_copied_by_the_first_who_writes():
    branches = [
        {"id": "A", "prompt_tokens": 3, "output_tokens": 4},
        {"id": "B", "prompt_tokens": 6, "output_tokens": 4},
    ]
    trace = engine.run(made([PAGED], [{"id": "P", "prompt_tokens": 10, "branches": branches}], model="none"))
    held, replay = tables(trace, 0)
    assert held == {"A": [0, 1, 2], "B": [0, 1, 2]}
    assert replay.references == {0: 2, 1: 2, 2: 2}
    assert replay.scheduled == {0: 10}  # the prefix is computed once
    held, replay = tables(trace, 1)
    assert of(Kind.COPIED, replay) == [(0, 2, 3, 2, 2)]
    assert held == {"A": [0, 1, 3, 4], "B": [0, 1, 2, 5]}
    assert replay.references == {0: 2, 1: 2, 2: 1, 3: 1, 4: 1, 5: 1}
    assert replay.scheduled == {0: 3, 1: 6}


# -- whatever the scenario --------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), contiguous=st.booleans())
def test_nobody_reads_what_is_not_their_own_and_every_memory_gives_the_same_tokens(seed, contiguous):
    """Every read of every step is checked, and what is read decides what is sampled."""
    seen = watch(random_scenario(Random(seed), contiguous=contiguous))
    check_replay(seen)
    check_end(seen)
    check_same_tokens(seen)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_without_a_model_the_replay_is_what_the_scheduler_held_and_everybody_ends(seed):
    seen = watch(random_scenario(Random(seed)), answers=False)
    check_replay(seen)
    check_end(seen)


def test_the_random_scenarios_show_what_they_are_about():
    """Examples in which nothing is copied, swapped or thrown out would prove nothing."""
    counts: Counter[str] = Counter()
    for seed in range(60):
        counts += watch(random_scenario(Random(seed))).counts
    rare = ("FORKED", "COPIED", "PREEMPTED", "SWAPPED_OUT", "SWAPPED_IN", "EXCHANGED", "HIT", "EVICTED", "REFUSED")
    assert {kind for kind in rare if counts[kind] < 10} == set()


@settings(max_examples=20, deadline=None)
@given(
    prompt=st.lists(st.integers(0, 6), min_size=1, max_size=9), width=st.integers(1, 5), outputs=st.integers(1, 8),
    size=st.sampled_from([1, 3, 4]), swap=st.booleans(),
)  # fmt: skip
def test_beams_are_those_of_a_search_that_knows_no_memory(prompt, width, outputs, size, swap):
    kept = [(0.0, [])]
    for _ in range(outputs):
        every = [
            (score + float(value), [*tokens, token])
            for score, tokens in kept
            for token, value in enumerate(logits_of(prompt + tokens).log_softmax(-1))
        ]
        kept = sorted(every, key=lambda c: -c[0])[:width]
    beams = {"id": "b", "prompt_token_ids": prompt, "beam_width": width, "output_tokens": outputs}
    other = {"id": "o", "prompt_tokens": 4, "output_tokens": 12}
    need = (-(-(len(prompt) + outputs) // size) * size) * width + 12
    system = PAGED | {"block_size": size, "recovery": "swap" if swap else "recompute"}
    seen = watch(made([system], [other, beams], slots=need, model="none"))
    assert sorted(seen.trace.systems[0].tokens[1:]) == sorted(tuple(tokens) for _, tokens in kept)


def test_a_shared_block_is_booked_as_whoever_holds_it_will_write_it():
    """A's branch needs one slot of the shared block and B's all of it; neither runs while D has the token budget."""
    branches = [
        {"id": "A", "prompt_tokens": 1, "output_tokens": 1},
        {"id": "B", "prompt_tokens": 1, "output_tokens": 9},
    ]
    requests = [
        {"id": "D", "prompt_tokens": 1, "output_tokens": 3, "samples": 2},
        {"id": "P", "prompt_tokens": 2, "branches": branches},
    ]
    run = made([PAGED | {"block_size": 8}], requests, slots=80, model="none", max_num_batched_tokens=3)
    check_replay(watch(run))


def test_a_plain_request_runs_as_if_groups_did_not_exist():
    """samples = 1 and beam_width = 1 take the very steps of a request that says nothing."""
    lines = []
    for extra in ({}, {"samples": 1}, {"beam_width": 1}):
        requests = [{"id": n, "prompt_tokens": 6, "output_tokens": 12} | extra for n in "ABC"]
        trace = engine.run(made([PAGED], requests, slots=32, model="none"))
        lines.append((trace.systems[0].kinds.tolist(), trace.systems[0].values.tolist()))
    assert lines[0] == lines[1] == lines[2]
    assert Kind.PREEMPTED in lines[0][0]


# -- with the real model ----------------------------------------------------------------------------------------------

SAMPLES = {"id": "A", "prompt": PEOPLE, "output_tokens": 12, "samples": 3, "temperature": 1.0}
BEAMS = {"id": "b", "prompt": PEOPLE, "output_tokens": 12, "beam_width": 3}
OTHER = {"id": "O", "prompt": "We the People of the", "output_tokens": 12}
BRANCHES = {
    "id": "P", "prompt": "It was the best of times, it was",
    "branches": [
        {"id": "x", "prompt": " the worst of", "output_tokens": 8},
        {"id": "y", "prompt": " the age of wisdom and", "output_tokens": 5},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("group", "slots"), [(SAMPLES, 48), (BEAMS, 40), (BRANCHES, 36)], ids=["samples", "beams", "branches"]
)
def test_a_group_writes_the_same_in_an_ample_pool_and_whatever_is_done_when_it_is_not(model, group, slots):
    ample = proved(made([PAGED | {"prefix_caching": True}], [OTHER, group], slots=256), model)
    for recovery in ("recompute", "swap"):
        for caching in (False, True):
            run = made([PAGED | {"recovery": recovery, "prefix_caching": caching}], [OTHER, group], slots=slots)
            trace = proved(run, model)
            assert trace.systems[0].tokens == ample.systems[0].tokens
            told = kinds(trace)
            assert told[Kind.PREEMPTED] and told[Kind.COPIED] and told[Kind.FORKED]
            assert bool(told[Kind.SWAPPED_IN]) == (recovery == "swap")


def test_samples_differ_and_are_those_of_a_contiguous_system(model):
    samples = SAMPLES | {"samples": 6}
    contiguous = {"kind": "contiguous", "reserve": "oracle", "unit": 1, "placement": "first-fit"}
    trace = proved(made([PAGED, contiguous, PAGED | {"name": "three", "block_size": 3}], [samples], slots=160), model)
    assert len(set(trace.systems[0].tokens)) == 6
    assert trace.systems[0].tokens == trace.systems[1].tokens == trace.systems[2].tokens
    assert [r.id for r in trace.requests] == ["A1", "A2", "A3", "A4", "A5", "A6"]
    assert len({"".join(r.pieces) for r in trace.requests}) == 6


def test_another_seed_draws_other_samples(model):
    first, again, other = (engine.run(made([PAGED], [SAMPLES], seed=s), model).systems[0].tokens for s in (0, 0, 1))
    assert first == again != other


def test_samples_without_a_temperature_are_the_same(model):
    trace = proved(made([PAGED], [SAMPLES | {"temperature": 0.0}]), model)
    assert len(set(trace.systems[0].tokens)) == 1


def test_beams_end_with_the_best_of_all_continuations_that_were_kept(model):
    """Every beam's text is another, and the sum of its log probabilities is not below the greedy text's."""
    trace = proved(made([PAGED], [BEAMS], slots=160), model)
    greedy = engine.run(made([PAGED], [BEAMS | {"beam_width": 1}], slots=160), model)
    assert len(set(trace.systems[0].tokens)) == 3
    prompt = model.tokenizer.encode(PEOPLE)

    def score(tokens):
        with torch.inference_mode():
            logits = model.model(torch.tensor([prompt + list(tokens)]))[0].double().log_softmax(-1)
        return sum(float(logits[len(prompt) - 1 + i, token]) for i, token in enumerate(tokens))

    best = max(map(score, trace.systems[0].tokens))
    assert best >= score(greedy.systems[0].tokens[0]) - 1e-6


def test_the_texts_of_beams_are_told_at_every_step_also_after_a_preemption(model):
    """What a beam's positions hold follows from the events alone, though beams take each other's places."""
    run = made([PAGED], [OTHER, BEAMS], slots=40)
    trace = engine.run(run, model)
    assert kinds(trace)[Kind.PREEMPTED]
    last = {}
    for replay in walk(trace.systems[0], trace.requests):
        for r in replay.running:
            last[r.index] = [replay.piece(r.index, i) for i in range(r.written)]
    ids = [model.tokenizer.encode(OTHER["prompt"]), *[model.tokenizer.encode(PEOPLE)] * 3]
    for index, pieces in last.items():
        whole = [*ids[index], *trace.systems[0].tokens[index]]
        assert pieces == [model.tokenizer.piece(token) for token in whole[: len(pieces)]]


def test_a_copy_on_write_copies_k_and_v(model):
    run = made([PAGED], [{"id": "A", "prompt": PEOPLE + " and the", "output_tokens": 6, "samples": 2,
                          "temperature": 1.0}])  # fmt: skip
    trace = engine.run(run, model)
    step, event = next((r.step, e) for r in walk(trace.systems[0], trace.requests) for e in r.events
                       if e.kind == Kind.COPIED)  # fmt: skip
    pool = engine.peek(run, model, step).pool(0)
    source, block = pool[:, :, event.a * 4 : event.a * 4 + event.d], pool[:, :, event.b * 4 : event.b * 4 + event.d]
    assert event.d > 0
    assert torch.equal(source, block)
    assert not source.isnan().any()
    after = [pool[:, :, b * 4 + event.d] for b in (event.a, event.b)]
    assert not torch.equal(*after)  # from there on each writes its own


def test_what_is_swapped_out_and_in_is_what_was_written(model):
    run = made([PAGED | {"recovery": "swap"}], [OTHER, SAMPLES | {"temperature": 0.7}], slots=48)
    trace = engine.run(run, model)
    moves = [(r.step, e) for r in walk(trace.systems[0], trace.requests) for e in r.events
             if e.kind in (Kind.SWAPPED_OUT, Kind.SWAPPED_IN) and e.d]  # fmt: skip
    out = {(e.request, e.c): (step, e.a, e.b) for step, e in moves if e.kind == Kind.SWAPPED_OUT}
    back = {(e.request, e.c): (step, e.a, e.b) for step, e in moves if e.kind == Kind.SWAPPED_IN}
    assert out and set(back) <= set(out)
    first = min(step for step, _, _ in out.values())
    before = engine.peek(run, model, first - 1).pool(0)
    at_return = engine.peek(run, model, max(step for step, _, _ in back.values()))
    returned = {key: value for key, value in back.items() if out[key][0] == first}
    assert any(out[key][1] != block for key, (_, _, block) in returned.items())  # elsewhere than it was
    for key, (_, cpu_block, block) in returned.items():
        held = before[:, :, out[key][1] * 4 : out[key][1] * 4 + 4]
        written = ~held.isnan()
        now = at_return.pool(0)[:, :, block * 4 : block * 4 + 4]
        cpu = at_return.runner._cpu[0].tensor[:, :, cpu_block * 4 : cpu_block * 4 + 4]
        assert written.any()
        assert torch.equal(now[written], held[written])
        assert torch.equal(cpu[written], held[written])


def test_a_cache_hit_computes_only_the_rest_and_the_logits_are_the_same(model):
    prompt = "Four score and seven years ago our fathers brought forth on this continent"
    count = len(model.tokenizer.encode(prompt))
    requests = [{"id": n, "prompt": prompt, "output_tokens": 5, "arrival_step": 6 * i, "samples": 1 + i}
                for i, n in enumerate("AB")]  # fmt: skip
    trace = proved(made([PAGED | {"prefix_caching": True}], requests, slots=128), model)
    replay = at(trace.systems[0], trace.requests, 6)
    hit = (count - 1) // 4 * 4
    assert replay.hits == {1: hit}
    assert replay.scheduled == {1: count - hit}
