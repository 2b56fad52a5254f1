"""What the page "Prefix cache" is asked for, checked here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from vizkv import sweep
from vizkv.complaints import either, shorten
from vizkv.link import to_code
from vizkv.scenario import Scenario, ScenarioError
from vizkv.sweep import Axis, Point, Task, parse_values, prefix, said
from vizkv.told import told
from vizkv.ui.link import Open
from vizkv.ui.sweep_asked import MAX_ON_PAGE

_CHECKED = "cache.checked"  # whether the link has been read
TABLED = ("ttft_mean", "hit_rate", "throughput", "mean_batch", "preemptions")  # metrics of the second picture


@dataclass(frozen=True)
class Asked:
    """Pools and block sizes that can be run. ``point``: of which the page speaks; ``picked``: whether it was chosen."""

    scenario: Scenario
    pools: Axis
    sizes: Axis
    point: Point
    picked: bool
    metric: str

    @property
    def axes(self) -> list[Axis]:
        """Pools first."""
        return [self.pools, self.sizes]

    @property
    def own(self) -> Point:
        """The scenario's own pool and block size."""
        return prefix.own(self.scenario)


def asked(state: Open) -> Asked:
    """What is asked for now. Nonsense leaves a sentence, and what stands ready in its place.

    Raises ScenarioError where the workload cannot be drawn.
    """
    scenario = _runnable(state)
    own = prefix.own(scenario)

    def read(name: str, make: Callable[[str], Axis], ready: str) -> Axis:
        try:
            return make(state.more.get(name) or ready)
        except ScenarioError as error:
            state.problem = str(error)
            state.more.pop(name, None)
            return make(ready)

    sizes = read("sizes", lambda text: parse_values("block_size", text), prefix.SIZES)
    pools = read("pools", lambda text: parse_values("slots", text), prefix.ready_pools(scenario))
    metric = state.more.get("metric", TABLED[0])
    if metric not in TABLED:
        state.problem = told(
            "The field {field} is {word}; valid is {names}.",
            field="metric",
            word=shorten(metric),
            names=either(list(TABLED)),
        )
        metric = TABLED[0]
        del state.more["metric"]
    word = state.more.get("point", "")
    known = {said(point): point for point in prefix.grid(pools, sizes)}
    if word and word not in known:
        if _CHECKED not in st.session_state:  # later it is what was picked before another workload came
            valid = shorten(next(iter(known)))
            state.problem = told(
                "The field point is {text}; valid is a point of the picture: {known}, ...",
                text=shorten(word),
                known=valid,
            )
        del state.more["point"]
        word = ""
    st.session_state[_CHECKED] = True
    point = known.get(word) or known.get(said(own)) or prefix.near(own, list(known.values()))
    return Asked(scenario, pools, sizes, point, bool(word), metric)


def _runnable(state: Open) -> Scenario:
    """The open scenario as one paged system with a prefix cache and no model; the preset's, if it has no workload."""
    if state.scenario.workload is None:
        state.problem = state.say("cache.problem.workload")
        state.scenario = state.preset.scenario
    to_code(state.scenario)  # a file of this machine is not read for whoever opens a page
    return prefix.with_cache(state.scenario)


def short(axis: Axis) -> str:
    """The values of an axis as they are written, doublings as a range."""
    values = [int(value) for value in axis.values]
    doubled = len(values) > 2 and all(b == 2 * a for a, b in zip(values, values[1:], strict=False))
    return f"{values[0]}..{values[-1]}*2" if doubled else axis.text


def tasks(state: Open, wanted: Asked) -> list[Task]:
    """One run a point. None, with a sentence, where that cannot be."""
    try:
        found = sweep.points(wanted.scenario, wanted.axes)
        if (count := len(sweep.distinct(found))) > MAX_ON_PAGE:
            raise ScenarioError(state.say("sweep.many", n=count, most=MAX_ON_PAGE))
    except ScenarioError as error:
        state.problem = str(error)
        return []
    return found


__all__ = ["TABLED", "Asked", "asked", "short", "tasks"]
