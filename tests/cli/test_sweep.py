"""`vizkv sweep` and `vizkv bench`."""

import os
import signal
import subprocess
import time

import pandas as pd
import pytest

from tests.interrupts import interruptible
from vizkv import cli
from vizkv.sweeps import bench, store
from vizkv.sweeps.store import Store

TOML = """
slots = 4096
model = "none"
[[systems]]
kind = "contiguous"
[[systems]]
kind = "paged"
name = "vLLM"
[workload]
duration = {duration}
warmup = 2.0
drain = false
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_default", Store(None))
    path = tmp_path / "small.toml"
    path.write_text(TOML.format(duration="10.0"))
    return str(path)


def swept(file, *arguments):
    return cli.main(["sweep", file, "--jobs", "1", *arguments])


def test_a_line_for_each_system_and_point(file, capsys):
    assert swept(file, "--vary", "block_size=8,16", "--vary", "rate=2,4", "--metric", "used,preemptions") == 0
    out, err = capsys.readouterr()
    assert err == ""  # nobody watches: no bar
    title, head, *rows = out.splitlines()
    assert "4,096 slots" in title and head.split() == ["system", "block_size", "rate", "used", "preemptions"]
    assert len(rows) == 8
    used = {tuple(row.rsplit(maxsplit=4)[:3]): row.split()[-2] for row in rows}
    assert used["Orca (Max)", "8", "4"] == used["Orca (Max)", "16", "4"] != used["vLLM", "8", "4"]


def test_a_sweep_is_a_chart_too_or_one_sentence(file, tmp_path, capsys):
    out = tmp_path / "sweep.svg"
    assert swept(file, "--vary", "block_size=8,16", "--vary", "rate=2,4", "--chart", str(out)) == 0
    drawn = out.read_text()
    assert drawn.startswith("<?xml") and "Orca (Max)" in drawn and "block_size=8,16, rate=2,4; seeds = 1" in drawn
    assert swept(file, "--vary", "block_size=8", "--chart", str(tmp_path / "sweep.docx")) == cli.BAD_INPUT
    three = ("--vary", "block_size=8", "--vary", "rate=2", "--vary", "slots=4096", "--chart", str(out))
    assert swept(file, *three) == cli.BAD_INPUT and not (tmp_path / "sweep.docx").exists()
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["vizkv", "vizkv"]


def test_seeds_give_a_mean_and_a_spread(file, capsys):
    assert swept(file, "--vary", "block_size=16", "--seeds", "3") == 0
    title, head, *rows = capsys.readouterr().out.splitlines()
    assert "3 seeds" in title and head.split() == ["system", "block_size", "used", "least..most"]
    for row in rows:
        low, high = map(float, row.split()[-1].split(".."))
        assert low < float(row.split()[-2]) < high


def test_every_run_is_written_to_csv_and_parquet(file, tmp_path, capsys):
    csv, parquet = tmp_path / "out.csv", tmp_path / "out.parquet"
    assert swept(file, "--vary", "block_size=8,16", "--csv", str(csv), "--parquet", str(parquet)) == 0
    one, two = pd.read_csv(csv), pd.read_parquet(parquet)
    assert len(one) == len(two) == 4
    assert one["used"].to_numpy() == pytest.approx(two["used"].to_numpy())


def test_a_point_that_cannot_be_is_a_sentence_below_the_table(file, capsys):
    assert swept(file, "--vary", "block_size=16,8192") == 0
    out = capsys.readouterr().out
    assert "One run of vLLM is missing: The field systems[1].block_size is 8192" in out
    (row,) = [row for row in out.splitlines() if "8192" in row and row.startswith("vLLM")]
    assert row.split()[-1] == "-"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--vary", "block_size=0"], "The field block_size is 0; valid is a whole number from 1"),
        (["--vary", "bloksize=8"], "did you mean block_size?"),
        (["--vary", "block_size=8", "--metric", "waste"], "The metric is 'waste'; valid is 'used',"),
        (["--vary", "block_size=8", "--metric", ","], "The metric is ','; valid is"),
        (["--vary", "slots=0"], "The field slots is 0; valid is a whole number from 1"),
        (["--vary", "block_size=8", "--csv", "/dev/null/x.csv"], "cannot be written to '/dev/null/x.csv'"),
        (["--vary", "block_size=8", "--cluster", "nowhere"], "The cluster 'nowhere' does not answer"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(file, arguments, named, capsys):
    assert swept(file, *arguments) == 2
    err = capsys.readouterr().err
    assert named in err and err.count("\n") == 1


def test_a_sweep_of_which_no_run_can_be_made_is_one_sentence(file, capsys):
    assert swept(file, "--vary", "max_model_len=64", "--vary", "unit=8192") == 0  # vLLM has no unit
    capsys.readouterr()
    assert swept(file, "--vary", "slots=64", "--vary", "unit=128", "--vary", "block_size=128") == 2
    out, err = capsys.readouterr()
    assert out == "" and "systems[0].unit is 128" in err and err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--seeds", "x"], ["--seeds", "0"], ["--seeds", "101"], []])
def test_words_that_are_no_options_are_one_line(file, arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["sweep", file, *(["--vary", "rate=1"] if arguments else []), *arguments])
    assert ended.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_an_interrupt_ends_in_one_sentence(tmp_path):
    file = tmp_path / "long.toml"
    file.write_text(TOML.format(duration="900.0"))
    command = interruptible("-m", "vizkv", "sweep", str(file), "--vary", "rate=1..8:0.2", "--jobs", "2")
    cache = tmp_path / "cache"
    results = Store(cache / "sweeps.sqlite")
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"VIZKV_CACHE": str(cache)},
    )  # fmt: skip
    while not len(results):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: the workers hear it too
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out == ""
    assert err.startswith("vizkv: stopped after ") and err.count("\n") == 1


def test_bench_prints_ratios_growth_and_memory(monkeypatch, capsys):
    monkeypatch.setitem(bench.SECONDS, "quick", 2.0)
    monkeypatch.setattr(bench, "GROWTH", (1.0,))
    monkeypatch.setattr(bench, "POOLS", (4096,))
    honest = bench.runs
    monkeypatch.setattr(bench, "runs", lambda quick: [r for r in honest(quick) if r.system == 0])
    assert cli.main(["bench", "--quick"]) == 0
    out = capsys.readouterr().out
    assert "plain, tokens/s" in out and "times as fast" in out and "peak, MiB" in out
    assert sum(line.startswith("Orca (Max)") for line in out.splitlines()) == 3


def test_bench_measures_each_system_against_the_plain_loop():
    pairs = [run for run in bench.runs() if run.table == "systems"]
    assert [run.plain for run in pairs] == [False, True] * 4
    assert all(one.system == two.system for one, two in zip(pairs[::2], pairs[1::2], strict=True))
    times = [run.seconds for run in bench.runs() if run.table == "requests"]
    assert times[1] == 10 * times[0] and times[2] == 100 * times[0]
