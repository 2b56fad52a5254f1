"""`vizkv run`: a public contract (SPEC 8)."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.interrupts import interruptible
from vizkv import cli
from vizkv.engine import engine
from vizkv.scenario.schema import from_toml
from vizkv.trace import trace as traces

TOML = """
slots = 128
max_model_len = 64
model = "none"
[[systems]]
kind = "contiguous"
[[systems]]
kind = "paged"
block_size = 4
null_block = true
[[requests]]
prompt_tokens = 5
output_tokens = 6
[[requests]]
id = "late"
prompt_tokens = 3
output_tokens = 2
arrival_step = 2
"""
KEYS = {
    "system",
    "step",
    "time_s",
    "ledger",
    "running",
    "waiting",
    "scheduled",
    "cache_hits",
    "preempted",
    "finished",
    "events",
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(TOML)
    return path


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_object_a_system_and_step_and_the_summary_last(file, capsys):
    assert cli.main(["run", str(file), "--json"]) == 0
    *rows, last = lines(capsys)
    assert set(last) == {"summary"} and set(last["summary"]) == {"Orca (Max)", "PagedAttention"}
    for row in rows:
        assert KEYS <= set(row)
        for booked in row["ledger"].values():
            assert list(booked) == ["used", "reserved", "internal", "rounding", "stranded", "free"]
            assert sum(booked.values()) == 128
        extra = {"free_queue", "ref_count", "cached_blocks"}
        assert extra <= set(row) if row["system"] == "PagedAttention" else not extra & set(row)
    assert [r["step"] for r in rows if r["system"] == "Orca (Max)"] == list(range(6))


def test_running_says_what_was_written_including_this_step(file, capsys):
    cli.main(["run", str(file), "--json", "--steps", "0:0"])
    contiguous, paged, _ = lines(capsys)
    assert contiguous["running"] == [{"id": "A", "slots_written": 5, "slots_held": 64, "start": 0}]
    assert paged["running"] == [{"id": "A", "slots_written": 5, "slots_held": 8, "block_table": [1, 2]}]
    assert paged["scheduled"] == {"A": 5} and paged["ref_count"] == {"1": 1, "2": 1}
    assert paged["free_queue"] == list(range(3, 32))
    assert paged["ledger"]["online"]["rounding"] == 4  # the null block


def test_steps_are_inclusive_at_both_ends(file, capsys):
    cli.main(["run", str(file), "--json", "--steps", "2:3"])
    assert {r["step"] for r in lines(capsys)[:-1]} == {2, 3}


def test_a_table_without_json(file, capsys):
    assert cli.main(["run", str(file)]) == 0
    text = capsys.readouterr().out
    assert "Orca (Max)" in text and "PagedAttention" in text


def test_a_saved_trace_prints_the_same(file, capsys, tmp_path):
    cli.main(["run", str(file), "--json", "--save", str(tmp_path / "t.vizkv")])
    first = lines(capsys)
    cli.main(["run", str(tmp_path / "t.vizkv"), "--json"])
    assert lines(capsys) == first


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("slots = 'many'", "slots is 'many'"),
        ("sloths = 3", "sloths"),
        ("slots = 2020-01-02", "slots is 2020-01-02;"),
        ("slots = 2020-01-02T03:04:05", "slots is 2020-01-02T03:04:05;"),
        ("slots = 03:04:05", "slots is 03:04:05;"),
        ("slots = 0", "slots is 0"),
        ("= 3", "not valid TOML"),
        (
            "[[systems]]\nkind = 'ring'\n[[requests]]\nprompt_tokens=1\noutput_tokens=1",
            "'contiguous', 'paged' or 'virtual'",
        ),
        ("[[systems]]\nkind = 'paged'", "zero requests"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(text, says, tmp_path, capsys):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    assert cli.main(["run", str(path)]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1 and "Traceback" not in error


def test_a_missing_file_is_named(capsys):
    assert cli.main(["run", "nowhere.toml"]) == 2
    assert "'nowhere.toml' cannot be read" in capsys.readouterr().err


def test_python_m_vizkv_is_the_same():
    done = subprocess.run([sys.executable, "-m", "vizkv", "--help"], capture_output=True, text=True, check=True)
    assert "run" in done.stdout and "model" in done.stdout


def test_an_unknown_option_is_one_sentence(file):
    done = subprocess.run([sys.executable, "-m", "vizkv", "run", str(file), "--frob"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1


@pytest.mark.parametrize("module", ["vizkv.cli", "numpy", "vizkv.messages", "vizkv.sweeps.work", "catalogue"])
def test_an_interrupt_while_all_is_still_imported_is_one_line(module):
    interrupted = f"""
