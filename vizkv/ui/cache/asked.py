"""Read and check what the page "Prefix cache" is asked to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vizkv import sweeps as sweep
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, shorten
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.sweeps import Axis, Point, Task, parse_values, prefix, said
from vizkv.ui import outside, store
from vizkv.ui.link import Open
from vizkv.ui.sweep.asked import MAX_ON_PAGE

_CHECKED = "cache.checked"  # store key: whether the link's words have been checked
TABLED = ("ttft_mean", "hit_rate", "throughput", "mean_batch", "preemptions")  # metrics for the table below the picture


@dataclass(frozen=True)
class Asked:
    """Pool and block sizes to run. ``point``: the point that the page describes; ``picked``: whether it was clicked."""

    scenario: Scenario
    pools: Axis
    sizes: Axis
    point: Point
    picked: bool
    metric: str

    @property
    def axes(self) -> list[Axis]:
        """The two axes, pools first."""
        return [self.pools, self.sizes]

    @property
    def own(self) -> Point:
        """The scenario's own pool and block size."""
        return prefix.own(self.scenario)


def asked(state: Open) -> Asked:
    """Return what is asked for now. An invalid word is replaced by the default and leaves an error sentence.

    Raises ScenarioError if the workload cannot be drawn.
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
        if not store.has(_CHECKED):  # later on, an invalid point was valid for a previous workload
            valid = shorten(next(iter(known)))
            state.problem = told(
                "The field point is {text}; valid is a point of the picture: {known}, ...",
                text=shorten(word),
                known=valid,
            )
        del state.more["point"]
        word = ""
    store.put(_CHECKED, True)
    point = known.get(word) or known.get(said(own)) or prefix.near(own, list(known.values()))
    return Asked(scenario, pools, sizes, point, bool(word), metric)


def _runnable(state: Open) -> Scenario:
    """Return the scenario as one paged system with a prefix cache and no model; the preset's without a workload."""
    if state.scenario.workload is None:
        state.problem = state.say("cache.problem.workload")
        state.scenario = state.preset.scenario
    outside.refuse_files(state.scenario)  # a visitor must not make the server read a file of this machine
    return prefix.with_cache(state.scenario)


def short(axis: Axis) -> str:
    """Return an axis's values as text, with consecutive doublings as a range."""
    values = [int(value) for value in axis.values]
    doubled = len(values) > 2 and all(b == 2 * a for a, b in zip(values, values[1:], strict=False))
    return f"{values[0]}..{values[-1]}*2" if doubled else axis.text


def tasks(state: Open, wanted: Asked) -> list[Task]:
    """Return one run per point; if there are too many, or none is valid, leave a sentence and return none."""
    try:
        found = sweep.points(wanted.scenario, wanted.axes)
        if (count := len(sweep.distinct(found))) > MAX_ON_PAGE:
            raise ScenarioError(state.say("sweep.many", n=count, most=MAX_ON_PAGE))
    except ScenarioError as error:
        state.problem = str(error)
        return []
    return found


__all__ = ["TABLED", "Asked", "asked", "short", "tasks"]
