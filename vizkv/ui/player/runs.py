"""Runs, models and packed traces: computed once, shared by all sessions, and kept up to a number of bytes each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vizkv.engine import engine
from vizkv.engine.proof import Proof, prove
from vizkv.limits import kept
from vizkv.limits.limits import PAGE
from vizkv.messages.catalogue import messages
from vizkv.messages.sentence import told
from vizkv.scenario.digest import digest_of
from vizkv.scenario.presets import Preset
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict
from vizkv.trace.trace import Trace
from vizkv.ui import outside
from vizkv.ui.session import session
from vizkv.views.charts.series import Series, series
from vizkv.views.facts import own
from vizkv.views.facts.moments import moments, start_of
from vizkv.views.payload import pack as payload
from vizkv.views.payload import window as windows
from vizkv.views.payload.pack import Moment, View
from vizkv.views.payload.window import Window

MAX_SLOTS = PAGE.slots  # of one system on a page
MAX_STEPS = 20_000  # of one run on a page; of a workload that skips ahead engine.MAX_STEPS where that is no trouble
WHOLE = 4_000  # steps of a run of requests up to which the player is given all of it
WHOLE_EVENTS = 150_000  # and events: a page packs about 30,000 a second
POOL_BYTES = 2**30  # of K and V in one run on a page
POOLS_BYTES = 2 * 2**30  # in all runs that are under way
UNWATCHED_S = 60.0  # of a computation that no bar on a page stands for
# bytes of what is kept for all sessions
_MODELS, _TRACES, _PACKED, _SERIES, _OPENINGS, _PROOFS, _PEEKS = (
    mib << 20 for mib in (2048, 512, 128, 64, 32, 32, 512)
)  # fmt: skip


class _Pools:
    """Memory for the pools of runs under way: who wants more than is left waits."""

    def __init__(self, most: int):
        self._most, self._taken, self._change = most, 0, threading.Condition()

    @contextmanager
    def taken(self, count: int, progress: engine.Progress | None) -> Iterator[None]:
        """Take so many bytes, once there are as many; ``progress`` may end the waiting."""
        while not self._take(count):
            if progress and progress(0, 1):
                raise engine.Cancelled
        try:
            yield
        finally:
            with self._change:
                self._taken -= count
                self._change.notify_all()

    def _take(self, count: int) -> bool:
        with self._change:
            if self._taken and self._taken + count > self._most:
                self._change.wait(0.2)
            if self._taken and self._taken + count > self._most:
                return False
            self._taken += count
            return True


_pools = _Pools(POOLS_BYTES)


@contextmanager
def _ready(scenario: Scenario, progress: engine.Progress | None) -> Iterator[Any]:
    """The model of a scenario, if it has one, with memory for its pools."""
    if scenario.model == "none":
        yield None
        return
    loaded = model(scenario.model)
    with _pools.taken(min(POOL_BYTES, engine.pool_bytes(scenario, loaded)), progress):
        yield loaded


class _Unwatched:
    """The progress of a computation that nobody sees: it ends after a time, in a sentence."""

    def __init__(self) -> None:
        self._end = time.monotonic() + UNWATCHED_S

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() > self._end:
            raise ScenarioError(
                told(
                    "This takes longer than {seconds:g} seconds; valid are fewer or shorter requests, or a smaller "
                    "model.",
                    seconds=UNWATCHED_S,
                )
            )


@kept.cached(_MODELS, lambda name: name)
def _model(name: str) -> Any:
    from vizkv.model import ModelError, load_model

    try:
        return load_model(name)
    except ModelError as error:
        raise ScenarioError(str(error)) from None


def model(name: str) -> Any:
    """Return an installed model, loaded once. Raises ScenarioError where no model of this name is installed."""
    outside.check_model(name)
    return _model(name)


def bytes_per_token(trace: Trace) -> int | None:
    """Return the bytes of one token's K and V in a run's model: 0 without a model, None if it is not installed."""
    if trace.model == "none":
        return 0
    try:
        return int(model(trace.model).config.bytes_per_token)
    except ScenarioError:
        return None


@kept.cached(_TRACES, lambda scenario, progress, most: (digest_of(scenario), most))
def _trace(scenario: Scenario, progress: engine.Progress | None, most: int) -> Trace:
    with _ready(scenario, progress) as loaded:
        return engine.run(scenario, loaded, progress=progress, max_steps=most, max_bytes=POOL_BYTES)


def trace(scenario: Scenario, progress: engine.Progress | None = None, *, long: bool = False) -> Trace:
    """The run of a scenario. Raises ScenarioError.

    ``long``: whether the page shows a workload's run of any length: not, if it walks the whole of it.
    """
    if scenario.slots > MAX_SLOTS:
        say = messages(session().language)
        raise ScenarioError(say("problem.slots", slots=scenario.slots, most=MAX_SLOTS))
    outside.refuse_files(scenario)
    ahead = long and scenario.model == "none" and scenario.workload is not None
    return _trace(scenario, progress or _Unwatched(), engine.MAX_STEPS if ahead else MAX_STEPS)


@kept.cached(_PACKED, lambda key, trace, moments, *what: (key, *what))
def _packed(
    key: str, trace: Trace, moments: tuple[Moment, ...], preset_id: str, language: str, headline: str,
    panels: tuple[str, ...], window: Window | None,
) -> bytes:  # fmt: skip
    return payload.pack(trace, messages(language), headline, moments, panels, window)


def packed(key: str, trace: Trace, window: Window, language: str, headline: str = "") -> bytes:
    """A window of a run, packed. ``key`` names the run."""
    return _packed(key, trace, (), "", language, headline, (), window)


@kept.cached(_SERIES, lambda key, trace: key)
def _series(key: str, trace: Trace) -> list[Series]:
    return series(trace)


@kept.cached(_PROOFS, lambda key, trace: key)
def _proof(key: str, trace: Trace) -> Proof:
    scenario, progress = from_dict(trace.scenario), _Unwatched()
    with _ready(scenario, progress) as loaded:
        return prove(scenario, trace, loaded, progress=progress, max_bytes=POOL_BYTES)


def proof(run: Run) -> Proof:
    """Compute the evidence for a run, once for all sessions. Raises ScenarioError where its model is not installed.

    The cache key is the run's: an uploaded trace can hold other tokens than the run of the same scenario.
    """
    return _proof(run.key, run.trace)


@kept.cached(_OPENINGS, lambda key, trace, preset, language: (key, preset.id if preset else "", language))
def _opening(key: str, trace: Trace, preset: Preset | None, language: str) -> tuple[View, tuple[Moment, ...]]:
    say = messages(language)
    if preset is None:
        return View(), tuple(own.moments(trace, _series(key, trace), say))
    return start_of(trace, preset), tuple(moments(trace, preset, say))


@kept.cached(_PEEKS, lambda scenario, step: (digest_of(scenario), step))
def _peek(scenario: Scenario, step: int) -> engine.Peek:
    progress = _Unwatched()
    with _ready(scenario, progress) as loaded:
        return engine.peek(scenario, loaded, step, progress=progress, max_bytes=POOL_BYTES)


def peek(scenario: Scenario, step: int) -> engine.Peek:
    """What lies in the slots after a step. Raises ScenarioError."""
    outside.refuse_files(scenario)
    return _peek(scenario, step)


class Run:
    """A trace with what is shown of it. ``key`` names the trace: equal keys, equal traces, in all sessions.

    ``preset``: the example that is open. What is said of it holds for its own run only; another run has its own name.
    """

    def __init__(self, trace: Trace, key: str, preset: Preset, language: str, panels: tuple[str, ...] = ()):
        self.trace, self.key = trace, key
        say, example = messages(language), preset if key == digest_of(preset.scenario) else None
        self._preset_id, self._language, self._panels = example.id if example else "", language, panels
        self.start, self.chips = _opening(key, trace, example, language)
        if example is None:
            self._headline = own.headline(from_dict(trace.scenario), say)
        else:
            self._headline = say(f"preset.{example.id}.question")
        # a workload's systems each have a clock of their own: they are shown at the same second
        self.lead = windows.longest(trace) if trace.scenario.get("workload") else -1
        self.series = _series(key, trace)

    def window(self, step: int) -> Window | None:
        """What the player is given to open a step; None: the whole run."""
        events = sum(len(system.kinds) for system in self.trace.systems)
        if self.lead < 0 and self.trace.steps < WHOLE and events < WHOLE_EVENTS:
            return None
        return windows.around(self.trace, step, self.lead)

    def packed_in(self, window: Window | None) -> bytes:
        """The run, or a window of it."""
        return _packed(
            self.key, self.trace, self.chips, self._preset_id, self._language, self._headline, self._panels, window
        )

    @property
    def packed(self) -> bytes:
        """What it opens with."""
        return self.packed_in(self.window(self.start.step))
