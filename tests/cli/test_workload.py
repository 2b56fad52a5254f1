"""`vizkv workload`, and the options that put a workload file in the place of a scenario's requests."""

import json

import pytest

from vizkv import cli

SCENARIO = """
slots = 4096
model = "none"
[[systems]]
kind = "paged"
prefix_caching = true
[[requests]]
prompt_tokens = 5
output_tokens = 6
"""
BAILIAN = "\n".join(
    json.dumps({"chat_id": i, "timestamp": 60.0 * i, "input_length": 1600, "output_length": 10,
                "hash_ids": [1, 2, 3, 4, *range(100 * i + 5, 100 * i + 101)]})
    for i in range(2)
)  # fmt: skip


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path / "cache"))
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    (tmp_path / "chats.jsonl").write_text(BAILIAN)
    (tmp_path / "plain.jsonl").write_text(BAILIAN.replace('"chat_id"', '"who"'))
    (tmp_path / "texts.json").write_text(
        json.dumps([{"conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Good day"}]}])
    )


def said(capsys, *words):
    assert cli.main(list(words)) == 0
    return capsys.readouterr().out


def refused(capsys, *words):
    assert cli.main(list(words)) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    return err


def test_a_workload_file_is_told_with_its_format_and_units(files, capsys):
    out = said(capsys, "workload", "chats.jsonl")
    assert "chats.jsonl: 2 recorded requests. Format: Qwen-Bailian, recognised by its fields. Times are seconds" in out
    assert "each hash id stands for 16 prompt tokens" in out
    assert "From the first request to the last: 60 s." in out
    assert "finds 2% of the prompt tokens (blocks of 16)" in out


def test_a_format_is_declared_where_the_fields_do_not_tell(files, capsys):
    assert "'mooncake', 'bailian' or 'aiperf'" in refused(capsys, "workload", "plain.jsonl")
    out = said(capsys, "workload", "plain.jsonl", "--format", "bailian")
    assert "Format: Qwen-Bailian, as declared." in out
    assert "valid is 3, one for" not in out
    assert "hash_ids has 100 items for input_length = 1600; valid is 4" in refused(
        capsys, "workload", "plain.jsonl", "--format", "mooncake"
    )


def test_texts_are_counted(files, capsys):
    out = said(capsys, "workload", "texts.json")
    assert "Format: ShareGPT, recognised by its fields." in out and "tokenizer of the model tiny" in out
    assert "prompt" in out and "From the first" not in out


@pytest.mark.parametrize(
    "words", [["run", "scenario.toml"], ["cache", "scenario.toml", "--sizes", "16", "--jobs", "1"]]
)
def test_a_workload_file_takes_the_place_of_the_scenario_s_requests(files, capsys, words):
    out = said(capsys, *words, "--workload", "plain.jsonl", "--format", "bailian")
    assert "plain.jsonl: 2 recorded requests. Format: Qwen-Bailian, as declared." in out
    if words[0] == "run":
        lines = said(capsys, *words, "--workload", "chats.jsonl", "--json", "--steps", "0:0").splitlines()
        assert json.loads(lines[-1])["summary"]["PagedAttention"]["cache_hits"] == 64


def test_a_sweep_takes_a_workload_file_too(files, capsys):
    out = said(capsys, "sweep", "scenario.toml", "--vary", "block_size=16,32", "--metric", "hit_rate", "--jobs", "1",
               "--workload", "chats.jsonl")  # fmt: skip
    assert [line.split()[-1] for line in out.splitlines()[2:]] == ["2.00", "2.00"]


def test_a_format_alone_is_that_of_the_scenario_s_file(files, capsys, tmp_path):
    workload = SCENARIO.split("[[requests]]")[0] + '[workload]\nlengths = "plain.jsonl"\narrivals = "trace"\n'
    (tmp_path / "own.toml").write_text(workload)
    assert "'mooncake', 'bailian' or 'aiperf'" in refused(capsys, "run", "own.toml")
    assert "as declared" in said(capsys, "run", "own.toml", "--format", "bailian")
    (tmp_path / "declared.toml").write_text(workload + 'format = "bailian"\n')
    assert "as declared" in said(capsys, "run", "declared.toml")
    assert "without a [workload]" in refused(capsys, "run", "scenario.toml", "--format", "bailian")


def test_a_saved_trace_has_its_requests(files, capsys):
    said(capsys, "run", "scenario.toml", "--save", "run.vizkv")
    assert "--workload is given for a saved trace" in refused(capsys, "run", "run.vizkv", "--workload", "chats.jsonl")
    assert "--format is given for a saved trace" in refused(capsys, "run", "run.vizkv", "--format", "azure")


@pytest.mark.parametrize("name", ["missing.jsonl", "sharegpt", "upload:0123456789abcdef"])
def test_what_is_no_file_is_one_sentence(files, capsys, name):
    assert "file" in refused(capsys, "workload", name)
