"""A window of a run shows what the whole run shows at the same steps; of a workload, all systems at the same second."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.drawn import lengths_only
from tests.views.test_ops import Books, kept
from tests.views.test_payload import painted
from vizkv import replay
from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.scenario.schema import ScenarioError, from_dict
from vizkv.views.payload import pack as payload
from vizkv.views.payload import window as windows
from vizkv.views.payload.pack import View
from vizkv.views.payload.window import Window

WORKLOAD = {
    "slots": 4096, "max_model_len": 1024, "model": "none",
    "systems": [
        {"kind": "contiguous"},
        {"kind": "contiguous", "reserve": "oracle"},
        {"kind": "paged", "block_size": 16},
    ],
    "workload": {"rate": 6.0, "duration": 30.0, "warmup": 0.0, "drain": False},
}  # fmt: skip
PER_STEP = ("stranded", "waiting", "sentence_online", "sentence_hindsight", "refusal")


def opened(trace, window=None, panels=()):
    return payload.unpack(payload.open_at(payload.pack(trace, messages(), panels=panels, window=window), View()))[1:]


def told(header, arrays, system, name, frame):
    """An entry of a column, as the reader sees it."""
    value = int(arrays[f"{system}/{name}"][frame])
    if name == "refusal":
        entry = header["refusals"][value] if value >= 0 else None
        return entry and {k: v for k, v in entry.items() if k not in ("text", "request")} | {
            "request": header["requests"][entry["request"]]["id"]
        }
    tables = {"waiting": "waits", "sentence_online": "sentences", "sentence_hindsight": "sentences"}
    return header[tables[name]][value] if name in tables else value


def owners(header, arrays, system, slots, frame):
    """The id of each slot's owner and its position there."""
    seen = np.full((slots, 2), -2, np.int64)
    for i in range(arrays[f"{system}/offsets"][frame + 1]):
        start, length = arrays[f"{system}/start"][i], arrays[f"{system}/length"][i]
        owner, position = arrays[f"{system}/owner"][i], arrays[f"{system}/position"][i]
        seen[start : start + length, 0] = header["requests"][owner]["index"] if owner >= 0 else -1
        seen[start : start + length, 1] = position + np.arange(length) if position >= 0 else -1
    return seen.tolist()


@settings(max_examples=30, deadline=None)
@given(scenario=lengths_only(), ends=st.tuples(st.floats(0, 1), st.floats(0, 1)), data=st.data())
def test_a_windows_frames_are_those_of_the_whole(scenario, ends, data):
    try:
        trace = engine.run(from_dict(scenario))
    except ScenarioError:
        return
    first, last = sorted(int(share * trace.steps) for share in ends)
    (whole, all_arrays), (part, arrays) = opened(trace), opened(trace, Window(first, last + 1))
    assert (part["first"], part["steps"], part["total"]) == (first, last + 1 - first, whole["steps"])
    frame = data.draw(st.integers(0, last - first))
    for index, system in enumerate(trace.systems):
        codes = painted(arrays, index, system.slots, frame)
        assert (codes == painted(all_arrays, index, system.slots, first + frame)).all()
        assert owners(part, arrays, index, system.slots, frame) == owners(
            whole, all_arrays, index, system.slots, first + frame
        )
        for name in PER_STEP:
            if name == "refusal" and first + frame > system.steps:
                continue
            here, there = (told(whole, all_arrays, index, name, first + frame), told(part, arrays, index, name, frame))
            assert here == there, name
    inside = [(e["step"] - first, e["text"]) for e in whole["events"] if first <= e["step"] <= last]
    assert [(e["step"], e["text"]) for e in part["events"]] == inside


@pytest.fixture(scope="module")
def busy():
    return engine.run(from_dict(WORKLOAD))


@pytest.mark.parametrize("lead", [0, 1, 2])
def test_in_a_workload_every_system_stands_where_it_stood_at_that_second(busy, lead):
    leader = busy.systems[lead]
    step = windows.at_second(leader, 20.0)
    window = windows.around(busy, step, lead, width=60)
    header, arrays = opened(busy, window)
    assert header["lead"] == lead and header["total"] == leader.steps + 1
    assert arrays[f"{lead}/step"].tolist() == list(range(window.first, window.last))
    apart = set()
    for frame in (0, 17, step - window.first, 59):
        second = leader.time_s[window.first + frame]
        for index, system in enumerate(busy.systems):
            own = int(arrays[f"{index}/step"][frame])
            assert system.time_s[own] <= second < system.time_s[own + 1]
            assert arrays[f"{index}/time_s"][frame] == system.time_s[own]
            seen = painted(arrays, index, system.slots, frame)
            assert (seen == replay.at(system, busy.requests, own).codes()).all()
            apart.add(own - window.first - frame)
    assert len(apart) > 2  # their clocks do run at different speeds


def test_the_books_of_a_window_are_those_of_its_steps(busy):
    window = windows.around(busy, windows.at_second(busy.systems[0], 25.0), 0, width=40)
    _, arrays = opened(busy, window, panels=("table", "queue"))
    books, rows, offsets = Books(), arrays["2/ops"].reshape(-1, 4), arrays["2/op_offsets"]
    for frame in range(40):
        for row in rows[offsets[frame] : offsets[frame + 1]].tolist():
            books.apply(*row)
        assert books.seen() == kept(replay.at(busy.systems[2], busy.requests, int(arrays["2/step"][frame])))


def test_who_was_refused_before_a_window_is_still_refused_in_it(busy):
    system = busy.systems[0]
    whole, all_arrays = opened(busy)
    refusal = all_arrays["0/refusal"][: system.steps]
    # a step whose refusal was told long before
    step = next(s for s in range(50, system.steps) if refusal[s] >= 0 and (refusal[s - 30 : s + 1] == refusal[s]).all())
    part, arrays = opened(busy, Window(step, step + 5))
    assert told(part, arrays, 0, "refusal", 0) == told(whole, all_arrays, 0, "refusal", step)
    at = part["refusals"][int(arrays["0/refusal"][0])]
    assert at["text"] == whole["refusals"][int(refusal[step])]["text"]


def test_a_window_tells_only_of_requests_that_it_has_to_do_with(busy):
    header, arrays = opened(busy, windows.around(busy, 300, 0, width=50))
    assert 0 < len(header["requests"]) < len(busy.requests) / 2
    assert max(arrays[f"{i}/owner"].max() for i in range(3)) < len(header["requests"])


@given(steps=st.integers(1, 5000), step=st.integers(-5, 6000), width=st.integers(1, 400))
def test_a_window_is_within_the_run_and_around_the_step(steps, step, width):
    class Run:
        pass

    run = Run()
    run.steps = steps
    window = windows.around(run, step, width=width)
    assert 0 <= window.first < window.last <= steps + 1
    assert window.last - window.first == min(width, steps + 1)
    assert min(max(step, 0), steps) in window
