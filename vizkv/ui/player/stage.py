"""The player on a page: runs the open scenario, shows it, and keeps the link in step with it."""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from vizkv.scenario.digest import digest_of
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.trace.trace import Trace
from vizkv.ui import link, pages
from vizkv.ui.guard import guarded
from vizkv.ui.memory import story, tour
from vizkv.ui.player import component as player
from vizkv.ui.player import runs
from vizkv.ui.streamlit.place import Place
from vizkv.views.payload import pack as payload
from vizkv.views.view import View

Below = Callable[[runs.Run, View], None]
BAR_AFTER_S = 0.5  # a bar that only flashes would make the page jump


def run() -> runs.Run:
    """The open scenario's run, and the view to open it with.

    A scenario that cannot be run leaves a sentence, and the last good one on screen.
    """
    state = link.current()
    place = st.empty()  # always there, so that the player keeps its place on the page
    if state.saved is not None:
        opened = _shown(state, state.saved, state.saved_key)
    else:
        opened = _computed(state, place)
    link.follow(state, opened.key, opened.start, opened.trace)
    return opened


def _shown(state: link.Open, trace: Trace, key: str) -> runs.Run:
    return runs.Run(trace, key, state.preset, state.language, pages.panels(state.page, trace))


def _computed(state: link.Open, place: Place) -> runs.Run:
    tried: list[Scenario] = []
    while True:
        try:
            trace = _run(state, place)
            break
        except ScenarioError as error:
            if not tried:
                state.problem = state.say("problem.kept", problem=str(error))
            tried.append(state.scenario)
            # the last good one may not run any more: its model can have been removed
            others = [s for s in (state.good, state.preset.scenario) if s is not None and s not in tried]
            if not others:
                raise
            state.scenario = others[0]
            state.edition += 1
    state.good = state.scenario
    return _shown(state, trace, digest_of(state.scenario))


def _run(state: link.Open, place: Place) -> Trace:
    """The run, with a bar while it takes long. Another click ends it: Streamlit raises in the next report."""
    text = state.say("drawer.running", systems=len(state.scenario.systems))
    started = time.monotonic()

    def progress(done: int, total: int) -> None:
        if time.monotonic() - started > BAR_AFTER_S:
            place.progress(min(1.0, done / max(1, total)), text)

    trace = runs.trace(state.scenario, progress, long=not pages.PAGES[state.page].panels)
    place.empty()
    return trace


@st.fragment
@guarded
def show(open_run: runs.Run, below: Below = story.show) -> None:
    """The player, and below it what depends on where it stands.

    A fragment: what the browser reports when it pauses reruns this part alone.
    """
    state = link.current()
    channel = state.player
    channel.hear(player.told(state.page))
    window = channel.around((channel.view or open_run.start).step, open_run.window)
    channel.translate(state.language)
    player.show(payload.open_at(open_run.packed_in(window), channel.sent or open_run.start), state.page)
    link.write(state)
    tour.sentence(state)
    below(open_run, state.view or open_run.start)
