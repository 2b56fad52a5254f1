"""What a link carries besides the page: language, room and version; sharing it; taking one in; a class."""

from urllib.parse import parse_qsl, urlsplit

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.app.visitor import link_of, opened, player, rested, warnings
from vizkv import __version__
from vizkv.scenario.code import to_code
from vizkv.scenario.presets import list_presets
from vizkv.ui import link, pages, session
from vizkv.ui.frame import classroom, share
from vizkv.ui.player.channel import Channel
from vizkv.views.view import Limits


@pytest.fixture
def visitor(monkeypatch):
    """A session without an app."""
    kept = {}
    monkeypatch.setattr(st, "session_state", kept)
    monkeypatch.setattr(st, "query_params", {})
    kept["vizkv.session"] = link.Session()
    kept["vizkv.page"] = "memory"
    return kept


def told(app):
    return [note.value for note in app.info]


def test_a_link_always_says_its_language_and_version():
    words = link_of(opened())
    assert (words["lang"], words["v"]) == ("en", __version__)
    assert not {"room", "class", "lecture", "beat"} & set(words)


def test_the_language_is_switched_on_the_page_and_remembered_in_the_link():
    app = opened(step="3")
    rested(app.button(key="bar-language").click())
    assert link_of(app)["lang"] == "zh" and link_of(app)["step"] == "3"
    assert player(app)[1]["lang"] == "zh-Hans"
    rested(app.switch_page("pages/cost.py"))
    assert link_of(app)["lang"] == "zh"
    back = opened(lang="zh")
    rested(back.button(key="bar-language").click())
    assert link_of(back)["lang"] == "en"


@pytest.mark.parametrize(
    ("browser", "language"), [("zh-CN", "zh"), ("zh", "zh"), ("en-GB", "en"), ("fr", "en"), (None, "en")]
)
def test_without_a_word_the_browsers_language_is_taken(monkeypatch, browser, language):
    monkeypatch.setattr(type(st.context), "locale", property(lambda self: browser))
    app = opened()
    assert link_of(app)["lang"] == language
    assert link_of(opened(lang="en"))["lang"] == "en"


@pytest.mark.parametrize(("field", "value"), [("lang", "xx"), ("room", "kitchen"), ("class", "nobodys"), ("v", "<b>")])
def test_nonsense_in_the_sessions_words_is_a_sentence(field, value):
    app = opened(**{field: value})
    assert len(warnings(app)) == 1 and field in warnings(app)[0] and value in warnings(app)[0]
    assert player(app)[1]["systems"]


def test_a_link_of_another_version_says_so_and_opens():
    app = opened(step="237", v="0.0.9")
    assert any("0.0.9" in note and __version__ in note for note in told(app))
    assert player(app)[0]["step"] == 237 and link_of(app)["v"] == __version__


def test_a_link_made_in_chinese_for_a_projector_opens_exactly_that():
    app = opened(step="237", lens="hindsight", lit="internal", lang="zh", room="projector")
    again = opened(**link_of(app))
    view, header, _ = player(again)
    assert (view["step"], view["lens"], view["lit"], header["lang"]) == (237, "hindsight", "internal", "zh-Hans")
    assert link_of(again) == link_of(app)
    assert link_of(app)["room"] == "projector"


def test_a_link_points_at_slots_that_the_run_has():
    app = opened(preset="readers-question", step="237", mark="0.500-500")
    assert player(app)[0]["mark"] == "0.500-500" and link_of(app)["mark"] == "0.500-500"
    for nonsense in ("0.500", "9.1-2", "0.7-3", "0.0-9999999", "x"):
        app = opened(preset="readers-question", mark=nonsense)
        assert len(warnings(app)) == 1 and nonsense in warnings(app)[0] and player(app)[0]["mark"] == ""


def test_the_projector_is_a_button():
    app = opened()
    rested(app.button(key="bar-projector").click())
    assert link_of(app)["room"] == "projector"
    back = opened(room="projector")
    rested(back.button(key="bar-projector").click())
    assert "room" not in link_of(back)


def test_the_qr_code_of_every_example_with_changes_is_one_that_a_phone_reads():
    for preset in list_presets():
        if preset.scenario.workload and not preset.scenario.requests:
            continue
        words = {"s": to_code(preset.scenario), "preset": preset.id, "step": "20000", "lens": "hindsight",
                 "accounting": "textbook", "lang": "en", "room": "projector", "v": __version__}  # fmt: skip
        size = len("http://192.168.100.100:8501/sharing?") + sum(len(k) + len(v) + 2 for k, v in words.items())
        assert size <= share.MAX_QR, (preset.id, size)


def test_a_link_too_long_for_a_qr_code_has_none():
    assert share.qr("x" * share.MAX_QR).startswith("<svg")
    assert share.qr("x" * (share.MAX_QR + 1)) == ""


def test_the_shared_link_is_to_this_moment_and_in_nobodys_class(visitor):
    visitor["vizkv.session"] = link.Session(language="zh", class_id="abc", lecture="lecture", beat=3)
    first = next(iter(link.presets("table").values()))
    player = Channel(view=link.View(step=9), limits=Limits(requests=("A", "B")))
    state = link.Open(first, first.scenario, "table", player=player)
    address = urlsplit(link.url(state))
    words = dict(parse_qsl(address.query))
    assert address.path == "/table" and (words["step"], words["lang"]) == ("9", "zh")
    assert not {"class", "lecture", "beat"} & set(words)
    assert {"class", "lecture", "beat"} < set(link.words(state))


