"""Sweeps that take a moment: Figure 2's workload for some seconds."""

from vizkv.scenario.schema import from_dict
from vizkv.sweeps import parse_axis, points
from vizkv.sweeps.store import Store

SYSTEMS = [
    {"kind": "contiguous", "reserve": "max"},
    {"kind": "contiguous", "reserve": "oracle"},
    {"kind": "paged", "name": "vLLM", "watermark": 0.01},
]


def scenario(systems=SYSTEMS, duration=20.0, **changes):
    return from_dict(
        {
            "slots": 15728,
            "model": "none",
            "systems": systems,
            "workload": {"duration": duration, "warmup": 5.0, "drain": False},
        }
        | changes
    )


def tasks(*axes, seeds=1, **changes):
    return points(scenario(**changes), [parse_axis(axis) for axis in axes], seeds)


def forgetful():
    """A store that knows nothing yet, and keeps what it learns to itself."""
    return Store(None)


def told(found):
    """Outcomes by (system, point, seed)."""
    return {(task.index, task.point, task.seed): outcome for task, outcome in found}
