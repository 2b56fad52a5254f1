"""Runs under way in the background; what one system has done is shared by all who ask for the same.

A lane is one system on one workload. Systems of a scenario do not depend on each other, so a knob that changes one
system runs that one alone, and a lane that was stopped goes on where it was when somebody asks for it again.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import cachetools
import numpy as np

from vizkv.engine import assemble
from vizkv.ledgers import Series
from vizkv.link import to_code
from vizkv.scenario import Scenario, ScenarioError
from vizkv.trace import SystemTrace, Trace
from vizkv.ui import lane_workers
from vizkv.ui.lane_work import Requests, Wish
from vizkv.views import figure2
from vizkv.views.figure2 import Growth

BUDGET_S = 0.04  # of one piece of work: a stop is heard between two
LEFT_AFTER_S = 60.0  # a job at which nobody has looked for so long stops
_GROWING = (0.05, 0.15, 0.4, 0.65)  # of the run: when bars that grow are drawn anew, before its end
PAUSE_S = 0.1  # while bars are turned by a knob: after each picture the cores belong to the browser that draws it
LATER = 0.7  # of the run: when bars that take the place of others are drawn the second time
_KEPT_LANES, _KEPT_DRAWS, _KEPT_ENDS = 32, 8, 1024


@cachetools.cached(cachetools.LRUCache(_KEPT_DRAWS), key=lambda code, scenario: code, lock=threading.Lock())
def _requests(code: str, scenario: Scenario) -> Requests:
    return Requests(scenario)


def requests(scenario: Scenario) -> Requests:
    """The requests of a scenario, whatever its systems. Raises ScenarioError."""
    return _requests(_workload(scenario), alone(scenario, 0))


def _workload(scenario: Scenario) -> str:
    """A code that is the same for all systems on one workload."""
    first = scenario.systems[0].model_copy(update={"name": "", "block_size": 1, "unit": 1})
    return to_code(alone(scenario, 0).model_copy(update={"systems": [first]}))


def alone(scenario: Scenario, index: int) -> Scenario:
    """The scenario of one of its systems, without names; what comes behind ``duration`` is in no mean and not run."""
    assert scenario.workload is not None
    system = scenario.systems[index].model_copy(update={"name": ""})
    workload = scenario.workload.model_copy(update={"drain": False})
    return scenario.model_copy(update={"name": "", "systems": [system], "workload": workload})


class Lane:
    """One system of a workload: under way, stopped or done. What it shows is replaced as a whole, never changed."""

    def __init__(self, scenario: Scenario, workload: str = ""):
        assert scenario.workload is not None
        self.scenario, self.workload = scenario, scenario.workload
        self.code, self._drawn = to_code(scenario), workload or to_code(scenario)
        self.marks = figure2.marks(self.workload.duration)
        self.growth: Growth = figure2.NOTHING
        self.series: Series | None = None
        self.trace: SystemTrace | None = None  # when it is done
        self.done = False
        self.time_s = 0.0
        self._home: lane_workers.Process | None = None  # where it is under way
        self._lock = threading.Lock()

    @property
    def share(self) -> float:
        """How much of the run is done."""
        return 1.0 if self.done else min(1.0, self.time_s / self.workload.duration)

    def go(self, until_s: float, stopped: Callable[[], bool]) -> None:
        """Go on to a simulated second, and draw. Raises ScenarioError for a run without an end."""
        reached = False
        with lane_workers.at_home(self._home) as self._home:
            while not reached and not self.done and not stopped():
                with self._lock:
                    reached = self.done or self._piece(self._home, until_s)

    def _piece(self, home: lane_workers.Process, until_s: float) -> bool:
        with lane_workers.taken(home):
            answer = home.ask(Wish(self.code, self._drawn, until_s, BUDGET_S, self.growth.frames))
        if answer.problem:
            raise ScenarioError(answer.problem)
        if answer.error:
            raise RuntimeError(answer.error)
        self.time_s = answer.time_s
        if answer.series is not None and answer.growth is not None:
            self.series, self.growth = answer.series, answer.growth
        if answer.trace is not None:
            self.trace, self.done = answer.trace, True
            with _lock:
                _ends[self.code] = (self.growth.shares[-1], float(self.growth.batched[-1]))
        return answer.reached


_lanes: cachetools.LRUCache[str, Lane] = cachetools.LRUCache(_KEPT_LANES)
_ends: cachetools.LRUCache[str, tuple[np.ndarray, float]] = cachetools.LRUCache(_KEPT_ENDS)
_lock = threading.Lock()


def lane(scenario: Scenario, index: int) -> Lane:
    """The lane of one of a scenario's systems."""
    one = alone(scenario, index)
    key = to_code(one)
    with _lock:
        if key not in _lanes:
            _lanes[key] = Lane(one, _workload(scenario))
        return _lanes[key]


