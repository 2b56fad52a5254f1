"""The page "Under pressure": its sizes, the reasons that open their step, and that the text stays the same."""

import pytest

from tests.app.visitor import control, link_of, opened, player, rested, warnings
from vizkv.scenario.code import from_code, to_code
from vizkv.scenario.presets import list_presets, preset
from vizkv.scenario.schema import ScenarioError, from_dict, to_dict
from vizkv.ui import link, pressure
from vizkv.ui.player.channel import Channel
from vizkv.views.payload.pack import View

PRESETS = [p.id for p in list_presets() if p.page == "pressure"]


@pytest.fixture
def page():
    return opened("pressure")


def slid(app, name, value):
    return rested(app.select_slider(key=f"pressure-{name}").set_value(value))


def scenario_of(app):
    return from_code(link_of(app)["s"])


def texts(app):
    return [m.value for m in app.markdown]


def numbers(app):
    return next(d.value for d in app.dataframe if "Preempted" in d.value.columns)


@pytest.mark.parametrize("name", PRESETS)
def test_an_example_opens_with_a_row_a_system_and_its_strips(name):
    app = opened("pressure", preset=name)
    assert not warnings(app) and not app.error
    _, header, _ = player(app)
    table = numbers(app)
    assert list(table["System"]) == [s["name"] for s in header["systems"]]
    assert len(app.get("plotly_chart")) == 1
    assert header["panels"] == ["queue", "cpu"]


def test_the_first_example_says_who_went_and_what_it_cost(page):
    said = texts(page)
    assert "**D** is preempted: B needed a block, none was free, and **D** was the last of the running list. " \
        "22 written slots are given up and will be computed again." in said  # fmt: skip
    table = numbers(page)
    assert list(table["Preempted"]) == [4, 4, 0]
    assert list(table["Again"]) == [0, 92, 0]
    assert list(table["Out"]) == [24, 0, 0]
    assert list(table["Bytes, OPT-13B"]) == [(24 + 24) * 4 * 819_200, 0, 0]
    assert list(table["Bytes, tiny"]) == [(24 + 24) * 4 * 2_048, 0, 0]
    assert list(table["Steps"]) == [59, 63, 99]
    assert any("**36 steps later**" in text for text in said)


def test_the_text_is_that_of_a_pool_in_which_nobody_is_preempted(page):
    assert len(page.success) == 1 and "168 sampled tokens" in page.success[0].value


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("slots", 128, lambda s: s.slots),
        ("block_size", 8, lambda s: s.systems[0].block_size),
        ("watermark", 0.3, lambda s: s.systems[1].watermark),
        ("requests", 8, lambda s: len(s.requests)),
        ("requests", 2, lambda s: len(s.requests)),
    ],
)
def test_a_control_makes_a_scenario_that_a_link_opens_again(page, name, value, field):
    app = slid(page, name, value)
    assert not warnings(app)
    assert field(scenario_of(app)) == value
    again = opened("pressure", **link_of(app))
    assert again.select_slider(key=f"pressure-{name}").value == value
    assert [player(again)[0][what] for what in ("trace", "step")] == [
        player(app)[0][what] for what in ("trace", "step")
    ]


def test_a_larger_pool_ends_all_preemptions(page):
    app = slid(page, "slots", 216)
    assert list(numbers(app)["Preempted"]) == [0, 0, 0]
    assert any("always a block free" in text for text in texts(app))


def test_a_pool_in_which_nobody_can_run_is_told(page):
    app = slid(page, "slots", 16)
    assert not warnings(app)
    assert list(numbers(app)["Never"]) == [5, 5, 5]
    assert any("E can never run: it needs 37 slots, and the pool has 16." in i.value for i in app.info)
    assert any("Nobody ran at all" in text for text in texts(app))


def test_a_block_larger_than_the_pool_is_a_sentence_and_the_control_goes_back(page):
    app = slid(page, "block_size", 32)
    app = slid(app, "slots", 16)
    assert len(warnings(app)) == 1 and "block_size is 32" in warnings(app)[0]
    assert app.select_slider(key="pressure-slots").value == 96


