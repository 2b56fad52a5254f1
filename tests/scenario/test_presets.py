"""The worked examples show the numbers that they claim (SPEC 5)."""

from functools import cache
from pathlib import Path

import pytest
from tokenizers import Tokenizer

import vizkv
from vizkv import replay
from vizkv.engine import engine
from vizkv.scenario.code import to_code
from vizkv.scenario.presets import FOLDER, list_presets, preset
from vizkv.scenario.schema import from_dict, from_toml, to_dict, to_toml
from vizkv.trace.events import Kind
from vizkv.trace.slots import ledger

TOKENIZER = Path(vizkv.__file__).parent / "model" / "tiny" / "tokenizer.json"
PRESETS = {p.id: p for p in list_presets()}
STATES = ("used", "reserved", "internal", "rounding", "stranded", "free")


@cache
def run(name):
    """An example's run without the model: prompts as long as the model's tokenizer makes them."""
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    data = to_dict(PRESETS[name].scenario) | {"model": "none"}
    for request in data.get("requests", []):
        for piece in (request, *request.get("branches", ())):
            if "prompt" in piece:
                piece["prompt_tokens"] = len(tokenizer.encode(piece.pop("prompt")).ids)
    return engine.run(from_dict(data))


def at(name, step, system=0):
    trace = run(name)
    return replay.at(trace.systems[system], trace.requests, step)


def booked(name, step, lens, system=0):
    """The ledger as a tuple in the order of STATES."""
    book = ledger(at(name, step, system).booked(), lens)
    return tuple(book[state] for state in STATES)


def live(name, step, request, system=0):
    """(written, will be written, never will be) of a request's slots."""
    trace = run(name)
    index = next(i for i, r in enumerate(trace.requests) if r.id == request)
    held = at(name, step, system).live[index]
    return held.written, held.final - held.written, held.estimate - held.final


def happened(name, system, *kinds):
    """(step, kind, request, a, b, c) of every such event."""
    trace = run(name)
    return [
        (state.step, event.kind.name, trace.requests[event.request].id, event.a, event.b, event.c)
        for state in replay.walk(trace.systems[system], trace.requests)
        for event in state.events
        if event.kind in kinds
    ]


def step_of(name, place):
    if isinstance(place, int):
        return place
    trace = run(name)
    index = next(i for i, r in enumerate(trace.requests) if r.id == place["request"])
    states = replay.walk(trace.systems[0], trace.requests)
    return next(s.step for s in states if index in s.live and s.live[index].written >= place["written"])


def test_the_first_example_is_the_readers_question():
    assert list_presets()[0].id == "readers-question"
    assert preset("readers-question").lens == "online"


def test_every_scenario_file_is_in_the_index_once():
    assert sorted(PRESETS) == sorted(p.stem for p in FOLDER.glob("*.toml") if p.stem != "index")
    assert len(PRESETS) == len(list_presets())


@pytest.mark.parametrize("name", PRESETS)
def test_an_example_is_a_scenario_like_any_other(name):
    example = PRESETS[name]
    assert example.lens in ("online", "hindsight") and example.accounting in ("textbook", "paper")
    assert from_toml(to_toml(example.scenario)) == example.scenario
    assert len(to_code(example.scenario)) < 2000  # fits into a link that can be sent around


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if preset.scenario.requests])
def test_every_request_finishes_or_is_reported_and_every_moment_is_reached(name):
    trace = run(name)
    for index, system in enumerate(trace.systems):
        ended = [who for _, _, who, *_ in happened(name, index, Kind.FINISHED) + happened(name, index, Kind.NEVER)]
        assert sorted(ended) == sorted(r.id for r in trace.requests), system.name
        assert booked(name, system.steps, "online", index)[-1] == system.slots
    for place in (PRESETS[name].step, *PRESETS[name].moments):
        assert 0 <= step_of(name, place) < trace.steps


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("Four score and seven years ago our", 7), ("You only live", 3), ("It was the best of times", 6)],
)
def test_the_prompts_of_the_figures_have_a_token_a_word(text, tokens):
    assert len(Tokenizer.from_file(str(TOKENIZER)).encode(text).ids) == tokens


