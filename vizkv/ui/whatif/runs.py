"""Background runs of the page "What if", shared by all visitors who ask for the same.

A lane is one system on one workload. The systems of a scenario are independent, so a knob that changes one system
reruns only that one, and a stopped lane continues where it was when it is needed again.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import cachetools
import numpy as np

from vizkv.engine.engine import assemble
from vizkv.limits import kept
from vizkv.replay.ledgers import Series
from vizkv.scenario.digest import digest_of
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.trace.trace import SystemTrace, Trace
from vizkv.ui.whatif import lane_workers
from vizkv.ui.whatif.lane import Requests, Wish
from vizkv.ui.whatif.lane_workers import WorkerError
from vizkv.views.charts.figure2 import live as figure2
from vizkv.views.charts.figure2.live import Growth

BUDGET_S = 0.04  # time limit of one task: a stop takes effect between two tasks
LEFT_AFTER_S = 60.0  # a job that no page has polled for so long stops
_GROWING = (0.05, 0.15, 0.4, 0.65)  # shares of the run after which growing bars are redrawn, before its end
PAUSE_S = 0.1  # after each picture while a knob is turned: leaves the cores to the browser that draws it
LATER = 0.7  # share of the run after which bars that replace others are drawn for the second time
LANES_BYTES, DRAWS_BYTES = 256 << 20, 128 << 20
_KEPT_ENDS = 1024  # some hundred bytes each


@kept.cached(DRAWS_BYTES, key=lambda key, scenario: key)
def _requests(key: str, scenario: Scenario) -> Requests:
    return Requests(scenario)


def requests(scenario: Scenario) -> Requests:
    """Return the requests of a scenario, which do not depend on its systems. Raises ScenarioError."""
    return _requests(_workload(scenario), alone(scenario, 0))


def _workload(scenario: Scenario) -> str:
    """Return a cache key that is the same for all systems on one workload."""
    first = scenario.systems[0].model_copy(update={"name": "", "block_size": 1, "unit": 1})
    return digest_of(alone(scenario, 0).model_copy(update={"systems": [first]}))


def alone(scenario: Scenario, index: int) -> Scenario:
    """Return the scenario with one of its systems, without names, cut at ``duration``: no mean counts what follows."""
    assert scenario.workload is not None
    system = scenario.systems[index].model_copy(update={"name": ""})
    workload = scenario.workload.model_copy(update={"drain": False})
    return scenario.model_copy(update={"name": "", "systems": [system], "workload": workload})


class Lane:
    """One system of a workload, with its progress. Its results are replaced as a whole and never modified."""

    def __init__(self, scenario: Scenario, workload: str = ""):
        assert scenario.workload is not None
        self.scenario, self.workload = scenario, scenario.workload
        self.key, self._drawn = digest_of(scenario), workload or digest_of(scenario)
        self.marks = figure2.marks(self.workload.duration)
        self.growth: Growth = figure2.NOTHING
        self.series: Series | None = None
        self.trace: SystemTrace | None = None  # set when the lane is done
        self.numbers: dict[str, float] = {}  # metrics, set when the lane is done
        self.done = False
        self.time_s = 0.0
        self._home: lane_workers.Process | None = None  # the process that has begun it
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Return the size of the results, for the cache."""
        return kept.weight((self.series, self.growth, self.trace))

    @property
    def share(self) -> float:
        """Return how much of the run is done, 0 to 1."""
        return 1.0 if self.done else min(1.0, self.time_s / self.workload.duration)

    def go(self, until_s: float, stopped: Callable[[], bool]) -> None:
        """Run up to a simulated second and draw. Raises ScenarioError for a run without an end."""
        reached = False
        with lane_workers.at_home(self._home) as self._home:
            while not reached and not self.done and not stopped():
                with self._lock:
                    reached = self.done or self._piece(self._home, until_s)

    def _piece(self, home: lane_workers.Process, until_s: float) -> bool:
        with lane_workers.taken(home):
            answer = home.ask(Wish(self.key, self.scenario, self._drawn, until_s, BUDGET_S, self.growth.frames))
        if answer.problem:
            raise ScenarioError(answer.problem)
        if answer.error:
            raise RuntimeError(answer.error)
        self.time_s = answer.time_s
        if answer.series is not None and answer.growth is not None:
            self.series, self.growth = answer.series, answer.growth
        if answer.trace is not None:
            self.trace, self.numbers, self.done = answer.trace, answer.numbers or {}, True
            with _lock:
                _ends[self.key] = (self.growth.shares[-1], float(self.growth.batched[-1]))
        if answer.series is not None or answer.trace is not None:
            with _lock:
                if _lanes.get(self.key) is self:
                    _lanes[self.key] = self  # update its weight in the cache
        return answer.reached


_lanes = kept.Cache(LANES_BYTES)
_ends: cachetools.LRUCache[str, tuple[np.ndarray, float]] = cachetools.LRUCache(_KEPT_ENDS)
_lock = threading.Lock()


def lane(scenario: Scenario, index: int) -> Lane:
    """Return the lane of one of a scenario's systems, new or from the cache."""
    one = alone(scenario, index)
    key = digest_of(one)
    with _lock:
        found: Lane | None = _lanes.get(key)
        if found is None:
            found = _lanes[key] = Lane(one, _workload(scenario))
        return found


