"""The runs of a sweep: one system at one point with one seed each, and no run twice.

A system's run does not depend on the other systems of its scenario, so each is run by itself; where an axis does not
touch a system (a block size, and Orca), all its points are one run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vizkv import __version__
from vizkv.complaints import listed
from vizkv.metrics import Window
from vizkv.scenario import ContiguousSystem, Scenario, ScenarioError, from_dict, to_dict
from vizkv.sweep.axes import Axis, Value, parameter, written
from vizkv.told import renamed, told

MAX_RUNS = 5000
MAX_SEEDS = 100
MAX_AXES = 4

Point = tuple[tuple[str, Value], ...]
"""The value of each axis, in the order of the axes."""


@dataclass(frozen=True)
class Task:
    """One system at one point with one seed. ``key``: equal keys are one run; empty where there is none to run."""

    system: str  # its label in the scenario that is swept
    index: int  # its place there
    point: Point
    seed: int
    scenario: dict[str, Any]  # with this one system
    key: str
    problem: str = ""  # why it cannot be run, in one sentence

    @property
    def window(self) -> Window | None:
        """What its averages cover, see :func:`vizkv.metrics.measure`."""
        return window(self.scenario)


def window(scenario: dict[str, Any]) -> Window | None:
    """The seconds of a workload that count; None without a workload."""
    asked = scenario.get("workload")
    return None if asked is None else (asked.get("warmup", 300.0), asked.get("duration", 900.0))


def points(
    scenario: Scenario, axes: Sequence[Axis], seeds: int = 1, systems: Sequence[int] | None = None
) -> list[Task]:
    """One task a (seed, point, system), in this order; those with equal keys are one run.

    ``seeds``: so many, from the scenario's on. ``systems``: indices of those that are wanted; all if None. A value that
    does not go together with the rest of the scenario is a task with a problem. Raises ScenarioError.
    """
    _check(scenario, axes, seeds)
    wanted = range(len(scenario.systems)) if systems is None else systems
    labels = [_label(system, axes) for system in scenario.systems]
    grid = _grid(axes)
    if (count := len(grid) * seeds * len(wanted)) > MAX_RUNS:
        raise ScenarioError(
            told(
                "The sweep has {count} runs; valid are at most {max_runs}: give fewer values or seeds.",
                count=count,
                max_runs=MAX_RUNS,
            )
        )
    return [
        _task(scenario, index, labels[index], point, number)
        for number in range(seeds)
        for point in grid
        for index in wanted
    ]


def _check(scenario: Scenario, axes: Sequence[Axis], seeds: int) -> None:
    if not 1 <= len(axes) <= MAX_AXES:
        raise ScenarioError(
            told("The sweep has {count} axes; valid are 1 to {max_axes}.", count=len(axes), max_axes=MAX_AXES)
        )
    if not 1 <= seeds <= MAX_SEEDS:
        raise ScenarioError(
            told(
                "The sweep has seeds = {seeds}; valid is a whole number from 1 to {max_seeds}.",
                seeds=seeds,
                max_seeds=MAX_SEEDS,
            )
        )
    names = [axis.name for axis in axes]
    for axis in axes:
        if names.count(axis.name) > 1:
            raise ScenarioError(told("Two axes are {name}; valid is a different parameter for each.", name=axis.name))
        if axis.parameter.table == "workload" and scenario.workload is None:
            raise ScenarioError(
                told(
                    "The axis {name} varies a workload, and the scenario has none; valid is an axis of its systems, "
                    "or a scenario with a [workload].",
                    name=axis.name,
                )
            )
        if not any(_touches(axis.name, system, names) for system in scenario.systems):
            raise ScenarioError(
                told(
                    "The axis {name} changes none of the systems {systems}; valid is {valid} among them.",
                    name=axis.name,
                    systems=listed([s.label for s in scenario.systems]),
                    valid=_whom(axis.name),
                )
            )


def _whom(name: str) -> str:
    if name == "multiple":
        return told('a contiguous system with reserve = "multiple"')
    return told("a paged system") if parameter(name).table == "paged" else told("a contiguous system")


def _touches(name: str, system: Any, names: Sequence[str]) -> bool:
    """Whether varying a parameter changes this system."""
    table = parameter(name).table
    if name == "multiple":
        return isinstance(system, ContiguousSystem) and (system.reserve == "multiple" or "reserve" in names)
    return table in ("scenario", "workload") or table == system.kind


def _label(system: Any, axes: Sequence[Axis]) -> str:
    if not system.name and any(axis.name == "multiple" for axis in axes) and system.kind == "contiguous":
        return "Multiple of k" if system.reserve == "multiple" else system.label
    return str(system.label)


def _grid(axes: Sequence[Axis]) -> list[Point]:
    """Every combination, the last axis moving fastest."""
    grid: list[Point] = [()]
    for axis in axes:
        grid = [(*point, (axis.name, value)) for point in grid for value in axis.values]
    return grid


def put(scenario: Scenario, point: Point, systems: Sequence[int] | None = None, seed: int = 0) -> Scenario:
    """The scenario with the values of a point in it. Raises ScenarioError where they do not go together.

    ``systems``: indices of those that are kept; all if None. ``seed``: added to the scenario's (or the point's).
    """
    return from_dict(_put(scenario, point, systems, seed))


def _put(scenario: Scenario, point: Point, systems: Sequence[int] | None, seed: int) -> dict[str, Any]:
    data = to_dict(scenario)
    wanted = range(len(scenario.systems)) if systems is None else systems
    names = [name for name, _ in point]
    chosen = [(scenario.systems[i], dict(data["systems"][i])) for i in wanted]
    for name, value in point:
        table = parameter(name).table
        if table == "scenario":
            data[name] = value
        elif table == "workload":
            data["workload"] = data["workload"] | {name: value}
        for system, part in chosen:
            if table == system.kind and _touches(name, system, names):
                part[name] = value
            if name in ("block_size", "slots", "null_block"):
                part.pop("free_order", None)  # it named blocks of another size
    if "block_size" in names:  # a table broken by hand named blocks of another size
        data["actions"] = [a for a in data.get("actions", []) if a["do"] != "repoint"]
    for _, part in chosen:
        if part.get("reserve") != "multiple":
            part.pop("multiple", None)  # it decides nothing
    data["systems"] = [part for _, part in chosen]
    if seed:
        data["seed"] = data.get("seed", 0) + seed
    return data


def _task(scenario: Scenario, index: int, label: str, point: Point, number: int) -> Task:
    data = _put(scenario, point, [index], number)
    data.pop("name", None)
    data["systems"][0].pop("name", None)  # two systems that differ in name only are one run
    if data.get("workload") is not None:
        data["model"] = "none"  # a workload's tokens are made up: the model decides nothing
    seed = data.get("seed", 0)
    try:
        ready = to_dict(from_dict(data))
    except ScenarioError as error:
        problem = renamed(str(error), "systems[0]", f"systems[{index}]")  # as the file has it
        return Task(label, index, point, seed, data, "", problem)
    return Task(label, index, point, seed, ready, key_of(ready))


def key_of(scenario: dict[str, Any]) -> str:
    """A short name of a run: equal names, equal runs of this program; a file that it reads has its part in it."""
    text = json.dumps(scenario, sort_keys=True, separators=(",", ":"))
    lengths = (scenario.get("workload") or {}).get("lengths", "")
    mark = ""
    try:
        status = Path(lengths).stat() if lengths else None
        mark = f"{status.st_size}:{status.st_mtime_ns}" if status else ""
    except (OSError, ValueError):  # a set, or a file that is not there
        pass
    return hashlib.sha256(f"{edition()}\n{mark}\n{text}".encode()).hexdigest()


@cache
def edition() -> str:
    """The version of this program with a digest of all that decides a run: workers of a cluster must have the same."""
    folder = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        if path.relative_to(folder).parts[0] not in ("ui", "views", "player", "presets", "messages", "cli.py", "cli"):
            digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def distinct(tasks: Sequence[Task]) -> list[Task]:
    """One task of each run that there is."""
    seen: dict[str, Task] = {}
    for task in tasks:
        if task.key:
            seen.setdefault(task.key, task)
    return list(seen.values())


def said(point: Point) -> str:
    """A point in a word for messages and links: ``block_size=16,rate=4``."""
    return ",".join(f"{name}={written(value)}" for name, value in point)


__all__ = ["MAX_RUNS", "MAX_SEEDS", "Point", "Task", "distinct", "edition", "key_of", "points", "put", "said", "window"]
