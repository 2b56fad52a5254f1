"""Where layers fall into groups too, we decide step by step what vLLM 0.32 decided (tests/golden/hybrid)."""

import gzip
import json
from copy import deepcopy
from pathlib import Path

import pytest
import tomli_w

from scripts.vllm.groups import decided, differences, expected, printed, scenario
from tests.contract.program import lines_of

FOLDER = Path(__file__).parents[1] / "golden" / "hybrid"


def _cases():
    for case in sorted(FOLDER.glob("?_*.json")):
        lines = case.with_suffix(".vllm.jsonl").read_text(encoding="utf-8").splitlines()
        steps = [step for step in map(json.loads, lines) if "summary" not in step]
        yield case.stem, (json.loads(case.read_text(encoding="utf-8")), steps)
    with gzip.open(FOLDER / "recordings.jsonl.gz", "rt", encoding="utf-8") as file:
        for recorded in map(json.loads, file):
            yield str(recorded["seed"]), (recorded["cfg"], recorded["steps"])


CASES = dict(_cases())


def test_all_recordings_are_there():
    assert len(CASES) == 37
    assert sum(len(steps) for _, steps in CASES.values()) > 1000


@pytest.mark.parametrize("name", CASES)
def test_every_step_is_vllms(name):
    case, steps = CASES[name]
    assert differences(decided(case), steps) == []


@pytest.mark.parametrize("name", CASES)
def test_a_scenario_file_prints_vllms_steps(name, tmp_path):
    case, steps = CASES[name]
    file = tmp_path / "case.toml"
    file.write_text(tomli_w.dumps(scenario(case)), encoding="utf-8")
    lines, _ = lines_of(file)
    assert differences(printed(lines), steps) == []
    for line in lines:
        assert {sum(ledger.values()) for ledger in line["ledger"].values()} == {
            case["num_blocks"] * max(group.get("block_size", case["block_size"]) for group in case["groups"])
        }


WRONG = {
    "running": lambda step: step["running"][0]["tables"][0].reverse(),
    "free_queue": lambda step: step["free_queue"].reverse(),
    "ref_count": lambda step: step["ref_count"].update({"1": 9}),
    "cached": lambda step: step["cached"].update({"999": [9, 9, ""]}),
    "hits": lambda step: step.update(hits=99),
    "waiting": lambda step: step["waiting"].append("nobody"),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_difference_would_be_seen(field):
    case, steps = CASES["1_window"]
    changed = deepcopy(steps)
    WRONG[field](changed[1])
    assert expected(changed[1]) != expected(steps[1])
    found = differences(decided(case), changed)
    assert [line for line in found if f", {field}: " in line]


def test_prefix_caching_is_on_and_nothing_hits():
    """Worked example 2: full attention has C's first 12 tokens, the window kept only the end of A's and B's prompts."""
    case, _ = CASES["2_hit"]
    steps = list(decided(case))
    beginning = case["requests"][2]["prompt_token_ids"][:12]
    assert [request["prompt_token_ids"][:12] for request in case["requests"]] == [beginning] * 3
    assert [step["hits"] for step in steps if step["scheduled"]] == [0, 0, 16, 0, 0]
    assert steps[6]["scheduled"] == {"C": 13}
