"""Each page keeps what is open on it, and its link opens exactly that."""

import pytest

from tests.app.visitor import control, link_of, opened, player, rested, warnings
from vizkv.scenario.presets import list_presets
from vizkv.ui import link, pages
from vizkv.ui.player.channel import Channel

WITH_PLAYER = sorted({p.page for p in list_presets() if p.scenario.requests} & set(pages.PAGES))


def switched(app, page):
    return rested(app.switch_page(f"pages/{page}.py"))


@pytest.mark.parametrize("page", WITH_PLAYER)
def test_a_page_opens_with_its_own_first_example(page):
    app = opened(page)
    first = next(iter(link.presets(page)))
    assert link_of(app)["preset"] == first
    assert not warnings(app)


@pytest.mark.parametrize("page", WITH_PLAYER)
def test_a_page_offers_only_its_own_examples(page):
    app = opened(page)
    offered = control(app, "selectbox", "preset")
    assert len(offered.options) == len(link.presets(page))


def test_a_page_keeps_its_scenario_and_step_across_a_switch():
    app = opened(preset="figure-3", step="3", lens="online")
    control(app, "number_input", "slots").set_value(8192).run()
    before = link_of(app)
    switched(app, "table")
    assert link_of(app)["preset"] != "figure-3"
    switched(app, "memory")
    view, header, _ = player(app)
    assert (view["step"], view["lens"], header["systems"][0]["slots"]) == (3, "online", 8192)
    assert link_of(app) == before


def test_the_address_names_the_page_that_is_shown():
    app = opened(preset="figure-3", step="3")
    switched(app, "table")
    assert link_of(app)["preset"] in link.presets("table")


def test_another_pages_example_in_a_link_is_a_sentence():
    app = opened("table", preset="figure-3")
    assert len(warnings(app)) == 1 and "figure-3" in warnings(app)[0]
    assert player(app)[1]["systems"]


def test_a_link_opens_the_followed_token():
    app = opened("table", step="9", request="B", position="5")
    view, header, _ = player(app)
    assert (view["step"], header["requests"][view["request"]]["id"], view["position"]) == (9, "B", 5)
    assert (link_of(app)["request"], link_of(app)["position"]) == ("B", "5")
    again = opened("table", **link_of(app))
    assert player(again)[0] == view


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"request": "Z"}, "request is Z"),
        ({"request": "B", "position": "999"}, "position is 999"),
        ({"position": "-1"}, "position is -1"),
        ({"position": "five"}, "position is five"),
        ({"position": "--1"}, "position is --1"),
        ({"step": "--1"}, "step is --1"),
        ({"focus": "--1"}, "focus is --1"),
        ({"lit_in": "--9"}, "lit_in is --9"),
    ],
)
def test_a_token_or_a_number_that_is_not_there_is_a_sentence(query, says):
    app = opened("table", **query)
    assert len(warnings(app)) == 1 and says in warnings(app)[0]


def test_a_changed_scenario_goes_on_where_the_reader_stood():
    app = opened(preset="readers-question-alone", step="237", lens="hindsight")
    control(app, "number_input", "slots").set_value(4096).run()
    view = player(app)[0]
    assert (view["step"], view["lens"], view["keep"]) == (237, "hindsight", True)


def test_a_shorter_run_is_opened_at_its_end_at_most():
    app = opened(preset="readers-question", step="600")
    rows = [r for r in list_presets() if r.id == "readers-question"][0].scenario
    assert len(rows.requests) == 5
    control(app, "number_input", "slots").set_value(16384).run()
    view, header, _ = player(app)
    assert view["step"] < header["steps"]


def test_what_the_browser_said_about_another_run_is_not_taken_for_this_one():
    state = link.Open(list_presets()[0], list_presets()[0].scenario, player=Channel(view=link.View(step=7)))
    old = {"step": 200, "lens": "online", "accounting": "textbook", "colour": "state", "focus": -1}
    state.player.stale = old
    state.player.hear(dict(old))
    assert state.view.step == 7
    state.player.hear(old | {"step": 8})
    assert state.view.step == 8
    state.player.hear(dict(old))  # and later it may well stand there again
    assert state.view.step == 200
