"""The pages without a browser: controls, links, nonsense."""

import pytest

from tests.app.visitor import control, opened, player, warnings
from vizkv.scenario.code import to_code
from vizkv.scenario.presets import list_presets

PRESETS = [p.id for p in list_presets() if p.page == "memory"]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_opens(preset):
    app = opened(preset=preset)
    view, header, _ = player(app)
    assert header["systems"] and 0 <= view["step"] < header["steps"]
    assert not warnings(app)


def test_the_first_screen_is_the_readers_question():
    view, header, _ = player(opened())
    assert header["systems"][0]["name"] == "Orca (Max)"
    assert len(header["systems"]) == 5
    assert view["lens"] == "online"
    assert header["requests"][0]["tokens"][:9] == [
        "Four", " score", " and", " seven", " years", " ago", " our", " fathers", " brought",
    ]  # fmt: skip


def test_a_link_opens_the_exact_moment():
    view, _, _ = player(opened(preset="readers-question", step="237", lens="hindsight", accounting="paper"))
    assert (view["step"], view["lens"], view["accounting"]) == (237, "hindsight", "paper")


def test_a_changed_scenario_is_in_the_link_and_opens_again():
    app = opened(preset="readers-question-alone")
    control(app, "number_input", "slots").set_value(4096).run()
    assert player(app)[1]["systems"][0]["slots"] == 4096
    again = opened(**{k: v[0] if isinstance(v, list) else v for k, v in app.query_params.items()})
    assert player(again)[1]["systems"][0]["slots"] == 4096


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"preset": "nonsense"}, "nonsense"),
        ({"step": "-5"}, "-5"),
        ({"step": "99999999"}, "99999999"),
        ({"step": "half"}, "half"),
        ({"lens": "rosy"}, "rosy"),
        ({"accounting": "creative"}, "creative"),
        ({"s": "%%%%"}, "code"),
    ],
)
def test_nonsense_in_a_link_is_a_sentence_and_the_page_works(query, says):
    app = opened(**query)
    assert len(warnings(app)) == 1 and says in warnings(app)[0]
    assert player(app)[1]["systems"]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("number_input", "slots", 2048),
        ("number_input", "max_model_len", 512),
        ("select_slider", "block_size", 64),
        ("number_input", "multiple", 7),
        ("selectbox", "placement", "buddy"),
        ("selectbox", "unit", 16),
        ("selectbox", "batching", "static"),
        ("selectbox", "model", "none"),
    ],
)
def test_each_control_gives_another_run(kind, name, value):
    app = opened()
    before = player(app)[0]["trace"]
    control(app, kind, name).set_value(value).run()
    assert not app.exception and not warnings(app)
    assert player(app)[0]["trace"] != before


def test_a_pool_smaller_than_a_block_keeps_the_last_picture():
    app = opened()
    before = player(app)[0]["trace"]
    control(app, "number_input", "slots").set_value(3).run()
    assert not app.exception
    assert "block_size" in warnings(app)[0]
    assert player(app)[0]["trace"] == before


def test_a_prompt_longer_than_the_pool_is_reported_and_not_queued_for_ever():
    app = opened()
    control(app, "number_input", "slots").set_value(64).run()
    _, header, _ = player(app)
    assert not app.exception
    assert {e["kind"] for e in header["events"]} >= {"never"}


def test_the_lamp_is_proved_on_demand():
    app = opened(preset="tiny-blocks")
    app.button(key="prove").click().run()
    assert not app.exception
    assert len(app.success) == 1 and "Proved" in app.success[0].value


def test_another_example_starts_where_that_example_starts():
    app = opened(preset="readers-question", step="5")
    control(app, "selectbox", "preset").set_value("figure-3").run()
    view, header, _ = player(app)
    assert view["step"] == 2
    assert header["requests"][0]["id"] == "A"


def test_a_scripted_example_is_no_longer_scripted_with_another_model():
    app = opened(preset="figure-3")
    control(app, "selectbox", "model").set_value("none").run()
    assert not app.exception and not warnings(app)
    lengths = {r["id"]: r["final_slots"] for r in player(app)[1]["requests"]}
    assert (lengths["A"], lengths["B"]) == (11, 5)


def test_a_model_that_is_not_here_is_a_sentence_and_the_page_works():
    absent = list_presets()[0].scenario.model_copy(update={"model": "nowhere"})
    app = opened(s=to_code(absent))
    assert len(warnings(app)) == 1 and "nowhere" in warnings(app)[0]
    assert player(app)[1]["systems"]
