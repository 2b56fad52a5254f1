"""What a person types into the table or uploads: it runs, or there is one sentence."""

from dataclasses import replace

import pandas as pd
import pytest

from vizkv.engine import engine
from vizkv.limits import limits
from vizkv.messages.catalogue import messages
from vizkv.scenario import schema as scenario
from vizkv.scenario.presets import list_presets
from vizkv.scenario.schema import ScenarioError
from vizkv.trace import trace as traces
from vizkv.trace.events import Kind
from vizkv.trace.trace import TraceError
from vizkv.ui import link
from vizkv.ui.memory import files, requests_table
from vizkv.ui.player import runs

FIELDS = ["id", "prompt", "prompt_tokens", "output_tokens", "final_slots", "arrival_step"]


@pytest.fixture
def state(monkeypatch):
    first = list_presets()[0]
    opened = link.Open(first, first.scenario)
    monkeypatch.setattr(link, "current", lambda: opened)
    return opened


def table(*rows):
    return pd.DataFrame([dict.fromkeys(FIELDS) | r for r in rows], columns=FIELDS)


def merged(*rows):
    return requests_table.merged(table(*rows), list_presets()[0].scenario, messages())


def test_a_row_is_a_request():
    assert merged({"id": "A", "prompt": "Hello", "output_tokens": 3.0}) == [
        {"id": "A", "prompt": "Hello", "output_tokens": 3}
    ]


def test_an_empty_row_is_no_request():
    assert merged({}, {"arrival_step": 0}) == []


def test_half_a_token_is_a_sentence():
    with pytest.raises(ScenarioError, match=r"Row 1 of the requests: output_tokens is 2.5"):
        merged({"prompt": "x", "output_tokens": 2.5})


def test_the_preset_goes_through_the_table_unchanged():
    for preset in list_presets():
        rows = requests_table.merged(requests_table._rows(preset.scenario), preset.scenario, messages())
        data = scenario.to_dict(preset.scenario) | {"requests": rows}
        assert scenario.from_dict(data) == preset.scenario


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("a.toml", b"slots = -3", ScenarioError),
        ("a.toml", b"", ScenarioError),
        ("cat.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ScenarioError),
        ("menu.toml", b"name = 'Caf\xe9'", ScenarioError),
        ("a.vizkv", b"not a trace", TraceError),
        ("a.vizkv", b"PK\x03\x04", TraceError),
    ],
)
def test_a_file_that_cannot_be_read_leaves_everything_as_it_was(state, name, data, error):
    before = (state.scenario, state.saved)
    with pytest.raises(error):
        files.open_file(name, data)
    assert (state.scenario, state.saved) == before


def test_a_saved_trace_opens(state):
    preset = next(p for p in list_presets() if p.id == "pow2-513")
    trace = engine.run(preset.scenario.model_copy(update={"model": "none"}))
    files.open_file("x.vizkv", traces.save(trace))
    assert state.saved is not None and state.saved.steps == trace.steps


def test_a_saved_scenario_opens(state):
    preset = next(p for p in list_presets() if p.id == "pow2-513")
    files.open_file("x.toml", scenario.to_toml(preset.scenario).encode())
    assert state.scenario == preset.scenario


@pytest.mark.parametrize(
    "written", [lambda b: b"\xef\xbb\xbf" + b, lambda b: b.replace(b"\n", b"\r\n")], ids=["mark", "crlf"]
)
def test_a_scenario_that_an_editor_of_windows_wrote_opens(state, written):
    preset = next(p for p in list_presets() if p.id == "pow2-513")
    files.open_file("x.toml", written(scenario.to_toml(preset.scenario).encode()))
    assert state.scenario == preset.scenario


def test_a_file_that_is_too_large_for_a_scenario_is_not_read_half(state):
    before = state.scenario
    text = scenario.to_toml(list_presets()[3].scenario) + "# " + "x" * limits.MAX_SCENARIO_UPLOAD
    with pytest.raises(ScenarioError, match=r"'x.toml' is larger than 2097152 bytes"):
        files.open_file("x.toml", text.encode())
    assert state.scenario == before


def test_two_visitors_with_a_trace_each_see_their_own(state):
    one, two = (engine.run(preset.scenario.model_copy(update={"model": "none"})) for preset in list_presets()[3:5])
    keys, pools = [], []
    for trace in (one, two):
        files.open_file("x.vizkv", traces.save(trace))
        state.edition = 1  # as in a session that has just opened its first file
        keys.append(state.saved_key)
        pools.append(runs.Run(state.saved, state.saved_key, state.preset, "en").packed)
    assert keys[0] != keys[1] and pools[0] != pools[1]


def test_a_trace_whose_events_contradict_each_other_gets_a_sentence(state):
    trace = engine.run(list_presets()[3].scenario.model_copy(update={"model": "none"}))
    system = trace.systems[0]
    values = system.values.copy()
    values[system.kinds == Kind.ADMITTED, 1] = system.slots  # admitted behind the end of the pool
    broken = replace(trace, systems=(replace(system, values=values), *trace.systems[1:]))
    with pytest.raises(TraceError, match="contradict each other"):
        files.open_file("x.vizkv", traces.save(broken))
    assert state.saved is None


def test_a_trace_of_a_pool_that_a_page_cannot_draw_gets_a_sentence(state):
    first = list_presets()[3].scenario.model_copy(update={"model": "none", "slots": 2**17})
    with pytest.raises(TraceError, match="131,072 slots in a system; at most 65,536 are taken in"):
        files.open_file("x.vizkv", traces.save(engine.run(first)))
    assert state.saved is None


def test_a_trace_that_cannot_be_drawn_gets_a_sentence(state, monkeypatch):
    def undrawable(*_):
        raise KeyError("a request that never came")  # whatever no check has foreseen

    monkeypatch.setattr(runs, "Run", undrawable)
    trace = engine.run(list_presets()[3].scenario.model_copy(update={"model": "none"}))
    with pytest.raises(TraceError, match="damaged"):
        files.open_file("x.vizkv", traces.save(trace))
    assert state.saved is None
