"""The scripts with which anybody repeats the comparison with vLLM (scripts/vllm)."""

import ast
import json
import random
import shutil
import sys
from pathlib import Path

import pytest

from scripts.vllm import compare, random_cases, record
from scripts.vllm.witnesses import RULES, watch

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden"
NAME = "d_preempt_recompute"


def test_equal_seeds_give_equal_cases():
    first, again, other = (random_cases.case(random.Random(seed)) for seed in ("1/7", "1/7", "2/7"))
    assert first == again
    assert first != other


def test_random_cases_are_ones_that_vllm_finishes():
    for number in range(300):
        case = random_cases.case(random.Random(f"tools/{number}"))
        assert record.checked(case) is case


def test_random_cases_are_of_every_kind_and_size():
    cases = [random_cases.case(random.Random(f"tools/{number}")) for number in range(300)]
    assert {case["about"] for case in cases} == set(random_cases.KINDS)
    assert {case["block_size"] for case in cases} == set(random_cases.BLOCK_SIZES)
    assert {case["watermark"] for case in cases} == set(random_cases.WATERMARKS)
    assert {case["enable_prefix_caching"] for case in cases} == {False, True}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"max_model_len": 21}, "max_model_len"),
        ({"num_blocks": 5}, "the pool has 16"),
        ({"max_num_batched_tokens": 3}, "max_num_seqs"),
    ],
)
def test_what_vllm_would_cut_short_or_never_finish_is_not_recorded(change, word):
    case = json.loads((GOLDEN / f"{NAME}.json").read_text(encoding="utf-8"))
    assert record.checked(case)
    with pytest.raises(record.Unusable, match=word):
        record.checked(case | change)


def test_the_recorder_needs_nothing_of_this_project_and_vllm_only_to_record():
    tree = ast.parse((ROOT / "scripts/vllm/record.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in names if name.split(".")[0] in ("vizkv", "scripts", "tests")}
    top = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    top |= {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert {name.split(".")[0] for name in top} <= set(sys.stdlib_module_names)


def told(monkeypatch, capsys, *arguments):
    """Exit code and output of compare.py."""
    monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
    return compare.main(), capsys.readouterr().out


def test_compare_counts_and_finds_no_difference(monkeypatch, capsys):
    code, out = told(monkeypatch, capsys, GOLDEN / f"{NAME}.vllm.jsonl", "--rules")
    assert code == 0
    assert "1 cases, 17 steps" in out
    assert "no difference" in out
    assert all(rule in out for rule in RULES)


def test_compare_names_the_step_and_the_field_of_a_difference(monkeypatch, capsys, tmp_path):
    shutil.copy(GOLDEN / f"{NAME}.json", tmp_path)
    lines = [json.loads(line) for line in (GOLDEN / f"{NAME}.vllm.jsonl").read_text(encoding="utf-8").splitlines()]
    lines[2]["waiting"] = ["C"]
    text = "\n".join(map(json.dumps, lines))
    (tmp_path / f"{NAME}.vllm.jsonl").write_text(text, encoding="utf-8")
    code, out = told(monkeypatch, capsys, tmp_path)
    assert code == 1
    assert "scheduler, step 2, waiting: ours" in out
    assert "records, step 2, waiting: ours" in out
    assert "1 cases differ" in out


@pytest.mark.parametrize(
    ("step", "spoil", "message"),
    [
        (0, lambda record: record["running"].reverse(), "running order"),
        (3, lambda record: record["running"][0]["block_table"].__setitem__(-1, 6), "head of the free queue"),
        (5, lambda record: record["cached"].append(7), "what is cached"),
    ],
    ids=["order", "block", "cached"],
)
def test_a_witness_contradicts_a_recording_that_breaks_a_rule(step, spoil, message):
    case = json.loads((GOLDEN / f"{NAME}.json").read_text(encoding="utf-8"))
    *steps, _ = (json.loads(line) for line in (GOLDEN / f"{NAME}.vllm.jsonl").read_text(encoding="utf-8").splitlines())
    watch(case, steps)
    spoil(steps[step])
    with pytest.raises(AssertionError, match=message):
        watch(case, steps)
