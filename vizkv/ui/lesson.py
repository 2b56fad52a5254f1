"""What a page says in words: a problem in one sentence, and what the open example shows."""

from __future__ import annotations

import streamlit as st

from vizkv.ui import link
from vizkv.ui.link import Open

# what they take of the window's height, and a player that may be that much lower: its buttons stay on the screen;
# in a low window they stand where the player's headline does
_ROOM = """<style>
:root { --vizkv-sentences: %d; --vizkv-chrome: calc(5.2rem + 3.7rem * var(--vizkv-sentences)); --vizkv-least: 26rem; }
@media (max-height: 800px) and (min-width: 701px) {
  :root { --vizkv-chrome: calc(6.2rem + 3rem * var(--vizkv-sentences)); --vizkv-headline: none; }
  :root { --vizkv-panels-least: calc(32rem - 3rem * var(--vizkv-sentences)); }
  .st-key-sentence { margin: var(--vizkv-below-form, 0) 0 -0.75rem; }
  .st-key-sentence [data-testid="stAlertContainer"] { padding: 0.15rem 0.9rem; }
}
</style>"""
# and together they stand, once, where the step's sentence would
_SEVERAL = "<style>@media (max-height: 800px) and (min-width: 701px) { :root { --vizkv-said: none; } }</style>"


def problem(state: Open) -> None:
    """The sentence about what could not be done, once.

    Its container is there always: what follows on the page keeps its place, and the player is not mounted anew.
    """
    now = link.session()
    with st.container(key="sentence"):
        count = bool(state.problem) + bool(now.notice) + (state.saved is not None)
        if count:
            st.html(_ROOM % count + (_SEVERAL if count > 1 else ""))
        if state.problem:
            st.warning(state.say.error(state.problem), icon=":material/error:")
            state.problem = ""
        if now.notice:
            st.info(now.notice, icon=":material/update:")
            now.notice = ""
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
