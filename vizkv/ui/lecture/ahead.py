"""Run a lecture's scenarios before their beats are shown, in a background thread that goes through the script once."""

from __future__ import annotations

import atexit
import logging
import threading
import time

import cachetools

from vizkv import sweeps as sweep
from vizkv.lecture import Beat, Lecture
from vizkv.scenario.digest import digest_of
from vizkv.scenario.schema import Scenario
from vizkv.ui import link, pages
from vizkv.ui.player import runs
from vizkv.ui.sweep import asked as sweep_asked
from vizkv.ui.whatif import runs as whatif_runs

_log = logging.getLogger(__name__)
_lock = threading.Lock()  # one script at a time: simultaneous runs would only slow each other down
_seen: cachetools.LRUCache[tuple[str, str, str], bool] = cachetools.LRUCache(4096)  # (scenario, page, language)
_LOOK_S = 0.2  # s between two calls of job.look(); a job that is not looked at stops
MOST_S = 300.0  # time limit in s for the preparation of one script: no visitor waits for it and none can stop it
_SLOW = ("whatif", "sweep", "cache")  # pages whose runs take seconds
_over = threading.Event()
_stops: list[sweep.Stop] = []


def _end() -> None:
    """Stop the background thread at exit: a thread that still computes crashes the interpreter's shutdown."""
    _over.set()
    for stop in _stops:
        stop.set()
    with _lock:
        pass


atexit.register(_end)


def begin(script: Lecture, first: int, language: str) -> None:
    """Compute the runs of the beats from ``first`` on, then of those before it. Returns at once."""
    order = script.beats[first - 1 :] + script.beats[: first - 1]
    order.sort(key=lambda beat: _SLOW.index(beat.page) if beat.page in _SLOW else -1)  # stable: in script order
    threading.Thread(target=_work, args=(order, language), name="lecture", daemon=True).start()


def _work(beats: list[Beat], language: str) -> None:
    with _lock:
        end = time.monotonic() + MOST_S
        for beat in beats:
            scenario = beat.scenario
            if scenario is None:
                continue
            key = (digest_of(scenario), beat.page, language)
            if _over.is_set() or time.monotonic() >= end:
                return
            if key in _seen:
                continue
            try:
                _prepare(beat, scenario, language, end)
                if time.monotonic() < end:
                    _seen[key] = True
            except Exception as error:  # the beat shows the error itself when it is opened
                _log.debug("nothing prepared for %s: %s", beat.page, error)


def _prepare(beat: Beat, scenario: Scenario, language: str, end: float) -> None:
    """Compute what a beat shows, but stop at ``end``, a time of the monotonic clock."""
    if beat.page == "whatif":
        job = whatif_runs.Job(scenario)
        job.begin()
        while job.running and not _over.is_set() and time.monotonic() < end:
            job.look()
            time.sleep(_LOOK_S)
        job.stop()
    elif beat.page == "sweep" and beat.example is not None:
        wanted = sweep_asked.asked(link.Open(beat.example, scenario, beat.page, more=dict(beat.more)))
        tasks = sweep.points(scenario, tuple(wanted.axes), wanted.seeds, wanted.systems)
        _stops.append(stop := sweep.Stop())
        timer = threading.Timer(max(0.0, end - time.monotonic()), stop.set)
        timer.start()
        try:
            for _ in sweep.run(tasks, stop=stop):
                pass
        finally:
            timer.cancel()
            _stops.remove(stop)
    elif scenario.requests and beat.example is not None:
        trace = runs.trace(scenario)
        panels = pages.PAGES[beat.page].panels
        run = runs.Run(trace, digest_of(scenario), beat.example, language, panels)
        run.packed_in(run.window(beat.step or run.start.step))
