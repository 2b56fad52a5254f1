"""A workload through `vizkv run`: what is averaged, and what a saved trace says of it later."""

import tomllib
from pathlib import Path

import pytest
import tomli_w

from tests.contract.checker import check_summary
from tests.contract.program import lines_of, vizkv

FILE = """
slots = 1024
max_model_len = 1024
model = "none"
[[systems]]
name = "Orca (Max)"
kind = "contiguous"
[[systems]]
name = "paged"
kind = "paged"
[workload]
lengths = "sharegpt"
rate = 4.0
duration = 8.0
warmup = 3.0
"""


FOLDER = Path(__file__).parents[2] / "vizkv" / "scenario" / "presets"
PRESETS = [f for f in sorted(FOLDER.glob("*.toml")) if "workload" in tomllib.loads(f.read_text(encoding="utf-8"))]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "load.toml").write_text(FILE, encoding="utf-8")
    return tmp_path / "load.toml"


def test_averages_are_taken_from_the_warm_up_to_the_end_of_the_arrivals(file: Path) -> None:
    """As the paper's Figure 2: 900 s of arrivals, averaged from 300 s on, not while the pool runs empty."""
    lines, summary = lines_of(file)
    assert max(line["time_s"] for line in lines) > 10
    for name, said in summary.items():
        own = [line for line in lines if line["system"] == name]
        scenario = {"slots": 1024, "workload": {"warmup": 3.0, "duration": 8.0}}
        check_summary(scenario, own, said, never=said["never"])
        assert said["never"] == sum(event["kind"] == "never" for line in own for event in line["events"])


@pytest.mark.parametrize("preset", PRESETS, ids=lambda file: file.stem)
def test_examples_with_a_workload_print_what_the_specification_says(preset: Path, tmp_path: Path) -> None:
    data = tomllib.loads(preset.read_text(encoding="utf-8"))
    data["workload"] |= {"duration": 12.0, "warmup": 4.0}  # their beginning
    (tmp_path / preset.name).write_text(tomli_w.dumps(data), encoding="utf-8")
    lines, summary = lines_of(tmp_path / preset.name)
    for name, said in summary.items():
        own = [line for line in lines if line["system"] == name]
        for line in own:
            assert all(sum(ledger.values()) == data["slots"] for ledger in line["ledger"].values())
        check_summary(data, own, said, never=said["never"])


def test_a_saved_trace_gives_the_summary_that_its_run_gave(file: Path) -> None:
    saved = file.with_suffix(".vizkv")
    first = vizkv("run", str(file), "--save", str(saved))
    assert (first.code, first.err) == (0, "")
    assert vizkv("run", str(saved)).out == first.out
    assert lines_of(saved) == lines_of(file)
