"""The browser is given what the trace says, packed and painted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizkv import replay
from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.scenario import schema as scenario
from vizkv.trace.slots import CATEGORIES, Code, category_of
from vizkv.views.payload import pack as payload
from vizkv.views.payload.pack import Moment, View


@pytest.fixture(scope="module")
def trace():
    return engine.run(
        scenario.from_dict(
            {
                "slots": 512,
                "max_model_len": 256,
                "model": "none",
                "systems": [
                    {"kind": "contiguous"},
                    {"kind": "contiguous", "reserve": "oracle", "unit": 1},
                    {"kind": "paged"},
                ],
                "requests": [{"prompt_tokens": 20 + 30 * i, "output_tokens": 60 - 9 * i} for i in range(5)],
            }
        )
    )


@pytest.fixture(scope="module")
def unpacked(trace):
    return payload.unpack(payload.open_at(payload.pack(trace, messages(), "Where?", [Moment("half", 7)]), View(step=3)))


def painted(arrays, system, slots, step):
    """What the browser does: lay the runs of all steps up to this one over each other."""
    codes = np.full(slots, 255, np.uint8)
    offsets = arrays[f"{system}/offsets"]
    for i in range(offsets[step + 1]):
        start, length = arrays[f"{system}/start"][i], arrays[f"{system}/length"][i]
        codes[start : start + length] = arrays[f"{system}/code"][i]
    if arrays[f"{system}/stranded"][step]:
        codes[codes == Code.FREE] = Code.STRANDED
    return codes


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_laying_the_runs_over_each_other_gives_the_slots_of_the_step(trace, unpacked, data):
    _, _, arrays = unpacked
    system = data.draw(st.integers(0, len(trace.systems) - 1))
    step = data.draw(st.integers(0, trace.systems[system].steps))
    codes = painted(arrays, system, 512, step)
    assert (codes == replay.at(trace.systems[system], trace.requests, step).codes()).all()
    counts = arrays[f"{system}/counts"].reshape(-1, len(Code))[step]
    assert (np.bincount(codes, minlength=len(Code)) == counts).all()


def test_a_system_that_is_done_earlier_stays_empty(trace, unpacked):
    _, header, arrays = unpacked
    assert header["steps"] == trace.steps + 1
    for system in range(3):
        assert len(arrays[f"{system}/offsets"]) == header["steps"] + 1
        assert (painted(arrays, system, 512, trace.steps) == Code.FREE).all()


def test_the_lookup_is_that_of_the_ledger(unpacked):
    _, header, _ = unpacked
    for lens, by_accounting in header["lookup"].items():
        for accounting, table in by_accounting.items():
            for code in Code:
                assert header["categories"][table[code]] == category_of(code, lens, accounting)
    assert header["categories"] == list(CATEGORIES)


def test_every_step_has_a_sentence_in_both_lenses(unpacked):
    _, header, arrays = unpacked
    for lens in ("online", "hindsight"):
        for name in ("all", "0", "1", "2"):
            assert arrays[f"{name}/sentence_{lens}"].min() > 0
            assert arrays[f"{name}/sentence_{lens}"].max() < len(header["sentences"])


def test_the_view_changes_without_packing_again(trace):
    packed = payload.pack(trace, messages())
    one, two = (payload.open_at(packed, View(step=s)) for s in (1, 2))
    assert payload.unpack(one)[0]["trace"] == payload.unpack(two)[0]["trace"]
    assert payload.unpack(two)[0]["step"] == 2


def test_events_are_in_order_and_name_what_happened(unpacked):
    _, header, _ = unpacked
    steps = [e["step"] for e in header["events"]]
    assert steps == sorted(steps)
    assert {"admission", "finish", "block", "refusal"} <= {e["kind"] for e in header["events"]}
    assert header["moments"] == [{"label": "half", "step": 7}]