def test_figure_3_says_the_words_of_the_figure():
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    said = {r.id: r.output_token_ids for r in PRESETS["figure-3"].scenario.requests if r.output_token_ids}
    assert tokenizer.decode(said["A"], skip_special_tokens=False) == " fathers brought forth<|endoftext|><|endoftext|>"
    assert tokenizer.decode(said["B"], skip_special_tokens=False) == " once<|endoftext|><|endoftext|>"


# ---- the reader's question ----


@pytest.mark.parametrize(
    ("written", "online", "hindsight"),
    [
        (100, (100, 1948, 0, 0, 0, 0), (100, 400, 1548, 0, 0, 0)),
        (300, (300, 1748, 0, 0, 0, 0), (300, 200, 1548, 0, 0, 0)),
        (500, (500, 0, 1548, 0, 0, 0), (500, 0, 1548, 0, 0, 0)),
    ],
)
def test_alone_in_2048_slots_the_two_lenses_name_the_same_slots(written, online, hindsight):
    step = step_of("readers-question-alone", {"request": "A", "written": written})
    assert step == written - 7
    assert booked("readers-question-alone", step, "online") == online
    assert booked("readers-question-alone", step, "hindsight") == hindsight


def test_the_first_screen_has_two_at_a_time_in_orca_max_and_all_five_elsewhere():
    trace, step = run("readers-question"), step_of("readers-question", PRESETS["readers-question"].step)
    assert step == 293
    for index, system in enumerate(trace.systems):
        state = at("readers-question", step, index)
        waiting = [trace.requests[i].id for i in state.waiting]
        assert waiting == (["C", "D", "E"] if system.name == "Orca (Max)" else [])
        assert live("readers-question", step, "A", index)[:2] == (300, 200)
    assert [s.name for s in trace.systems] == [
        "Orca (Max)", "Orca (Pow2)", "Orca (Oracle)", "Multiple of 3", "PagedAttention",
    ]  # fmt: skip


def test_at_the_first_screen_a_is_in_slots_1_to_2048_and_nothing_else_happens():
    """Nobody arrives, finishes or waits anew at that step: the sentence of the screen is about A."""
    state = at("readers-question", 293)
    assert (state.live[0].start, state.live[0].held) == (0, 2048)
    assert live("readers-question", 293, "A") == (300, 200, 1548)
    for system in range(4):
        assert {e.kind for e in at("readers-question", 293, system).events} == {Kind.WRITTEN}


def test_the_whole_of_the_first_screens_run_takes_less_than_760_steps():
    assert run("readers-question").steps < 760


def test_it_ends_at_1500_and_548_slots_turn_internal():
    assert booked("ends-at-1500", 492, "online") == booked("readers-question-alone", 492, "online")
    assert booked("ends-at-1500", 493, "online") == (500, 1548, 0, 0, 0, 0)
    assert booked("ends-at-1500", 493, "hindsight") == (500, 1000, 548, 0, 0, 0)
    assert booked("ends-at-1500", 1493, "online") == (1500, 0, 548, 0, 0, 0)


def test_513_becomes_1024_of_the_whole_and_519_of_the_output():
    last = step_of("pow2-513", {"request": "A", "written": 513})
    assert booked("pow2-513", last, "online", 0) == (513, 0, 511, 0, 0, 1024)
    assert booked("pow2-513", last, "online", 1) == (513, 0, 6, 0, 0, 2048 - 519)
    assert booked("pow2-513", last - 1, "online", 0) == (512, 512, 0, 0, 0, 1024)


def test_514_becomes_516_as_a_multiple_of_3():
    last = step_of("multiple-of-3", {"request": "A", "written": 514})
    assert booked("multiple-of-3", last, "online") == (514, 0, 2, 0, 0, 2048 - 516)


def test_500_slots_in_blocks_of_16_are_32_blocks_with_12_slots_over():
    last = step_of("paged-500", {"request": "A", "written": 500})
    assert len(at("paged-500", last).live[0].block_table) == 32
    assert booked("paged-500", last, "online") == (500, 0, 12, 0, 0, 2048 - 512)


