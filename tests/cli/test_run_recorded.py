"""``vizkv run --recorded``: a server's own log of a workload beside our runs of it.

tests/data/vllm019_rtx4090.*: 300 ShareGPT requests that vLLM 0.19 served with Llama-3.1-8B on an RTX 4090, as scenario,
and what it logged each second. Source: the benchmark data of LLMServingSim; figures as in SPEC 10.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkv import cli
from vizkv.messages.catalogue import messages
from vizkv.replay import server_log
from vizkv.replay.queues import Queues, mean_running
from vizkv.replay.server_log import parse
from vizkv.scenario.schema import ScenarioError
from vizkv.views.charts.figure2 import recorded

DATA = Path(__file__).resolve().parents[1] / "data"
SCENARIO, RECORDING = DATA / "vllm019_rtx4090.toml", DATA / "vllm019_rtx4090_recorded.csv"


def test_the_recorded_run_of_vllm_019_stands_beside_ours(capsys):
    assert cli.main(["run", str(SCENARIO), "--recorded", str(RECORDING), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert round(told["recorded"]["running"], 1) == 34.2
    (ours,) = told["runs"]
    assert round(ours["running"], 2) == 34.05 and ours["name"] == "PagedAttention"
    assert cli.main(["run", str(SCENARIO), "--recorded", str(RECORDING)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[-2:]]
    assert [row[1] for row in rows] == ["34.19", "34.05"]


def test_a_recording_that_cannot_be_read_is_refused_before_anything_runs(capsys, tmp_path):
    assert cli.main(["run", str(SCENARIO), "--recorded", str(tmp_path / "absent.csv")]) != 0
    told = capsys.readouterr()
    assert not told.out and told.err.count("\n") == 1 and "absent.csv" in told.err


def test_a_log_of_vllm_is_read_across_the_turn_of_the_year():
    line = (
        "INFO {} [loggers.py:123] Engine 000: Avg prompt throughput: 1.0 tokens/s, Avg generation throughput: 9.0 "
        "tokens/s, Running: {} reqs, Waiting: {} reqs, GPU KV cache usage: {}%, Prefix cache hit rate: 0.0%"
    )
    log = "\n".join(
        ["starting", line.format("12-31 23:59:55", 3, 0, 10.5), line.format("01-01 00:00:05", 4, 2, 99.0), "the end"]
    )
    found = parse(log.encode(), "vllm.log").queues
    assert found.time_s.tolist() == [0, 10] and found.running.tolist() == [3, 4]
    assert found.waiting.tolist() == [0, 2] and found.held.tolist() == [10.5, 99.0]


def test_prometheus_names_are_known_and_their_share_becomes_percent():
    text = "timestamp,vllm:num_requests_running,vllm:num_requests_waiting,vllm:kv_cache_usage_perc\n"
    found = parse((text + "2026-01-01T00:00:00Z,1,0,0.5\n2026-01-01T00:00:02Z,2,1,0.75\n").encode(), "m.csv").queues
    assert found.time_s.tolist() == [0, 2] and found.held.tolist() == [50, 75]


def test_without_a_column_of_use_only_requests_are_compared():
    found = parse(b"t,running,waiting\n1,3,0\n2,4,1\n", "r.csv")
    row = recorded.compared(found.name, found.queues)
    assert (row.running, row.most_running) == (4, 4) and np.isnan(row.most_held)
    figure = recorded.chart([], found.name, found.queues, "light", messages("en"))
    assert len(figure.data) == 1  # no second picture of nothing


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "no column for the time"),
        (b"t,running,waiting\n", "zero lines"),
        (b"a,b,c\n1,2,3\n", "no column for the time (its first line is 'a,b,c')"),
        (b"t,running\n1,2\n", "no column for the waiting requests"),
        (b"t,running,waiting\n1,2\n", "line 2, has 2 cells; valid are 3"),
        (b"t,running,waiting\n1,-2,0\n", "line 2: running is '-2'; valid is a number of at least 0"),
        (b"t,running,waiting\n1,nan,0\n", "line 2: running is 'nan'"),
        (b"timestamp,running,waiting\nyesterday,1,0\n", "timestamp is 'yesterday'; valid is a date and time"),
        (b"\xff\xfe\x00", "is a binary file"),
    ],
)
def test_a_recording_that_says_nothing_is_refused_in_a_sentence(text, told):
    with pytest.raises(ScenarioError, match=r"recording 'r\.csv'") as caught:
        parse(text, "r.csv")
    assert told in str(caught.value)


def test_a_recording_of_too_many_lines_or_bytes_is_refused(monkeypatch):
    monkeypatch.setattr(server_log, "MAX_ROWS", 2)
    with pytest.raises(ScenarioError, match="more than 2 lines"):
        parse(b"t,running,waiting\n" + b"1,2,3\n" * 3, "r.csv")
    monkeypatch.setattr(server_log, "MAX_BYTES", 10)
    with pytest.raises(ScenarioError, match="larger than"):
        parse(b"t,running,waiting\n", "r.csv")


@given(st.text("t,runigwa1.-e\n\"'\0é;:% ", max_size=80), st.booleans())
def test_nonsense_is_read_or_refused(text, headed):
    try:
        found = parse((("t,running,waiting\n" if headed else "") + text).encode(), "r.csv")
    except ScenarioError:
        return
    assert np.isfinite(found.queues.running).all() and (found.queues.waiting >= 0).all()


def test_nobody_waiting_means_no_mean():
    none = np.zeros(3)
    assert np.isnan(mean_running(none, none))
    assert np.isnan(recorded.compared("x", Queues(none, none, none, none)).running)
