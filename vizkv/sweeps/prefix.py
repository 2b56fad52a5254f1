"""The sweep of the prefix cache: prompts, pool sizes around their working set, and the highest possible hit rate."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import cachetools

from vizkv import workload
from vizkv.limits import kept
from vizkv.messages.sentence import told
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict, to_dict
from vizkv.sweeps.axes import Axis
from vizkv.sweeps.tasks import Point, Task, key_of
from vizkv.systems.base.parts import MAX_SLOTS
from vizkv.workload import Arrival, infinite_hit_rate, uploads

SIZES = "16,64,256,512"
_LEAST, _MOST = 1 / 16, 4  # smallest and largest pool, as a multiple of the working set
_ARRIVALS_BYTES = 256 << 20
_FACTOR = 64  # at most, between the smallest and the largest pool


@dataclass(frozen=True)
class Demand:
    """How much memory the prompts of a workload need, over the requests that can ever run; in tokens.

    ``fresh``: the working set, each shared prefix counted once. ``longest``: slots of the longest request. ``step``:
    tokens per content hash, 0 if the prompts have none. ``too_long``: number of requests that can never run.
    """

    requests: int
    too_long: int
    prompt_tokens: int
    fresh: int
    longest: int
    step: int


def with_cache(scenario: Scenario) -> Scenario:
    """Return the scenario with one system that has a prefix cache, and no model.

    Raises ScenarioError without a workload.
    """
    if scenario.workload is None:
        raise ScenarioError(
            told("The scenario has no [workload]; valid is one with a [workload], whose prompts share something.")
        )
    data = to_dict(scenario)
    able = [i for i, s in enumerate(scenario.systems) if s.can_cache]
    system = dict(data["systems"][able[0]]) if able else {"kind": "paged"}
    for field in ("name", "free_order"):
        system.pop(field, None)
    data.pop("actions", None)
    return from_dict(data | {"model": "none", "systems": [system | {"prefix_caching": True}]})


# ---- the working set and the highest hit rate ------------------------------------------------------------------------


def _key(scenario: Scenario, *more: int) -> tuple[object, ...]:
    assert scenario.workload is not None
    if scenario.workload.is_upload:
        uploads.path(scenario.workload.lengths)  # raises if the file was removed since the result was cached
    return (key_of(to_dict(scenario)), *more)


@kept.cached(_ARRIVALS_BYTES, key=_key)
def _arrivals(scenario: Scenario) -> tuple[tuple[Arrival, ...], int]:
    """Return (the requests that can run, the number of those that never can)."""
    assert scenario.workload is not None
    arrivals = workload.draw(scenario.workload, scenario)
    able = tuple(a for a in arrivals if a.final_slots <= min(scenario.max_model_len, MAX_SLOTS))
    return able, len(arrivals) - len(able)


@cachetools.cached(cachetools.LRUCache(256), key=_key, lock=threading.Lock())
def infinite(scenario: Scenario, block: int) -> float:
    """Return the hit rate of a cache that never evicts, in percent of the prompt tokens. ``block``: slots per block."""
    return infinite_hit_rate(_arrivals(scenario)[0], block) * 100


@cachetools.cached(cachetools.LRUCache(8), key=_key, lock=threading.Lock())
def demand(scenario: Scenario) -> Demand:
    """Return how much memory the prompts of a workload need. Raises ScenarioError if it cannot be drawn."""
    able, too_long = _arrivals(scenario)
    prompt_tokens = sum(a.prompt_tokens for a in able)
    return Demand(
        len(able), too_long, prompt_tokens, round(prompt_tokens * (1 - infinite(scenario, 1) / 100)),
        max((a.final_slots for a in able), default=0), max((a.step for a in able if a.hash_ids), default=0),
    )  # fmt: skip


# ---- the points of the sweep -----------------------------------------------------------------------------------------


def own(scenario: Scenario) -> Point:
    """Return the point of the scenario itself: its pool and block size. ``scenario``: from :func:`with_cache`."""
    (system,) = scenario.systems
    return (("slots", scenario.slots), ("block_size", system.block))


def near(mine: Point, known: Sequence[Point]) -> Point:
    """Return the point of ``known`` that is nearest to ``mine``, by the ratios of their values."""
    sizes = [float(value) for _, value in mine]
    return min(known, key=lambda p: sum(abs(math.log(float(v) / size)) for (_, v), size in zip(p, sizes, strict=True)))


def grid(pools: Axis, sizes: Axis) -> list[Point]:
    """Return all points, ordered by pool, then by block size."""
    return [(("slots", n), ("block_size", b)) for n in pools.values for b in sizes.values]


def ready_pools(scenario: Scenario) -> str:
    """Return the suggested pool sizes as text: powers of two around the working set, and the scenario's own pool.

    They range from a sixteenth to four times the working set; each holds the longest request and is at most MAX_SLOTS.
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
    """Return the power of two nearest to a number; with ``up``, the smallest that is not below it."""
    at = math.log2(count)
    return int(2 ** (math.ceil(at) if up else round(at)))


def quickest_first(found: list[Task]) -> list[Task]:
    """Order tasks by block size, the largest first: they have the fewest blocks and finish soonest."""
    return sorted(found, key=lambda task: -int(dict(task.point)["block_size"]))
