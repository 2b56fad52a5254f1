"""The text of a page: an error in one sentence, and what the open example shows."""

from __future__ import annotations

from html import escape

import streamlit as st

from vizkv.messages.escape import markdown
from vizkv.messages.validation import shorten
from vizkv.trace.trace import Trace
from vizkv.ui import link, outside
from vizkv.ui.link import Open
from vizkv.ui.player.runs import Run
from vizkv.views.facts import own

# the height that these sentences take, and the smaller minimum of the player's height: its buttons stay on the screen;
# in a low window the sentences replace the player's headline
_ROOM = """<style>
:root { --vizkv-sentences: %d; --vizkv-chrome: calc(5.2rem + 3.7rem * var(--vizkv-sentences)); --vizkv-least: 26rem; }
@media (max-height: 800px) and (min-width: 701px) {
  :root { --vizkv-chrome: calc(6.2rem + 3rem * var(--vizkv-sentences)); --vizkv-headline: none; }
  :root { --vizkv-panels-least: calc(32rem - 3rem * var(--vizkv-sentences)); }
  .st-key-sentence { margin: var(--vizkv-below-form, 0) 0 -0.75rem; }
}
</style>"""
# several sentences replace the step's sentence, too
_SEVERAL = "<style>@media (max-height: 800px) and (min-width: 701px) { :root { --vizkv-said: none; } }</style>"


def problem(state: Open) -> None:
    """Draw the error sentence, if there is one, and forget it.

    Its container is always drawn: otherwise the player would change its place on the page and be mounted again.
    """
    now = link.session()
    with st.container(key="sentence"):
        count = bool(state.problem) + bool(now.notice) + (state.saved is not None)
        if count:
            st.html(_ROOM % count + (_SEVERAL if count > 1 else ""))
        if state.problem:
            st.warning(state.say.in_markdown.error(state.problem), icon=":material/error:")
            state.problem = ""
        if now.notice:
            st.info(markdown(now.notice), icon=":material/update:")
            now.notice = ""
        if state.saved is not None:
            st.info(_saved(state, state.saved))


def _saved(state: Open, trace: Trace) -> str:
    """Return what a saved trace is, and which functions are not available for it."""
    if trace.model in (outside.NO_MODEL, *outside.installed_models()):
        return state.say("trace.loaded")
    return state.say.in_markdown("trace.loaded.absent", model=shorten(trace.model))


def about(state: Open, run: Run | None = None) -> None:
    """Explain what the example shows, what to try, and what in it is scripted; for other runs, what the trace says."""
    say, name = state.say, state.preset.id
    if state.own:
        _own(state, run)
        return
    st.subheader(say(f"preset.{name}.title"))
    for part in ("try", "scripted"):
        key = f"preset.{name}.{part}"
        if key in say:
            st.markdown(say(key))


def _own(state: Open, run: Run | None) -> None:
    """Draw the name of a scenario that is no example, and a few sentences about each system's whole run."""
    say = state.say
    st.html(f"<h3 class='vizkv-own'>{escape(own.headline(state.scenario, say))}</h3>")
    if run is None:
        return
    told = own.story(run.trace, run.series, say)
    items = "".join(
        f"<li><b>{escape(say.name(series.name))}</b>: {escape(text)}</li>"
        for series, text in zip(run.series, told, strict=True)
    )
    st.html(f"<div class='vizkv-own'>{escape(say('own.whole'))}<ul>{items}</ul></div>")