def test_the_controls_follow_the_drawer_and_the_drawer_them(page):
    app = rested(control(page, "number_input", "slots").set_value(104))
    assert app.select_slider(key="pressure-slots").value == 104
    app = slid(app, "slots", 112)
    assert control(app, "number_input", "slots").value == 112


def test_a_size_from_a_link_that_no_control_offers_is_shown():
    data = to_dict(preset("pressure").scenario) | {"slots": 99}
    app = opened("pressure", s=to_code(from_dict(data)))
    assert app.select_slider(key="pressure-slots").value == 99
    assert not warnings(app)


@pytest.mark.parametrize("query", [{"preset": "figure-3"}, {"s": "nonsense"}, {"step": "9999"}])
def test_nonsense_in_a_link_is_one_sentence(query):
    app = opened("pressure", **query)
    assert len(warnings(app)) == 1
    assert list(numbers(app)["Preempted"]) == [4, 4, 0]


def test_a_reasons_button_opens_its_step(page):
    before = player(page)[0]
    app = rested(page.button(key="pressure-go-1-3").click())
    view = player(app)[0]
    assert (before["step"], view["step"], view["command"]) == (19, 46, before["command"] + 1)
    assert link_of(app)["step"] == "46"
    app = rested(app.button(key="pressure-go-0-0").click())
    assert (player(app)[0]["step"], player(app)[0]["command"]) == (13, before["command"] + 2)


def test_an_old_report_does_not_take_back_the_jump(monkeypatch):
    state = link.Open(preset("pressure"), preset("pressure").scenario, "pressure", player=Channel(view=View(step=7)))
    monkeypatch.setattr(link, "current", lambda: state)
    report = {"step": 7, "lens": "online", "accounting": "textbook", "colour": "state", "focus": -1}
    state.player.hear(dict(report))
    link.go(30)
    state.player.hear(dict(report))  # Streamlit still has it
    assert state.view.step == 30
    state.player.hear(report | {"step": 30})
    state.player.hear(dict(report))  # and later the reader may go back there
    assert state.view.step == 7


def test_a_slower_link_makes_swapping_dearer(page):
    assert list(numbers(page)["Cost, ms"]) == [9.8, 9.2, 0.0]
    app = rested(page.slider(key="pressure-rate").set_value(8))
    assert list(numbers(app)["Cost, ms"]) == [19.7, 9.2, 0.0]


def test_lengths_only_have_no_text_to_compare():
    app = opened("pressure", preset="pressure-storm")
    assert not app.success
    assert "Bytes, tiny" not in numbers(app).columns and "Cached" in numbers(app).columns


def test_more_requests_than_the_example_has_are_its_own_once_more():
    scenario = preset("pressure").scenario
    more = pressure.changed(scenario, "requests", 12, scenario)
    assert [r.id for r in more.requests] == list("ABCDEFGHIJKL")
    assert more.requests[:5] == scenario.requests
    assert [r.prompt for r in more.requests[5:10]] == [r.prompt for r in scenario.requests]
    assert [r.arrival_step for r in more.requests[4:]] == list(range(4, 12))
    fewer = pressure.changed(more, "requests", 2, scenario)
    assert pressure.changed(fewer, "requests", 5, scenario) == scenario


def test_every_number_of_requests_can_be_run_from_every_example():
    for name in PRESETS:
        scenario = preset(name).scenario
        for count in range(1, pressure.MOST_REQUESTS + 1):
            assert len(pressure.changed(scenario, "requests", count, scenario).requests) == count


def test_a_request_that_something_is_done_to_by_hand_cannot_be_left_out():
    scenario = preset("pressure").scenario
    data = to_dict(scenario) | {"actions": [{"step": 9, "do": "repoint", "request": "E", "index": 0, "block": 1}]}
    with pytest.raises(ScenarioError, match="'E'"):
        pressure.changed(from_dict(data), "requests", 2, scenario)
