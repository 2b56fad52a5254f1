"""Runs of a lecture, computed before their beats are shown: a thread that works through the script once."""

from __future__ import annotations

import atexit
import logging
import threading
import time

from vizkv import sweep
from vizkv.lecture import Beat, Lecture
from vizkv.link import to_code
from vizkv.scenario import Scenario
from vizkv.ui import link, pages, runs, sweep_asked, whatif_runs

_log = logging.getLogger(__name__)
_lock = threading.Lock()  # one at a time: they would only be in each other's way
_seen: set[tuple[str, str, str]] = set()
_LOOK_S = 0.2  # a job at which nobody looks stops
_SLOW = ("whatif", "sweep", "cache")  # pages whose runs take seconds
_over = threading.Event()
_stops: list[sweep.Stop] = []


def _end() -> None:
    """A thread that computes while the interpreter goes down takes it with it."""
    _over.set()
    for stop in _stops:
        stop.set()
    with _lock:
        pass


atexit.register(_end)


def begin(script: Lecture, first: int, language: str) -> None:
    """Compute what the beats from ``first`` on will show, then those before it. Returns at once."""
    order = script.beats[first - 1 :] + script.beats[: first - 1]
    order.sort(key=lambda beat: _SLOW.index(beat.page) if beat.page in _SLOW else -1)  # stable: else as they come
    threading.Thread(target=_work, args=(order, language), name="lecture", daemon=True).start()


def _work(beats: list[Beat], language: str) -> None:
    with _lock:
        for beat in beats:
            scenario = beat.scenario
            if scenario is None:
                continue
            key = (to_code(scenario), beat.page, language)
            if _over.is_set():
                return
            if key in _seen:
                continue
            try:
                _prepare(beat, scenario, language)
                _seen.add(key)
            except Exception as error:  # the beat itself will say what is wrong with it
                _log.debug("nothing prepared for %s: %s", beat.page, error)


def _prepare(beat: Beat, scenario: Scenario, language: str) -> None:
    if beat.page == "whatif":
        job = whatif_runs.Job(scenario)
        job.begin()
        while job.running and not _over.is_set():
            job.look()
            time.sleep(_LOOK_S)
        job.stop()
    elif beat.page == "sweep" and beat.example is not None:
        wanted = sweep_asked.asked(link.Open(beat.example, scenario, beat.page, more=dict(beat.more)))
        tasks = sweep.points(scenario, tuple(wanted.axes), wanted.seeds, wanted.systems)
        _stops.append(stop := sweep.Stop())
        for _ in sweep.run(tasks, stop=stop):
            pass
        _stops.remove(stop)
    elif scenario.requests and beat.example is not None:
        trace = runs.trace(scenario)
        panels = pages.PAGES[beat.page].panels
        run = runs.Run(trace, runs.code_of(scenario), beat.example, language, panels)
        run.packed_in(run.window(beat.step or run.start.step))
