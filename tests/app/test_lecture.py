"""Lecture mode without a browser: beats by what the bar tells, questions, a script of one's own."""

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.visitor import APP, link_of, rested
from vizkv import lecture as scripts
from vizkv.scenario.schema import ScenarioError
from vizkv.ui.frame import classroom
from vizkv.ui.lecture import ahead as lecture_ahead
from vizkv.ui.lecture import bar as lecture_bar
from vizkv.ui.lecture import mode as lecture
from vizkv.views.payload import pack as payload

SCRIPT = b"""
title = { en = "Two beats", zh = "\xe4\xb8\xa4\xe8\x8a\x82" }
[[beats]]
title = "First"
page = "memory"
preset = "external-fragmentation"
step = 10
ask = [{ kind = "fits", request = "B", step = 9 }, { kind = "count", category = "free", step = 9 }]
[[beats]]
title = "Second"
page = "memory"
preset = "figure-3"
step = 2
lens = "hindsight"
"""


@pytest.fixture(autouse=True)
def nothing_ahead(monkeypatch):
    """No thread computes the whole lecture while its pieces are tested."""
    monkeypatch.setattr(lecture_ahead, "begin", lambda *_: None)


@pytest.fixture
def pressed(monkeypatch):
    """pressed(app, what="go", by=1): the app after the bar has told that."""
    told: list[dict] = []
    monkeypatch.setattr(lecture_bar, "letters", lambda after: [one for one in told if one["n"] > after])

    def press(app, **letter):
        told.append({"n": time.time_ns(), **letter})
        return rested(app)

    return press


def opened(page="memory", **query):
    """The app at a page; of a copy of app.py, for AppTest runs a page without it where a folder pages/ lies beside."""
    app = AppTest.from_string(Path(APP).read_text(encoding="utf-8"), default_timeout=60)
    app.query_params.update(query)
    app = rested(app)
    return app if page == "memory" else rested(app.switch_page(str(Path(APP).parent / f"pages/{page}.py")))


def view(app):
    """What the player was told to open."""
    packed = [one.proto.bytes for one in app.get("bidi_component") if one.proto.bytes]
    return payload.unpack(packed[0])[0]


def bar(app):
    """What the bar shows: a question, or None."""
    here = app.session_state["vizkv.lecture"]
    return here.part, here.open, here.right, dict(here.given)


def begun():
    name = lecture.keep(SCRIPT)
    return opened(lecture=name, beat="1", preset="external-fragmentation", step="9")


def test_a_link_to_a_beat_asks_its_first_question():
    app = begun()
    assert bar(app) == (0, True, 0, {})
    assert link_of(app)["beat"] == "1"


def test_the_next_key_shows_the_answer_then_the_next_question_then_the_next_beat(pressed):
    app = pressed(begun(), what="go", by=1)
    assert bar(app)[:2] == (0, False) and view(app)["step"] == 10
    app = pressed(app, what="go", by=1)
    assert bar(app)[:2] == (1, True) and view(app)["step"] == 9
    app = pressed(pressed(app, what="go", by=1), what="go", by=1)
    assert (link_of(app)["beat"], link_of(app)["preset"]) == ("2", "figure-3")
    assert (view(app)["step"], view(app)["lens"]) == (2, "hindsight")


def test_an_answer_counts_once_and_only_while_it_is_asked_for(pressed):
    app = pressed(begun(), what="answer", value="no", beat=1, part=0)
    assert bar(app) == (0, False, 1, {(1, 0): "no"})
    app = pressed(app, what="answer", value="yes", beat=1, part=0)
    assert bar(app) == (0, False, 1, {(1, 0): "no"})
    app = pressed(app, what="answer", value="no", beat=1, part=1)  # of a question that is not open yet
    assert bar(app)[3] == {(1, 0): "no"}


def test_going_back_to_an_answered_beat_shows_it_as_it_is(pressed):
    app = begun()
    for _ in range(4):
        app = pressed(app, what="go", by=1)
    app = pressed(app, what="go", by=-1)
    assert link_of(app)["beat"] == "1" and bar(app)[1] is False and view(app)["step"] == 10


def test_nothing_comes_before_the_first_beat_or_after_the_last(pressed):
    app = pressed(begun(), what="go", by=-1)
    assert link_of(app)["beat"] == "1"
    for _ in range(7):
        app = pressed(app, what="go", by=1)
    assert link_of(app)["beat"] == "2"


def test_whoever_leaves_keeps_the_picture(pressed):
    app = pressed(begun(), what="leave")
    assert "lecture" not in link_of(app) and view(app)["step"] == 9


def test_a_script_that_is_not_here_is_a_sentence_and_the_apps_own_one():
    app = opened(lecture="own-000000000000", beat="3")
    assert any("own-000000000000" in info.value for info in app.info)
    assert link_of(app)["lecture"] == lecture.OWN


def test_a_lecture_whose_script_the_server_has_forgotten_ends_with_a_sentence():
    app = begun()
    name = link_of(app)["lecture"]
    lecture._uploaded.clear()
    rested(app)
    assert any(name in info.value for info in app.info)
    assert "lecture" not in link_of(app) and view(app)["step"] == 9


def test_a_beat_beyond_the_last_is_the_last():
    assert link_of(opened(lecture=lecture.keep(SCRIPT), beat="99"))["beat"] == "2"


def test_the_page_lists_every_beat_and_begins_with_the_first():
    app = opened("lecture")
    begin = next(button for button in app.button if button.key == "lecture-start")
    beats = [button for button in app.button if button.key and button.key.startswith("lecture-beat-")]
    assert len(beats) == len(scripts.default().beats)
    app.session_state["lecture-asking"] = False
    app = rested(begin.click())
    assert link_of(app)["beat"] == "1" and link_of(app)["lecture"] == lecture.OWN


def test_a_broken_upload_is_refused_and_keeps_nothing():
    with pytest.raises(ScenarioError, match="not valid TOML"):
        lecture.keep(b"[[beats")
    assert lecture.find("own-") is None


def test_a_class_is_put_the_question_in_both_languages_and_told_its_answer_only_with_the_lecturers(pressed):
    room = classroom.begin()
    name = lecture.keep(SCRIPT)
    app = opened(lecture=name, beat="1", step="9", **{"class": room.id})
    app.session_state["vizkv.session"].lecturer = True
    app = app.run()
    assert room.question["en"]["open"] and room.question["zh"]["text"] != room.question["en"]["text"]
    assert not {"answer", "told", "key", "given"} & set(room.question["en"])
    app = pressed(app, what="go", by=1)
    assert room.question["en"]["answer"] == "no" and not room.question["zh"]["open"]
    pressed(app, what="leave")
    assert room.question is None


def test_a_student_who_follows_a_class_turns_no_beats(pressed):
    app = opened(lecture=lecture.keep(SCRIPT), beat="1", **{"class": "abc"})
    app = pressed(app, what="go", by=1)
    assert app.session_state["vizkv.session"].beat == 1


def test_the_page_leads_to_the_show_where_the_server_has_it(monkeypatch):
    assert not opened("lecture").get("link_button")
    monkeypatch.setattr(classroom, "served", True)
    (button,) = opened("lecture").get("link_button")
    assert button.proto.url.endswith("/show/lecture")
