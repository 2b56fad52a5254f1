"""Step by step we decide what vLLM 0.32.0's own scheduler decided (tests/golden)."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from scripts.vllm.replay import differences, expected, load, scenario
from scripts.vllm.witnesses import RULES, watch
from tests.contract.program import lines_of
from vizkv.scenario.schema import to_toml

GOLDEN = Path(__file__).parents[1] / "golden"
RECORDINGS = {path.name.removesuffix(".vllm.jsonl"): load(path) for path in sorted(GOLDEN.glob("*.vllm.jsonl"))}
WATCHED = {name: watch(recording.case, recording.steps) for name, recording in RECORDINGS.items()}
TABLE = {  # rule -> (what it says, cases), as the README has them
    rule: (says, re.findall(r"`(\w+)`", cases))
    for rule, says, cases in re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", (GOLDEN / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    if rule != "rule"
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_step_is_vllms(name):
    assert RECORDINGS[name].steps
    assert differences(RECORDINGS[name]) == []


@pytest.mark.parametrize("name", ["storm_on_a_shared_prefix", "eviction_under_load_small_blocks", "block_size_32"])
def test_a_scenario_file_prints_vllms_steps(name, tmp_path):
    recording = RECORDINGS[name]
    file = tmp_path / "case.toml"
    file.write_text(to_toml(scenario(recording)), encoding="utf-8")
    lines, _ = lines_of(file)
    assert len(lines) == len(recording.steps)
    for line, step in zip(lines, recording.steps):
        theirs = expected(step)
        assert list(line["scheduled"].items()) == theirs["scheduled"]
        assert [(r["id"], r["block_table"], r["slots_written"]) for r in line["running"]] == theirs["running"]
        assert line["free_queue"] == theirs["free_queue"]
        assert line["cached_blocks"] == theirs["cached"]
        assert line["ref_count"] == {str(block): count for block, count in theirs["ref_cnt"].items()}
        for ours, field in (("waiting",) * 2, ("preempted",) * 2, ("finished",) * 2, ("cache_hits", "hits")):
            assert line[ours] == theirs[field]


# -- the recordings ----------------------------------------------------------------------------------------------------


def test_every_case_was_recorded_with_the_version_that_the_documents_name():
    assert {recording.summary["vllm"] for recording in RECORDINGS.values()} == {"0.32.0"}
    assert "vLLM 0.32.0" in (GOLDEN / "README.md").read_text(encoding="utf-8")
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(RECORDINGS)


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_is_complete(name):
    steps, summary = RECORDINGS[name].steps, RECORDINGS[name].summary
    assert summary["steps"] == len(steps)
    assert summary["preemptions"] == sum(len(step["preempted"]) for step in steps)
    # what requests were given, and what vLLM itself has counted
    for step in steps:
        cache = step["prefix_cache"]
        assert sum(step["hits"].values()) == cache["hits"] + cache["preempted_hits"]
    lengths = {request["id"]: request["output_len"] for request in RECORDINGS[name].case["requests"]}
    assert Counter(request for step in steps for request in step["sampled"]) == lengths


def test_there_are_many_and_they_are_small():
    assert len(RECORDINGS) >= 45
    assert sum(path.stat().st_size for path in GOLDEN.iterdir()) < 1_500_000


# -- the rules ---------------------------------------------------------------------------------------------------------


def test_the_table_has_every_rule():
    assert {rule: says for rule, (says, _) in TABLE.items()} == RULES


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_shown_by_at_least_two_cases(rule):
    cases = TABLE[rule][1]
    assert len(set(cases)) >= 2
    assert [name for name in cases if not WATCHED[name].seen[rule]] == []


def test_no_case_is_idle():
    assert {name for _, cases in TABLE.values() for name in cases} == set(RECORDINGS)
    assert [name for name, recording in RECORDINGS.items() if not recording.case.get("about")] == []


def test_the_cases_together_press_hard():
    totals = sum((watcher.totals for watcher in WATCHED.values()), Counter())
    assert totals["preemptions"] >= 100
    assert totals["evictions"] >= 500
    assert totals["hits"] >= 150
    assert totals["hits of the same step"] >= 20
    assert {recording.case["block_size"] for recording in RECORDINGS.values()} >= {1, 2, 3, 4, 5, 7, 8, 16, 32}
    assert {recording.case["enable_prefix_caching"] for recording in RECORDINGS.values()} == {False, True}


# -- that a difference would be seen -----------------------------------------------------------------------------------

WRONG = {
    "scheduled": lambda step: step["scheduled"].update({next(iter(step["scheduled"])): 99}),
    "hits": lambda step: step["hits"].update(nobody=4),
    "running": lambda step: step["running"][0]["block_table"].reverse(),
    "num_tokens": lambda step: step["running"][0].update(num_tokens=0),
    "waiting": lambda step: step["waiting"].append("nobody"),
    "preempted": lambda step: step["preempted"].append("nobody"),
    "free_blocks_after_schedule": lambda step: step.update(free_blocks_after_schedule=99),
    "finished": lambda step: step["finished"].append("nobody"),
    "free_queue": lambda step: step["free_queue"].append(99),
    "ref_cnt": lambda step: step["ref_cnt"].update({"1": 9}),
    "cached": lambda step: step["cached"].pop(),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_field_is_found_in_its_step(field):
    recording = RECORDINGS["d_preempt_recompute"]
    spoilt = recording._replace(steps=json.loads(json.dumps(recording.steps)))
    WRONG[field](spoilt.steps[1])
    found = {(difference.step, difference.field) for difference in differences(spoilt)}
    assert found == {(1, field)}


def test_a_missing_step_and_one_too_many_are_found():
    recording = RECORDINGS["d_preempt_recompute"]
    more = recording._replace(steps=[*recording.steps, recording.steps[-1] | {"sampled": {}}])
    assert {difference.field for difference in differences(more)} == {"steps"}
    steps = recording.steps
    asleep = {"scheduled": {}, "hits": {}, "running": [], "preempted": [], "sampled": {}, "finished": []}
    late = recording._replace(steps=[steps[0] | asleep, *steps])
    assert {difference.step for difference in differences(late)} == {0}
