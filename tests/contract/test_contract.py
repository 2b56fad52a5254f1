"""What `vizkv run --json` prints is what the specification says, by a checker that shares no code with the program."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.checker import check
from tests.contract.program import lines_of


def is_plain(file: Path) -> bool:
    """Whether an example has one sequence a request and recovers by computing again: what the checker replays.

    The checker knows vLLM V1's rules; several sequences and swapping are the paper's, and have tests of their own.
    Workloads too: see test_workload_contract.py.
    """
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    several = any(request.keys() & {"samples", "beam_width", "branches"} for request in data.get("requests", ()))
    return "requests" in data and not several and all(s.get("recovery") != "swap" for s in data["systems"])


FOLDER = Path(__file__).parents[2] / "vizkv" / "scenario" / "presets"
PRESETS = [file for file in sorted(FOLDER.glob("*.toml")) if is_plain(file)]


@st.composite
def contiguous(draw: st.DrawFn) -> dict[str, Any]:
    reserve = draw(st.sampled_from(["max", "pow2", "pow2-total", "oracle", "multiple"]))
    system = {
        "kind": "contiguous",
        "reserve": reserve,
        "placement": draw(st.sampled_from(["buddy", "first-fit", "best-fit", "ideal"])),
        "unit": draw(st.sampled_from([1, 1, 3, 4, 16])),
        "batching": draw(st.sampled_from(["iteration", "iteration", "static"])),
    }
    return system | ({"multiple": draw(st.integers(1, 9))} if reserve == "multiple" else {})


@st.composite
def paged(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "kind": "paged",
        "block_size": draw(st.sampled_from([1, 2, 4, 4, 7, 16])),
        "prefix_caching": draw(st.booleans()),
        "null_block": draw(st.booleans()),
        "watermark": draw(st.sampled_from([0.0, 0.0, 0.1, 0.25])),
    }


@st.composite
def requests(draw: st.DrawFn, name: str) -> dict[str, Any]:
    request: dict[str, Any] = {"id": name, "arrival_step": draw(st.integers(0, 12))}
    if draw(st.booleans()):
        request["prompt_token_ids"] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] * 2
        request["prompt_token_ids"] = request["prompt_token_ids"][: draw(st.integers(1, 24))]
        prompt = len(request["prompt_token_ids"])
    else:
        prompt = request["prompt_tokens"] = draw(st.integers(1, 30))
    if draw(st.booleans()):
        request["output_tokens"] = draw(st.integers(1, 30))
    else:
        request["final_slots"] = prompt + draw(st.integers(0, 30))
    return request


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    systems = draw(st.lists(st.one_of(contiguous(), paged()), min_size=1, max_size=4))
    for place, system in enumerate(systems):
        system["name"] = f"system {place}"
    return {
        "name": "drawn",
        "slots": draw(st.integers(32, 120)),
        "max_model_len": draw(st.sampled_from([16, 24, 40, 64])),
        "max_num_seqs": draw(st.sampled_from([1, 3, 256])),
        "max_num_batched_tokens": draw(st.sampled_from([1, 5, 16, 2560])),
        "model": "none",
        "systems": systems,
        "requests": [draw(requests(chr(65 + place))) for place in range(draw(st.integers(1, 9)))],
    }


def check_file(file: Path, scenario: dict[str, Any]) -> None:
    file.write_text(tomli_w.dumps(scenario), encoding="utf-8")
    check(scenario, *lines_of(file))


@settings(
    max_examples=40,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(scenario=scenarios())
def test_random_scenarios_print_what_the_specification_says(tmp_path: Path, scenario: dict[str, Any]) -> None:
    check_file(tmp_path / "drawn.toml", scenario)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda file: file.stem)
def test_presets_print_what_the_specification_says(tmp_path: Path, preset: Path) -> None:
    data = tomllib.loads(preset.read_text(encoding="utf-8"))
    # the checker knows these kinds; what virtual memory must do is tested in tests/systems
    data["systems"] = [system for system in data["systems"] if system["kind"] in ("contiguous", "paged")]
    check_file(tmp_path / preset.name, data | {"model": "none"})


def test_a_slice_of_the_steps_is_that_slice(tmp_path: Path) -> None:
    preset = next(file for file in PRESETS if file.stem == "out-of-memory")
    file = tmp_path / preset.name
    file.write_text(
        tomli_w.dumps(tomllib.loads(preset.read_text(encoding="utf-8")) | {"model": "none"}), encoding="utf-8"
    )
    lines, summary = lines_of(file)
    for slice, first, last in [("2:5", 2, 5), ("7:7", 7, 7), ("100:1000", 100, 1000)]:
        some, same = lines_of(file, "--steps", slice)
        assert some == [line for line in lines if first <= line["step"] <= last]
        assert same == summary
