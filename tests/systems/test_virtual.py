"""Virtual memory: ranges of addresses, pages behind them on demand, taken back from the highest range down."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizkv.engine import engine
from vizkv.engine.proof import prove
from vizkv.model import load_model
from vizkv.replay import checked, walk
from vizkv.scenario.presets import preset
from vizkv.scenario.schema import ScenarioError, from_dict
from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.virtual.memory import Mapped, VirtualMemory
from vizkv.trace.events import Kind
from vizkv.trace.slots import Code
from vizkv.trace.trace import load, save


def memory(pages: int = 8, ranges: int = 4, *, eager: bool = False) -> VirtualMemory:
    return VirtualMemory(pages * 4, 4, ranges, eager=eager)


# ---- memory ----


def test_an_owner_gets_the_lowest_idle_range():
    m = memory()
    assert [m.allocate(owner) for owner in "ABC"] == [0, 1, 2]
    m.free("B")
    m.free("A")
    assert [m.allocate(owner) for owner in "DE"] == [0, 1]


def test_pages_are_mapped_in_order_as_the_range_grows():
    m = memory()
    m.allocate(1)
    assert m.append(1, 5) == [Mapped(0, 0, 0), Mapped(0, 1, 1)]
    assert m.append(1, 8) == []
    assert m.append(1, 9) == [Mapped(0, 2, 2)]
    assert m.table(1) == [0, 1, 2]


def test_deferred_pages_serve_the_next_owner_of_the_range():
    m = memory()
    m.allocate(1)
    m.append(1, 12)
    assert m.free(1) == (0, 12, [])
    m.allocate(2)
    assert m.table(2) == [0, 1, 2] and m.append(2, 12) == []


def test_eager_pages_are_unmapped_at_once_from_the_last():
    m = memory(eager=True)
    m.allocate(1)
    m.append(1, 8)
    assert m.free(1) == (0, 8, [Mapped(0, 1, 1, gone=True), Mapped(0, 0, 0, gone=True)])
    assert m.available == 8 and m.mapped() == {}


def test_pages_are_taken_back_from_the_highest_range_down_and_only_what_nobody_needs():
    m = memory(pages=6)
    for owner, tokens in ((1, 8), (2, 8), (3, 8)):
        m.allocate(owner)
        m.append(owner, tokens)
    m.free(2)
    m.free(3)
    m.allocate(4)  # range 1, of whose two pages it needs one
    m.append(4, 3)
    # range 0 grows by three: both pages of range 2, then the page of range 1 beyond its need
    assert m.append(1, 20)[:3] == [Mapped(2, 1, 5, gone=True), Mapped(2, 0, 4, gone=True), Mapped(1, 1, 3, gone=True)]
    assert m.mapped() == {0: [0, 1, 5, 4, 3], 1: [2]}


def test_a_failed_operation_changes_nothing():
    m = memory(pages=2, ranges=1)
    m.allocate(1)
    m.append(1, 4)
    before = (m.free_pages(), m.mapped(), m.available)
    with pytest.raises(OutOfMemory):
        m.append(1, 9)
    with pytest.raises(OutOfMemory):
        m.allocate(2)
    with pytest.raises(ValueError, match="already has a range"):
        m.allocate(1)
    with pytest.raises(KeyError):
        m.free(2)
    assert before == (m.free_pages(), m.mapped(), m.available)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["allocate", "append", "free", "exchange"]), st.integers(0, 5),
                          st.integers(1, 30)), max_size=60), st.booleans())  # fmt: skip
def test_whatever_is_done_every_page_is_in_one_place_and_each_owner_has_what_it_needs(operations, eager):
    m, tokens = memory(pages=9, ranges=4, eager=eager), dict[int, int]()
    for name, owner, n in operations:
        if name == "allocate" and owner not in tokens and m.can_allocate(0):
            m.allocate(owner)
            tokens[owner] = 0
        elif name == "append" and owner in tokens and m.can_append(owner, n):
            m.append(owner, n)
            tokens[owner] = max(tokens[owner], n)
        elif name == "free" and owner in tokens:
            m.free(owner)
            del tokens[owner]
        elif name == "exchange":
            m.exchange([(n % 9, owner)])
        pages = Counter(m.free_pages()) + Counter(page for some in m.mapped().values() for page in some)
        assert pages == Counter(range(9))
        assert all(len(m.table(o)) >= m.pages_for(t) for o, t in tokens.items())
        assert m.available == 9 - sum(m.pages_for(t) for t in tokens.values())
        assert not eager or sum(len(m.table(o)) for o in tokens) + len(m.free_pages()) == 9


# ---- scenarios ----

TIGHT = {
    "slots": 24, "max_model_len": 24, "model": "none", "systems": [{"kind": "virtual", "page": 4}],
    "requests": [
        {"id": "A", "prompt_tokens": 4, "output_tokens": 13}, {"id": "B", "prompt_tokens": 8, "output_tokens": 9},
    ],
}  # fmt: skip


def test_the_last_running_request_is_preempted_where_no_page_is_left():
    trace = engine.run(from_dict(TIGHT))
    preempted = [trace.requests[i].id for replay in walk(trace.systems[0], trace.requests) for i in replay.preempted]
    assert preempted == ["B"]
    assert (trace.systems[0].kinds == Kind.FINISHED).sum() == 2


def test_the_online_and_the_skipping_run_are_the_same_where_pages_are_taken_back():
    plain = engine.run(from_dict(TIGHT), plain=True)
    assert engine.run(from_dict(TIGHT)).systems[0].expanded().values.tolist() == plain.systems[0].values.tolist()


@pytest.mark.parametrize(("reclaim", "mapped"), [("deferred", 12), ("eager", 0)])
def test_pages_of_a_finished_request_are_free_and_mapped_until_they_are_reclaimed(reclaim, mapped):
    scenario = preset("virtual").scenario.model_dump(exclude={"workload"}, exclude_none=True)
    scenario["systems"] = [{"kind": "virtual", "page": 4, "reclaim": reclaim}]
    trace = engine.run(from_dict(scenario | {"model": "tiny"}))
    counts = [list(replay.booked()) for replay in walk(trace.systems[0], trace.requests)]
    assert counts[7][Code.MAPPED] == mapped  # B has finished in step 6, C comes in step 8


def test_the_real_models_logits_are_those_without_a_cache():
    scenario, model = preset("virtual").scenario, load_model("tiny")
    trace = engine.run(scenario, model)
    proof = prove(scenario, trace, model)
    assert proof.holds and all(system.difference < 1e-4 and system.tokens for system in proof.systems)


def test_pages_that_change_places_by_hand_change_no_text():
    data = preset("virtual").scenario.model_dump(exclude={"workload"}, exclude_none=True)
    shuffled = from_dict(data | {"actions": [{"step": step, "do": "shuffle"} for step in (3, 8, 14)]})
    trace, model = engine.run(shuffled), load_model("tiny")
    assert trace.systems[0].tokens == engine.run(preset("virtual").scenario).systems[0].tokens
    assert prove(shuffled, trace, model).holds


def test_a_saved_trace_is_read_again():
    trace = engine.run(preset("virtual").scenario)
    assert save(checked(load(save(trace)))) == save(trace)


def test_a_page_that_the_pool_does_not_hold_is_refused():
    with pytest.raises(ScenarioError, match=r"systems\[0\]\.page is 25; valid is 1 to 24"):
        from_dict(TIGHT | {"systems": [{"kind": "virtual", "page": 25}]})
