"""Benchmark of runs without a model: simulated tokens per second, compared with the plain step loop.

Each measurement runs in its own process (this module as a program: a line of JSON in, a line of JSON out), so that its
peak memory can be measured and no measurement warms up another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from vizkv.engine import engine
from vizkv.replay.ledgers import ledgers
from vizkv.scenario.presets import FOLDER
from vizkv.scenario.schema import Scenario, from_dict, load, to_dict

SECONDS = {"long": 900.0, "quick": 60.0}  # simulated duration of the experiment of Figure 2
GROWTH = (0.1, 1.0, 10.0)  # factors of its duration, and so of the number of requests
POOLS = (15_728, 60_128, 1_048_576)  # in slots: OPT-13B and OPT-175B in the paper's Table 1, and a large pool
MAX_STEPS = 10**7

Table = Literal["systems", "requests", "pool"]


@dataclass(frozen=True)
class Run:
    """A measurement to make: one system of Figure 2, its duration and pool; ``plain``: without skipping steps."""

    table: Table
    system: int
    seconds: float
    slots: int
    plain: bool = False


@dataclass(frozen=True)
class Measured:
    """A measurement. ``seconds``: on this machine. ``peak``: bytes of memory beyond those of an idle process."""

    name: str
    seconds: float
    tokens: int
    requests: int
    steps: int
    peak: int

    @property
    def speed(self) -> float:
        """Simulated tokens per second."""
        return self.tokens / self.seconds


def runs(quick: bool = False) -> list[Run]:
    """Return all measurements of `vizkv bench` in order; the plain loop follows the run it is compared with."""
    scenario, whole = figure_2(), SECONDS["quick" if quick else "long"]
    systems, slots = range(len(scenario.systems)), scenario.slots
    speed = [Run("systems", i, whole, slots, plain) for i in systems for plain in (False, True)]
    growth = [Run("requests", i, whole * times, slots) for i in (systems[0], systems[-1]) for times in GROWTH]
    pools = [Run("pool", i, whole, pool) for i in (systems[0], systems[-1]) for pool in POOLS]
    return speed + growth + pools


def figure_2() -> Scenario:
    """Return the scenario of the paper's Figure 2."""
    return load(FOLDER / "figure-2.toml")


def scenario_of(run: Run) -> Scenario:
    """Return the scenario that a measurement runs."""
    data: dict[str, Any] = to_dict(figure_2())
    data |= {"systems": [data["systems"][run.system]], "slots": run.slots}
    data["workload"] = data["workload"] | {"duration": run.seconds, "warmup": 0.0}
    return from_dict(data)


def measure(run: Run, repeats: int = 3) -> Measured:
    """Measure in a new process and return the fastest of ``repeats``; the plain loop is run only once."""
    order = {"scenario": to_dict(scenario_of(run)), "plain": run.plain, "repeats": 1 if run.plain else repeats}
    done = subprocess.run(
        [sys.executable, "-m", "vizkv.sweeps.bench"],
        input=json.dumps(order), capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},
    )  # fmt: skip
    return Measured(**json.loads(done.stdout))


def measurements(quick: bool = False) -> Iterator[tuple[Run, Measured]]:
    """Yield each of :func:`runs` with its measurement."""
    for run in runs(quick):
        yield run, measure(run, 1 if quick else 3)


def _here(order: dict[str, Any]) -> dict[str, Any]:
    """Measure in this process; ``order`` and the result are what the two processes exchange as JSON."""
    scenario, before = from_dict(order["scenario"]), _peak()
    times = []
    for _ in range(order["repeats"]):
        started = time.perf_counter()
        trace = engine.run(scenario, plain=order["plain"], max_steps=MAX_STEPS)
        times.append(time.perf_counter() - started)
        peak = _peak() - before
    (system,) = trace.systems
    return {
        "name": system.name,
        "seconds": min(times),
        "tokens": ledgers(system, trace.requests).written,
        "requests": len(trace.requests),
        "steps": system.steps,
        "peak": peak,
    }


def _peak() -> int:
    """Return the peak memory of this process in bytes; 0 if the operating system does not report it."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    print(json.dumps(_here(json.loads(sys.stdin.read()))))
