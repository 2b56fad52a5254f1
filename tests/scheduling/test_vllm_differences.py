"""What docs/differences-from-vllm.md says we do otherwise, we do otherwise; and what it names is there."""

import ast
import re
from pathlib import Path

import pytest

from vizkv.engine import engine
from vizkv.scenario.schema import from_dict
from vizkv.views.facts.records import records

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/differences-from-vllm.md").read_text(encoding="utf-8")


def run(requests, **fields):
    """The lines of a small scenario with one paged system in blocks of four."""
    system = {"kind": "paged", "block_size": 4} | fields.pop("system", {})
    given = {"slots": 32, "model": "none", "systems": [system], "requests": requests} | fields
    return list(records(engine.run(from_dict(given))))


def sampled(lines, name):
    """How many tokens a request has sampled: what it wrote beyond its prompt of three, and the last."""
    return max(row["slots_written"] for line in lines for row in line["running"] if row["id"] == name) - 3 + 1


def test_a_sequence_may_fill_max_model_len():
    request = {"id": "A", "prompt_tokens": 3}
    lines = run([request | {"output_tokens": 10}], max_model_len=12)
    assert lines[-1]["finished"] == ["A"]
    assert sampled(lines, "A") == 10  # vLLM stops at 12 tokens: with nine
    (line,) = run([request | {"output_tokens": 11}], max_model_len=12)
    assert [(event["kind"], event["reason"]) for event in line["events"]] == [("never", "max_model_len")]


def test_a_request_larger_than_the_pool_is_reported_and_blocks_nobody():
    large = {"id": "large", "prompt_tokens": 30, "output_tokens": 4}
    lines = run([large, {"id": "small", "prompt_tokens": 3, "output_tokens": 2}])
    assert {"kind": "never", "request": "large", "need": 33, "limit": 32, "reason": "pool"} in lines[0]["events"]
    assert lines[0]["scheduled"] == {"small": 3}
    assert lines[-1]["finished"] == ["small"]


def test_no_token_ends_a_sequence_early():
    lines = run([{"id": "A", "prompt_tokens": 3, "output_token_ids": [2, 0, 1, 2, 2]}])
    assert sampled(lines, "A") == 5


def test_a_budget_below_the_number_of_sequences_runs():
    requests = [{"id": name, "prompt_tokens": 3, "output_tokens": 2} for name in "AB"]
    lines = run(requests, max_num_batched_tokens=1, max_num_seqs=8)
    assert [list(line["scheduled"]) for line in lines] == [["A"]] * 4 + [["B"]] * 4


@pytest.mark.parametrize(("null_block", "table"), [(False, [0, 1]), (True, [1, 2])])
def test_without_a_null_block_the_first_block_is_used(null_block, table):
    lines = run([{"id": "A", "prompt_tokens": 6, "output_tokens": 1}], system={"null_block": null_block})
    assert lines[0]["running"][0]["block_table"] == table


# -- the document ------------------------------------------------------------------------------------------------------


def entries():
    """(number, title, text) of each difference."""
    parts = re.split(r"^### (\d+)\. (.+)$", DOCUMENT, flags=re.MULTILINE)
    return [(int(n), title, text.split("\n## ")[0]) for n, title, text in zip(parts[1::3], parts[2::3], parts[3::3])]


def test_differences_are_numbered_in_order():
    assert [number for number, _, _ in entries()] == list(range(1, len(entries()) + 1))
    assert len(entries()) >= 15


@pytest.mark.parametrize(("number", "title", "text"), entries(), ids=[str(n) for n, _, _ in entries()])
def test_a_difference_says_what_both_do_and_why_and_where(number, title, text):
    said = re.findall(r"^(vLLM|Here|Why|Where): \S", text, re.MULTILINE)
    assert said == ["vLLM", "Here", "Why", "Where"]
    where = re.findall(r"`([^`]+)`", text.split("\nWhere: ")[1])
    assert where
    for name in where:
        file, _, test = name.partition("::")
        assert (ROOT / file).is_file(), f"{number}. {title} names {file}"
        if test:
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_version_is_the_one_that_was_recorded():
    assert "vLLM 0.32" in DOCUMENT
