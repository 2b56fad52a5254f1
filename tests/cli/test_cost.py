"""`vizkv cost`: the page "What paging costs" as a command."""

import csv
import os
import re
import signal
import subprocess
import time

import pytest

from tests.interrupts import interruptible
from vizkv import cli
from vizkv.cli import cost
from vizkv.model import cost as measuring


@pytest.fixture
def short(monkeypatch):
    """Hardly any time for a pair."""
    monkeypatch.setattr(cost, "QUICK_LENGTHS", (16, 64))
    monkeypatch.setattr(cost, "QUICK_SECONDS", 0.0)
    monkeypatch.setattr(measuring, "_COPIED", 2**20)


def test_a_sentence_and_a_line_for_each_pair_that_was_measured(short, tmp_path, capsys):
    out = tmp_path / "cost.csv"
    assert cli.main(["cost", "--quick", "--csv", str(out)]) == 0
    told, err = capsys.readouterr()
    assert err == ""  # nobody watches: no bar
    sentence, _, about, head, *rows = told.splitlines()
    assert sentence.startswith("Measured here, on ") and "blocks of 16" in sentence and "*" not in sentence
    assert "Microseconds" in about and "block table, µs" in head and "longer, %" in head
    pairs = [tuple(row.split()[:2]) for row in rows[:6]]
    assert pairs == [(length, size) for size in ("1", "16", "256") for length in ("16", "64")]
    with out.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == cost.COLUMNS and [(x["tokens"], x["block_size"]) for x in lines] == pairs
    for line, row in zip(lines, rows, strict=False):
        slice_, table, share = row.split()[2], row.split()[3], row.split()[5]
        for column, shown in (("slice_us", slice_), ("block_table_us", table), ("longer_percent", share)):
            assert float(line[column]) == pytest.approx(float(shown.replace(",", "")), abs=0.051)


@pytest.mark.parametrize(("language", "words"), [("en", "Measured here"), ("zh", "在这台机器上用")])
def test_the_chart_carries_the_sentence_that_was_printed(short, language, words, tmp_path, capsys):
    out = tmp_path / "cost.svg"
    how = ["--quick", "--projector", "--theme", "dark", "--language", language, "--chart", str(out)]
    assert cli.main(["cost", *how]) == 0
    drawn = out.read_text()
    assert drawn.startswith("<?xml") and "#0f1216" in drawn
    assert words in capsys.readouterr().out and words in drawn  # letters are paths; what they spell stands before them


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--chart", "cost.docx"], "The format is 'docx'; valid for chart:cost is 'svg', 'png' or 'pdf'"),
        (["--chart", "/nowhere/cost.svg"], "The file '/nowhere/cost.svg' cannot be written"),
        (["--csv", "/dev/null/cost.csv"], "The file '/dev/null/cost.csv' cannot be written"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_is_measured(arguments, named, monkeypatch, capsys):
    monkeypatch.setattr(measuring, "measure", None)
    assert cli.main(["cost", *arguments]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == "" and named in err and err.count("\n") == 1


def test_an_interrupt_says_how_far_it_came(tmp_path):
    # sitecustomize: the first pair tells that it is measured
    said = tmp_path / "said"
    (tmp_path / "sitecustomize.py").write_text(
        "import vizkv.cli.text as text\n"
        f"text.Bar.show = lambda bar, done, total, words: done and open({str(said)!r}, 'w').close()\n"
    )
    out = tmp_path / "cost.csv"
    path = os.pathsep.join([str(tmp_path), os.getcwd()])
    process = subprocess.Popen(
        interruptible("-m", "vizkv", "cost", "--csv", str(out)), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    while not said.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    told, err = process.communicate(timeout=60)
    assert process.returncode == cli.INTERRUPTED and told == "" and not out.exists()
    assert re.fullmatch(r"vizkv: stopped after \d+ of 27 pairs .*\n", err)