# ---- taking in a link ----


def test_a_taken_link_opens_as_if_the_app_had_been_opened_with_it(visitor):
    link.take("table", {"step": "9", "request": "B", "lens": "hindsight"}, play=True)
    state = visitor["vizkv"]["table"]
    assert state.wanted == {"step": "9", "request": "B", "lens": "hindsight"}
    assert state.play and state.page == "table" and state.preset.id in link.presets("table")


def test_what_is_taken_reaches_widgets_and_player_of_a_page_that_was_open_before(visitor):
    link.take("memory", {})
    before = visitor["vizkv"]["memory"]
    before.player.sent = link.View(command=7)
    link.take("memory", {"step": "5"})
    after = visitor["vizkv"]["memory"]
    assert after.edition > before.edition and after.player.command > 7


def test_a_taken_link_may_be_nonsense(visitor):
    link.take("nowhere", {"preset": "none-such", "s": "1zzz"})
    state = visitor["vizkv"][pages.FIRST]
    assert state.problem and state.scenario == state.preset.scenario


# ---- a class ----


def leading(room, **query):
    """The lecturer's page: his browser has claimed the class with the token that it keeps."""
    app = opened(**{"class": room.id}, **query)
    app.session_state["vizkv.session"].lecturer = True
    return rested(app)


def test_what_a_lecturer_opens_is_open_before_the_class_and_a_student_gets_it():
    room = classroom.begin()
    lecturer = leading(room, preset="figure-3", step="3")
    assert "token" not in link_of(lecturer)
    assert (room.page, room.words["preset"]) == ("memory", "figure-3")
    first = room.opened
    rested(lecturer.switch_page("pages/table.py"))
    assert room.page == "table" and room.opened > first


def test_a_student_opens_nothing_before_the_class():
    room = classroom.begin()
    leading(room)
    before = (room.page, room.opened, room.words)
    student = opened("table", **{"class": room.id, "step": "9"})
    assert link_of(student)["class"] == room.id
    assert (room.page, room.opened, room.words) == before


def test_a_token_in_an_address_leads_nothing():
    room = classroom.begin()
    app = opened(**{"class": room.id, "token": room.token, "step": "7"})
    assert room.opened == 0 and "token" not in link_of(app)


def test_the_lecturers_link_has_its_token_where_a_browser_sends_it_to_nobody():
    room = classroom.begin()
    address = urlsplit(classroom.lecturers_link("http://hall:8501/lab/", room))
    assert address.fragment == room.key and address.path == f"/lab/vizkv/lead/{room.id}" and address.query == ""


def test_the_token_that_a_tab_has_kept_makes_it_the_lecturers(visitor):
    room = classroom.begin()
    visitor["vizkv.session"] = link.Session(class_id=room.id)
    assert session.claim(room.token) == "" and link.session().lecturer
    assert session.claim("guessed") == "" and link.session().lecturer  # it was right once


def test_the_link_that_leads_works_once_and_gives_a_tab_what_it_keeps(visitor):
    room = classroom.begin()
    key = classroom.lecturers_link("/", room).split("#")[1]
    for told in ("", "secret"):  # whoever finds the link in a browser's history comes second
        visitor["vizkv.session"] = link.Session(class_id=room.id)
        assert told in session.claim(key) and link.session().lecturer == (not told)
    assert room.key != key and room.is_lecturer(room.token) and not room.is_lecturer(room.key)


@pytest.mark.parametrize("token", ["guessed", "", "ä"])
def test_a_wrong_token_is_refused_in_a_sentence_and_follows_nobody(visitor, token):
    room = classroom.begin()
    visitor["vizkv.session"] = link.Session(class_id=room.id)
    assert "secret" in session.claim(token)
    assert not link.session().lecturer and link.session().class_id == ""


def test_a_claim_on_a_class_that_is_over_is_refused_in_a_sentence(visitor):
    room = classroom.begin()
    visitor["vizkv.session"] = link.Session(class_id=room.id)
    classroom.end(room.id)
    assert room.id in session.claim(room.token) and link.session().class_id == ""
    assert session.claim(room.token) == ""  # said once


def test_who_begins_a_class_too_many_is_told_so_and_leads_none(monkeypatch):
    monkeypatch.setattr(classroom, "served", True)
    monkeypatch.setattr(classroom, "MAX_CLASSES", 1)
    other = classroom.begin()

    def page():
        from vizkv.ui.frame import share

        share._class()

    app = rested(AppTest.from_function(page, default_timeout=60))
    app.button(key="class-begin").click()
    rested(app)
    assert [warning.value[:18] for warning in app.warning] == ["There are 1 classe"]
    assert app.session_state["vizkv.session"].class_id == "" and classroom.find(other.id) is other


def test_only_a_new_run_or_page_makes_students_run_something():
    room = classroom.begin()
    room.open("memory", {"preset": "a", "step": "1"}, {"preset": "a"})
    room.open("memory", {"preset": "a", "step": "2"}, {"preset": "a"})
    assert room.opened == 1 and room.words["step"] == "2"
    room.open("memory", {"preset": "b", "step": "2"}, {"preset": "b"})
    assert room.opened == 2


def test_the_sessions_words_are_known_to_nobody_else():
    assert set(session.WORDS).isdisjoint(link.FIELDS)
    assert all(set(session.WORDS).isdisjoint(entry.fields) for entry in pages.PAGES.values())
