"""The page "Sweeps" without a browser: controls, link, runs that come in, nonsense."""

import pytest

from tests.app.visitor import link_of, opened, player, rested, warnings
from tests.sweeps.small import scenario
from vizkv.scenario.code import to_code
from vizkv.sweeps import store
from vizkv.sweeps import work as working
from vizkv.sweeps.store import Store
from vizkv.ui import pages

SMALL = to_code(scenario(duration=10.0))


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Nothing is known from before, and runs are made in this process."""
    monkeypatch.setattr(store, "_default", Store(None))
    monkeypatch.setattr(working, "cores", lambda: 1)


def sweeps(**query):
    return opened("sweep", **({"s": SMALL} | query))


def control(app, kind, name):
    return next(w for w in getattr(app, kind) if w.key == f"sweep-{name}")


def pressed(app):
    """The page after all runs have come in."""
    rested(control(app, "button", "run").click())
    app.session_state["sweep.job"].wait()
    return rested(app)


def words(app):
    return " ".join(m.value for m in (*app.markdown, *app.subheader, *app.caption))


def charts(app):
    return len(app.get("plotly_chart"))


def test_a_ready_made_sweep_opens_before_anything_has_run():
    app = opened("sweep")
    assert control(app, "selectbox", "x").value == "block_size" and control(app, "text_input", "xs").value == "8..256*2"
    assert "9 runs to make: press Run." in words(app) and charts(app) == 1
    assert link_of(app)["preset"] == "sweep-block-size"


def test_run_makes_each_run_once_and_what_was_found_stays():
    app = pressed(sweeps(xs="8,16,32"))
    assert "All 5 runs are here." in words(app)
    assert len(app.get("download_button")) == 3
    again = sweeps(xs="8,16")  # another visitor, another sweep: what is known is known
    assert "All 4 runs are here." in words(again)


def test_a_point_is_opened_by_its_link_in_words_and_over_time():
    app = pressed(sweeps(xs="8,16", point="2:block_size=8"))
    said = words(app)
    assert "vLLM: Block size = 8" in said and "of the pool is used" in said and charts(app) == 2
    assert link_of(app)["point"] == "2:block_size=8" and link_of(app)["xs"] == "8,16"


def test_the_player_shows_the_run_of_a_chosen_point():
    view, header, _ = player(pressed(sweeps(xs="8,16", point="2:block_size=8")))
    assert [(s["name"], s["block_size"]) for s in header["systems"]] == [("vLLM", 8)]
    assert header["first"] <= view["step"] < header["first"] + header["steps"]


def test_controls_are_in_the_link_and_the_link_opens_them():
    app = sweeps()
    rested(control(app, "selectbox", "x").set_value("rate"))
    assert control(app, "text_input", "xs").value == "0.5..6:0.5"
    rested(control(app, "text_input", "xs").set_value("2,4"))
    rested(control(app, "selectbox", "y").set_value("block_size"))
    rested(control(app, "text_input", "ys").set_value("16,32"))
    rested(control(app, "selectbox", "metric").set_value("latency_p95"))
    rested(control(app, "number_input", "seeds").set_value(2))
    written = link_of(app)
    assert {key: written[key] for key in ("x", "xs", "y", "ys", "metric", "seeds")} == {
        "x": "rate", "xs": "2,4", "y": "block_size", "ys": "16,32", "metric": "latency_p95", "seeds": "2",
    }  # fmt: skip
    other = opened("sweep", **{key: written[key] for key in pages.PAGES["sweep"].fields if key in written}, s=SMALL)
    assert link_of(other) == written
    assert control(other, "selectbox", "y").value == "block_size"
    assert f"{2 * 2 * 2 + 2 * 2 * 2} runs to make" in words(other)  # Orca's two once for both sizes


def test_a_page_switch_keeps_everything():
    app = sweeps(x="rate", xs="2,4", metric="mean_batch")
    before = link_of(app)
    app.switch_page("pages/cost.py")
    rested(app)
    app.switch_page("pages/sweep.py")
    assert link_of(rested(app)) == before


def test_another_ready_made_sweep_stands_as_it_was_made():
    app = sweeps(x="rate", xs="2,4", metric="mean_batch")
    chosen = next(w for w in app.sidebar.selectbox if w.key.startswith("drawer-preset"))
    rested(chosen.set_value("sweep-contiguity"))
    assert control(app, "selectbox", "x").value == "placement" and control(app, "selectbox", "metric").value == "used"
    assert set(link_of(app)) == {"preset", "step", "lens", "accounting", "lang", "v"}


def test_systems_can_be_left_out():
    app = sweeps()
    rested(control(app, "multiselect", "systems").set_value([2]))
    assert "6 runs to make" in words(app)
    rested(control(app, "multiselect", "systems").set_value([]))  # none is all
    assert "8 runs to make" in words(app)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"x": "colour"}, "The parameter 'colour' changes nothing in this scenario; valid is"),
        ({"x": "multiple"}, "The parameter 'multiple' changes nothing in this scenario; valid is"),
        ({"xs": "8..x"}, "The axis block_size has the value 'x'; valid is"),
        ({"xs": "0"}, "The field block_size is 0; valid is"),
        ({"y": "block_size"}, "Both parameters are block_size; valid is"),
        ({"y": "rate", "ys": "fast"}, "The axis rate has the value 'fast'; valid is"),
        ({"metric": "waste"}, "The field metric is 'waste'; valid is"),
        ({"as": "x"}, "'x'"),
        ({"seeds": "99"}, "The field seeds is '99'; valid is a whole number from 1 to 10."),
        ({"point": "9:block_size=8"}, "The field point is '9:block_size=8'; valid is"),
        ({"x": "lengths", "xs": "sharegpt,/etc/hostname"}, "a file of the machine that serves the app"),
        ({"x": "rate", "xs": "1..6:0.1", "y": "block_size", "ys": "1..64", "seeds": "9"}, "valid are at most"),
    ],
)
def test_nonsense_in_a_link_is_a_sentence_and_the_page_works(query, sentence):
    app = sweeps(**query)
    assert any(sentence in warning for warning in warnings(app)), warnings(app)
    assert control(app, "selectbox", "x").value


def test_nonsense_in_a_control_is_a_sentence_and_the_picture_stays():
    app = pressed(sweeps(xs="8,16"))
    rested(control(app, "text_input", "xs").set_value("8,many"))
    (warning,) = warnings(app)
    assert "The axis block_size has the value 'many'; valid is" in warning
    assert control(app, "text_input", "xs").value == "8,16" and "All 4 runs are here." in words(app)


def test_a_point_that_cannot_be_run_is_a_sentence_and_the_others_are_drawn():
    app = pressed(sweeps(xs="16,16384"))
    (info,) = [i.value for i in app.info]
    assert "One run of vLLM cannot be made: The field systems[2].block_size is 16384" in info
    assert "All 3 runs are here." in words(app)


def test_stop_ends_the_runs_and_what_is_here_stays():
    app = opened("sweep", s=to_code(scenario(duration=900.0)), x="rate", xs="1..6:0.25")
    rested(control(app, "button", "run").click())
    job = app.session_state["sweep.job"]
    while not job.found:
        job.wait(0.05)
    rested(control(app, "button", "stop").click())
    job.wait()
    assert not job.running and 0 < len(job.found) < job.total
    assert "Stopped: " in words(rested(app))
    assert control(app, "button", "run").label == "Run"


def test_another_sweep_stops_the_one_before():
    app = opened("sweep", s=to_code(scenario(duration=900.0)), x="rate", xs="1..6:0.25")
    rested(control(app, "button", "run").click())
    job = app.session_state["sweep.job"]
    rested(control(app, "text_input", "xs").set_value("1,2"))
    assert not job.running


def test_a_point_opens_in_what_if_with_all_systems():
    app = pressed(sweeps(xs="8,32", point="2:block_size=32"))
    rested(control(app, "button", "open").click())
    assert app.session_state["vizkv.page"] == "whatif"
    there = app.session_state["vizkv"]["whatif"].scenario
    assert [s.label for s in there.systems] == ["Orca (Max)", "Orca (Oracle)", "vLLM"]
    assert there.systems[2].block_size == 32
