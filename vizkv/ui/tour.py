"""The first minute: the demonstration that plays by itself, a page's one sentence, and a tour for whoever wants one."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from vizkv.ui import link
from vizkv.ui.link import Open
from vizkv.ui.pages import PAGES

# what each stop opens; what it says is the message tour.<number from 1>
STOPS: tuple[tuple[str, dict[str, str]], ...] = (
    ("memory", {"preset": "readers-question", "lens": "online"}),
    ("memory", {"preset": "readers-question", "lens": "hindsight"}),
    ("memory", {"preset": "external-fragmentation"}),
    ("table", {"preset": "table-own-text"}),
    ("sharing", {"preset": "sharing-samples"}),
    ("pressure", {"preset": "pressure"}),
    ("whatif", {}),
)
_AT, _BEGAN = "vizkv.tour", "vizkv.first-minute"
# room above the player for the bar; below it, where a window is high enough, for the page's sentence
_BAR = """<style>
:root {{ --vizkv-above: {low}rem; --vizkv-least: 26rem; }}
@media (min-height: 860px) {{ :root {{ --vizkv-above: {high}rem; }} }}
</style>"""
_LINE, _FORM, _SENTENCE = 3.6, 3.8, 2.9  # rem: the bar's own line; a page's form above its player; a page's sentence
_WITH_FORM = ("table", "sharing")
# who pressed the button below the picture, or stood further down, sees where the stop begins
_UP = "<script>/* {stop} */ document.querySelector('[data-testid=\"stMain\"]')?.scrollTo(0, 0);</script>"


def begin(state: Open) -> None:
    """The session's first page plays its question, once; not where a link, a lecture or a class says what to show."""
    if st.session_state.get(_BEGAN):
        return
    st.session_state[_BEGAN] = True
    session = link.session()
    silent = not state.asked and not any(word in st.query_params for word in link.FIELDS)
    if silent and not session.lecture and not session.class_id and state.sent is not None and state.saved is None:
        state.sent = replace(state.sent, intro=True)


def sentence(state: Open) -> None:
    """What the page shows and what to try, in one sentence, and the way into the tour."""
    say = state.say
    if link.session().lecture:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="vizkv-sentence"):
        st.markdown(say(f"tour.page.{state.page}"), width="stretch")
        if _AT not in st.session_state and st.button(say("tour.start"), key="tour-start", icon=":material/explore:"):
            go(0)


def bar() -> None:
    """While the tour is on: what there is to see here, and the way on. It stands above the page."""
    at = st.session_state.get(_AT)
    if at is None:
        return
    say, (page, _) = link.say(), STOPS[at]
    above = _LINE + (_FORM if link.current().page in _WITH_FORM else 0)
    st.html(_BAR.format(low=above, high=above + _SENTENCE))
    st.html(_UP.format(stop=at), unsafe_allow_javascript=True)
    with st.container(horizontal=True, vertical_alignment="center", key="vizkv-tour"):
        here = link.current().page == page
        words = say(f"tour.{at + 1}") if here else say("tour.away")
        st.markdown(f"**{say('tour.place', at=at + 1, of=len(STOPS))}** {words}", width="stretch")
        back = at > 0 and st.button(say("tour.back"), key="tour-back")
        last = at + 1 == len(STOPS)
        on = not last and st.button(say("tour.next"), key="tour-next", type="primary")
        end = st.button(say("tour.end"), key="tour-end", type="primary" if last else "secondary")
    if back or on:
        go(at + (1 if on else -1))
    elif end:
        st.session_state.pop(_AT)
        st.rerun()


def go(stop: int) -> None:
    """Open a stop of the tour."""
    page, words = STOPS[stop]
    st.session_state[_AT] = stop
    link.take(page, words)
    if link.current().page == page:
        st.rerun()
    st.switch_page(PAGES[page].file)
