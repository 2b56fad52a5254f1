"""A scenario that is no example has its own name, moments and story; an example's words hold for it alone."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.visitor import APP, control, opened, player, rested
from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.scenario.code import to_code
from vizkv.scenario.presets import list_presets, preset
from vizkv.scenario.schema import from_dict, to_dict, to_toml
from vizkv.trace import trace as traces
from vizkv.ui import link
from vizkv.ui.memory import files
from vizkv.views.charts.series import series
from vizkv.views.facts import own

SAY = messages()
MINE = {
    "name": "Three <b>tenants</b> *share*", "slots": 64, "max_model_len": 32, "model": "none",
    "systems": [{"kind": "contiguous", "reserve": "max", "placement": "first-fit", "unit": 1},
                {"kind": "paged", "block_size": 4}],
    "requests": [{"id": name, "prompt_tokens": 8, "final_slots": 20} for name in ("Ann", "Bob", "Cid")]
    + [{"id": "Dan", "prompt_tokens": 30, "final_slots": 40}],
}  # fmt: skip
PAGES = ["memory", "table", "sharing", "pressure", "paper"]


def words(app):
    """All that the page says outside of the player."""
    return "\n".join(
        str(one.value) for kind in ("markdown", "subheader", "caption") for one in app.get(kind)
    ) + "\n".join(one.proto.body for one in app.get("html"))


def of_examples(page):
    """What is said of this page's examples alone."""
    found = set()
    for one in link.presets(page).values():
        found |= {
            SAY(f"preset.{one.id}.{part}")
            for part in ("question", "try", "scripted")
            if f"preset.{one.id}.{part}" in SAY
        }
    return found


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_own_scenario_has_its_own_headline_chips_and_story_on_every_page(page, language):
    say = messages(language)
    scenario = from_dict(MINE)
    app = opened(page, s=to_code(scenario), lang=language)
    view, header, _ = player(app)
    assert header["headline"] == MINE["name"]
    trace = engine.run(scenario)
    told = own.moments(trace, series(trace), say)
    assert header["moments"] == [{"label": one.label, "step": one.step} for one in told]
    assert view["step"] == 0
    said = words(app)
    assert "Three &lt;b&gt;tenants&lt;/b&gt; *share*" in said and "<b>tenants" not in said
    assert all(text in said for text in own.story(trace, series(trace), say))
    if language == "en":
        assert not [text for text in of_examples(page) if text in said]


@pytest.mark.parametrize("page", PAGES)
def test_an_unchanged_example_keeps_its_words(page):
    example = next(iter(link.presets(page).values()))
    app = opened(page)
    _, header, _ = player(app)
    assert header["headline"] == SAY(f"preset.{example.id}.question")
    assert SAY(f"preset.{example.id}.try") in words(app)


def test_a_turned_knob_takes_the_examples_question_and_story_away_until_it_is_turned_back():
    app = opened()
    question, story = SAY("preset.readers-question.question"), SAY("preset.readers-question.try")
    assert player(app)[1]["headline"] == question and story in words(app)
    app = rested(control(app, "number_input", "slots").set_value(2048))
    assert player(app)[1]["headline"] == "The reader's question (changed)"
    assert story not in words(app)
    app = rested(control(app, "number_input", "slots").set_value(preset("readers-question").scenario.slots))
    assert player(app)[1]["headline"] == question and story in words(app)


@pytest.mark.parametrize(("code", "said"), [("", "tour.1"), (to_code(from_dict(MINE)), "tour.away")])
def test_the_tours_stop_speaks_of_its_example_alone(code, said):
    app = AppTest.from_string(Path(APP).read_text(encoding="utf-8"), default_timeout=60)
    app.session_state["vizkv.tour"] = 0
    if code:
        app.query_params["s"] = code
    texts = [one.value for one in rested(app).markdown]
    assert [key for key in ("tour.1", "tour.away") if any(SAY(key) in text for text in texts)] == [said]


def test_a_labs_question_stays_while_its_knobs_are_turned():
    lab = preset("figure-2")
    turned = from_dict(to_dict(lab.scenario) | {"slots": lab.scenario.slots - 16})
    assert link.Open(lab, turned, "whatif").headline == SAY("preset.figure-2.question")
    renamed = from_dict(to_dict(turned) | {"name": "Our cluster"})
    assert link.Open(lab, renamed, "whatif").headline == "Our cluster"


@pytest.fixture
def state(monkeypatch):
    first = list_presets()[0]
    held = link.Open(first, first.scenario)
    monkeypatch.setattr(link, "current", lambda: held)
    return held


def test_an_uploaded_scenario_is_called_by_its_name(state):
    files.open_file("mine.toml", to_toml(from_dict(MINE)).encode())
    assert state.own and state.headline == MINE["name"]
    assert re.fullmatch(r"[\w-]+", state.file_name) and "tenants" in state.file_name


def test_an_uploaded_file_of_an_example_is_that_example(state):
    files.open_file("file.toml", to_toml(preset("figure-3").scenario).encode())
    assert state.preset.id == "figure-3" and not state.own
    assert state.headline == SAY("preset.figure-3.question")


def test_an_uploaded_trace_is_called_by_its_scenarios_name(state):
    trace = engine.run(from_dict(MINE))
    files.open_file("mine.vizkv", traces.save(trace))
    assert state.own and state.headline == MINE["name"]


def test_a_scenario_without_a_name_says_how_large_it_is():
    scenario = from_dict({name: value for name, value in MINE.items() if name != "name"})
    assert own.headline(scenario, SAY) == "A scenario of 2 systems with 64 slots each"
    assert own.headline(preset("paper-figure-3").scenario, SAY) == "Figure 3 of the paper"


def test_the_story_says_who_waits_and_what_is_wasted_at_the_peak():
    trace = engine.run(from_dict(MINE))
    told = own.story(trace, series(trace), SAY)
    first, second = trace.systems
    assert own.waits(first).requests == [2] and own.waits(second).requests == own.waits(second).since == []
    waited = own.waits(first).steps[0]
    assert f"1 request waits: Cid, for {waited} steps." in told[0]
    assert "Nobody waits." in told[1]
    assert "1 request can never run." in told[0] and "1 request can never run." in told[1]
    peak = series(trace)[0]
    share = peak.shares("hindsight", "textbook")[peak.peak] / peak.slots
    assert f"in step {peak.peak}, {SAY.percent(share[0])} of the pool is used" in told[0]
    assert f"{SAY.percent(share[2])} internal fragmentation" in told[0]


def test_moments_are_those_of_the_run_itself():
    data = to_dict(preset("pressure").scenario) | {"name": "Mine"}
    trace = engine.run(from_dict(data))
    labels = [one.label for one in own.moments(trace, series(trace), SAY)]
    assert any("is preempted" in label for label in labels) and any("at its fullest" in label for label in labels)
    steps = [one.step for one in own.moments(trace, series(trace), SAY)]
    assert steps == sorted(set(steps))
