"""Runs, models and packed traces, computed once and shared by all sessions; bounded."""

from __future__ import annotations

import threading
from typing import Any

import cachetools
import streamlit as st

from vizkv import engine
from vizkv.link import from_code, to_code
from vizkv.messages import messages
from vizkv.presets import Preset
from vizkv.proof import Proof, prove
from vizkv.scenario import Scenario, ScenarioError
from vizkv.trace import Trace
from vizkv.ui.session import session
from vizkv.views import payload
from vizkv.views import window as windows
from vizkv.views.moments import moments, start_of
from vizkv.views.payload import Moment, View
from vizkv.views.series import Series, series
from vizkv.views.window import Window

MAX_SLOTS = 65_536  # of one system on a page; measured: the player keeps 50 frames a second there
MAX_STEPS = 20_000  # of one run on a page; of a workload that skips ahead engine.MAX_STEPS where that is no trouble
WHOLE = 4_000  # steps of a run of requests up to which the player is given all of it
_KEPT = 24  # runs
_KEPT_WINDOWS = 96  # of all runs; one has up to 0.3 MB


@st.cache_resource(max_entries=3, show_spinner=False)
def model(name: str) -> Any:
    """A loaded model. Raises ScenarioError: on a page, a model that is not here is a scenario that cannot be run."""
    from vizkv.model import ModelError, load_model

    try:
        return load_model(name)
    except ModelError as error:
        raise ScenarioError(str(error)) from None


def _model_of(scenario: Scenario) -> Any:
    return None if scenario.model == "none" else model(scenario.model)


# not Streamlit's cache: a run reports its progress to a page, which a cached function of Streamlit's must not
@cachetools.cached(
    cachetools.LRUCache(_KEPT), key=lambda code, progress, most: (code, most), lock=(_lock := threading.RLock()),
    condition=threading.Condition(_lock),
)  # fmt: skip
def _trace(code: str, progress: engine.Progress | None, most: int) -> Trace:
    scenario = from_code(code)
    return engine.run(scenario, _model_of(scenario), progress=progress, max_steps=most)


def trace(scenario: Scenario, progress: engine.Progress | None = None, *, long: bool = False) -> Trace:
    """The run of a scenario. Raises ScenarioError.

    ``long``: whether the page shows a workload's run of any length: not, if it walks the whole of it.
    """
    if scenario.slots > MAX_SLOTS:
        say = messages(session().language)
        raise ScenarioError(say("problem.slots", slots=scenario.slots, most=MAX_SLOTS))
    ahead = long and scenario.model == "none" and scenario.workload is not None
    return _trace(to_code(scenario), progress, engine.MAX_STEPS if ahead else MAX_STEPS)


@st.cache_resource(max_entries=_KEPT_WINDOWS, show_spinner=False)
def _packed(
    key: str, _trace: Trace, _moments: tuple[Moment, ...], language: str, headline: str, panels: tuple[str, ...],
    window: tuple[int, int, int] | None = None,
) -> bytes:  # fmt: skip
    part = None if window is None else Window(*window)
    return payload.pack(_trace, messages(language), headline, _moments, panels, part)


def packed(key: str, trace: Trace, window: Window, language: str, headline: str = "") -> bytes:
    """A window of a run, packed. ``key`` names the run."""
    return _packed(key, trace, (), language, headline, (), (window.first, window.last, window.lead))


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _series(key: str, _trace: Trace) -> list[Series]:
    return series(_trace)


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _proof(code: str, _trace: Trace) -> Proof:
    scenario = from_code(code)
    return prove(scenario, _trace, model(scenario.model))


def proof(scenario: Scenario, trace: Trace) -> Proof:
    """The evidence for this run, computed on the first call."""
    return _proof(to_code(scenario), trace)


def code_of(scenario: Scenario) -> str:
    """A short name of the run: equal scenarios, equal names."""
    return to_code(scenario)


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _opening(
    key: str, preset_id: str, language: str, _trace: Trace, _preset: Preset
) -> tuple[View, tuple[Moment, ...]]:
    return start_of(_trace, _preset), tuple(moments(_trace, _preset, messages(language)))


# a step's pools may be large: only those that a few readers look at now
@cachetools.cached(cachetools.LRUCache(4), key=lambda code, step: (code, step), lock=threading.RLock())
def _peek(code: str, step: int) -> engine.Peek:
    scenario = from_code(code)
    return engine.peek(scenario, model(scenario.model), step)


def peek(scenario: Scenario, step: int) -> engine.Peek:
    """What lies in the slots after a step. Raises ScenarioError."""
    return _peek(to_code(scenario), step)


class Run:
    """A trace with what is shown of it. ``key`` names the trace: equal keys, equal traces, in all sessions."""

    def __init__(self, trace: Trace, key: str, preset: Preset, language: str, panels: tuple[str, ...] = ()):
        self.trace, self.key = trace, key
        self.start, self._chips = _opening(key, preset.id, language, trace, preset)
        self._language, self._panels = language, panels
        self._headline = messages(language)(f"preset.{preset.id}.question")
        # a workload's systems each have a clock of their own: they are shown at the same second
        self.lead = windows.longest(trace) if trace.scenario.get("workload") else -1
        self.series = _series(key, trace)

    def window(self, step: int) -> Window | None:
        """What the player is given to open a step; None: the whole run."""
        if self.lead < 0 and self.trace.steps < WHOLE:
            return None
        return windows.around(self.trace, step, self.lead)

    def packed_in(self, window: Window | None) -> bytes:
        """The run, or a window of it."""
        part = None if window is None else (window.first, window.last, window.lead)
        return _packed(self.key, self.trace, self._chips, self._language, self._headline, self._panels, part)

    @property
    def packed(self) -> bytes:
        """What it opens with."""
        return self.packed_in(self.window(self.start.step))
