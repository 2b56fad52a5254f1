"""The radix tree against recordings of SGLang 0.5.23, operation by operation; and what is refused."""

import gzip
import json
from pathlib import Path

import pytest

from vizkv import cli

FOLDER = Path(__file__).parent.parent / "golden" / "radix"
EXAMPLES = sorted(FOLDER.glob("?_*.json"))


def _recordings():
    with gzip.open(FOLDER / "recordings.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def _printed(path, capsys):
    assert cli.main(["radix", str(path)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_is_replayed_as_sglang_did_it(path, capsys):
    recorded = [json.loads(line) for line in path.with_suffix(".sglang.jsonl").read_text().splitlines()]
    assert len(recorded) > 3 and _printed(path, capsys) == recorded


def test_every_recording_is_replayed_as_sglang_did_it(tmp_path, capsys):
    cases = _recordings()
    assert len(cases) == 20
    for case in cases:
        path = tmp_path / "ops.json"
        path.write_text(json.dumps(case["cfg"]))
        assert _printed(path, capsys) == case["steps"], case["seed"]


def test_a_file_without_operations_prints_nothing(tmp_path, capsys):
    path = tmp_path / "ops.json"
    path.write_text(json.dumps({"page_size": 2, "pool": 4, "ops": []}))
    assert _printed(path, capsys) == []


GOOD = {"page_size": 2, "pool": 8, "ops": []}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("[1, 2", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not an object"),
        ({**GOOD, "page_size": 0}, "page_size is 0"),
        ({**GOOD, "page_size": True}, "page_size is true"),
        ({**GOOD, "page_size": None}, "page_size is"),
        ({**GOOD, "pool": 7}, "pool is 7; valid is a multiple of page_size = 2"),
        ({**GOOD, "pool": 1}, "pool is 1"),
        ({**GOOD, "pool": 10**30}, "pool is"),
        ({**GOOD, "tree": "hash"}, "tree is 'hash'"),
        ({**GOOD, "pages": 3}, "The field 'pages' is 3"),
        ({**GOOD, "ops": {}}, "ops is {}"),
        ({**GOOD, "ops": [7]}, "ops[0] is 7"),
        ({**GOOD, "ops": [["grow", 1]]}, "insert, match, lock"),
        ({**GOOD, "ops": [[["insert"], 1]]}, "ops[0]"),
        ({**GOOD, "ops": [["insert"]]}, '["insert", tokens]'),
        ({**GOOD, "ops": [["insert", [1], 2]]}, '["insert", tokens]'),
        ({**GOOD, "ops": [["insert", [1, "a"]]]}, "ops[0][1]"),
        ({**GOOD, "ops": [["insert", [-1]]]}, "ops[0][1]"),
        ({**GOOD, "ops": [["insert", [2**63]]]}, "ops[0][1]"),
        ({**GOOD, "ops": [["match", 3]]}, "ops[0][1] is 3"),
        ({**GOOD, "ops": [["evict", -1]]}, "ops[0][1] is -1"),
        ({**GOOD, "ops": [["evict", 1.5]]}, "ops[0][1] is 1.5"),
        ({**GOOD, "ops": [["start", "A", []]]}, "at least one"),
        ({**GOOD, "ops": [["start", [], [1]]]}, "ops[0][1]"),
        ({**GOOD, "ops": [["start", "x" * 300, [1]]]}, "characters"),
        ({**GOOD, "ops": [["unlock", "L"]]}, "ops[0][1] is 'L'; valid is the name of a lock"),
        ({**GOOD, "ops": [["decode", "A", 1]]}, "the name of a running request"),
        ({**GOOD, "ops": [["start", "A", [1] * 9], ["finish", "A"]]}, "ops[1][1]"),
        ({**GOOD, "ops": [["start", "A", [1]], ["retract", "A"], ["retract", "A"]]}, "ops[2][1]"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_malformed_file_is_refused_in_one_sentence(given, words, language, tmp_path, capsys):
    path = tmp_path / "ops.json"
    path.write_text(given if isinstance(given, str) else json.dumps(given))
    assert cli.main(["radix", str(path), "--language", language]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith("vizkv: ") and len(sentence) < 400
    if language == "en":
        assert words in sentence


def test_a_missing_file_and_a_folder_are_refused_in_one_sentence(tmp_path, capsys):
    for path in (tmp_path / "none.json", tmp_path):
        assert cli.main(["radix", str(path)]) == 2
        (sentence,) = capsys.readouterr().err.splitlines()
        assert "cannot be read" in sentence
