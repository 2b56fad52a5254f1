"""Doing the runs: here, in processes, on a cluster; remembered, stopped, and with errors in their place."""

import itertools
import subprocess
import sys
import threading

import pytest

from tests.sweeps.small import forgetful, scenario, tasks, told
from vizkv.engine import engine
from vizkv.replay.metrics import METRICS, measure
from vizkv.sweeps import ClusterError, Stop, distinct, known, run
from vizkv.sweeps import work as working
from vizkv.sweeps.store import Store


def test_a_run_of_a_sweep_is_the_system_s_run_in_the_whole_scenario():
    whole = scenario()
    trace = engine.run(whole)
    found = told(run(tasks("block_size=16"), jobs=1, store=forgetful()))
    for index, system in enumerate(trace.systems):
        assert found[index, (("block_size", 16),), 0] == pytest.approx(
            measure(system, trace.requests, (5.0, 20.0)), nan_ok=True
        )


def test_processes_find_what_this_one_finds():
    made = tasks("block_size=8,32", seeds=2)
    here, there = (told(run(made, jobs=jobs, store=forgetful())) for jobs in (1, 2))
    assert len(here) == len(made) == 12
    assert here == there


CLUSTER = """
from distributed import LocalCluster
with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
    print(cluster.scheduler_address, flush=True)
    input()
"""


@pytest.fixture
def cluster():
    """The address of a cluster of two worker processes, in a program of its own, as on other machines."""
    command = [sys.executable, "-c", CLUSTER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        yield program.stdout.readline().strip()
        program.communicate("enough\n", timeout=60)


def test_a_cluster_of_two_worker_processes_finds_the_same(cluster):
    made = tasks("block_size=8,32,16384")
    there = told(run(made, cluster=cluster, store=forgetful()))
    assert there == told(run(made, jobs=1, store=forgetful()))
    assert sum(isinstance(outcome, str) for outcome in there.values()) == 1


def test_a_cluster_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(working, "SECONDS_TO_CONNECT", 1)
    for address in ("tcp://127.0.0.1:1", "nonsense"):
        with pytest.raises(ClusterError, match=r"does not answer .* valid is the address of a running Dask scheduler"):
            list(run(tasks("block_size=8"), cluster=address, store=forgetful()))


def test_a_worker_with_another_vizkv_is_a_sentence_and_not_a_number():
    (task, *_) = tasks("block_size=8")
    key, outcome = working.one(task.key, task.scenario, task.window, "", "0.0.1+abc")
    assert key == task.key and "this program is 0.0.1+abc; valid is a cluster" in outcome


def test_what_is_known_is_not_run_again(monkeypatch):
    store, made = forgetful(), tasks("block_size=8,16")
    first = told(run(made, jobs=1, store=store))
    monkeypatch.setattr(engine, "run", lambda *_, **__: pytest.fail("it was run again"))
    assert told(run(made, jobs=1, store=store)) == first
    assert set(known(made, store)) == {task.key for task in distinct(made)}


def test_an_error_in_one_run_is_its_outcome_and_the_others_are_made(monkeypatch):
    honest = engine.run

    def run_most(asked, **options):
        if asked.systems[0].kind == "paged" and asked.systems[0].block_size == 8:
            raise ZeroDivisionError("by zero")
        return honest(asked, **options)

    monkeypatch.setattr(engine, "run", run_most)
    store = forgetful()
    found = told(run(tasks("block_size=8,16"), jobs=1, store=store))
    wrong = [outcome for outcome in found.values() if isinstance(outcome, str)]
    assert wrong == ["The run failed with ZeroDivisionError: by zero"] and len(found) == 6
    assert len(known(tasks("block_size=8,16"), store)) == 3  # an error is not remembered


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_that_is_stopped_ends_in_the_middle_of_its_runs(jobs):
    made = tasks("rate=1..4:0.25", duration=600.0)  # half a minute of work
    stop, found = Stop(), []
    for pair in run(made, jobs=jobs, stop=stop, store=forgetful()):
        found.append(pair)
        threading.Timer(0.1, stop.set).start()
    assert 0 < len({task.key for task, _ in found}) < len(distinct(made)) / 2


def test_whoever_stops_listening_stops_the_sweep():
    made = tasks("rate=1..4:0.25", duration=600.0)
    outcomes = run(made, jobs=2, store=forgetful())
    assert len(list(itertools.islice(outcomes, 2))) == 2
    outcomes.close()
    assert len(list(run(tasks("block_size=8"), jobs=2, store=forgetful()))) == 3  # the next one has its turn


def test_the_memory_is_bounded_and_forgets_what_was_used_longest_ago():
    store = Store(None, memory=2)
    for key in "abc":
        store.put(key, {"used": 1.0})
    assert store.get("a") is None and store.get("c") == {"used": 1.0}


def test_the_file_is_bounded_and_outlives_the_program(tmp_path):
    path = tmp_path / "deep" / "results.sqlite"
    store = Store(path, memory=1, rows=10)
    for number in range(25):
        store.put(str(number), {"used": float(number), "latency_mean": float("nan")})
        assert len(store) <= 10
    store.close()
    again = Store(path)
    assert again.get("24")["used"] == 24.0 and again.get("0") is None


def test_a_file_that_is_damaged_costs_nothing_but_its_contents(tmp_path):
    path = tmp_path / "results.sqlite"
    path.write_bytes(b"this is no database" * 100)
    store = Store(path)
    store.put("a", {"used": 1.0})
    assert store.get("a") == {"used": 1.0} and store.get("b") is None


def test_the_metrics_of_a_run_are_all_that_comes_back():
    ((_, outcome), *_) = run(tasks("block_size=16"), jobs=1, store=forgetful())
    assert list(outcome) == list(METRICS) and all(isinstance(value, float) for value in outcome.values())
