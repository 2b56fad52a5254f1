"""The averages of one run are the same numbers wherever the program shows them."""

import csv
import io
import json
from contextlib import redirect_stdout
from types import SimpleNamespace

import numpy as np
import pytest

from vizkv import cli, lecture
from vizkv import sweeps as sweep
from vizkv.engine.engine import run
from vizkv.export import beats, figures
from vizkv.messages.catalogue import messages
from vizkv.replay import averages
from vizkv.scenario.schema import from_dict, to_toml
from vizkv.sweeps.store import Store
from vizkv.sweeps.table import in_order, to_csv
from vizkv.trace.slots import CATEGORIES
from vizkv.ui.whatif import below as whatif_below
from vizkv.ui.whatif import runs as whatif_runs
from vizkv.views.charts.series import series
from vizkv.views.facts import numbers, pressure

SYSTEMS = [
    {"kind": "contiguous", "reserve": "max"},
    {"kind": "contiguous", "reserve": "pow2"},
    {"kind": "paged", "watermark": 0.01},
]
POOL = {"slots": 8192, "max_model_len": 2048, "model": "none", "systems": SYSTEMS}
REQUESTS = [{"prompt_tokens": 30 + 9 * i, "output_tokens": 40 - 3 * i, "arrival_step": 5 * i} for i in range(8)]
SCENARIOS = {
    "the default warm-up": POOL | {"workload": {"rate": 0.5, "duration": 330.0, "iteration_ms": 500.0}},
    "a warm-up and no drain": POOL | {"workload": {"duration": 30.0, "warmup": 12.0, "drain": False}},
    "no warm-up": POOL | {"workload": {"duration": 20.0, "warmup": 0.0}},
    "a warm-up longer than the run": POOL | {"workload": {"duration": 20.0}},
    "a first step longer than the run": POOL | {"workload": {"duration": 2.0, "warmup": 0.5, "iteration_ms": 5000.0}},
    "no workload": POOL | {"requests": REQUESTS},
}
SAY = messages()
BATCH = "batch"


@pytest.fixture(scope="module", params=SCENARIOS)
def case(request, tmp_path_factory):
    """A scenario as a file, its trace, and what ``vizkv run --json`` says of it."""
    scenario = from_dict(SCENARIOS[request.param])
    folder = tmp_path_factory.mktemp("case")
    file = folder / "scenario.toml"
    file.write_text(to_toml(scenario))
    saved = folder / "run.vizkv"
    out = printed("run", file, "--json", "--steps", "0:0", "--save", saved)
    told = {}
    for name, said in json.loads(out.splitlines()[-1])["summary"].items():
        books = said["percent"]["hindsight"]
        told[name] = books["paper"] | {f"{k}-textbook": v for k, v in books["textbook"].items()}
        told[name][BATCH] = said["mean_batched_requests"]
    return SimpleNamespace(scenario=scenario, file=file, saved=saved, trace=run(scenario), told=told)


def printed(*words):
    """What a command prints."""
    with redirect_stdout(io.StringIO()) as out:
        assert cli.main([str(word) for word in words]) == 0
    return out.getvalue()


def of_the_table(text, name):
    """A system's numbers in the printed table."""
    line = next(line for line in text.splitlines() if line.startswith(name))
    used, reserved, internal_textbook, external_textbook, _, internal, external, batch, *_ = (
        float(cell.replace(",", "")) for cell in line.removeprefix(name).split()
    )
    return {"used": used, "reserved": reserved, "internal": internal, "external": external, BATCH: batch,
            "internal-textbook": internal_textbook, "external-textbook": external_textbook}  # fmt: skip


def of_the_bars(figure, accounting):
    """System -> category -> height of a bar chart's parts."""
    found = {}
    names = {SAY(f"category.{name}"): name for name in CATEGORIES} | {SAY("category.others"): "external"}
    suffix = "" if accounting == "paper" else "-textbook"
    for trace in figure.data:
        if trace.type == "bar":
            for system, value in zip(trace.x, trace.y, strict=True):
                found.setdefault(system, {})[names[trace.name] + suffix] = value
    return found


def agree(there, here, precision):
    """Compare the numbers that both know; there must be some."""
    for system, known in here.items():
        both = known.keys() & there[system].keys()
        assert both, (system, known)
        for name in both:
            assert known[name] == pytest.approx(there[system][name], abs=precision), (system, name)
    assert here


def test_the_printed_table_and_the_summary_agree(case):
    text = printed("run", case.file)
    agree(case.told, {name: of_the_table(text, name) for name in case.told}, 0.051)


