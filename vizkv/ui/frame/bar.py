"""What stands in the bar of every page: language, projector, sharing, and the class that is led or followed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vizkv.ui import frame, link, pages, store
from vizkv.ui import session as sessions
from vizkv.ui.frame import classroom, share
from vizkv.ui.streamlit import room

_FRAME = "vizkv-frame"
_ANSWERED = ("right", "wrong", "answer")
_GO = "vizkv.go"  # the page that a lecturer has opened, until it is shown
_TAKEN = "vizkv.taken"  # what of a class this visitor shows: Class.opened


@st.cache_resource
def _component() -> Any:
    """Registered once a server process: registering again would remount it in every open page."""
    html, css, js = frame.assets("frame")
    return st.components.v2.component("vizkv_frame", html=html, css=css, js=js)


def turn(page: str) -> None:
    """Before a page is entered: a student's is the lecturer's, if that was asked for."""
    wanted = store.take(_GO, None)
    if wanted is not None and wanted != page:
        st.switch_page(link.page_file(wanted))


def bar() -> None:
    """The bar's own part, on every page."""
    now, say = link.session(), link.say()
    with st.container(key="vizkv-bar", horizontal=True, vertical_alignment="center", gap="small"):
        _component()(
            data=_told(), key=_FRAME, on_asked_change=_asked, on_claim_change=_claimed, on_type_change=_measured
        )
        other = next(name for name in sessions.LANGUAGES if name != now.language)
        st.button(
            say("bar.language"), key="bar-language", on_click=_speak, args=(other,), help=say("bar.language.help")
        )
        st.button(
            say("bar.projector"), key="bar-projector", icon=":material/present_to_all:", on_click=_project,
            type="primary" if now.projector else "secondary", help=say("bar.projector.help"),
        )  # fmt: skip
        share.button()


def publish() -> None:
    """What a lecturer's page shows is what his class is shown: also of a page that writes no link."""
    link.tell_class(link.current())


def _told() -> dict[str, Any]:
    now = link.session()
    led = classroom.find(now.class_id) if now.class_id else None
    return {
        "lang": sessions.HTML_LANGUAGE[now.language],
        "base": link.base(),
        "path": classroom.PATH,
        "first": pages.FIRST,
        "projector": now.projector,
        "type_px": now.type_px,
        "name": now.class_id if classroom.served else "",
        "token": led.token if led is not None and now.lecturer else "",
        "taken": store.get(_TAKEN, 0),
        "say": link.say().group("class.told.") | {name: link.say()(f"lecture.bar.{name}") for name in _ANSWERED},
    }


def _speak(language: str) -> None:
    link.session().language = language


def _project() -> None:
    link.session().projector = not link.session().projector


def _heard(name: str) -> dict[str, Any]:
    said = store.told(_FRAME, name)
    return said if isinstance(said, dict) else {}


def _asked() -> None:
    """A student's browser asks for what the lecturer has open."""
    now = link.session()
    led = classroom.find(now.class_id)
    if led is None or now.lecturer or not led.opened or not _heard("asked"):
        return
    store.put(_TAKEN, led.opened)
    link.take(led.page, led.words)
    store.put(_GO, led.page)


def _measured() -> None:
    """How large a projector's words are: charts are drawn with as large ones."""
    said = _heard("type").get("px")
    if type(said) is int:
        link.session().type_px = max(0, min(room.LARGEST_PX, said))


def _claimed() -> None:
    """A lecturer's tab was loaded: its own memory has the token, no address does."""
    if problem := sessions.claim(str(_heard("claim").get("token", ""))):
        link.current().problem = problem
