"""What the page "Prefix cache" is asked for, checked here; and what the open workload's prompts hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from vizkv import sweep, workload
from vizkv.complaints import either, shorten
from vizkv.link import from_code, to_code
from vizkv.requests import MAX_SLOTS
from vizkv.scenario import PagedSystem, Scenario, ScenarioError, from_dict, to_dict
from vizkv.sweep import Axis, Point, Task, parse_values, said
from vizkv.told import told
from vizkv.ui.link import Open
from vizkv.ui.sweep_asked import MAX_ON_PAGE
from vizkv.workload import Arrival, infinite_hit_rate, uploads

SIZES = "16,64,256,512"
_CHECKED = "cache.checked"  # whether the link has been read
TABLED = ("ttft_mean", "hit_rate", "throughput", "mean_batch", "preemptions")  # metrics of the second picture
_LEAST, _MOST = 1 / 16, 4  # of the working set: the pools that are tried
_FACTOR = 64  # between the smallest and the largest of them


@dataclass(frozen=True)
class Demand:
    """What the prompts of all requests that can ever run hold, in tokens.

    ``fresh``: the working set, each shared beginning counted once. ``longest``: slots of the longest request. ``step``:
    tokens that a name of content stands for, 0 where nothing is named. ``too_long``: requests left out.
    """

    requests: int
    too_long: int
    prompt_tokens: int
    fresh: int
    longest: int
    step: int


@lru_cache(2)
def _arrivals(code: str) -> tuple[tuple[Arrival, ...], int]:
    """(the requests that can run, how many never can)."""
    scenario = from_code(code)
    assert scenario.workload is not None
    everybody = workload.draw(scenario.workload, scenario)
    able = tuple(a for a in everybody if a.final_slots <= min(scenario.max_model_len, MAX_SLOTS))
    return able, len(everybody) - len(able)


@lru_cache(256)
def _infinite(code: str, block: int) -> float:
    return infinite_hit_rate(_arrivals(code)[0], block)


@lru_cache(8)
def _demand(code: str) -> Demand:
    able, too_long = _arrivals(code)
    asked = sum(a.prompt_tokens for a in able)
    return Demand(
        len(able), too_long, asked, round(asked * (1 - _infinite(code, 1))),
        max((a.final_slots for a in able), default=0), max((a.step for a in able if a.hash_ids), default=0),
    )  # fmt: skip


def _code(scenario: Scenario) -> str:
    assert scenario.workload is not None
    if scenario.workload.is_upload:
        uploads.path(scenario.workload.lengths)  # it may be gone since it was counted
    return to_code(scenario)


def demand(scenario: Scenario) -> Demand:
    """Raises ScenarioError where the workload cannot be drawn."""
    return _demand(_code(scenario))


def infinite(scenario: Scenario, block: int) -> float:
    """Percent of the prompt tokens that a cache finds which never gives up a block, of the requests that can run."""
    return _infinite(_code(scenario), block) * 100


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
        return _own(self.scenario)


def asked(state: Open) -> Asked:
    """What is asked for now. Nonsense leaves a sentence, and what stands ready in its place.

    Raises ScenarioError where the workload cannot be drawn.
    """
    scenario = _runnable(state)
    own = _own(scenario)

    def read(name: str, make: Callable[[str], Axis], ready: str) -> Axis:
        try:
            return make(state.more.get(name) or ready)
        except ScenarioError as error:
            state.problem = str(error)
            state.more.pop(name, None)
            return make(ready)

    sizes = read("sizes", lambda text: parse_values("block_size", text), SIZES)
    pools = read("pools", lambda text: parse_values("slots", text), ready_pools(scenario))
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
    known = {said(point): point for point in grid(pools, sizes)}
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
    point = known.get(word) or known.get(said(own)) or _near(own, known)
    return Asked(scenario, pools, sizes, point, bool(word), metric)


def _runnable(state: Open) -> Scenario:
    """The open scenario as one paged system with a prefix cache and no model; the preset's, if it has no workload."""
    if state.scenario.workload is None:
        state.problem = state.say("cache.problem.workload")
        state.scenario = state.preset.scenario
    data = to_dict(state.scenario)
    paged = [i for i, s in enumerate(state.scenario.systems) if isinstance(s, PagedSystem)]
    system = dict(data["systems"][paged[0]]) if paged else {"kind": "paged"}
    for field in ("name", "free_order"):
        system.pop(field, None)
    data.pop("actions", None)
    return from_dict(data | {"model": "none", "systems": [system | {"prefix_caching": True}]})


def _own(scenario: Scenario) -> Point:
    (system,) = scenario.systems
    assert isinstance(system, PagedSystem)
    return (("slots", scenario.slots), ("block_size", system.block_size))


def _near(own: Point, known: dict[str, Point]) -> Point:
    """The point of the picture nearest to the scenario's own."""
    sizes = [float(value) for _, value in own]
    return min(
        known.values(),
        key=lambda p: sum(abs(math.log(float(v) / mine)) for (_, v), mine in zip(p, sizes, strict=True)),
    )


def grid(pools: Axis, sizes: Axis) -> list[Point]:
    """All points, the pool moving slowest."""
    return [(("slots", n), ("block_size", b)) for n in pools.values for b in sizes.values]


def ready_pools(scenario: Scenario) -> str:
    """Pools from a sixteenth to four times the working set, by factors of two, and the scenario's own.

    None that would not hold the longest request, and none beyond what a scenario may have.
    """
    needs = demand(scenario)
    least = _power(max(needs.longest, 1), up=True)
    high = max(least, min(_power(max(1, _MOST * needs.fresh), up=True), MAX_SLOTS))
    low = max(least, min(_power(max(1, round(_LEAST * needs.fresh))), high // _FACTOR))
    pools = {low * 2**k for k in range((high // low).bit_length())}
    if needs.longest <= scenario.slots:
        pools.add(scenario.slots)
    return ",".join(str(n) for n in sorted(pools) if n <= MAX_SLOTS)


def short(axis: Axis) -> str:
    """The values of an axis as they are written, doublings as a range."""
    values = [int(value) for value in axis.values]
    doubled = len(values) > 2 and all(b == 2 * a for a, b in zip(values, values[1:], strict=False))
    return f"{values[0]}..{values[-1]}*2" if doubled else axis.text


def _power(count: int, up: bool = False) -> int:
    """The power of two that is next to a number, or not below it."""
    at = math.log2(count)
    return int(2 ** (math.ceil(at) if up else round(at)))


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


def quickest_first(found: list[Task]) -> list[Task]:
    """Large blocks are few: their lines are drawn before the others are run."""
    return sorted(found, key=lambda task: -int(dict(task.point)["block_size"]))


__all__ = ["TABLED", "Asked", "Demand", "asked", "demand", "grid", "infinite", "quickest_first", "short", "tasks"]
