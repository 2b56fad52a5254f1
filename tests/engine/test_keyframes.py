"""Whoever seeks in a run again begins where somebody has been before, and finds the same."""

import gc

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.drawn import lengths_only
from tests.engine.test_seeking import GROUPS, assert_reached
from vizkv.engine import engine
from vizkv.replay import walk
from vizkv.scenario.schema import ScenarioError, from_dict
from vizkv.systems.base import keyframes


@given(lengths_only(), st.lists(st.floats(0, 1), min_size=2, max_size=6))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_step_sought_from_a_keyframe_is_the_step_that_is_walked_to(data, steps):
    every, keyframes.EVERY = keyframes.EVERY, 5
    try:
        trace = engine.run(from_dict(data))
        for share in steps:  # one after another: each leaves keyframes to the next
            assert_reached(trace, [share])
    except ScenarioError:
        return
    finally:
        keyframes.EVERY = every


def test_it_is_so_where_blocks_are_shared_swapped_and_moved_by_hand(monkeypatch):
    monkeypatch.setattr(keyframes, "EVERY", 3)
    trace = engine.run(from_dict(GROUPS))
    for i in (30, 12, 29, 3, 17, 0):
        assert_reached(trace, [i / 30])


def test_the_steps_of_a_piece_are_those_of_the_whole_walk():
    trace = engine.run(from_dict(GROUPS))
    for system in trace.systems:
        whole = [(r.events, r.booked()) for r in walk(system, trace.requests, closing=True)]
        piece = [(r.events, r.booked()) for r in walk(system, trace.requests, closing=True, first=7, last=15)]
        assert piece == whole[7:15]


def test_keyframes_go_with_their_trace(monkeypatch):
    monkeypatch.setattr(keyframes, "EVERY", 3)
    trace = engine.run(from_dict(GROUPS))
    assert_reached(trace, [1.0])
    mine = {id(system) for system in trace.systems}
    assert mine <= set(keyframes._keyframes)
    del trace
    gc.collect()
    assert not mine & set(keyframes._keyframes)


def test_a_system_has_no_more_keyframes_than_it_may(monkeypatch):
    monkeypatch.setattr(keyframes, "EVERY", 1)
    monkeypatch.setattr(keyframes, "MOST", 4)
    trace = engine.run(from_dict(GROUPS))
    assert_reached(trace, [1.0])
    assert all(0 < len(keyframes._keyframes[id(system)]) <= 4 for system in trace.systems)
