"""The opening animation of the first page, the one sentence of a page, and the optional tour."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from vizkv.ui import link, store
from vizkv.ui.link import Open
from vizkv.ui.pages import PAGES

# the link's words of each stop; its text is the message tour.<number from 1>
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
# height above the player for the bar; below it, in a high enough window, for the page's sentence
_BAR = """<style>
:root {{ --vizkv-above: {low}rem; --vizkv-least: 26rem; }}
@media (min-height: 860px) {{ :root {{ --vizkv-above: {high}rem; }} }}
</style>"""
_LINE, _FORM, _SENTENCE = 3.6, 3.8, 2.9  # rem: the bar; a page's form above its player; a page's sentence
_WITH_FORM = ("table", "sharing")
# the reader may have scrolled down before the stop opened: scroll to its beginning
_UP = "<script>/* {stop} */ window.vizkvPage?.toTop();</script>"


def begin(state: Open) -> None:
    """Play the opening animation on a session's first page, unless a link, a lecture or a class says what to show."""
    if store.get(_BEGAN):
        return
    store.put(_BEGAN, True)
    session = link.session()
    silent = not state.asked and not any(word in st.query_params for word in link.FIELDS)
    if (
        silent
        and not session.lecture
        and not session.class_id
        and state.player.sent is not None
        and state.saved is None
    ):
        state.player.sent = replace(state.player.sent, intro=True)


def sentence(state: Open) -> None:
    """Draw the page's one sentence about what to see and try, and the button that starts the tour."""
    say = state.say
    if link.session().lecture:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="vizkv-sentence"):
        st.markdown(say(f"tour.page.{state.page}"), width="stretch")
        if not store.has(_AT) and st.button(say("tour.start"), key="tour-start", icon=":material/explore:"):
            go(0)


def bar() -> None:
    """During the tour, draw above the page what there is to see here, and the buttons to go on."""
    at = store.get(_AT)
    if at is None:
        return
    say, (page, words) = link.say(), STOPS[at]
    above = _LINE + (_FORM if link.current().page in _WITH_FORM else 0)
    st.html(_BAR.format(low=above, high=above + _SENTENCE))
    st.html(_UP.format(stop=at), unsafe_allow_javascript=True)
    with st.container(horizontal=True, vertical_alignment="center", key="vizkv-tour"):
        shown = link.current()
        # the text of a stop is about its example
        here = shown.page == page and shown.is_example and words.get("preset") in (None, shown.preset.id)
        told = say(f"tour.{at + 1}") if here else say("tour.away")
        st.markdown(f"**{say('tour.place', at=at + 1, of=len(STOPS))}** {told}", width="stretch")
        back = at > 0 and st.button(say("tour.back"), key="tour-back")
        last = at + 1 == len(STOPS)
        on = not last and st.button(say("tour.next"), key="tour-next", type="primary")
        end = st.button(say("tour.end"), key="tour-end", type="primary" if last else "secondary")
    if back or on:
        go(at + (1 if on else -1))
    elif end:
        store.take(_AT)
        st.rerun()


def go(stop: int) -> None:
    """Open a stop of the tour."""
    page, words = STOPS[stop]
    store.put(_AT, stop)
    link.take(page, words)
    if link.current().page == page:
        st.rerun()
    st.switch_page(PAGES[page].file)
