"""The page "What if": its links, what a turned knob makes of the scenario, ghosts, several seeds, and stopping."""

import json
import time

import pytest

from tests.app.visitor import link_of, opened, rested, warnings
from vizkv.scenario.code import from_code, to_code
from vizkv.scenario.presets import list_presets, preset
from vizkv.scenario.schema import ScenarioError, from_dict, to_dict
from vizkv.trace.slots import Code
from vizkv.ui.link import Open
from vizkv.ui.whatif import (
    component as live,
)
from vizkv.ui.whatif import (
    knobs as whatif_knobs,
)
from vizkv.ui.whatif import (
    lane_workers,
)
from vizkv.ui.whatif import (
    page as whatif,
)
from vizkv.ui.whatif import (
    player as whatif_player,
)
from vizkv.ui.whatif import (
    runs as whatif_runs,
)
from vizkv.ui.whatif.lane import Wish
from vizkv.ui.whatif.page import Session
from vizkv.views.charts.figure2 import live as figure2

FIGURE_2 = preset("figure-2")
PRESETS = [p for p in list_presets() if p.page == "whatif"]


def short(duration=6.0, **workload):
    """Figure 2's scenario, a few seconds of it."""
    data = to_dict(FIGURE_2.scenario)
    data["workload"] |= {"duration": duration, "warmup": 2.0} | workload
    return from_dict(data)


def told(app):
    """What the browser was sent."""
    (component,) = (c for c in app.get("bidi_component") if c.proto.component_name == "vizkv_live")
    return json.loads(component.proto.json or component.proto.mixed.json)


def finished(app):
    """The page when nothing runs any more."""
    for _ in range(200):
        if not told(app)["more"]:
            return app
        time.sleep(0.02)
        app = rested(app)
    raise AssertionError("the run does not end")


def linked(**query):
    return finished(opened("whatif", **query))


def test_nothing_runs_before_run_is_pressed_and_the_papers_numbers_are_there():
    app = opened("whatif")
    data = told(app)
    assert data["state"] == "idle" and not data["more"]
    assert [s["paper"]["shares"][0] for s in data["systems"]] == [20.4, 26.8, 38.2, 96.3]
    assert not link_of(app)  # whoever reloads it gets it so again


def test_a_link_runs_what_it_names_and_survives_a_reload():
    code = to_code(short())
    app = linked(preset="figure-2", s=code, lens="online", accounting="textbook", at="3:5.0:used", seeds="5")
    again = linked(**link_of(app))
    assert link_of(again) == link_of(app)
    data = told(again)
    assert data["state"] == data["seeds"]["state"] == "done"
    assert (data["lens"], data["accounting"]) == ("online", "textbook")
    assert [s["chosen"] for s in data["systems"]] == ["", "", "", "used"]
    assert all(len(s["seeds"]) == 5 and s["done"] and len(s["shares"]) == data["frames"] for s in data["systems"])
    assert not warnings(again)
    assert len(again.get("plotly_chart")) == 1
    assert any("The step behind it" in h.value for h in again.subheader)


@pytest.mark.parametrize(
    "query",
    [
        {"ghost": "nonsense=3"},
        {"ghost": "block_size=many"},
        {"ghost": "block_size=0"},
        {"ghost": "keep.1garbage"},
        {"seeds": "6"},
        {"at": "9:1:used"},
        {"at": "0:nan:used"},
        {"at": "0:1:everything"},
        {"at": "used"},
        {"as": "x"},
    ],
)
def test_nonsense_in_the_link_is_a_sentence_and_the_page_works(query):
    app = opened("whatif", **query)
    (problem,) = warnings(app)
    assert next(iter(query)) in problem
    assert told(app)["state"] == "idle"


def test_a_scenario_that_belongs_to_another_page_is_refused_in_a_sentence():
    app = opened("whatif", s=to_code(next(p for p in list_presets() if p.page == "memory").scenario))
    assert len(warnings(app)) == 1 and "workload" in warnings(app)[0]
    assert told(app)["systems"][0]["name"] == "Orca (Max)"


def test_a_ghost_in_the_link_is_run_too_and_its_outlines_are_there():
    code = to_code(whatif_knobs.turned(short(), "block_size", 256))
    app = linked(preset="figure-2", s=code, ghost="block_size=16")
    data = told(app)
    reserved = [data["systems"][3]["shares"][-1][Code.PENDING], data["ghost"]["systems"][3]["shares"][Code.PENDING]]
    assert reserved[0] > reserved[1] > 0
    assert "Block size: 16" in data["status"]
    assert link_of(app)["ghost"] == "block_size=16"


def test_a_workload_that_cannot_be_drawn_keeps_the_last_good_run():
    app = linked(preset="figure-2", s=to_code(short()))
    state = app.session_state["vizkv"]["whatif"]
    state.scenario = whatif_knobs.turned(state.scenario, "slots", 4096)
    state.scenario = from_dict(to_dict(state.scenario) | {"model": "tiny"})
    app = finished(rested(app))
    data = told(app)
    assert data["alarm"] and "without a model" in data["status"] and data["state"] == "done"


# ---- knobs ----


