"""How fast lengths alone are run: simulated tokens a second, beside the plain loop on the same machine.

Each measurement is a process of its own (this module as a program: a line of JSON in, a line of JSON out), so that its
peak of memory is its own, and none warms up another.
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

from vizkv import engine
from vizkv.ledgers import ledgers
from vizkv.presets import FOLDER
from vizkv.scenario import Scenario, from_dict, load, to_dict

SECONDS = {"long": 900.0, "quick": 60.0}  # of the experiment of Figure 2
GROWTH = (0.1, 1.0, 10.0)  # times as long, and so times as many requests
POOLS = (15_728, 60_128, 1_048_576)  # OPT-13B's and OPT-175B's of the paper's Table 1, and a large one, in slots
MAX_STEPS = 10**7

Table = Literal["systems", "requests", "pool"]


@dataclass(frozen=True)
class Run:
    """What is measured: one system of Figure 2 for some seconds over a pool, with or without skipping ahead."""

    table: Table
    system: int
    seconds: float
    slots: int
    plain: bool = False


@dataclass(frozen=True)
class Measured:
    """What was measured. ``seconds`` on this machine, ``peak`` bytes of memory beyond those of an idle process."""

    name: str
    seconds: float
    tokens: int
    requests: int
    steps: int
    peak: int

    @property
    def speed(self) -> float:
        """Simulated tokens a second."""
        return self.tokens / self.seconds


def runs(quick: bool = False) -> list[Run]:
    """Everything that `vizkv bench` measures, in order; the plain loop directly behind what it is compared with."""
    scenario, whole = figure_2(), SECONDS["quick" if quick else "long"]
    systems, slots = range(len(scenario.systems)), scenario.slots
    speed = [Run("systems", i, whole, slots, plain) for i in systems for plain in (False, True)]
    growth = [Run("requests", i, whole * times, slots) for i in (systems[0], systems[-1]) for times in GROWTH]
    pools = [Run("pool", i, whole, pool) for i in (systems[0], systems[-1]) for pool in POOLS]
    return speed + growth + pools


def figure_2() -> Scenario:
    """The scenario behind the paper's Figure 2."""
    return load(FOLDER / "figure-2.toml")


def scenario_of(run: Run) -> Scenario:
    """What is run for a measurement."""
    data: dict[str, Any] = to_dict(figure_2())
    data |= {"systems": [data["systems"][run.system]], "slots": run.slots}
    data["workload"] = data["workload"] | {"duration": run.seconds, "warmup": 0.0}
    return from_dict(data)


def measure(run: Run, repeats: int = 3) -> Measured:
    """The fastest of some repeats in a process of its own; the plain loop is run once."""
    order = {"scenario": to_dict(scenario_of(run)), "plain": run.plain, "repeats": 1 if run.plain else repeats}
    done = subprocess.run(
        [sys.executable, "-m", "vizkv.bench"],
        input=json.dumps(order), capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},
    )  # fmt: skip
    return Measured(**json.loads(done.stdout))


def measurements(quick: bool = False) -> Iterator[tuple[Run, Measured]]:
    """All of :func:`runs`, one after the other."""
    for run in runs(quick):
        yield run, measure(run, 1 if quick else 3)


def _here(order: dict[str, Any]) -> dict[str, Any]:
    """Measure in this process."""
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
    """The most memory that this process has held, in bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    print(json.dumps(_here(json.loads(sys.stdin.read()))))