import os, signal, sys
from vizkv import __main__ as program

class Interrupt:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
if {module!r} == "catalogue":
    from vizkv import cli
    cli.messages = lambda _: os.kill(os.getpid(), signal.SIGINT)
program.main()
"""
    done = subprocess.run(interruptible("-c", interrupted), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "vizkv: stopped.\n")


@pytest.mark.parametrize("moment", ["in a destructor", "at the end"])
def test_an_interrupt_where_no_exception_can_be_raised_is_one_line(moment):
    interrupted = f"""
import atexit, os, signal
from vizkv import __main__ as program, cli

class Interrupt:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):  # the handler runs between two instructions
            pass

def main():
    if {moment!r} == "at the end":
        atexit.register(Interrupt().__del__)
        return 0
    Interrupt()
    return 0

cli.main = main
raise SystemExit(program.main())
"""
    done = subprocess.run(interruptible("-c", interrupted), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "vizkv: stopped.\n")


def test_a_request_that_can_never_run_is_named_with_its_need_and_the_limit(tmp_path, capsys):
    path = tmp_path / "long.toml"
    late = '[[requests]]\nid = "book"\nprompt_tokens = 500\noutput_tokens = 6\n'
    path.write_text(TOML + late)
    assert cli.main(["run", str(path)]) == 0
    out = capsys.readouterr().out
    assert "1 request of Orca (Max) never ran: book can never run: it needs 505 slots, and the model's maximum" in out
    path.write_text(TOML.replace("max_model_len = 64", "max_model_len = 1024") + late + late.replace("book", "tome"))
    assert cli.main(["run", str(path)]) == 0
    out = capsys.readouterr().out
    assert "2 requests of PagedAttention never ran. The first of them: book can never run: it needs 505" in out
    assert "and the pool has 124." in out  # without the null block


@pytest.mark.parametrize(
    ("warmup", "says"),
    [("1.0", "from second 1 to 5, percent of"), ("9.0", "from second 9 to 5, or over all of its steps before that")],
)
def test_the_table_of_a_workload_says_from_when_to_when_its_means_are(warmup, says, tmp_path, capsys):
    path = tmp_path / "drawn.toml"
    path.write_text(f'model = "none"\n[[systems]]\nkind = "paged"\n[workload]\nduration = 5.0\nwarmup = {warmup}\n')
    assert cli.main(["run", str(path)]) == 0
    assert says in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize("content", [b"", b"slots = 3", b"PK\x03\x04 and no more"])
def test_a_trace_that_is_none_is_named(content, tmp_path, capsys):
    path = tmp_path / "broken.vizkv"
    path.write_bytes(content)
    assert cli.main(["run", str(path)]) == 2
    error = capsys.readouterr().err
    assert f"{str(path)!r}: The file is not" in error and error.count("\n") == 1


@pytest.mark.parametrize("words", [["--json"], []])
def test_a_full_disk_behind_standard_output_is_one_sentence(file, words):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "vizkv", "run", str(file), *words], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr == "vizkv: The output cannot be written: No space left on device.\n"


@pytest.mark.parametrize("command", [["run"], ["export", "--what", "chart:bars"]])
def test_a_saved_trace_whose_scenario_is_none_is_refused_in_one_sentence(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    made = engine.run(from_toml(TOML))
    (tmp_path / "odd.vizkv").write_bytes(traces.save(replace(made, scenario={"workload": {"warmup": "late"}})))
    assert cli.main([command[0], "odd.vizkv", *command[1:]]) == cli.BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1
