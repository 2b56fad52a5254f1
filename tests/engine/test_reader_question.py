"""The question that this tool answers, as numbers (SPEC 5)."""

import pytest

from vizkv import replay
from vizkv.engine import engine
from vizkv.scenario import schema as scenario
from vizkv.trace.slots import ledger


def run(**request):
    """One request in a pool of 2,048 slots, in the five systems; lengths only."""
    contiguous = {"kind": "contiguous", "placement": "first-fit", "unit": 1}
    return engine.run(
        scenario.from_dict(
            {
                "slots": 2048,
                "model": "none",
                "systems": [
                    contiguous | {"reserve": "max"},
                    contiguous | {"reserve": "pow2-total"},
                    contiguous | {"reserve": "oracle"},
                    contiguous | {"reserve": "multiple", "multiple": 3},
                    {"kind": "paged", "block_size": 16},
                ],
                "requests": [{"id": "A", "prompt_tokens": 7} | request],
            }
        )
    )


def ledger_at(trace, written, lens, system=0):
    step = written - 7
    return ledger(replay.at(trace.systems[system], trace.requests, step).booked(), lens)


def booked(**states):
    return dict.fromkeys(("used", "reserved", "internal", "rounding", "stranded", "free"), 0) | states


@pytest.mark.parametrize(
    ("written", "online", "hindsight"),
    [
        (100, booked(used=100, reserved=1948), booked(used=100, reserved=400, internal=1548)),
        (300, booked(used=300, reserved=1748), booked(used=300, reserved=200, internal=1548)),
        (499, booked(used=499, reserved=1549), booked(used=499, reserved=1, internal=1548)),
        (500, booked(used=500, internal=1548), booked(used=500, internal=1548)),
    ],
)
def test_2048_slots_and_it_stops_at_500(written, online, hindsight):
    trace = run(final_slots=500)
    assert ledger_at(trace, written, "online") == online
    assert ledger_at(trace, written, "hindsight") == hindsight


def test_the_one_becomes_the_other_at_the_moment_it_finishes_and_is_then_released():
    trace = run(final_slots=500)
    last = trace.systems[0].steps - 1
    assert last == 493
    states = [replay.at(trace.systems[0], trace.requests, s) for s in (last - 1, last, last + 1)]
    assert [ledger(s.booked(), "online")["internal"] for s in states] == [0, 1548, 0]
    assert ledger(states[2].booked(), "online") == booked(free=2048)


def test_it_ends_at_1500_instead():
    trace = run(final_slots=1500)
    assert ledger_at(trace, 1500, "online") == booked(used=1500, internal=548)


def test_pow2_of_the_whole_513_becomes_1024_with_511_internal():
    trace = run(final_slots=513)
    assert ledger_at(trace, 513, "online", system=1) == booked(used=513, internal=511, free=1024)


def test_a_multiple_of_3_makes_514_to_516_with_2_internal():
    trace = run(final_slots=514)
    assert ledger_at(trace, 514, "online", system=3) == booked(used=514, internal=2, free=2048 - 516)


def test_500_slots_are_32_blocks_of_16_with_12_slots_over():
    trace = run(final_slots=500)
    state = replay.at(trace.systems[4], trace.requests, 493)
    assert len(state.live[0].block_table) == 32
    assert ledger(state.booked(), "online") == booked(used=500, internal=12, free=2048 - 512)


def test_the_oracle_wastes_nothing_inside():
    trace = run(final_slots=500)
    assert ledger_at(trace, 300, "hindsight", system=2) == booked(used=300, reserved=200, free=1548)
