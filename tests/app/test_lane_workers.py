"""The worker processes of the page "What if": one that dies, hangs or lacks memory costs a sentence at most."""

import io
import pickle
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.app.test_whatif_page import short
from vizkv.messages.catalogue import messages
from vizkv.ui.whatif import lane as lane_work
from vizkv.ui.whatif import lane_workers
from vizkv.ui.whatif import runs as whatif_runs
from vizkv.ui.whatif.lane import Answer, Wish, receive, send

GONE = short(lengths="upload:0123456789abcdef")  # a workload that cannot be drawn
WISH = Wish("key", whatif_runs.alone(GONE, 0), "", 1.0, 1.0, 0)
HALF = """
import pickle, sys
from pathlib import Path
sys.stdin.buffer.read(1)
whole = pickle.dumps({"an": "answer" * 100})
sys.stdout.buffer.write(len(whole).to_bytes(8, "little") + whole[:200])
sys.stdout.buffer.flush()
"""
ONCE = HALF.replace(
    "sys.stdin", "if Path(sys.argv[1]).exists():\n    from vizkv.ui.whatif import lane\n    lane.main()\n"
    "    raise SystemExit\nPath(sys.argv[1]).touch()\nsys.stdin", 1,
)  # fmt: skip


@contextmanager
def process_of(monkeypatch, *command):
    """A worker process with another program."""
    monkeypatch.setattr(lane_workers, "_COMMAND", (sys.executable, "-c", *command))
    one = lane_workers.Process()
    try:
        yield one
    finally:
        one.end()


def test_a_worker_that_dies_in_the_middle_of_an_answer_is_followed_by_another(monkeypatch, tmp_path):
    alone = whatif_runs.alone(short(2.0), 0)
    with process_of(monkeypatch, ONCE, str(tmp_path / "died")) as process:
        answer = process.ask(Wish("key", alone, "key", float("inf"), 60.0, 0))
    assert (tmp_path / "died").exists() and answer.trace.steps > 0


def test_a_worker_that_dies_again_and_again_is_one_sentence_and_the_next_question_has_a_new_one(monkeypatch):
    with process_of(monkeypatch, HALF) as process:
        with pytest.raises(lane_workers.WorkerError) as caught:
            process.ask(WISH)
        monkeypatch.undo()
        assert process.ask(WISH).problem
    assert "has ended twice" in str(caught.value) and messages("zh").error(caught.value).endswith("。")


def test_a_job_whose_workers_die_says_so(monkeypatch):
    def ask(*_):
        raise lane_workers.WorkerError("gone")

    monkeypatch.setattr(lane_workers.Process, "ask", ask)
    job = whatif_runs.Job(short(2.5))
    job.begin()
    job.wait()
    assert (job.problem, job.running) == ("gone", False)
    seeds = whatif_runs.Seeds(short(2.5), (991, 992))
    seeds.wait()
    assert (seeds.problem, seeds.running) == ("gone", False)


def test_a_worker_that_never_answers_is_ended(monkeypatch):
    waits = []

    class Timer(threading.Timer):
        def __init__(self, interval, *others):
            waits.append(interval)
            super().__init__(0, *others)

    monkeypatch.setattr(lane_workers.threading, "Timer", Timer)
    with process_of(monkeypatch, "import sys; sys.stdin.read()") as process:
        with pytest.raises(lane_workers.WorkerError):
            process.ask(WISH)
    assert waits == [lane_workers.ANSWER_S]  # and it is not tried again


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 9, 60])
def test_a_message_that_is_cut_short_is_the_end(cut):
    stream = io.BytesIO()
    send(stream, {"a": "message" * 20})
    with pytest.raises(EOFError):
        receive(io.BytesIO(stream.getvalue()[:cut]))
    assert receive(io.BytesIO(stream.getvalue())) == {"a": "message" * 20}


def test_a_worker_whose_asker_has_gone_ends_in_silence():
    child = subprocess.Popen(
        [sys.executable, "-m", "vizkv.ui.whatif.lane"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, cwd=Path(lane_workers.__file__).parents[2],
    )  # fmt: skip
    out, err = child.communicate((100).to_bytes(8, "little") + pickle.dumps(WISH)[:9])
    assert (child.returncode, out, err) == (0, b"", b"")


def test_where_memory_runs_out_others_begin_anew_and_the_question_is_tried_again(monkeypatch):
    worker = lane_work.Worker()
    worker._under_way["other"] = worker._drawn["other"] = object()
    tries = []

    def grant(wish):
        tries.append(len(worker._under_way))
        if len(tries) == 1:
            raise MemoryError
        return Answer(time_s=1.0)

    monkeypatch.setattr(worker, "grant", grant)
    assert worker.answer(WISH).time_s == 1.0 and tries == [1, 0]


def test_a_system_that_never_fits_into_a_worker_is_one_sentence(monkeypatch):
    worker = lane_work.Worker()

    def grant(wish):
        worker._under_way["half"] = object()
        raise MemoryError

    monkeypatch.setattr(worker, "grant", grant)
    assert "more than 2048 MiB" in worker.answer(WISH).problem and not worker._under_way


def test_a_worker_has_a_limit_of_memory():
    asked = "from vizkv.ui.whatif import lane as lane_work\nlane_work.limit_memory(400 << 20)\nbytearray(500 << 20)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)
    assert "MemoryError" in done.stderr
