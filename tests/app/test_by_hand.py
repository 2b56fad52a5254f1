"""Proof, by hand: what the buttons do, and what the lamp says of it."""

import pytest

from tests.app.visitor import link_of, opened, player, rested
from vizkv.engine import engine
from vizkv.scenario.code import from_code, to_code
from vizkv.scenario.presets import preset
from vizkv.scenario.schema import from_dict, to_dict
from vizkv.trace.events import Kind
from vizkv.ui.memory import compact
from vizkv.ui.table import by_hand

OWN = "We must remember that our soldiers"  # the model does not know how it goes on: a break is seen in the text


@pytest.fixture
def page():
    data = to_dict(preset("table-own-text").scenario)
    data["requests"][0]["prompt"] = OWN
    return opened("table", s=to_code(from_dict(data)), step="8")


def click(app, key):
    return rested(app.button(key=key).click())


def actions(app):
    return to_dict(from_code(link_of(app)["s"])).get("actions", [])


def chosen(app, key, value):
    return rested(app.selectbox(key=key).set_value(value))


def test_the_lamp_is_lit_without_being_asked(page):
    assert len(page.success) == 1 and "The same text" in page.success[0].value
    assert not page.error


def test_a_shuffle_moves_every_block_and_changes_no_word(page):
    before = player(page)[1]["requests"]
    app = click(page, "hand-shuffle")
    view, header, _ = player(app)
    assert view["step"] == 9  # where it is seen
    assert header["requests"] == before
    assert len(app.success) == 1
    assert actions(app) == [{"step": 9, "do": "shuffle"}]


def test_two_full_blocks_swapped_in_the_table_change_nothing(page):
    app = chosen(page, "hand-first", 0)
    app = click(chosen(app, "hand-second", 1), "hand-swap")
    assert len(app.success) == 1 and not app.error
    assert [a["do"] for a in actions(app)] == ["repoint", "repoint"]


def test_a_wrong_block_turns_the_lamp_red_and_marks_the_first_wrong_token(page):
    app = page
    app = rested(app.radio(key="hand-kind").set_value(by_hand.ONE))
    app = click(chosen(app, "hand-block", 2), "hand-one")
    assert not app.success
    assert "goes wrong at position" in app.error[0].value
    marked = [h.value for h in app.get("html") if "<mark" in h.value]
    assert len(marked) == 1 and "vizkv-after" in marked[0]


def test_undo_takes_back_a_swap_as_a_whole_and_undo_all_everything(page):
    app = click(page, "hand-shuffle")
    app = click(app, "hand-swap")
    assert len(actions(app)) == 3
    app = click(app, "hand-undo")
    assert actions(app) == [{"step": 9, "do": "shuffle"}]
    app = click(click(app, "hand-shuffle"), "hand-undo-all")
    assert actions(app) == []
    assert len(app.success) == 1


def test_after_the_last_step_nothing_can_be_done():
    app = opened("table", step="23")
    assert not [b for b in app.button if b.key == "hand-shuffle"]
    assert any("step back" in i.value for i in app.info)


def test_a_link_opens_what_was_broken_by_hand(page):
    app = click(page, "hand-shuffle")
    again = opened("table", **link_of(app))
    assert player(again)[1]["events"] == player(app)[1]["events"]
    assert actions(again) == actions(app)


def test_compaction_counts_the_written_slots_that_it_moves():
    scenario = preset("external-fragmentation").scenario
    trace = engine.run(by_hand.with_actions(scenario, {"step": 11, "do": "compact"}))
    system = trace.systems[0]
    pieces, slots = compact.moved(system, trace, 11)
    kinds = [e.kind for e, _ in system.events(11)]
    assert pieces == kinds.count(Kind.MOVED) > 0
    assert 0 < slots < system.slots
    assert compact.moved(system, trace, 10) == (0, 0)


def test_the_button_compacts_at_the_step_that_is_shown():
    app = click(opened(preset="external-fragmentation"), "compact")
    assert actions(app) == [{"step": 11, "do": "compact"}]
    assert player(app)[0]["step"] == 11
    moved = next(d.value for d in app.dataframe if "Written slots" in d.value)
    assert list(moved["Bytes, OPT-13B"]) == [n * 819_200 for n in moved["Written slots"]]
    assert moved["Written slots"][0] > 0
    assert "s" not in link_of(click(app, "compact-undo"))  # the example again