@pytest.mark.parametrize("which", PRESETS, ids=lambda p: p.id)
def test_every_knob_of_an_example_stands_where_the_example_does(which):
    for knob in whatif_knobs.knobs(which.scenario, which.scenario):
        assert knob.values[knob.index] == whatif_knobs.value_of(which.scenario, knob.name)
        assert knob.index == knob.home
        assert list(knob.values) == sorted(knob.values) or knob.kind == "choice"


@pytest.mark.parametrize("which", PRESETS, ids=lambda p: p.id)
def test_every_value_of_every_knob_makes_a_scenario_that_a_link_carries(which):
    for knob in whatif_knobs.knobs(which.scenario, which.scenario):
        for value in knob.values:
            made = whatif_knobs.turned(which.scenario, knob.name, value)
            assert whatif_knobs.value_of(made, knob.name) == value
            assert from_code(to_code(made)) == made


def test_a_knob_that_turns_nothing_is_an_error():
    with pytest.raises(ScenarioError, match="multiple"):
        whatif_knobs.turned(FIGURE_2.scenario, "multiple", 4)


def test_a_ghosts_word_is_read_back():
    here = short()
    for ghost in (
        whatif_knobs.turned(here, "block_size", 64),
        whatif_knobs.turned(whatif_knobs.turned(here, "rate", 2.5), "placement", "ideal"),
        from_dict(to_dict(here) | {"seed": 3}),
    ):
        for pinned in (False, True):
            word = whatif.ghost_word(ghost, here, pinned)
            assert whatif.ghost_of(word, here) == ghost
            assert word.startswith("keep.") == pinned
    assert whatif.ghost_word(whatif_knobs.turned(here, "rate", 2.5), here, False) == "rate=2.5"


# ---- what the browser tells ----


@pytest.fixture
def open_page(monkeypatch):
    state = Open(FIGURE_2, short(), "whatif")
    monkeypatch.setattr("vizkv.ui.link.current", lambda: state)
    return state, Session(asked=True)


def test_while_one_knob_is_turned_the_ghost_stays_where_it_was_taken_up(open_page):
    state, here = open_page
    before = state.scenario
    for size in (32, 64, 128):
        whatif.turn(state, here, "block_size", size)
    assert here.ghost == before
    at_128 = state.scenario
    whatif.turn(state, here, "rate", 2.0)
    assert here.ghost == at_128


def test_a_ghost_that_is_kept_stays_until_it_is_cleared(open_page):
    state, here = open_page
    kept = state.scenario
    whatif.keep(state, here)
    whatif.turn(state, here, "block_size", 32)
    whatif.turn(state, here, "rate", 2.0)
    assert here.ghost == kept and here.pinned
    whatif._take(state, here, {"n": 1, "what": "clear"})
    assert here.ghost is None and not here.pinned


def test_a_knob_that_cannot_be_turned_so_far_leaves_a_sentence(open_page):
    state, here = open_page
    before = state.scenario
    whatif.turn(state, here, "slots", -5)
    assert "slots" in state.problem and state.scenario == before


def test_letters_are_read_once_and_in_order(monkeypatch):
    letters = [{"n": 3, "what": "more"}, {"n": 2, "what": "run"}, {"what": "stop"}, "nonsense", {"n": "4"}]
    monkeypatch.setattr(live.st, "session_state", {live.KEY: {"letters": letters}})
    assert [letter["n"] for letter in live.letters(0)] == [2, 3]
    assert [letter["n"] for letter in live.letters(2)] == [3]


# ---- runs ----


def test_a_workload_that_cannot_be_drawn_leaves_a_sentence_and_the_scenario_before_it(open_page, monkeypatch):
    monkeypatch.setattr(whatif, "_write", lambda state, here: None)
    state, here = open_page
    before = state.scenario
    whatif._followed(state, here)
    here.job.wait()
    whatif._judge(state, here)
    assert before.workload is not None
    nothing = before.workload.model_copy(update={"duration": 0.001, "warmup": 0.0})
    state.scenario = before.model_copy(update={"workload": nothing})
    whatif._followed(state, here)
    here.job.wait()
    whatif._judge(state, here)
    assert state.scenario == before and here.job.scenario == before
    assert "zero requests" in state.problem


def test_a_changed_block_size_runs_the_paged_system_alone():
    first = whatif_runs.Job(short(7.0))
    second = whatif_runs.Job(whatif_knobs.turned(short(7.0), "block_size", 32))
    assert [a is b for a, b in zip(first.lanes, second.lanes, strict=True)] == [True, True, True, False]


def test_the_first_picture_of_a_turned_knob_counts_for_every_system():
    scenario = FIGURE_2.scenario.model_copy(update={"seed": 4711})  # nobody else has run it
    job = whatif_runs.Job(scenario, growing=False)
    job.begin()
    try:
        job.next_picture(30.0)
        workload = scenario.workload
        counted = figure2.first_counted(workload.duration, workload.warmup)
        assert job.version == 1 and all(lane.growth.frames >= counted for lane in job.lanes)
    finally:
        job.stop()
        job.wait()


