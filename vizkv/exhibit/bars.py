"""Figure 2 as an exhibit: bars that grow with the run, and for each position of each knob where they end.

Each knob is turned alone, from the scenario's own values: those runs are computed beforehand.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vizkv.exhibit.exhibit import Exhibit, Words
from vizkv.messages.catalogue import Messages
from vizkv.replay.averages import window_of
from vizkv.replay.ledgers import ledgers
from vizkv.scenario.presets import Preset
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.sweeps import parse_axis, put
from vizkv.trace.slots import CATEGORIES, lookup
from vizkv.trace.trace import Trace
from vizkv.views.charts.figure2 import live as figure2

KNOBS = {"rate": "1,1.5,2,2.5,3,3.5,4,5,6", "block_size": "8..256*2", "max_model_len": "1024..4096:512"}
Run = Callable[[Scenario], Trace]


@dataclass(frozen=True)
class Grown:
    """The bars of one run: percent of the pool by code and batched requests, per system and picture."""

    systems: tuple[figure2.Growth, ...]

    @classmethod
    def of(cls, trace: Trace, scenario: Scenario) -> Grown:
        """Return the pictures of a run. The scenario has a workload."""
        workload, window = scenario.workload, window_of(scenario.model_dump())
        assert workload is not None and window is not None
        marks = figure2.marks(workload.duration)
        told = [
            figure2.growth(ledgers(system, trace.requests), np.asarray(system.time_s), marks, window)
            for system in trace.systems
        ]
        return cls(tuple(told))


@dataclass(frozen=True)
class Strip:
    """One knob: its values, which of them is the scenario's own, and where the bars end at each (None: not valid)."""

    name: str
    values: tuple[Any, ...]
    home: int
    ends: tuple[tuple[tuple[list[float], float], ...] | None, ...]


def strips(scenario: Scenario, run: Run, tick: Callable[[], None] = lambda: None) -> list[Strip]:
    """Return the knobs that turn something in a scenario, with a run for every position. ``tick``: after each run."""
    found = []
    for name, text in KNOBS.items():
        own = _own(scenario, name)
        if own is None:
            continue
        values = tuple(sorted({*parse_axis(f"{name}={text}").values, own}, key=float))
        ends = []
        for value in values:
            ends.append(_end(scenario, name, value, run))
            tick()
        found.append(Strip(name, values, values.index(own), tuple(ends)))
    return found


def positions(scenario: Scenario) -> int:
    """Return how many runs :func:`strips` makes."""
    return sum(
        len({*parse_axis(f"{name}={text}").values, own})
        for name, text in KNOBS.items()
        if (own := _own(scenario, name)) is not None
    )


def _own(scenario: Scenario, name: str) -> Any:
    """Return where a knob stands in a scenario; None where it turns nothing."""
    if name == "rate":
        return scenario.workload.rate if scenario.workload and scenario.workload.arrivals != "trace" else None
    if name == "block_size":
        return next((getattr(s, name) for s in scenario.systems if name in s.knobs()), None)
    return getattr(scenario, name)


def _end(scenario: Scenario, name: str, value: Any, run: Run) -> tuple[tuple[list[float], float], ...] | None:
    try:
        turned = put(scenario, ((name, value),))
        grown = Grown.of(run(turned), turned)
    except ScenarioError:
        return None
    return tuple((_shares(one.shares[-1]), round(float(one.batched[-1]), 3)) for one in grown.systems)


def _shares(row: np.ndarray) -> list[float]:
    return [round(float(value), 2) for value in row]


def bars(
    trace: Trace, scenario: Scenario, example: Preset, knobs: list[Strip], says: list[Messages]
) -> Exhibit:  # fmt: skip
    """Return the exhibit of a run of a workload."""
    grown, fields = Grown.of(trace, scenario), scenario.model_dump()
    workload = scenario.workload
    assert workload is not None
    inner = {
        "frames": figure2.FRAMES, "counted": figure2.first_counted(workload.duration, workload.warmup),
        "duration": workload.duration, "warmup": workload.warmup, "lens": figure2.LENS,
        "accounting": figure2.ACCOUNTING, "lookup": lookup(),
        "systems": [
            {
                "shares": [_shares(row) for row in one.shares], "batched": [round(float(b), 3) for b in one.batched],
                "paper": _paper(fields, index),
            }
            for index, one in enumerate(grown.systems)
        ],
        "knobs": [
            {"name": knob.name, "values": list(knob.values), "home": knob.home, "ends": knob.ends} for knob in knobs
        ],
    }  # fmt: skip
    data = zlib.compress(json.dumps(inner, separators=(",", ":")).encode(), 9)
    words = {say.language: _words(scenario, example, knobs, say) for say in says}
    return Exhibit("bars", data, words)


def _paper(fields: dict[str, Any], index: int) -> dict[str, Any] | None:
    """Return the paper's numbers of a system, and whether ours may be held against them."""
    quoted = figure2.quoted(fields["systems"][index])
    if quoted is None:
        return None
    comparable = figure2.comparable(fields, index)
    return {
        "shares": [quoted.shares.get(name) for name in CATEGORIES], "batched": quoted.batched,
        "compares": {"shares": comparable.shares, "batched": comparable.batched},
    }  # fmt: skip


def _words(scenario: Scenario, example: Preset, knobs: list[Strip], say: Messages) -> Words:
    names = [say.name(system.label) for system in scenario.systems]
    inner = {
        "lang": say.html, "say": say.group("live."), "title": say(f"preset.{example.id}.question"),
        "systems": [
            {"name": name, "detail": say.error(system.details)}
            for name, system in zip(names, scenario.systems, strict=True)
        ],
        "knobs": [
            {"label": say(f"whatif.knob.{knob.name}"), "texts": [say.number(value) for value in knob.values]}
            for knob in knobs
        ],
        "status": say("whatif.status.paper"), "turned": say("show.bars.turned"), "invalid": say("show.bars.invalid"),
    }  # fmt: skip
    title, systems = say(f"preset.{example.id}.title"), say("show.list").join(names)
    return Words(inner, say("show.alt.bars", title=title, n=len(names), systems=systems))
