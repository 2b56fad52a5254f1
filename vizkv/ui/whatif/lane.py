"""Run one system of a workload step by step, in a worker process: ``python -m vizkv.ui.whatif.lane``.

The process reads pickled tasks from its standard input and answers each on its standard output, so it ends when the
app does. It imports neither pages nor Streamlit, and computing does not block the interpreter that serves browsers.
"""

from __future__ import annotations

import gc
import os
import pickle
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import cachetools
import numpy as np

from vizkv.engine.engine import MAX_STEPS
from vizkv.engine.sequences import Prepared, prepare
from vizkv.engine.skipping import Ahead
from vizkv.limits import kept
from vizkv.messages.sentence import told
from vizkv.replay.ledgers import Series, ledgers
from vizkv.replay.metrics import measure
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.trace.trace import RequestFacts, SystemTrace
from vizkv.views.charts.figure2 import live as figure2
from vizkv.views.charts.figure2.live import Drawn, Growth

STEPS = 400  # between two checks of the deadline
MAX_MEMORY = 2 * 2**30  # limit of a process's address space, in bytes
_HEAD = struct.Struct("<Q")  # the length before each message, which reveals a truncated message
_KEPT = 16  # unfinished systems per process; one that was evicted starts from its beginning when it is asked for again

_DRAWN_BYTES = 256 << 20  # cache size in bytes for drawn workloads


class Requests:
    """The requests of a workload, which all systems share."""

    def __init__(self, scenario: Scenario):
        self.prepared: list[Prepared] = prepare(scenario, None)
        self.facts = tuple(
            RequestFacts(p.id, len(p.prompt_ids), p.final_slots, p.arrival, (), p.group) for p in self.prepared
        )

    @cached_property
    def drawn(self) -> Drawn:
        """Return the mean lengths of the drawn requests."""
        prompts = [len(p.prompt_ids) for p in self.prepared]
        outputs = [p.sampled for p in self.prepared]
        return Drawn(len(prompts), sum(prompts) / len(prompts), sum(outputs) / len(outputs))


@dataclass(frozen=True)
class Wish:
    """Run a system up to a simulated second, for at most ``budget_s`` of real time."""

    key: str  # cache key of the scenario
    scenario: Scenario  # contains exactly one system
    workload: str  # cache key of the workload, which all its systems share
    until_s: float
    budget_s: float
    frames: int  # number of frames that have been drawn already


@dataclass(frozen=True)
class Answer:
    """The progress of a system; a picture if ``until_s`` was reached; the trace and its metrics at the end."""

    time_s: float = 0.0
    reached: bool = False
    series: Series | None = None
    growth: Growth | None = None
    trace: SystemTrace | None = None
    numbers: dict[str, float] | None = None
    problem: str = ""  # an input error, as a sentence
    error: str = ""  # an unexpected exception


def send(stream: IO[bytes], message: object) -> None:
    """Write a message. Raises OSError if the reader has closed the stream."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(_HEAD.pack(len(data)) + data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Return the next message. Raises EOFError if the stream ends before the message does."""
    head = stream.read(_HEAD.size)
    size = _HEAD.unpack(head)[0] if len(head) == _HEAD.size else 0
    data = stream.read(size)
    if not size or len(data) < size:
        raise EOFError
    return pickle.loads(data)


class Worker:
    """The unfinished systems of one process."""

    def __init__(self) -> None:
        self._under_way: cachetools.LRUCache[str, Ahead] = cachetools.LRUCache(_KEPT)
        self._drawn = kept.Cache(_DRAWN_BYTES)

    def answer(self, wish: Wish) -> Answer:
        """Carry out a task, or return the error. If memory runs out, drop all unfinished systems and retry once."""
        try:
            try:
                return self.grant(wish)
            except MemoryError:
                self._under_way.clear()
                self._drawn.clear()
                return self.grant(wish)
        except ScenarioError as error:
            return Answer(problem=str(error))
        except MemoryError:
            self._under_way.clear()
            self._drawn.clear()
            return Answer(
                problem=told(
                    "A system of this workload needs more than {most} MiB of memory; valid is a shorter duration, a "
                    "lower rate or a smaller pool.",
                    most=MAX_MEMORY >> 20,
                )
            )
        except Exception as error:  # the app shows the error; this process continues
            return Answer(error=f"{type(error).__name__}: {error}")

    def grant(self, wish: Wish) -> Answer:
        """Carry out a task. Raises ScenarioError, or MemoryError beyond MAX_MEMORY."""
        scenario = wish.scenario
        requests: Requests | None = self._drawn.get(wish.workload)
        if requests is None:
            requests = self._drawn[wish.workload] = Requests(scenario)
        ahead = self._under_way.get(wish.key)
        if ahead is None:
            ahead = self._under_way[wish.key] = Ahead(scenario, 0, requests.prepared)
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
            del self._under_way[wish.key]
        return self._picture(scenario, ahead, requests, wish.frames, last)

    def _picture(self, scenario: Scenario, ahead: Ahead, requests: Requests, frames: int, last: bool) -> Answer:
        assert scenario.workload is not None
        marks = figure2.marks(scenario.workload.duration)
        reached = len(marks) if last else int(np.searchsorted(marks, ahead.time_s, "right"))
        if reached <= frames and not last:
            return Answer(ahead.time_s, True)
        trace = ahead.trace()
        series = ledgers(trace, requests.facts)
        window = (scenario.workload.warmup, scenario.workload.duration)
        growth = figure2.growth(series, trace.time_s, marks[:reached], window)
        if not last:
            return Answer(ahead.time_s, True, series, growth)
        return Answer(ahead.time_s, True, series, growth, trace, measure(trace, requests.facts, window, series))


def limit_memory(most: int) -> None:
    """Limit this process's address space to ``most`` bytes if the operating system can; beyond it is MemoryError."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        known = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min([most, *known]), hard))


def main() -> None:
    """Answer tasks until standard input or output is closed."""
    limit_memory(MAX_MEMORY)
    ask, tell = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # printed text must not mix with the answers
    # a full collection takes 25 ms here, a tenth of the time to a first picture: make collections rare
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    worker = Worker()
    while True:
        try:
            wish = receive(ask)
            send(tell, worker.answer(wish))
        except (EOFError, BrokenPipeError):
            return


if __name__ == "__main__":
    from vizkv.ui.whatif import lane as lane_work

    lane_work.main()  # call it by its module name: pickled answers name the module of their class
