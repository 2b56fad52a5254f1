"""A fragment's request that arrives when another page is open, or being opened, is passed over."""

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.pages_manager import PagesManager

from vizkv.ui.streamlit.page_turns import begins, is_late, pass_over_late_requests


class Session:
    """A session's page manager, as it is used."""

    def __init__(self):
        self.pages = PagesManager("app.py")

    def shows(self, page):
        self.pages.set_current_page_script_hash(page)
        begins(self.pages, page)

    def asks(self, page, fragment=""):
        return is_late(self.pages, ClientState(page_script_hash=page, fragment_id=fragment))


@pytest.fixture
def session():
    """A visitor who has opened the page "memory"."""
    visitor = Session()
    assert not visitor.asks("")
    visitor.shows("memory")
    return visitor


def test_a_part_of_the_page_that_is_open_is_not_late(session):
    assert not session.asks("memory", "player")
    assert not session.asks("memory")
    assert not session.asks("memory", "player")


def test_a_part_of_a_page_is_late_as_soon_as_another_page_was_asked_for(session):
    assert not session.asks("table")
    assert session.asks("memory", "player"), "the script of the other page has not begun"
    session.shows("table")
    assert session.asks("memory", "player")
    assert not session.asks("table", "player")


def test_a_part_of_a_page_is_late_when_the_server_has_gone_on_to_another(session):
    """As st.switch_page does: the browser hears of it later."""
    assert not session.asks("memory")
    session.shows("table")
    assert session.asks("memory", "player")
    assert not session.asks("table", "player")


def test_back_on_a_page_its_parts_are_heard_again(session):
    for page in ("table", "memory"):
        assert not session.asks(page)
        session.shows(page)
    assert not session.asks("memory", "player")
    assert session.asks("table", "player")


def test_a_page_that_leads_back_to_the_open_one_leaves_its_parts_heard(session):
    """As the page of the lecture does, which opens the beat that is under way."""
    assert not session.asks("lecture")
    assert session.asks("memory", "player"), "the script of the other page has not begun"
    session.shows("lecture")
    session.shows("memory")
    assert not session.asks("memory", "player")


def test_a_page_that_does_not_exist_leaves_the_parts_of_the_shown_one_heard(session):
    assert not session.asks("nowhere")
    session.shows("table")
    assert not session.asks("table", "player")


def test_a_session_of_the_installed_streamlit_has_what_is_looked_at(monkeypatch):
    monkeypatch.setattr(AppSession, "request_rerun", AppSession.request_rerun)
    asked = []
    monkeypatch.setattr(AppSession, "request_rerun", lambda self, state: asked.append(state))
    show = PagesManager.__dict__["set_current_page_script_hash"]
    monkeypatch.setattr(PagesManager, "set_current_page_script_hash", show)
    pass_over_late_requests()
    session = object.__new__(AppSession)
    session._pages_manager = PagesManager("app.py")
    for state in (None, ClientState(page_script_hash="table"), ClientState(page_script_hash="memory", fragment_id="x")):
        AppSession.request_rerun(session, state)
    assert len(asked) == 2 and asked[1].page_script_hash == "table"
