"""A run that skips ahead is the run that goes one step at a time, event for event."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.engine.drawn import lengths_only
from vizkv.engine import engine
from vizkv.engine.skipping import Ahead
from vizkv.replay.ledgers import ledgers, painted
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict
from vizkv.trace.events import Kind
from vizkv.trace.trace import SystemTrace, Trace

COLUMNS = ("offsets", "kinds", "values", "late", "stranded", "time_s")
MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ran(scenario: Scenario, **how: object) -> Trace:
    try:
        return engine.run(scenario, **how)
    except ScenarioError:  # of two seconds at one request a second none may be left, say
        assume(False)
        raise


def both(scenario: Scenario) -> tuple[Trace, Trace]:
    plain = ran(scenario, plain=True, max_steps=20_000)
    return plain, engine.run(scenario)


def assert_same(plain: SystemTrace, fast: SystemTrace) -> None:
    expanded = fast.expanded()
    for name in COLUMNS:
        assert np.array_equal(getattr(plain, name), getattr(expanded, name)), name
    assert [tuple(t) for t in plain.tokens] == [tuple(t) for t in fast.tokens]
    assert plain.free_order == fast.free_order


@given(lengths_only())
@MANY
def test_skipping_ahead_gives_the_trace_of_the_plain_loop(data):
    plain, fast = both(from_dict(data))
    assert fast.requests == plain.requests
    for one, other in zip(plain.systems, fast.systems, strict=True):
        assert_same(one, other)


@given(lengths_only())
@MANY
def test_a_ledger_that_is_counted_is_the_ledger_that_is_painted(data):
    trace = ran(from_dict(data))
    for system in trace.systems:
        counted, walked = ledgers(system, trace.requests), painted(system, trace.requests)
        for name in counted.__dataclass_fields__:
            assert np.array_equal(getattr(counted, name), getattr(walked, name)), name


PRESSED = {
    "slots": 640, "max_model_len": 400, "model": "none", "max_num_batched_tokens": 256,
    "systems": [{"kind": "paged", "block_size": 8, "watermark": 0.01}],
    "workload": {"rate": 8.0, "duration": 20.0, "warmup": 0.0},
}  # fmt: skip


@pytest.mark.parametrize("recovery", ["recompute", "swap"])
@pytest.mark.parametrize("caching", [False, True], ids=["", "caching"])
def test_it_does_so_where_many_are_preempted(recovery, caching):
    system = PRESSED["systems"][0] | {"recovery": recovery, "prefix_caching": caching}
    plain, fast = both(from_dict(PRESSED | {"systems": [system]}))
    assert (plain.systems[0].kinds == Kind.PREEMPTED).sum() > 20
    assert_same(plain.systems[0], fast.systems[0])


def test_a_span_that_is_cut_before_its_first_step_says_nothing():
    _, fast = both(from_dict(PRESSED))
    assert (fast.systems[0].spans[:, 2] == 0).any()


def test_step_by_step_the_events_are_those_of_the_expanded_trace():
    system = engine.run(from_dict(PRESSED)).systems[0]
    expanded = system.expanded()
    for step in range(system.steps):
        assert list(system.events(step)) == list(expanded.events(step))


def test_a_run_may_be_looked_at_on_its_way():
    """What has happened after n steps is the beginning of what will have happened in the end."""
    scenario = from_dict(PRESSED)
    prepared = engine.prepare(scenario, None)
    under_way, whole = Ahead(scenario, 0, prepared), engine.run(scenario).systems[0].expanded()
    for steps in (1, 1, 40, 3, 500):
        under_way.advance(steps=steps)
        part = under_way.trace().expanded()
        assert part.steps == under_way.step
        end = int(part.offsets[-1])
        assert end == whole.offsets[part.steps]
        assert np.array_equal(part.values, whole.values[:end])
        assert np.array_equal(part.kinds, whole.kinds[:end])


def test_a_system_runs_alone_as_it_runs_beside_others():
    data = PRESSED | {"systems": [{"kind": "contiguous", "reserve": "oracle"}, *PRESSED["systems"]]}
    beside, alone = engine.run(from_dict(data)).systems[1], engine.run(from_dict(PRESSED)).systems[0]
    assert_same(alone.expanded(), beside)


def test_nearly_all_that_happens_is_kept_in_spans():
    system = engine.run(from_dict(PRESSED | {"slots": 4096})).systems[0]
    assert len(system.kinds) < 0.3 * len(system.expanded().kinds)


def test_without_draining_a_run_stops_at_the_end_of_the_arrivals():
    asked = PRESSED["workload"] | {"drain": False}
    system = engine.run(from_dict(PRESSED | {"workload": asked})).systems[0]
    assert system.time_s[-2] < 20 <= system.time_s[-1]
    drained = engine.run(from_dict(PRESSED)).systems[0]
    assert drained.time_s[-1] > 20
    end = system.steps
    assert np.array_equal(system.expanded().values, drained.expanded().values[: drained.expanded().offsets[end]])
