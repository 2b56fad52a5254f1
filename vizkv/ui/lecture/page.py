"""The page "Lecture": begin, the list of beats, an uploaded script, the worksheet."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vizkv.lecture import Lecture
from vizkv.messages.escape import markdown
from vizkv.scenario.schema import ScenarioError
from vizkv.ui import link, store
from vizkv.ui.frame import classroom
from vizkv.ui.lecture import ahead as lecture_ahead
from vizkv.ui.lecture import mode as lecture
from vizkv.ui.player import runs
from vizkv.ui.session import session

_SCRIPT, _ASKING, _SHEET = "vizkv.lecture.script", "lecture-asking", "vizkv.lecture.sheet"


def show() -> None:
    """Draw the page."""
    say, now = link.say(), session()
    name = store.first(_SCRIPT, now.lecture if lecture.find(now.lecture) else lecture.OWN)
    script = lecture.find(name)
    if script is None:  # it was uploaded long ago and has been dropped
        name = lecture.OWN
        store.put(_SCRIPT, name)
        script = lecture.find(name)
    assert script is not None
    if not store.get("vizkv.lecture.warm"):
        store.put("vizkv.lecture.warm", True)
        lecture_ahead.begin(script, 1, now.language)
    st.title(markdown(script.title.of(say.language)))
    st.markdown(say("lecture.about"))
    with st.container(horizontal=True, vertical_alignment="center"):
        asking = st.toggle(say("lecture.questions"), value=True, key=_ASKING, help=say("lecture.questions.help"))
        if st.button(say("lecture.start"), key="lecture-start", type="primary", icon=":material/play_arrow:"):
            _go(name, 1, asking)
        if name == lecture.OWN and classroom.served:
            st.link_button(
                say("lecture.show"), f"{link.base()}show/{lecture.OWN}", icon=":material/groups:",
                help=say("lecture.show.help"),
            )  # fmt: skip
        if now.lecture and now.beat > 1:
            resume = say("lecture.resume", beat=now.beat)
            if st.button(resume, key="lecture-resume", icon=":material/redo:"):
                _go(now.lecture, now.beat, asking)
    beats, own = st.columns([3, 2], gap="large")
    with beats:
        _beats(script, name, asking)
    with own:
        _own(name, script)
        _worksheet(name, script)


def _go(name: str, beat: int, asking: bool) -> None:
    st.switch_page(link.page_file(lecture.begin(name, beat, asking)))


def _beats(script: Lecture, name: str, asking: bool) -> None:
    say = link.say()
    st.header(say("lecture.beats"))
    listed = st.container(gap=None)
    for number, beat in enumerate(script.beats, 1):
        title = beat.title.of(say.language)
        label = f"{say.number(number)} · {markdown(title)}"
        if beat.ask:
            label += say("lecture.asks.behind", asks=say("lecture.asks", n=len(beat.ask)))
        help_ = say.in_markdown("lecture.open", beat=number, title=title)
        if listed.button(label, key=f"lecture-beat-{number}", type="tertiary", help=help_):
            _go(name, number, asking)


def _own(name: str, script: Lecture) -> None:
    say = link.say()
    st.header(say("lecture.own"))
    st.markdown(say("lecture.own.about"))
    st.download_button(
        say("lecture.download"), lecture.text_of(name), "lecture.toml", "application/toml", key="lecture-download",
        icon=":material/download:",
    )  # fmt: skip
    given = st.file_uploader(say("lecture.upload"), type=["toml"], key="lecture-upload", max_upload_size=1)
    if given is not None:
        _take(given)
    if name != lecture.OWN:
        st.success(say.in_markdown("lecture.loaded", title=script.title.of(say.language), n=len(script.beats)))
        if st.button(say("lecture.back"), key="lecture-back"):
            store.put(_SCRIPT, lecture.OWN)
            st.rerun()


def _take(given: Any) -> None:
    """Open an uploaded script, once per upload; show a sentence if it has an error."""
    say = link.say()
    if store.get("vizkv.lecture.file") == given.file_id:
        return
    try:
        with st.spinner(say("lecture.rehearsing")):
            kept = lecture.keep(given.getvalue())
    except ScenarioError as error:
        st.error(say.in_markdown("lecture.problem", problem=say.error(error)), icon=":material/error:")
        return
    store.put("vizkv.lecture.file", given.file_id)
    store.put(_SCRIPT, kept)
    st.rerun()


def _worksheet(name: str, script: Lecture) -> None:
    say = link.say()
    if not any(beat.ask for beat in script.beats):
        return
    st.header(say("lecture.worksheet"))
    st.markdown(say("lecture.worksheet.about"))
    key = (name, say.language)
    if st.button(say("lecture.worksheet.make"), key="lecture-sheet", icon=":material/quiz:"):
        from vizkv.lecture import worksheet

        try:
            with st.spinner(say("lecture.worksheet.making")):
                store.put(_SHEET, (key, worksheet.page(script, runs.trace, say)))
        except ScenarioError as error:
            st.error(say.in_markdown.error(error), icon=":material/error:")
    made = store.get(_SHEET)
    if made is not None and made[0] == key:
        st.download_button(
            say("lecture.worksheet.get"), made[1], "worksheet.html", "text/html", key="lecture-sheet-get",
            icon=":material/download:",
        )  # fmt: skip
