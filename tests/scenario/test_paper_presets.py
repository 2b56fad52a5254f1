"""The page "The paper, replayed" shows the numbers that are printed (SPEC 5), with the real model."""

from functools import cache

import pytest

from vizkv import replay
from vizkv.engine import engine, proof
from vizkv.messages.catalogue import messages
from vizkv.model import load_model
from vizkv.scenario.presets import list_presets, preset
from vizkv.scenario.schema import from_dict, to_dict
from vizkv.systems.paged.blocks import BlockPool
from vizkv.trace.events import Kind
from vizkv.trace.slots import Code
from vizkv.views.facts import figures

PAPER = [p.id for p in list_presets() if p.page == "paper"]
PAGED = [name for name in PAPER if name != "paper-figure-3"]


@cache
def run(name):
    scenario = preset(name).scenario
    return engine.run(scenario, load_model(scenario.model))


def at(name, step):
    trace = run(name)
    return replay.at(trace.systems[0], trace.requests, step)


def tables(name, step):
    """Block tables by the sequence's name."""
    state = at(name, step)
    return {state.requests[who].id: list(r.block_table) for who, r in state.live.items()}


def filled(name, step, request):
    """(physical block, slots filled) of each of a sequence's logical blocks."""
    state = at(name, step)
    size = state.system.block_size
    r = next(r for who, r in state.live.items() if state.requests[who].id == request)
    return [(block, min(size, r.written - i * size)) for i, block in enumerate(r.block_table)]


def words(name, step, request):
    """A sequence's text by logical block."""
    state = at(name, step)
    size = state.system.block_size
    r = next(r for who, r in state.live.items() if state.requests[who].id == request)
    pieces = [state.piece(r.index, position) for position in range(r.written)]
    return ["".join(pieces[i : i + size]).strip() for i in range(0, len(pieces), size)]


def events(name, step, *kinds):
    state = at(name, step)
    return [(state.requests[e.request].id, e.a, e.b) for e in state.events if e.kind in kinds]


def answers(name, scenario=None):
    trace = run(name) if scenario is None else engine.run(scenario, load_model(scenario.model))
    return figures.compare(trace, figures.FIGURES[name], messages())


# ---- all of them ----


def test_all_the_examples_are_there_in_the_papers_order():
    numbers = ["figure-3", "figure-6", "figure-7", "figure-8", "figure-9", "figure-10"]
    assert PAPER == [f"paper-{n}" for n in (*numbers, "prefix-cache", "prefix-cache-now")]
    assert set(figures.FIGURES) == set(PAPER)


@pytest.mark.parametrize("name", PAPER)
def test_what_the_model_writes_in_a_figure_is_what_it_writes_without_a_cache(name):
    scenario = preset(name).scenario
    found = proof.prove(scenario, run(name), load_model(scenario.model))
    assert found.holds and all(s.tokens for s in found.systems)


