"""Any step of a run may be reached without painting those before it."""

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.engine.drawn import lengths_only
from vizkv.engine import engine
from vizkv.scenario.schema import ScenarioError, from_dict
from vizkv.systems import registry
from vizkv.trace.trace import Trace

FACTS = (
    "step", "live", "waiting", "free_queue", "references", "cached", "holders", "swapped", "cpu_references",
    "repointed", "spots", "contents", "counts", "scheduled", "hits", "preempted", "finished", "events",
)  # fmt: skip
GROUPS = {
    "slots": 96, "max_model_len": 64, "model": "none",
    "systems": [{"kind": "paged", "block_size": 4, "recovery": recovery, "prefix_caching": caching, "name": name}
                for name, recovery, caching in (("a", "recompute", False), ("b", "swap", True))],
    "requests": [
        {"prompt_tokens": 9, "output_tokens": 20, "samples": 3},
        {"prompt_tokens": 10, "output_tokens": 15, "arrival_step": 3},
        {"prompt_tokens": 5, "output_tokens": 25, "samples": 2, "arrival_step": 4},
    ],
    "actions": [{"step": 6, "do": "shuffle"}, {"step": 9, "do": "repoint", "request": "B", "index": 0, "block": 1}],
}  # fmt: skip


def assert_reached(trace: Trace, steps: list[float]) -> None:
    for system in trace.systems:
        for step in {int(share * system.steps) for share in steps}:
            walked, sought = registry.replay(system, trace.requests), registry.replay(system, trace.requests)
            while walked.step < step:
                walked.advance()
            sought.skip_to(step)
            sought.advance()
            for name in FACTS:
                assert getattr(sought, name, None) == getattr(walked, name, None), (name, step)
            assert list(sought.live) == list(walked.live)
            assert (sought.codes() == walked.codes()).all()
            painted = [None] * system.slots
            for run in sought.runs:
                painted[run.start : run.start + run.length] = [run.code] * run.length
            assert None not in painted


@given(lengths_only(), st.lists(st.floats(0, 1), min_size=1, max_size=4))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_step_that_is_sought_is_the_step_that_is_walked_to(data, steps):
    try:
        trace = engine.run(from_dict(data))
    except ScenarioError:  # of two seconds at one request a second none may be left
        assume(False)
        raise
    assert_reached(trace, steps)


def test_it_is_so_where_blocks_are_shared_swapped_and_moved_by_hand():
    assert_reached(engine.run(from_dict(GROUPS)), [i / 30 for i in range(31)])
