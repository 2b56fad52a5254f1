"""One system of a workload under way, and the process in which that happens: ``python -m vizkv.ui.lane_work``.

The process reads pickled wishes from its standard input and answers each on its standard output, so it ends when the
app does. It knows nothing of pages and Streamlit: whoever answers a browser shares no interpreter with what computes.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cachetools
import numpy as np

from vizkv.ahead import Ahead
from vizkv.engine import MAX_STEPS
from vizkv.ledgers import Series, ledgers
from vizkv.link import from_code
from vizkv.prepare import Prepared, prepare
from vizkv.scenario import Scenario, ScenarioError
from vizkv.told import told
from vizkv.trace import RequestFacts, SystemTrace
from vizkv.views import figure2
from vizkv.views.figure2 import Drawn, Growth

STEPS = 400  # between two looks at the clock
_KEPT = 16  # systems under way in one process; a run that was dropped begins anew when it is asked for again


class Requests:
    """What a workload asks for, the same for all systems."""

    def __init__(self, scenario: Scenario):
        self.prepared: list[Prepared] = prepare(scenario, None)
        self.facts = tuple(
            RequestFacts(p.id, len(p.prompt_ids), p.final_slots, p.arrival, (), p.group) for p in self.prepared
        )

    @cached_property
    def drawn(self) -> Drawn:
        """Means of what was drawn."""
        prompts = [len(p.prompt_ids) for p in self.prepared]
        outputs = [p.sampled for p in self.prepared]
        return Drawn(len(prompts), sum(prompts) / len(prompts), sum(outputs) / len(outputs))


@dataclass(frozen=True)
class Wish:
    """Go on with the system of ``code`` to a simulated second, for at most ``budget_s`` of real time."""

    code: str  # of a scenario with one system
    workload: str  # the same for all systems on one workload
    until_s: float
    budget_s: float
    frames: int  # that have been drawn before


@dataclass(frozen=True)
class Answer:
    """How far it is; a picture where ``until_s`` was reached; the trace at the end."""

    time_s: float = 0.0
    reached: bool = False
    series: Series | None = None
    growth: Growth | None = None
    trace: SystemTrace | None = None
    problem: str = ""  # a sentence
    error: str = ""  # of the program


class Worker:
    """The systems that one process has under way."""

    def __init__(self) -> None:
        self._under_way: cachetools.LRUCache[str, Ahead] = cachetools.LRUCache(_KEPT)
        self._drawn: cachetools.LRUCache[str, Requests] = cachetools.LRUCache(4)

    def grant(self, wish: Wish) -> Answer:
        """Do what a wish says."""
        scenario = from_code(wish.code)
        if wish.workload not in self._drawn:
            self._drawn[wish.workload] = Requests(scenario)
        requests = self._drawn[wish.workload]
        ahead = self._under_way.get(wish.code)
        if ahead is None:
            ahead = self._under_way[wish.code] = Ahead(scenario, 0, requests.prepared)
        stop, more = time.monotonic() + wish.budget_s, True
        while more and not ahead.done and ahead.time_s < wish.until_s and time.monotonic() < stop:
            more = ahead.advance(wish.until_s, STEPS)
            if ahead.step > MAX_STEPS:
                raise ScenarioError(
                    told(
                        "The run takes more than {most:,} steps; give a shorter duration or a longer iteration_ms.",
                        most=MAX_STEPS,
                    )
                )
        last = not more or ahead.done
        if not last and ahead.time_s < wish.until_s:
            return Answer(ahead.time_s)
        if last:
            del self._under_way[wish.code]
        return self._picture(scenario, ahead, requests, wish.frames, last)

    def _picture(self, scenario: Scenario, ahead: Ahead, requests: Requests, frames: int, last: bool) -> Answer:
        assert scenario.workload is not None
        marks = figure2.marks(scenario.workload.duration)
        reached = len(marks) if last else int(np.searchsorted(marks, ahead.time_s, "right"))
        if reached <= frames and not last:
            return Answer(ahead.time_s, True)
        trace = ahead.trace()
        series = ledgers(trace, requests.facts)
        growth = figure2.growth(series, trace.time_s, marks[:reached], scenario.workload.warmup)
        return Answer(ahead.time_s, True, series, growth, trace if last else None)


def main() -> None:
    """Answer until there is nobody left to ask."""
    ask, tell = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints must not get between the answers
    # to look through all that lives here costs 25 ms each time, a tenth of what a first picture takes: rarely, then
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    worker = Worker()
    while True:
        try:
            wish: Any = pickle.load(ask)
        except EOFError:
            return
        try:
            answer = worker.grant(wish)
        except ScenarioError as error:
            answer = Answer(problem=str(error))
        except Exception as error:  # the app shows it; this process goes on
            answer = Answer(error=f"{type(error).__name__}: {error}")
        pickle.dump(answer, tell, pickle.HIGHEST_PROTOCOL)
        tell.flush()


if __name__ == "__main__":
    from vizkv.ui import lane_work

    lane_work.main()  # its own name: what is sent names the module that its class is of