def test_the_bars_of_an_export_and_of_a_deck_are_the_summary_s(case, monkeypatch):
    if case.scenario.workload is None:  # a run without a clock has no such bars
        with pytest.raises(ValueError, match="bars"):
            figures.figure("bars", case.trace, 0, "hindsight", "paper", "light", SAY)
        return
    drawn = []
    for accounting in ("paper", "textbook"):
        figure = figures.figure("bars", case.trace, 0, "hindsight", accounting, "light", SAY)
        agree(case.told, of_the_bars(figure, accounting), 0.01)

    make = figures.figure

    def watched(*words):
        drawn.append(make(*words))
        return drawn[-1]

    monkeypatch.setattr(figures, "figure", watched)
    beat = '[[beats]]\ntitle = "a"\nnotes = "b"\npage = "whatif"\npreset = "figure-2"\n'
    script = lecture.read(f'title = "x"\n{beat}lens = "hindsight"\naccounting = "paper"\n')
    assert beats.drawer(script, SAY, lambda _: case.trace, projector=False)(0).picture
    agree(case.told, of_the_bars(drawn[0], "paper"), 0.01)


def swept(case):
    """The only point of a sweep, with what was found."""
    tasks = sweep.points(case.scenario, [sweep.parse_axis("seed=0")])
    return in_order(tasks, list(sweep.run(tasks, jobs=1, store=Store(None))))


def test_the_page_figure_2_shows_the_numbers_of_the_summary_and_of_a_sweep(case):
    if case.scenario.workload is None:
        return
    job = whatif_runs.Job(case.scenario)
    job.begin()
    job.wait()
    assert not job.problem
    throughput = [outcome["throughput"] for _, outcome in swept(case)]
    assert [lane.numbers["throughput"] for lane in job.lanes] == pytest.approx(throughput)
    page = {one.name: averages.by_category(one.shares, "hindsight", "paper") | {BATCH: one.batched}
            for one in whatif_below._told(job, None)}  # fmt: skip
    agree(case.told, page, 0.001)


def test_the_numbers_below_a_player_are_the_summary_s(case):
    columns = numbers.table(case.trace, series(case.trace), "hindsight", "textbook", SAY)
    systems = columns[SAY("numbers.system")]
    page = {name: {BATCH: columns[SAY("numbers.batch")][i]} for i, name in enumerate(systems)}
    agree(case.told, page, 0.0051)
    for category in CATEGORIES:
        values = columns[SAY("numbers.mean", category=SAY(f"player.short.{category}"))]
        agree(case.told, {name: {f"{category}-textbook": values[i]} for i, name in enumerate(systems)}, 0.051)


def test_the_page_under_pressure_averages_the_batch_as_the_summary_does(case):
    agree(case.told, {one.name: {BATCH: one.batch} for one in pressure.by_system(case.trace)}, 0.001)


def test_a_sweep_and_its_table_have_the_summary_s_numbers(case):
    found = swept(case)
    for task, outcome in found:
        shares = {name: value for name, value in outcome.items() if name != "free"}  # a sweep's is the textbook's
        agree(
            case.told, {task.system: shares | {"free-textbook": outcome["free"], BATCH: outcome["mean_batch"]}}, 0.001
        )
    for row in csv.DictReader(io.StringIO(to_csv(found).decode())):
        values = {name: float(row[name]) for name in ("used", "reserved", "internal", "external")}
        agree(case.told, {row["system"]: values | {BATCH: float(row["mean_batch"])}}, 0.001)


def test_the_ledger_file_averages_to_the_summary_s_numbers(case, tmp_path):
    """A reader who averages the lines from the warm-up to the end of the arrivals gets what the program says."""
    out = tmp_path / "ledger.csv"
    printed("export", case.saved, "--what", "ledger", "--lens", "hindsight", "--accounting", "paper", "-o", out)
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"))))
    workload = case.scenario.workload
    low, high = (workload.warmup, workload.duration) if workload else (0.0, np.inf)
    for name in case.told:
        lines = [row for row in rows if row["system"] == name]
        those = [row for row in lines if low <= float(row["time_s"]) <= high]
        those = those or [row for row in lines if float(row["time_s"]) <= high] or lines[:1]
        means = {c: np.mean([int(row[c]) / int(row["slots"]) * 100 for row in those]) for c in CATEGORIES}
        agree(case.told, {name: means | {BATCH: np.mean([int(row["batched_requests"]) for row in those])}}, 0.001)
