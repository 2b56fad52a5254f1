"""The command line speaks the language that is asked for, else the environment's."""

import re
from contextlib import suppress

import pytest

from vizkv.cli import BAD_INPUT, main
from vizkv.cli.language import choose
from vizkv.cli.text import aligned, wide

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("argv", "environment", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LANG": "de_DE.UTF-8"}, "en"),
        ([], {"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        (["run", "--language", "zh"], {"LANG": "en_GB.UTF-8"}, "zh"),
        (["run", "--lang", "zh"], {"LANG": "en_GB.UTF-8"}, "zh"),
        (["run", "--lang=zh"], {"LANG": "en_GB.UTF-8"}, "zh"),
        (["--language=en", "run"], {"LANG": "zh_CN.UTF-8"}, "en"),
        (["--language", "xx"], {"LANG": "zh_CN"}, "zh"),
    ],
)
def test_the_option_wins_over_the_environment(argv, environment, language):
    assert choose(argv, environment) == language


@pytest.mark.parametrize("words", [["run", "nowhere.toml"], ["run"], ["--unknown"], ["run", "x", "--steps", "9:1"]])
def test_complaints_are_in_the_language_of_the_environment(words, capsys, monkeypatch):
    said = {}
    for language in ("zh_CN.UTF-8", "C"):
        monkeypatch.setenv("LC_ALL", language)
        with suppress(SystemExit):  # argparse's way
            assert main(words) == BAD_INPUT
        said[language] = capsys.readouterr().err
    assert CHINESE.search(said["zh_CN.UTF-8"])
    assert not CHINESE.search(said["C"])


def test_the_table_of_a_run_is_in_chinese_and_its_columns_stand_below_each_other(tmp_path, capsys):
    file = tmp_path / "a.toml"
    file.write_text(
        'slots = 64\nmodel = "none"\n[[systems]]\nkind = "paged"\n[[requests]]\nprompt_tokens = 9\noutput_tokens = 3\n'
    )
    assert main(["run", str(file), "--language", "zh"]) == 0
    _, *rows, _ = capsys.readouterr().out.splitlines()
    assert CHINESE.search(rows[0])
    assert wide(rows[0]) == wide(rows[1])


def test_a_chinese_character_takes_two_columns_of_a_terminal():
    assert wide("KV 缓存") == 7
    assert aligned([["缓存", "1"], ["a", "22"]]) == ["缓存   1", "a     22"]