class Job:
    """Somebody's wish that a scenario be run: all its systems go on together, picture by picture.

    ``growing``: its warm-up is shown too. ``first``: the lane to begin with.
    """

    def __init__(self, scenario: Scenario, growing: bool = True, first: int = 0):
        self.scenario, self.key, self.growing = scenario, to_code(scenario), growing
        self.version = 0  # goes up with every picture
        self._given = 0  # the version that was waited for last
        self.lanes = [lane(scenario, index) for index in range(len(scenario.systems))]
        self.problem = ""
        turn = first % len(self.lanes)
        order = self.lanes[turn:] + self.lanes[:turn]
        # paging decides most often and takes longest: with the others beside it, all are there soonest
        self._order = sorted(order, key=lambda one: one.scenario.systems[0].kind != "paged")
        self._by_hand = False
        self._stopped = threading.Event()
        self._seen = time.monotonic()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start the work, once."""
        if self._thread is None and not self.done:
            self._thread = threading.Thread(target=self._work, name="what-if", daemon=True)
            self._thread.start()

    @property
    def done(self) -> bool:
        """Whether all systems are."""
        return all(one.done for one in self.lanes)

    @cached_property
    def requests(self) -> Requests:
        """What is asked for; the first picture does not wait for it. Raises ScenarioError."""
        return requests(self.scenario)

    @property
    def begun(self) -> bool:
        """Whether its workload could be drawn and something of it has run."""
        return any(one.time_s for one in self.lanes)

    @property
    def waiting(self) -> bool:
        """Whether it has not begun and has something to do."""
        return self._thread is None and not self.done

    @property
    def left(self) -> bool:
        """Whether it ended because nobody looked, or for another's sake: who looks again wants a new one."""
        return not self.done and not self.problem and not self._by_hand and self._stopped.is_set()

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self._thread is not None and not self.done and not self._stopped.is_set()

    @property
    def progress(self) -> float:
        """How much is done, 0 to 1."""
        return sum(one.share for one in self.lanes) / len(self.lanes)

    def look(self) -> None:
        """Somebody still wants to see this."""
        self._seen = time.monotonic()

    def stop(self, by_hand: bool = False) -> None:
        """End it after the piece of work under way; what is done stays."""
        self._by_hand |= by_hand
        self._stopped.set()

    def wait(self) -> None:
        """Until it is done or stopped."""
        if self._thread is not None:
            self._thread.join()

    def next_picture(self, at_most_s: float) -> None:
        """Wait until something new can be drawn, or nothing more will come; while a knob is turned that is all bars.

        What has come since the last time is new: a picture may come between two questions.
        """
        until = time.monotonic() + at_most_s
        while self.running and self.version == self._given and time.monotonic() < until:
            time.sleep(0.004)
        self._given = self.version

    def trace(self) -> Trace:
        """The whole run, when it is done."""
        traces = [one.trace for one in self.lanes]
        named = [
            trace if trace is None else _named(trace, system.label)
            for trace, system in zip(traces, self.scenario.systems, strict=True)
        ]
        assert all(trace is not None for trace in named)
        return assemble(self.scenario, self.requests.prepared, [trace for trace in named if trace is not None])

    def _ended(self) -> bool:
        return self._stopped.is_set() or time.monotonic() - self._seen > LEFT_AFTER_S

    def _work(self) -> None:
        assert self.scenario.workload is not None
        duration, warmup = self.scenario.workload.duration, self.scenario.workload.warmup
        counted = float(figure2.marks(duration)[figure2.first_counted(duration, warmup) - 1])
        times = [share * duration for share in _GROWING] if self.growing else [counted, max(counted, LATER * duration)]
        try:
            for until in (*times, math.inf):
                self._side_by_side(until)
                if not self.growing and not self.done:
                    self._stopped.wait(PAUSE_S)
        except ScenarioError as error:
            self.problem = str(error)
        except Exception as error:  # a thread's own error reaches nobody else
            self.problem = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._stopped.set()

    def _side_by_side(self, until_s: float) -> None:
        """All systems go on to a simulated second, as many at a time as there are processes. Raises what one raised."""
        todo = iter([one for one in self._order if not one.done])
        errors: list[Exception] = []

        def work() -> None:
            try:
                while one := next(todo, None):  # a list's iterator gives each of them once, whoever asks
                    one.go(until_s, self._ended)
                    self.version += self.growing
            except Exception as error:
                errors.append(error)

        # daemons: who stops the app does not wait for them
        threads = [threading.Thread(target=work, daemon=True) for _ in range(lane_workers.count())]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        self.version += not self.growing