def test_a_picture_that_came_between_two_questions_is_not_waited_for_again():
    job = whatif_runs.Job(FIGURE_2.scenario.model_copy(update={"seed": 4712}), growing=False)
    job.begin()
    try:
        while not job.version:  # nobody asks meanwhile
            time.sleep(0.001)
        before = job.version
        job.next_picture(30.0)
        assert job.version == before
        job.next_picture(30.0)
        assert job.version > before
    finally:
        job.stop()
        job.wait()


def test_a_lane_that_was_stopped_goes_on_where_it_was_and_ends_as_if_it_had_not():
    stopped, straight = (whatif_runs.Lane(whatif_runs.alone(short(8.0), 1)) for _ in range(2))
    stopped.go(3.0, lambda: False)
    seen = stopped.growth.frames
    assert 0 < seen < len(stopped.marks) and not stopped.done
    stopped.go(float("inf"), lambda: True)
    assert not stopped.done
    for lane in (stopped, straight):
        lane.go(float("inf"), lambda: False)
    assert stopped.done and (stopped.growth.shares == straight.growth.shares).all()


def test_a_lane_whose_process_has_died_begins_anew_and_ends_the_same():
    broken, straight = (whatif_runs.Lane(whatif_runs.alone(short(8.0), 1)) for _ in range(2))
    broken.go(3.0, lambda: False)
    lane_workers.end()
    for lane in (broken, straight):
        lane.go(float("inf"), lambda: False)
    assert (broken.growth.shares == straight.growth.shares).all()
    assert (broken.trace.time_s == straight.trace.time_s).all()


def test_an_error_in_a_process_reaches_who_asked_and_the_process_goes_on():
    with lane_workers.at_home(None) as process, lane_workers.taken(process):
        gone = whatif_runs.alone(short(lengths="upload:0123456789abcdef"), 0)
        refused = process.ask(Wish("none", gone, "none", 1.0, 1.0, 0))
        assert refused.problem and not refused.trace
        alone = whatif_runs.alone(short(2.0), 0)
        assert process.ask(Wish("key", alone, "key", float("inf"), 60.0, 0)).trace.steps > 0


def test_what_was_drawn_while_it_ran_stays_as_it_was():
    lane = whatif_runs.Lane(whatif_runs.alone(short(8.0), 0))
    lane.go(5.0, lambda: False)
    early = lane.growth
    lane.go(float("inf"), lambda: False)
    assert (lane.growth.shares[: early.frames] == early.shares).all()


def test_a_job_that_was_stopped_says_so_and_another_takes_its_work_up():
    job = whatif_runs.Job(short(400.0))
    job.begin()
    job.stop(by_hand=True)
    job.wait()
    assert not job.done and not job.running and not job.left
    assert whatif_runs.Job(short(400.0)).lanes[0] is job.lanes[0]


def test_a_parts_step_is_one_that_is_like_the_mean():
    job = whatif_runs.Job(short(20.0))
    job.begin()
    job.wait()
    for index, lane in enumerate(job.lanes):
        step = whatif_player.step_of(job, index, 20.0, "used")
        used = lane.series.shares("hindsight", "paper")[:, 0]
        counted = used[(lane.trace.time_s >= 2.0) & (lane.trace.time_s <= 20.0)]
        assert abs(used[step] - counted.mean()) == pytest.approx(abs(counted - counted.mean()).min(), abs=1)
        assert lane.trace.time_s[step] >= 2.0
    assert whatif_player.step_of(job, 0, 1.0, "") == whatif_player.step_of(job, 0, 1.0, "used")


def test_an_uploaded_trace_is_run_to_its_own_end_and_not_to_the_examples(monkeypatch, tmp_path):
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path))
    lines = "".join(f"{k / 2},{40 + 7 * k % 300},{20 + k % 50}\n" for k in range(40))
    app = opened("whatif")
    rested(app.selectbox(key="whatif-workload-lengths").set_value("own"))
    trace = ("t.csv", f"TIMESTAMP,ContextTokens,GeneratedTokens\n{lines}".encode(), "text/csv")
    rested(app.file_uploader[0].set_value(trace))
    assert (told(app)["duration"], told(app)["warmup"]) == (20.0, 6.0)


def test_a_recorded_run_stands_beside_ours_or_is_refused_in_a_sentence():
    app = linked(preset="figure-2", s=to_code(short()))
    charts = len(app.get("plotly_chart"))
    rested(
        app.file_uploader[0].set_value(("m.csv", b"t,running,waiting,kv_cache_pct\n1,3,0,5\n2,5,2,50\n", "text/csv"))
    )
    table = next(frame.value for frame in app.dataframe if "m.csv" in frame.value.iloc[:, 0].tolist())
    assert table.iloc[:, 0].tolist() == ["m.csv", *(system.label for system in short().systems)]
    assert table.iloc[0, 1:].tolist() == [5, 5, 50]
    assert len(app.get("plotly_chart")) == charts + 1 and not warnings(app)
    rested(app.file_uploader[0].set_value(("m.csv", b"a,b\n1,2\n", "text/csv")))
    (problem,) = warnings(app)
    assert "m.csv" in problem and "no column for the time" in problem
