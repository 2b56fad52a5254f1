"""The player on a page: runs the open scenario, shows it, and keeps the link in step with it."""

from __future__ import annotations

import time
from dataclasses import fields

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vizkv.scenario import ScenarioError
from vizkv.trace import Trace
from vizkv.ui import link, player, runs, story
from vizkv.views import payload
from vizkv.views.payload import View

BAR_AFTER_S = 0.5  # a bar that only flashes would make the page jump


def run() -> runs.Run:
    """The open scenario's run, and the view to open it with.

    A scenario that cannot be run leaves a sentence, and the last good one on screen.
    """
    state = link.current()
    place = st.empty()  # always there, so that the player keeps its place on the page
    if state.saved is not None:
        opened = runs.Run(state.saved, state.saved_key, state.preset, state.language)
    else:
        opened = _computed(state, place)
    if state.view is None:
        state.view = link.begin(state, opened.start, opened.trace.steps, len(opened.trace.systems))
        st.session_state["sent"] = state.view
    return opened


def _computed(state: link.Open, place: DeltaGenerator) -> runs.Run:
    while True:
        try:
            trace = _run(state, place)
            break
        except ScenarioError as error:
            good = st.session_state.get("good", state.preset.scenario)
            if good == state.scenario:  # nothing to go back to
                raise
            state.problem = state.say("problem.kept", problem=str(error))
            state.scenario = good
            state.edition += 1
    st.session_state["good"] = state.scenario
    return runs.Run(trace, runs.code_of(state.scenario), state.preset, state.language)


def _run(state: link.Open, place: DeltaGenerator) -> Trace:
    """The run, with a bar while it takes long. Another click ends it: Streamlit raises in the next report."""
    text = state.say("drawer.running", systems=len(state.scenario.systems))
    started = time.monotonic()

    def progress(done: int, total: int) -> None:
        if time.monotonic() - started > BAR_AFTER_S:
            place.progress(min(1.0, done / max(1, total)), text)

    trace = runs.trace(state.scenario, progress)
    place.empty()
    return trace


@st.fragment
def show(open_run: runs.Run) -> None:
    """Player and story. A fragment: what the browser reports when it pauses reruns this part alone."""
    state = link.current()
    reported = player.show(payload.open_at(open_run.packed, st.session_state["sent"]))
    if reported:
        known = {f.name for f in fields(View)} - {"play"}
        state.view = View(**{k: v for k, v in reported.items() if k in known})
    link.write(state)
    story.show(open_run, state.view or open_run.start)