def _named(trace: SystemTrace, name: str) -> SystemTrace:
    return replace(trace, name=name)


class Seeds:
    """The same scenario with other seeds: only what its bars end at is kept."""

    def __init__(self, scenario: Scenario, seeds: Sequence[int]):
        self.scenario, self.seeds = scenario, tuple(seeds)
        self.problem = ""
        self._runs = [scenario.model_copy(update={"seed": seed}) for seed in self.seeds]
        self._keys = [[to_code(alone(run, i)) for i in range(len(run.systems))] for run in self._runs]
        self._stopped = threading.Event()
        self._seen = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="what-if seeds", daemon=True)
        if not self.done:
            self._thread.start()

    @property
    def results(self) -> list[list[tuple[np.ndarray, float]]]:
        """For each system what is known: (percent by code, batched requests) of each seed that is done."""
        with _lock:
            found = [[_ends.get(key) for key in keys] for keys in zip(*self._keys, strict=True)]
        return [[end for end in ends if end is not None] for ends in found]

    @property
    def progress(self) -> float:
        """How much is done, 0 to 1."""
        return sum(map(len, self.results)) / (len(self.seeds) * len(self.scenario.systems))

    @property
    def done(self) -> bool:
        """Whether every system has run with every seed."""
        return all(key in _ends for keys in self._keys for key in keys)

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return not self.done and not self.problem and not self._stopped.is_set() and self._thread.is_alive()

    def look(self) -> None:
        """Somebody still wants to see this."""
        self._seen = time.monotonic()

    def stop(self, by_hand: bool = False) -> None:
        """End it after the piece of work under way."""
        self._stopped.set()

    def wait(self) -> None:
        """Until it is done or stopped."""
        if self._thread.is_alive():
            self._thread.join()

    def _ended(self) -> bool:
        return self._stopped.is_set() or time.monotonic() - self._seen > LEFT_AFTER_S

    def _work(self) -> None:
        try:
            for run, keys in zip(self._runs, self._keys, strict=True):
                for index, key in enumerate(keys):
                    if key in _ends or self._ended():
                        continue
                    with _lock:
                        known = _lanes.get(key)
                    (known or Lane(alone(run, index), _workload(run))).go(math.inf, self._ended)
        except ScenarioError as error:
            self.problem = str(error)
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._stopped.set()


def facts(one: Lane) -> dict[str, Any]:
    """Counts of a lane that is done."""
    told, trace = one.series, one.trace
    if told is None or trace is None or not told.steps:
        return {"steps": 0, "never": 0, "preemptions": 0, "seconds": 0.0, "throughput": 0.0}
    last = float(trace.time_s[-1])
    return {
        "steps": told.steps,
        "never": told.never,
        "preemptions": told.preemptions,
        "seconds": last / told.steps,
        "throughput": told.written / last if last else 0.0,
    }
