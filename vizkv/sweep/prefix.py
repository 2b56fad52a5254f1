"""What a prefix cache is tried with: the prompts, pools around their working set, what there is to find."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import cachetools

from vizkv import workload
from vizkv.requests import MAX_SLOTS
from vizkv.scenario import PagedSystem, Scenario, ScenarioError, from_dict, to_dict
from vizkv.sweep.axes import Axis
from vizkv.sweep.tasks import Point, Task, key_of
from vizkv.told import told
from vizkv.workload import Arrival, infinite_hit_rate, uploads

SIZES = "16,64,256,512"
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


def with_cache(scenario: Scenario) -> Scenario:
    """The scenario as one paged system with a prefix cache and no model. Raises ScenarioError without a workload."""
    if scenario.workload is None:
        raise ScenarioError(
            told("The scenario has no [workload]; valid is one with a [workload], whose prompts share something.")
        )
    data = to_dict(scenario)
    paged = [i for i, s in enumerate(scenario.systems) if isinstance(s, PagedSystem)]
    system = dict(data["systems"][paged[0]]) if paged else {"kind": "paged"}
    for field in ("name", "free_order"):
        system.pop(field, None)
    data.pop("actions", None)
    return from_dict(data | {"model": "none", "systems": [system | {"prefix_caching": True}]})


# ---- what there is to find -------------------------------------------------------------------------------------------


def _key(scenario: Scenario, *more: int) -> tuple[object, ...]:
    assert scenario.workload is not None
    if scenario.workload.is_upload:
        uploads.path(scenario.workload.lengths)  # it may be gone since it was counted
    return (key_of(to_dict(scenario)), *more)


@cachetools.cached(cachetools.LRUCache(2), key=_key, lock=threading.Lock())
def _arrivals(scenario: Scenario) -> tuple[tuple[Arrival, ...], int]:
    """(the requests that can run, how many never can)."""
    assert scenario.workload is not None
    everybody = workload.draw(scenario.workload, scenario)
    able = tuple(a for a in everybody if a.final_slots <= min(scenario.max_model_len, MAX_SLOTS))
    return able, len(everybody) - len(able)


@cachetools.cached(cachetools.LRUCache(256), key=_key, lock=threading.Lock())
def infinite(scenario: Scenario, block: int) -> float:
    """Percent of the prompt tokens that a cache finds which never gives up a block, of the requests that can run."""
    return infinite_hit_rate(_arrivals(scenario)[0], block) * 100


@cachetools.cached(cachetools.LRUCache(8), key=_key, lock=threading.Lock())
def demand(scenario: Scenario) -> Demand:
    """Raises ScenarioError where the workload cannot be drawn."""
    able, too_long = _arrivals(scenario)
    asked = sum(a.prompt_tokens for a in able)
    return Demand(
        len(able), too_long, asked, round(asked * (1 - infinite(scenario, 1) / 100)),
        max((a.final_slots for a in able), default=0), max((a.step for a in able if a.hash_ids), default=0),
    )  # fmt: skip


# ---- what is tried ---------------------------------------------------------------------------------------------------


def own(scenario: Scenario) -> Point:
    """The pool and block size of a scenario :func:`with_cache`."""
    (system,) = scenario.systems
    assert isinstance(system, PagedSystem)
    return (("slots", scenario.slots), ("block_size", system.block_size))


def near(mine: Point, known: Sequence[Point]) -> Point:
    """The point of the picture nearest to the scenario's own."""
    sizes = [float(value) for _, value in mine]
    return min(known, key=lambda p: sum(abs(math.log(float(v) / size)) for (_, v), size in zip(p, sizes, strict=True)))


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


def _power(count: int, up: bool = False) -> int:
    """The power of two that is next to a number, or not below it."""
    at = math.log2(count)
    return int(2 ** (math.ceil(at) if up else round(at)))


def quickest_first(found: list[Task]) -> list[Task]:
    """Large blocks are few: their lines are drawn before the others are run."""
    return sorted(found, key=lambda task: -int(dict(task.point)["block_size"]))