def test_the_17th_slot_takes_the_second_block():
    tables = [len(at("paged-500", step).live[0].block_table) for step in (9, 10)]
    assert tables == [1, 2]


# ---- the paper's figures ----


def test_figure_3_has_the_slots_of_the_figure():
    assert live("figure-3", 2, "A") == (9, 2, 2037)
    assert live("figure-3", 2, "B") == (4, 1, 507)


def test_figure_3_has_a_gap_between_a_and_b_that_is_lost_to_the_one_who_waits():
    state = at("figure-3", 2)
    a, b = state.live[0], state.live[2]
    assert (a.start, a.held, b.start, b.held) == (0, 2048, 2304, 512)
    assert happened("figure-3", 0, Kind.REFUSED) == [(2, "REFUSED", "C", 512, 512, 256)]
    assert state.stranded
    assert booked("figure-3", 2, "hindsight") == (13, 3, 2037 + 507, 0, 512, 0)


def test_figures_6_and_7_have_the_blocks_of_the_figures():
    tables = [[list(r.block_table) for r in at("tiny-blocks", step).live.values()] for step in (0, 1, 2)]
    assert tables == [[[7, 1]], [[7, 1], [5, 2]], [[7, 1, 3], [5, 2]]]
    written = [[r.written for r in at("tiny-blocks", step).live.values()] for step in (0, 1, 2)]
    assert written == [[7], [8, 6], [9, 7]]  # 4 + 3; "fathers" fills block 1; "brought" is the first in block 3


# ---- contiguity, batches, memory that runs out ----


def test_b_needs_512_in_one_piece_960_are_free_and_the_largest_hole_is_448():
    assert happened("external-fragmentation", 0, Kind.REFUSED) == [(10, "REFUSED", "B", 512, 960, 448)]
    assert booked("external-fragmentation", 10, "online")[4] == 960
    admitted = [(step, who) for step, _, who, *_ in happened("external-fragmentation", 0, Kind.ADMITTED)]
    assert (17, "B") in admitted


def test_six_requests_fill_the_pool_to_the_last_slot_first():
    assert booked("external-fragmentation", 5, "online")[-2:] == (0, 0)


def test_pages_admit_the_same_request_at_once():
    assert not happened("external-fragmentation", 1, Kind.REFUSED)
    assert (10, "B") in [(step, who) for step, _, who, *_ in happened("external-fragmentation", 1, Kind.ADMITTED)]


def test_what_contiguity_costs_falls_from_buddy_to_paged():
    trace = run("contiguity-costs")
    assert {s.name: s.steps for s in trace.systems} == {
        "Buddy": 264, "First-fit": 242, "Best-fit": 201, "Ideal": 181, "PagedAttention": 155,
    }  # fmt: skip
    assert [at("contiguity-costs", 45, i).stranded for i in range(5)] == [True, True, True, False, False]
    assert [at("contiguity-costs", 95, i).stranded for i in (1, 2)] == [True, False]
    assert len(happened("contiguity-costs", 3, Kind.MOVED)) > 0


def test_in_a_static_batch_internal_fragmentation_stays_in_the_online_lens():
    online = [booked("static-batch", 150, "online", system)[2] for system in range(4)]
    assert online == [0, (512 - 60) + (512 - 120), 0, 0]


def test_in_a_static_batch_what_the_finished_wrote_stays_used():
    finished = 60 + 120
    assert booked("static-batch", 150, "online", 3)[0] == finished + (13 + 150) + (15 + 150)


def test_orca_refuses_at_the_door_and_pages_preempt_the_last():
    assert happened("out-of-memory", 0, Kind.REFUSED, Kind.PREEMPTED) == [(4, "REFUSED", "C", 128, 0, 0)]
    assert [e[:4] for e in happened("out-of-memory", 1, Kind.PREEMPTED)] == [(76, "PREEMPTED", "C", 80)]
    last = [(step, who) for s in (0, 1) for step, _, who, *_ in happened("out-of-memory", s, Kind.FINISHED)[-1:]]
    assert last == [(177, "C"), (105, "C")]