@pytest.mark.parametrize("name", PAPER)
def test_in_the_end_all_is_given_back(name):
    trace = run(name)
    (system,) = trace.systems
    for state in replay.walk(system, trace.requests, closing=True):
        assert sum(state.counts) == system.slots
    free = state.counts[Code.FREE] + state.counts[Code.CACHED]
    assert (free, state.references, dict(state.live), state.waiting) == (system.slots, {}, {}, [])
    assert sorted(state.free_queue) == list(range(system.slots // system.block_size if system.block_size else 0))


@pytest.mark.parametrize("name", PAPER)
def test_nobody_is_preempted_and_everybody_finishes(name):
    trace = run(name)
    happened = [event for state in replay.walk(trace.systems[0], trace.requests) for event in state.events]
    assert not [e for e in happened if e.kind in (Kind.PREEMPTED, Kind.NEVER)]
    assert sorted(e.request for e in happened if e.kind == Kind.FINISHED) == list(range(len(trace.requests)))


@pytest.mark.parametrize("name", PAPER)
def test_a_figure_says_what_is_scripted_and_who_does_it_how(name):
    say = messages()
    assert say(f"preset.{name}.scripted").startswith("Scripted: ")
    assert "Computed: " in say(f"preset.{name}.scripted")
    assert all(len(say(f"paper.{name}.{part}")) > 40 for part in ("paper", "v0", "v1"))
    assert "What runs here is" in say(f"paper.{name}.v1")  # never mistaken for vLLM itself


@pytest.mark.parametrize("name", PAGED)
def test_of_the_memory_only_the_order_of_free_blocks_is_scripted(name):
    """No hidden way to a block: what the scenario's system may say is its size, its cache, and the queue's order."""
    (system,) = to_dict(preset(name).scenario)["systems"]
    assert set(system) <= {"kind", "block_size", "prefix_caching", "free_order"}


@pytest.mark.parametrize("name", PAPER)
def test_a_printed_number_differs_only_where_the_page_says_why(name):
    wrong = [(row.label, row.printed, row.here) for row in answers(name) if row.agrees == row.differs]
    assert not wrong


def test_three_printed_numbers_differ():
    differing = {(name, row.label, row.printed, row.here) for name in PAPER for row in answers(name) if not row.agrees}
    assert differing == {
        ("paper-figure-3", "A: slots never used", "2,038", "2,037"),
        ("paper-prefix-cache-now", "Free queue", "7-8-9-4-3-2-6-5-1-0", "4-7-8-9-3-2-6-5-1-0"),
        ("paper-prefix-cache-now", "New blocks for R2", "7, 8, 9, 4, 3", "4, 7, 8, 9, 3"),
    }


@pytest.mark.parametrize("name", PAGED)
def test_another_order_of_free_blocks_gives_other_numbers_and_the_comparison_sees_it(name):
    scenario = preset(name).scenario
    (system,) = scenario.systems
    order = BlockPool(scenario.slots // system.block_size, free_order=system.free_order).free_queue()
    data = to_dict(scenario)
    rows = answers(name, from_dict(data | {"systems": [data["systems"][0] | {"free_order": order[::-1]}]}))
    printed_blocks = name != "paper-figure-10"
    assert any(row.agrees == row.differs for row in rows) is printed_blocks


@pytest.mark.parametrize("name", PAPER)
@pytest.mark.parametrize(
    "change",
    [
        {"slots": 16},
        {"systems": [{"kind": "paged", "block_size": 3}]},
        {"requests": [{"id": "Z", "prompt": "Once upon", "output_tokens": 2}]},
    ],
    ids=["a pool too small", "other blocks", "other requests"],
)
def test_a_changed_scenario_has_other_numbers_or_none_and_never_fails(name, change):
    data = to_dict(preset(name).scenario)
    if change == {"slots": 16} and name in ("paper-figure-8", "paper-figure-9"):
        change = change | {"systems": [{"kind": "paged", "block_size": 4}]}  # the order names blocks that are gone
    data |= change
    if "systems" not in change:
        data["systems"] = [{k: v for k, v in s.items() if k != "free_order"} for s in data["systems"]]
    rows = answers(name, from_dict(data))
    assert len(rows) == len(figures.FIGURES[name])
    assert all(row.here for row in rows) and not all(row.agrees for row in rows)


# ---- Figure 3 ----


def test_figure_3_has_the_slots_of_the_figure_and_they_add_up():
    live = {r.index: r for r in at("paper-figure-3", 2).live.values()}
    a, b = live[0], live[2]
    assert (a.written, a.final - a.written, a.held - a.final) == (9, 2, 2037)
    assert 9 + 2 + 2037 == a.held == 2048
    assert (b.written, b.final - b.written, b.held - b.final) == (4, 1, 507)
    assert events("paper-figure-3", 2, Kind.REFUSED) == [("C", 512, 512)]


def test_figure_3_is_the_same_run_as_on_the_page_of_memory():
    assert preset("paper-figure-3").scenario == preset("figure-3").scenario


# ---- Figures 6 and 7 ----


def test_figure_6_fills_7_then_1_then_takes_3():
    assert filled("paper-figure-6", 0, "A") == [(7, 4), (1, 3)]
    assert filled("paper-figure-6", 1, "A") == [(7, 4), (1, 4)]
    assert filled("paper-figure-6", 2, "A") == [(7, 4), (1, 4), (3, 1)]
    assert words("paper-figure-6", 1, "A") == ["Four score and seven", "years ago our fathers"]
    assert words("paper-figure-6", 2, "A")[2] == "brought"
    assert len(at("paper-figure-6", 0).free_queue) == 7  # of blocks 0 to 8


def test_figure_6_scripts_the_first_three_free_blocks_and_no_word():
    scenario = preset("paper-figure-6").scenario
    assert scenario.systems[0].free_order == [7, 1, 3]
    assert scenario.requests[0].output_token_ids is None
    assert scenario.requests[0].prompt == "Four score and seven years ago our"


def test_figure_7_has_the_blocks_of_both_requests():
    assert tables("paper-figure-7", 2) == {"A": [7, 1, 3], "B": [5, 2]}
    assert filled("paper-figure-7", 2, "B") == [(5, 4), (2, 2)]
    assert words("paper-figure-7", 2, "A") == ["Four score and seven", "years ago our fathers", "brought"]
    assert words("paper-figure-7", 2, "B") == ["It was the best", "of times"]


# ---- Figure 8 ----


def test_figure_8_begins_with_two_references_to_both_blocks():
    assert tables("paper-figure-8", 0) == {"A1": [7, 1], "A2": [7, 1]}
    assert at("paper-figure-8", 0).references == {7: 2, 1: 2}


def test_figure_8_copies_block_1_to_3_once_and_the_other_writes_in_place():
    assert events("paper-figure-8", 1, Kind.COPIED) == [("A1", 1, 3)]
    assert tables("paper-figure-8", 1) == {"A1": [7, 3], "A2": [7, 1]}
    assert at("paper-figure-8", 1).references == {7: 2, 1: 1, 3: 1}
    assert words("paper-figure-8", 1, "A1")[1] == "years ago our fathers"
    assert words("paper-figure-8", 1, "A2")[1] == "years ago our mothers"
    later = [events("paper-figure-8", step, Kind.COPIED) for step in range(2, run("paper-figure-8").steps)]
    assert not any(later)


# ---- Figure 9 ----


def test_figure_9_before():
    assert tables("paper-figure-9", 11) == {
        "c0": [0, 1, 3, 5], "c1": [0, 1, 3, 6], "c2": [0, 1, 3, 7], "c3": [0, 2, 4, 8],
    }  # fmt: skip


def test_figure_9_frees_2_4_5_and_8_when_c0_and_c3_are_dropped():
    freed = sorted(block for _, block, left in events("paper-figure-9", 12, Kind.FREED_BLOCK) if not left)
    assert freed == [2, 4, 5, 8]
    parents = [(who, run("paper-figure-9").requests[a].id) for who, a, _ in events("paper-figure-9", 12, Kind.FORKED)]
    assert parents == [("c0", "c1"), ("c3", "c2")]


def test_figure_9_after():
    state = at("paper-figure-9", 13)
    assert [a for _, a, _ in events("paper-figure-9", 13, Kind.BLOCK)] == [9, 10, 11, 12]
    assert tables("paper-figure-9", 13) == {
        "c0": [0, 1, 3, 6, 9], "c1": [0, 1, 3, 6, 10], "c2": [0, 1, 3, 7, 11], "c3": [0, 1, 3, 7, 12],
    }  # fmt: skip
    assert state.references == {0: 4, 1: 4, 3: 4, 6: 2, 7: 2, 9: 1, 10: 1, 11: 1, 12: 1}


def test_figure_9_has_13_to_16_only_for_beams_that_died_before_it():
    for step in (11, 12, 13, 16):
        assert max(block for table in tables("paper-figure-9", step).values() for block in table) <= 12
    unprinted = {block for step in range(1, 11) for table in tables("paper-figure-9", step).values() for block in table}
    assert {13, 14, 15, 16} <= unprinted


def test_figure_9_needs_the_cache_only_for_where_dropped_blocks_go():
    data = to_dict(preset("paper-figure-9").scenario)
    system = {k: v for k, v in data["systems"][0].items() if k != "prefix_caching"}
    rows = answers("paper-figure-9", from_dict(data | {"systems": [system]}))
    assert not next(row for row in rows if row.label == "Blocks handed out").agrees


# ---- Figure 10 ----


def test_figure_10_shares_five_blocks_of_a_prefix_whose_last_is_filled_to_six():
    assert filled("paper-figure-10", 0, "A") == [(0, 16), (1, 16), (2, 16), (3, 16), (4, 6)]
    assert tables("paper-figure-10", 0)["B"] == [0, 1, 2, 3, 4]
    assert at("paper-figure-10", 0).references == dict.fromkeys(range(5), 2)


def test_figure_10_copies_the_last_block_of_the_prefix_for_a_and_b_writes_in_place():
    assert events("paper-figure-10", 1, Kind.COPIED) == [("A", 4, 5)]
    assert tables("paper-figure-10", 1) == {"A": [0, 1, 2, 3, 5], "B": [0, 1, 2, 3, 4]}
    assert at("paper-figure-10", 1).references == {0: 2, 1: 2, 2: 2, 3: 2, 4: 1, 5: 1}


def test_figure_10_computes_the_prefix_once_and_then_only_what_is_each_ones_own():
    assert at("paper-figure-10", 0).scheduled == {0: 70}
    assert at("paper-figure-10", 1).scheduled == {0: 8, 1: 9}


def test_figure_10_says_the_words_of_the_figure():
    text = {r.id: "".join(r.pieces) for r in run("paper-figure-10").requests}
    assert text["A"].endswith('\n"cheese" => "fromage"')
    assert text["B"].endswith('\n"I love you" => "Je t\'aime"')
    assert text["A"].startswith('Translate English to French:\n"sea otter" => "loutre de mer"\n"peppermint" => ')


# ---- vLLM's walk-through of the prefix cache ----

DOCUMENT = [7, 8, 9, 4, 3, 2, 6, 5, 1, 0]


def test_the_prompts_are_as_long_and_as_equal_as_in_the_document():
    for name in ("paper-prefix-cache", "paper-prefix-cache-now"):
        pieces = [r.pieces[: r.prompt_tokens] for r in run(name).requests]
        equal = [next(i for i, (a, b) in enumerate(zip(pieces[0], p, strict=False)) if a != b) for p in pieces[1:]]
        assert ([len(p) for p in pieces], equal) == ([15, 14, 29], [10, 12])


def test_the_free_queue_becomes_the_documents():
    name = "paper-prefix-cache"
    assert tables(name, 0) == {"R0": [0, 1, 2, 3]} and filled(name, 0, "R0")[3] == (3, 3)
    assert tables(name, 2) == {"R0": [0, 1, 2, 3, 4]}
    assert events(name, 4, Kind.SHARED) == [("R1", 0, 0), ("R1", 1, 1)]
    assert tables(name, 4)["R1"] == [0, 1, 5, 6]
    assert list(at(name, 5).free_queue) == [7, 8, 9, 4, 3, 2]
    assert list(at(name, 6).free_queue) == DOCUMENT


def test_the_third_request_hits_0_1_2_and_is_given_7_8_9_4_3():
    name = "paper-prefix-cache"
    assert [a for _, a, _ in events(name, 7, Kind.SHARED)] == [0, 1, 2]
    assert [a for _, a, _ in events(name, 7, Kind.BLOCK)] == [7, 8, 9, 4, 3]
    assert [a for _, a, _ in events(name, 7, Kind.EVICTED)] == [4, 3]
    assert list(at(name, 7).free_queue) == [6, 5]
    assert at(name, 7).scheduled == {2: 29 - 12}


def test_at_the_documents_own_times_032_puts_the_partly_filled_block_in_front():
    name = "paper-prefix-cache-now"
    assert tables(name, 1) == {"R0": [0, 1, 2, 3]}
    assert tables(name, 3) == {"R0": [0, 1, 2, 3, 4]}
    assert filled(name, 5, "R0")[4] == (4, 3)
    assert list(at(name, 5).free_queue) == [4, 7, 8, 9, 3, 2]
    assert list(at(name, 6).free_queue) == [4, 7, 8, 9, 3, 2, 6, 5, 1, 0]
    assert [a for _, a, _ in events(name, 7, Kind.BLOCK)] == [4, 7, 8, 9, 3]
    assert [a for _, a, _ in events(name, 7, Kind.EVICTED)] == [3]


def test_with_a_null_block_the_walk_through_has_every_number_one_higher():
    """What vLLM 0.32 itself would print: block 0 is never handed out."""
    data = to_dict(preset("paper-prefix-cache").scenario)
    scenario = from_dict(data | {"slots": 44, "systems": [data["systems"][0] | {"null_block": True}]})
    trace = engine.run(scenario, load_model("tiny"))
    state = replay.at(trace.systems[0], trace.requests, 6)
    assert list(state.free_queue) == [block + 1 for block in DOCUMENT]
