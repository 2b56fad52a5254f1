"""The runs of a sweep: one system at one point with one seed each, without duplicates.

The run of a system does not depend on the other systems of its scenario, so each is run alone. If an axis does not
affect a system (the block size does not affect Orca), all its points share one run.
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
from vizkv.messages.sentence import renamed, told
from vizkv.messages.validation import listed
from vizkv.replay.averages import Window, window_of
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict, to_dict
from vizkv.sweeps.axes import Axis, Value, parameter, written
from vizkv.systems import registry
from vizkv.systems.base.system import System
from vizkv.systems.own import loading

MAX_RUNS = 5000
MAX_SEEDS = 100
MAX_AXES = 4

Point = tuple[tuple[str, Value], ...]
"""The value of each axis, in the order of the axes."""


@dataclass(frozen=True)
class Task:
    """One system at one point with one seed. ``key``: tasks with equal keys share one run; empty if it cannot run."""

    system: str  # its label in the scenario of the sweep
    index: int  # its index there
    point: Point
    seed: int
    scenario: dict[str, Any]  # with this system only
    key: str
    problem: str = ""  # why it cannot run, in one sentence

    @property
    def window(self) -> Window | None:
        """The window of its averages, see :func:`vizkv.replay.metrics.measure`."""
        return window_of(self.scenario)


def points(
    scenario: Scenario, axes: Sequence[Axis], seeds: int = 1, systems: Sequence[int] | None = None
) -> list[Task]:
    """Return one task per (seed, point, system), in this order; tasks with equal keys share one run.

    ``seeds``: number of seeds, counted up from the scenario's. ``systems``: indices of the systems to run; all if None.
    A value that is not valid in this scenario gives a task with a problem. Raises ScenarioError.
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
    """Return the kinds of systems that have a parameter, in words."""
    nouns = [kind.schema.noun_with(name) for kind in registry.KINDS.values() if name in kind.schema.model_fields]
    return listed(list(dict.fromkeys(nouns)), "or")


def _touches(name: str, system: System, names: Sequence[str]) -> bool:
    """Whether varying a parameter changes this system."""
    return parameter(name).table != "system" or system.affected_by(name, names)


def _label(system: System, axes: Sequence[Axis]) -> str:
    return system.label_without([axis.name for axis in axes])


def _grid(axes: Sequence[Axis]) -> list[Point]:
    """Return every combination of values; the last axis varies fastest."""
    grid: list[Point] = [()]
    for axis in axes:
        grid = [(*point, (axis.name, value)) for point in grid for value in axis.values]
    return grid


def put(scenario: Scenario, point: Point, systems: Sequence[int] | None = None, seed: int = 0) -> Scenario:
    """Return the scenario with the values of a point. Raises ScenarioError if they are not valid together.

    ``systems``: indices of the systems to keep; all if None. ``seed``: added to the seed of the scenario or the point.
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
            if table == "system" and _touches(name, system, names):
                part[name] = value
            if name in ("block_size", "slots", "null_block"):
                part.pop("free_order", None)  # it lists blocks of the old size
    if "block_size" in names:  # a repointed entry names a block of the old size
        data["actions"] = [a for a in data.get("actions", []) if a["do"] != "repoint"]
    for _, part in chosen:
        if part.get("reserve") != "multiple":
            part.pop("multiple", None)  # without effect; two scenarios that differ in it share one run
    data["systems"] = [part for _, part in chosen]
    if seed:
        data["seed"] = data.get("seed", 0) + seed
    return data


def _task(scenario: Scenario, index: int, label: str, point: Point, number: int) -> Task:
    data = _put(scenario, point, [index], number)
    data.pop("name", None)
    data["systems"][0].pop("name", None)  # two systems that differ in name only share one run
    if data.get("workload") is not None:
        data["model"] = "none"  # the tokens of a workload are synthetic: a model changes no decision
    seed = data.get("seed", 0)
    try:
        ready = to_dict(from_dict(data))
    except ScenarioError as error:
        problem = renamed(str(error), "systems[0]", f"systems[{index}]")  # its index in the user's file
        return Task(label, index, point, seed, data, "", problem)
    return Task(label, index, point, seed, ready, key_of(ready))


def key_of(scenario: dict[str, Any]) -> str:
    """Return the cache key of a run: a digest of the scenario, of this program, and of the workload file's state."""
    text = json.dumps(scenario, sort_keys=True, separators=(",", ":"))
    lengths = (scenario.get("workload") or {}).get("lengths", "")
    mark = ""
    try:
        status = Path(lengths).stat() if lengths else None
        mark = f"{status.st_size}:{status.st_mtime_ns}" if status else ""
    except (OSError, ValueError):  # a built-in set of lengths, or a missing file
        pass
    return hashlib.sha256(f"{edition()}\n{mark}\n{text}".encode()).hexdigest()


@cache
def edition() -> str:
    """Return the version of this program with a digest of the files that decide a run.

    Part of every cache key; all workers of a cluster must have the same.
    """
    digest = hashlib.sha256()
    for path in deciding_files():
        digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def deciding_files() -> list[Path]:
    """Return the files of this program that decide the metrics of a run: its code and the measured lengths."""
    folder = Path(__file__).resolve().parents[1]
    shown = ("api", "ui", "views", "player", "presets", "messages", "cli.py", "cli")
    code = [path for path in folder.rglob("*.py") if not {*path.relative_to(folder).parts} & {*shown}]
    return sorted([*code, *(folder / "workload" / "data").glob("*.json"), *loading.loaded()])


def distinct(tasks: Sequence[Task]) -> list[Task]:
    """Return the first task of each distinct run."""
    seen: dict[str, Task] = {}
    for task in tasks:
        if task.key:
            seen.setdefault(task.key, task)
    return list(seen.values())


def said(point: Point) -> str:
    """Return a point as text for messages and links: ``block_size=16,rate=4``."""
    return ",".join(f"{name}={written(value)}" for name, value in point)


__all__ = ["MAX_RUNS", "MAX_SEEDS", "Point", "Task", "distinct", "edition", "key_of", "points", "put", "said"]
