"""The public library: ``import vizkv``."""

import subprocess
import sys
from html import unescape
from inspect import getdoc

import pytest

import vizkv
from vizkv.replay.ledgers import ledgers
from vizkv.scenario import schema

HEAVY = ("torch", "numpy", "pandas", "plotly", "streamlit", "pydantic")
SMALL = {
    "slots": 64, "max_model_len": 32, "model": "none",
    "systems": [{"kind": "contiguous", "name": "Max"}, {"kind": "paged", "name": "Paged", "block_size": 4}],
    "requests": [
        {"id": "A", "prompt_tokens": 5, "output_tokens": 3}, {"id": "B", "prompt_tokens": 3, "output_tokens": 6},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def run():
    return vizkv.run(SMALL)


def test_the_public_names_are_these():
    assert vizkv.__all__ == [
        "BlockManager", "HardwareError", "OwnSystemError", "Placement", "Request", "Run", "RunError", "Scenario",
        "ScenarioError", "State", "TraceError", "__version__", "hardware", "load", "run", "sweep",
    ]  # fmt: skip
    assert all(getdoc(getattr(vizkv, name)) for name in vizkv.__all__)
    assert set(vizkv.__all__) <= set(dir(vizkv))


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="'vizkv' has no attribute 'nothing'"):
        _ = vizkv.nothing


def test_importing_the_package_imports_nothing_heavy():
    code = f"import vizkv, sys; print([name for name in {HEAVY} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("first", ["vizkv.sweep", "vizkv.run"])
def test_a_function_is_no_module_whatever_was_imported_before(first):
    code = f"import vizkv.sweeps.work, vizkv.cli.runs, vizkv; print(callable({first}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "True"


def test_a_scenario_is_loaded_from_an_id_a_file_a_dict_and_itself(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(schema.to_toml(vizkv.load("pow2-513")), encoding="utf-8")
    given = vizkv.load("pow2-513")
    assert vizkv.load(file) == vizkv.load(str(file)) == vizkv.load(given) == given
    assert vizkv.load(SMALL) == schema.from_dict(SMALL)


@pytest.mark.parametrize(
    ("source", "said"),
    [("nonsense", "The example 'nonsense' is unknown"), ("none.toml", "'none.toml'"), (7, "The scenario is int"),
     ({"slots": -1}, "slots")],
)  # fmt: skip
def test_a_source_that_is_no_scenario_gets_a_sentence(source, said):
    with pytest.raises(vizkv.ScenarioError, match=said):
        vizkv.load(source)


def test_a_step_has_a_ledger_that_adds_up_to_the_pool(run):
    for step in range(run.steps):
        for lens in ("online", "hindsight"):
            for accounting in ("textbook", "paper"):
                assert {sum(booked.values()) for booked in run.ledger(step, lens, accounting).values()} == {64}


def test_the_frame_has_the_ledger_of_every_step(run):
    frame = run.to_frame("online", "paper")
    assert list(frame.columns[:4]) == ["system", "step", "time_s", "batched"]
    for row in frame.to_dict("records"):
        assert run.ledger(row["step"], "online", "paper")[row["system"]] == {
            name: row[name] for name in ("used", "reserved", "internal", "external", "free")
        }
    assert len(frame) == sum(ledgers(system, run._trace.requests).steps for system in run._trace.systems)


def test_a_state_has_block_tables_the_free_queue_and_references(run):
    state = run.at(0)["Paged"]
    assert state.block_tables == {"A": [0, 1], "B": [2]}
    assert state.free_queue == list(range(3, 16))
    assert state.references == {0: 1, 1: 1, 2: 1}
    assert (state.running, state.waiting) == (("A", "B"), ())
    assert run.at(0)["Max"].block_tables == {}
    assert run.events(0)["Paged"][0] == {"kind": "arrived", "request": "A"}


def test_where_layers_fall_into_groups_a_request_has_a_table_for_each():
    given = SMALL | {"systems": [{"kind": "paged", "block_size": 4, "num_blocks": 24, "groups": [
        {"kind": "full"}, {"kind": "sliding", "window": 8}]}]}  # fmt: skip
    (state,) = vizkv.run(given).at(0).values()
    assert [len(table) for table in state.block_tables["A"]] == [2, 2]


@pytest.mark.parametrize("step", [-1, 10**6, "1", 1.0, True])
def test_a_step_that_the_run_does_not_have_gets_a_sentence(run, step):
    for ask in (run.ledger, run.at, run.events, run.figure):
        with pytest.raises(vizkv.RunError, match=r"valid is 0 to \d+\."):
            ask(step)


@pytest.mark.parametrize("wrong", [{"lens": "x"}, {"accounting": "x"}, {"theme": "x"}, {"format": "bmp"},
                                   {"language": "fr"}])  # fmt: skip
def test_a_word_that_a_figure_does_not_know_gets_a_sentence(run, wrong):
    with pytest.raises(vizkv.RunError, match=f"The {next(iter(wrong))} is "):
        run.figure(0, **wrong)


def test_a_run_is_saved_and_read(run, tmp_path):
    run.save(tmp_path / "run.vizkv")
    again = vizkv.Run.read(tmp_path / "run.vizkv")
    assert again.summary() == run.summary() and again.scenario == run.scenario
    (tmp_path / "broken.vizkv").write_bytes(b"no trace")
    with pytest.raises(vizkv.TraceError):
        vizkv.Run.read(tmp_path / "broken.vizkv")


def test_a_figure_has_the_format_of_its_path(run, tmp_path):
    for suffix, begins in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        path = tmp_path / f"step.{suffix}"
        assert run.figure(2, path=path, theme="dark", language="zh") == path.read_bytes()
        assert path.read_bytes().startswith(begins)


def test_a_notebook_shows_the_player_and_a_line_for_a_run_that_is_too_long(run, monkeypatch):
    shown = run._repr_html_()
    assert shown.startswith("<iframe") and "<!doctype html" in unescape(shown).lower()
    monkeypatch.setattr("vizkv.api.runs._NOTEBOOK_STEPS", 1)
    assert run._repr_html_() == "&lt;vizkv.Run &#x27;&#x27;, steps: 6, requests: 2, systems: Max, Paged&gt;"


def test_a_sweep_has_a_row_for_each_system_point_and_seed():
    told = []
    frame = vizkv.sweep(SMALL, {"block_size": [2, 4]}, jobs=1, progress=lambda *now: told.append(now))
    assert set(frame["block_size"]) == {2, 4} and not frame["problem"].any()
    assert told[-1][0] == told[-1][1] == len(frame)
    assert vizkv.sweep(SMALL, {"block_size": "2,4"}, jobs=1).equals(frame)
    with pytest.raises(vizkv.ScenarioError):
        vizkv.sweep(SMALL, {"nonsense": [1]})


def test_hardware_has_the_sizes_of_a_configuration():
    config = {"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32,
              "num_key_value_heads": 8, "vocab_size": 128256, "intermediate_size": 14336}  # fmt: skip
    assert vizkv.hardware(config)["bytes_per_token"] == 131_072
    with pytest.raises(vizkv.HardwareError):
        vizkv.hardware({"model_type": "mamba"})


def test_progress_is_told_and_may_end_a_run():
    told = []
    vizkv.run("pow2-513", progress=lambda *now: told.append(now))
    assert told and all(0 <= done <= total for done, total in told)
