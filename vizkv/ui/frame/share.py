"""The link to what is shown, to be copied or read by a phone's camera; and a class, which follows its lecturer."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st

from vizkv.scenario import schema as scenario
from vizkv.ui import frame, link, store
from vizkv.ui.frame import classroom
from vizkv.ui.guard import guarded
from vizkv.views.payload.pack import View

MAX_QR = 858  # bytes: version 20 at the lowest correction, 97 modules a side; a phone reads no denser one from a wall
_POPOVER = "bar-share"
_HERE_ONLY = ("localhost", "127.0.0.1", "::1")


@st.cache_resource
def _component() -> Any:
    html, css, js = frame.assets("share")
    return st.components.v2.component("vizkv_share", html=html, css=css, js=js)


def qr(text: str) -> str:
    """The QR code as SVG; empty if a phone would not read one that dense."""
    if len(text.encode()) > MAX_QR:
        return ""
    drawn: str = segno.make(text, error="l", micro=False, boost_error=True).svg_inline(border=4, omitsize=True)
    return re.sub(r"<svg ", '<svg role="img" aria-hidden="true" ', drawn, count=1)


@st.fragment
@guarded
def button() -> None:
    """The popover. Its content is made when it is opened: the link is that of the moment."""
    say = link.say()
    opened = st.popover(say("share.title"), key=_POPOVER, icon=":material/qr_code_2:", on_change="rerun")
    if not opened.open:
        return
    names = [say("share.moment.title"), say("class.title")]
    moment, group = opened.tabs(names, default=names[link.session().lecturer])
    with moment:
        _moment()
    with group:
        _class()


def _moment() -> None:
    state, say = link.current(), link.say()
    url = link.url(state)
    st.markdown(say("share.moment"))
    _show("share-moment", url, step=(state.view or View()).step)
    if not qr(url):
        st.info(say("share.long", n=len(url), most=MAX_QR))
        st.download_button(
            say("drawer.files.scenario"), scenario.to_toml(state.scenario), f"{state.file_name}.toml",
            "application/toml", icon=":material/download:", key="share-file",
        )  # fmt: skip
    _only_here()


def _only_here() -> None:
    if urlsplit(link.base()).hostname in _HERE_ONLY:
        st.caption(link.say()("share.local"))


def _class() -> None:
    now, say = link.session(), link.say()
    room = classroom.find(now.class_id) if now.class_id else None
    if room is None or not now.lecturer:
        if room is not None:
            st.markdown(say("class.student"))
            return
        st.markdown(say("class.about"))
        if st.button(
            say("class.begin"), key="class-begin", icon=":material/groups:", disabled=not classroom.served,
        ):  # fmt: skip
            try:
                begin()
            except classroom.FullError as error:
                st.warning(say.in_markdown.error(error), icon=":material/groups:")
                return
            st.rerun()  # the whole page: its browser tells the class from now on
        if not classroom.served:
            st.caption(say("class.unserved"))
        return
    st.markdown(say("class.students"))
    _show("share-class", f"{link.base()}?{urlencode({'class': room.id})}")
    _only_here()
    with st.expander(say("class.own"), icon=":material/key:"):
        st.caption(say("class.own.about"))
        _show("share-lecturer", classroom.lecturers_link(link.base(), room), code=False)
    if st.button(say("class.end"), key="class-end", icon=":material/stop:"):
        end()
        st.rerun()


def _show(key: str, url: str, code: bool = True, step: int | None = None) -> None:
    """``step``: of the player, if the link is to where that stands."""

    def gone_on() -> None:
        link.current().player.hear(store.told(key, "now"))

    data: dict[str, Any] = {"url": url, "svg": qr(url) if code else "", "say": link.say().group("share.told.")}
    data["moment"], data["step"] = step is not None, step
    _component()(data=data, key=key, on_now_change=gone_on)


def begin() -> None:
    """This visitor is a lecturer, of a new class. Raises classroom.FullError."""
    now, room = link.session(), classroom.begin()
    now.class_id, now.lecturer = room.id, True


def end() -> None:
    """The class is over, its students are on their own."""
    now = link.session()
    if now.lecturer:
        classroom.end(now.class_id)
    now.class_id, now.lecturer = "", False