class Job:
    """One request to run a scenario: runs all its systems side by side, picture by picture.

    ``growing``: show its warm-up too. ``first``: index of the lane to begin with.
    """

    def __init__(self, scenario: Scenario, growing: bool = True, first: int = 0):
        self.scenario, self.key, self.growing = scenario, digest_of(scenario), growing
        self.version = 0  # increased with every picture
        self._given = 0  # the version that was returned last
        self.lanes = [lane(scenario, index) for index in range(len(scenario.systems))]
        self.problem = ""
        turn = first % len(self.lanes)
        order = self.lanes[turn:] + self.lanes[:turn]
        # a paged system takes longest: start it first, so that all lanes are done as early as possible
        self._order = sorted(order, key=lambda one: not one.scenario.systems[0].can_preempt)
        self._by_hand = False
        self._stopped = threading.Event()
        self._seen = time.monotonic()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start the background thread, unless it was started before."""
        if self._thread is None and not self.done:
            self._thread = threading.Thread(target=self._work, name="what-if", daemon=True)
            self._thread.start()

    @property
    def done(self) -> bool:
        """Return whether all systems are done."""
        return all(one.done for one in self.lanes)

    @cached_property
    def requests(self) -> Requests:
        """Return the requests. They are drawn on demand, so the first picture does not wait. Raises ScenarioError."""
        return requests(self.scenario)

    @property
    def begun(self) -> bool:
        """Return whether the workload could be drawn and some of it has run."""
        return any(one.time_s for one in self.lanes)

    @property
    def waiting(self) -> bool:
        """Return whether the job has not been started and has work to do."""
        return self._thread is None and not self.done

    @property
    def left(self) -> bool:
        """Return whether the job timed out or gave way to another one; a page that shows it again needs a new job."""
        return not self.done and not self.problem and not self._by_hand and self._stopped.is_set()

    @property
    def running(self) -> bool:
        """Return whether more results will come."""
        return self._thread is not None and not self.done and not self._stopped.is_set()

    @property
    def progress(self) -> float:
        """Return how much is done, 0 to 1."""
        return sum(one.share for one in self.lanes) / len(self.lanes)

    def look(self) -> None:
        """Keep the job alive: a page shows it."""
        self._seen = time.monotonic()

    def stop(self, by_hand: bool = False) -> None:
        """Stop after the current task; keep the results."""
        self._by_hand |= by_hand
        self._stopped.set()

    def wait(self) -> None:
        """Wait until the job is done or stopped."""
        if self._thread is not None:
            self._thread.join()

    def next_picture(self, at_most_s: float) -> None:
        """Wait for a picture that was not returned before, or the end; while a knob is turned a picture has all bars.

        A picture that was finished between two calls counts as new.
        """
        until = time.monotonic() + at_most_s
        while self.running and self.version == self._given and time.monotonic() < until:
            time.sleep(0.004)
        self._given = self.version

    def trace(self) -> Trace:
        """Return the trace of the whole run. Call it only when the job is done."""
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
        except (ScenarioError, WorkerError) as error:
            self.problem = str(error)
        except Exception as error:  # an exception in a thread is seen by nobody else
            self.problem = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._stopped.set()

    def _side_by_side(self, until_s: float) -> None:
        """Run all systems up to a simulated second, one per process at a time. Raises their first error."""
        todo = iter([one for one in self._order if not one.done])
        errors: list[Exception] = []

        def work() -> None:
            try:
                while one := next(todo, None):  # thread-safe: a list iterator yields each lane once
                    one.go(until_s, self._ended)
                    self.version += self.growing
            except Exception as error:
                errors.append(error)

        # daemons: they must not delay the shutdown of the app
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
    """The same scenario with other seeds; only the final heights of the bars are kept."""

    def __init__(self, scenario: Scenario, seeds: Sequence[int]):
        self.scenario, self.seeds = scenario, tuple(seeds)
        self.problem = ""
        self._runs = [scenario.model_copy(update={"seed": seed}) for seed in self.seeds]
        self._keys = [[digest_of(alone(run, i)) for i in range(len(run.systems))] for run in self._runs]
        self._stopped = threading.Event()
        self._seen = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="what-if seeds", daemon=True)
        if not self.done:
            self._thread.start()

    @property
    def results(self) -> list[list[tuple[np.ndarray, float]]]:
        """Return for each system (percentages by category code, batched requests) of each seed that is done."""
        with _lock:
            found = [[_ends.get(key) for key in keys] for keys in zip(*self._keys, strict=True)]
        return [[end for end in ends if end is not None] for ends in found]

    @property
    def progress(self) -> float:
        """Return how much is done, 0 to 1."""
        return sum(map(len, self.results)) / (len(self.seeds) * len(self.scenario.systems))

    @property
    def done(self) -> bool:
        """Return whether every system has run with every seed."""
        return all(key in _ends for keys in self._keys for key in keys)

    @property
    def running(self) -> bool:
        """Return whether more results will come."""
        return not self.done and not self.problem and not self._stopped.is_set() and self._thread.is_alive()

    def look(self) -> None:
        """Keep the runs alive: a page shows them."""
        self._seen = time.monotonic()

    def stop(self, by_hand: bool = False) -> None:
        """Stop after the current task."""
        self._stopped.set()

    def wait(self) -> None:
        """Wait until the runs are done or stopped."""
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
        except (ScenarioError, WorkerError) as error:
            self.problem = str(error)
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._stopped.set()
