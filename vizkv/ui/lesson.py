"""What a page says in words: a problem in one sentence, and what the open example shows."""

from __future__ import annotations

import streamlit as st

from vizkv.ui import link
from vizkv.ui.link import Open


def problem(state: Open) -> None:
    """The sentence about what could not be done, once.

    Its container is there always: what follows on the page keeps its place, and the player is not mounted anew.
    """
    with st.container():
        if state.problem:
            st.warning(state.say.error(state.problem), icon=":material/error:")
            state.problem = ""
        if link.session().notice:
            st.info(link.session().notice, icon=":material/update:")
            link.session().notice = ""
        if state.saved is not None:
            st.info(state.say("trace.loaded"))


def about(state: Open) -> None:
    """What the example shows, what to try, and what in it is scripted."""
    say, name = state.say, state.preset.id
    st.subheader(say(f"preset.{name}.title"))
    for part in ("try", "scripted"):
        key = f"preset.{name}.{part}"
        if key in say:
            st.markdown(say(key))
