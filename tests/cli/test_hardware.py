"""`vizkv hardware CONFIG.json`: the worked example in words and as JSON, both languages, and bad input."""

import json
from pathlib import Path

import pytest

from vizkv import cli
from vizkv.scenario.memory_examples import FOLDER

CONFIGS = Path(__file__).parents[1] / "data" / "configs"
LLAMA, GEMMA = str(FOLDER / "llama-3.1-8b.json"), str(FOLDER / "gemma-3-27b.json")
RTX_3090 = ("--card", "rtx-3090", "--memory", "23.58", "--weights", "14.9888", "--activations", "2.07")


def said(capsys, *words):
    assert cli.main(["hardware", *words]) == 0
    return capsys.readouterr().out


def test_the_worked_example_says_that_29_000_fits_and_35_000_does_not(capsys):
    text = said(capsys, LLAMA, *RTX_3090, "--max-model-len", "29000")
    assert "3.81 GiB hold 1,952 blocks of 16 tokens" in text
    assert "GPU KV cache size: 31,232 tokens" in text
    assert "max_model_len 29,000 fits: one request of that length needs 1,813 of 1,952 blocks." in text
    assert "The largest max_model_len that fits is 31,232" in text
    text = said(capsys, LLAMA, *RTX_3090, "--max-model-len", "35000")
    assert (
        "max_model_len 35,000 does not fit: one request of that length needs 2,188 blocks, and there are 1,952." in text
    )


def test_the_letters_of_the_bar_are_the_card(capsys):
    lines = said(capsys, LLAMA, *RTX_3090).splitlines()
    (bar,) = [line for line in lines if line.startswith("WWW")]
    assert len(bar) == 72 and bar == "".join(sorted(bar, key="WAGK.".index))
    assert bar.count("W") == round(72 * 14.9888 / 23.58)


def test_groups_and_the_fixed_part_are_told(capsys):
    text = said(capsys, GEMMA)
    assert "Bytes a token: 81,920 (80 KiB), plus a fixed part of 416 MiB" in text
    assert "(4 × 9 sliding, 2 × 8 sliding, 1 × 10 full); padding 8. A block of 16 tokens takes 1,310,720 bytes" in text
    assert "A request of 131,072 tokens holds 10.41 GiB; if every layer kept everything, 62 GiB." in text


def test_json_has_the_same_numbers(capsys):
    found = json.loads(said(capsys, LLAMA, *RTX_3090, "--max-model-len", "35000", "--json"))
    assert (found["bytes_per_token"], found["fixed_bytes"], found["blocks"], found["slots"]) == (
        131_072,
        0,
        1952,
        31_232,
    )
    assert found["fits"] is False and found["largest_max_model_len"] == 31_232 and found["limited_by"] == "memory"
    groups = json.loads(said(capsys, GEMMA, "--json"))["groups"]
    assert [group["layers"] for group in groups] == [9, 9, 9, 9, 8, 8, 10]


def test_what_cannot_be_said_is_named_and_nothing_is_made_up(capsys):
    text = said(capsys, str(CONFIGS / "qwen3-next-80b-a3b.json"))
    assert "36 of 48 layers are linear_attention" in text and "GPU KV cache size" not in text


def test_it_speaks_chinese(capsys):
    text = said(capsys, LLAMA, *RTX_3090, "--max-model-len", "35000", "--language", "zh")
    assert "max_model_len 35,000 放不下" in text and "GPU KV cache size: 31,232 tokens" in text


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("nowhere.json",), "nowhere.json"),
        ((LLAMA, "--card", "voodoo"), "'voodoo'"),
        ((LLAMA, "--memory", "much"), "not a number: much"),
        ((LLAMA, "--memory", "nan"), "memory is nan"),
        ((LLAMA, "--cards", "3"), "32 heads"),
        ((LLAMA, "--cards", "-1"), "not a whole number: -1"),
        ((LLAMA, "--utilisation", "2"), "utilisation is 2.0"),
        ((str(CONFIGS),), "cannot be read"),
    ],
)
def test_bad_input_is_one_sentence(words, named, capsys):
    try:
        code = cli.main(["hardware", *words])
    except SystemExit as stopped:
        code = stopped.code
    error = capsys.readouterr().err
    assert code == 2 and named in error and len(error.strip().splitlines()) == 1
