"""``vizkv sweep FILE --vary block_size=8,16,32``: a table, and the same as CSV and Parquet."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from vizkv.cli import workload
from vizkv.cli.export import reachable, write
from vizkv.cli.language import option
from vizkv.cli.text import Bar, aligned, whole
from vizkv.export import swept
from vizkv.export.charts.draw import chart
from vizkv.export.data import parameters
from vizkv.export.request import CHART, THEMES, format_of
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, shorten
from vizkv.replay.metrics import METRICS
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.sweeps import Axis, Outcome, Task, distinct, parse_axis, points, run, written
from vizkv.sweeps.table import Cell, cells, in_order, problems, to_csv, to_parquet
from vizkv.sweeps.tasks import MAX_SEEDS

MAX_JOBS = 1024


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    sweep = commands.add_parser("sweep", help=say("cli.sweep"), description=say("cli.sweep"))
    sweep.add_argument("file", type=Path, metavar="FILE", help=say("cli.sweep.file"))
    sweep.add_argument("--vary", action="append", required=True, metavar="NAME=VALUES", help=say("cli.sweep.vary"))
    sweep.add_argument("--metric", default="used", metavar="NAME[,NAME]", help=say("cli.sweep.metric"))
    sweep.add_argument(
        "--seeds", type=partial(count, say, "seeds", MAX_SEEDS), default=1, metavar="COUNT", help=say("cli.sweep.seeds")
    )
    sweep.add_argument(
        "--jobs", type=partial(count, say, "jobs", MAX_JOBS), metavar="COUNT", help=say("cli.sweep.jobs")
    )
    sweep.add_argument("--cluster", metavar="ADDRESS", help=say("cli.sweep.cluster"))
    sweep.add_argument("--csv", type=Path, metavar="OUT", help=say("cli.sweep.csv"))
    sweep.add_argument("--parquet", type=Path, metavar="OUT", help=say("cli.sweep.parquet"))
    sweep.add_argument("--chart", type=Path, metavar="OUT", help=say("cli.sweep.chart"))
    sweep.add_argument("--theme", choices=THEMES, default="light", help=say("cli.export.theme"))
    workload.options(sweep, say)
    option(sweep, say)
    sweep.set_defaults(action=_sweep)


def count(say: Messages, name: str, most: int, text: str) -> int:
    """Processes or seeds, as an option gives them."""
    number = whole(text)
    if number is None or not 1 <= number <= most:
        raise argparse.ArgumentTypeError(say("cli.sweep.count", name=name, text=shorten(text), most=most))
    return number


def _sweep(arguments: argparse.Namespace, say: Messages) -> int:
    metrics = metrics_of(arguments.metric)
    kind = format_of(CHART + "sweep", "", arguments.chart.suffix) if arguments.chart else ""
    if arguments.chart:
        reachable(arguments.chart)
    axes = [parse_axis(text) for text in arguments.vary]
    if arguments.chart and len(axes) > 2:
        raise ScenarioError(told("A chart shows one or two varied parameters; {n} are varied.", n=len(axes)))
    scenario = workload.load(arguments)
    tasks = points(scenario, axes, arguments.seeds)
    found = outcomes(tasks, arguments, say)
    complaints = problems(found)
    if sum(map(len, complaints.values())) == len(found):  # there is nothing to show
        raise ScenarioError(next(iter(complaints)))
    print(_table(scenario, axes, metrics, found, arguments.seeds, say))
    for sentence, those in complaints.items():
        print(say("cli.sweep.problem", n=len(those), system=those[0].system, problem=sentence))
    for path, make in ((arguments.csv, to_csv), (arguments.parquet, to_parquet)):
        if path:
            write_table(path, make, found)
    if arguments.chart:
        about = say("cli.sweep.chart.about", title=say("page.sweep.title"), varied=", ".join(arguments.vary),
                    n=str(arguments.seeds))  # fmt: skip
        figure = swept.figure(found, [axis.name for axis in axes], metrics[0], arguments.theme, say)
        write(arguments.chart, chart(
            figure, kind, scale=2, theme=arguments.theme, caption=parameters(about, scenario, say),  # type: ignore[arg-type]
            alt=say("chart.alt.sweep"), title=say("picture.chart.sweep"),
        ))  # fmt: skip
        print(say("cli.export.written", path=str(arguments.chart), size=arguments.chart.stat().st_size))
    return 0


def metrics_of(text: str) -> list[str]:
    """Names with commas, each once. Raises ScenarioError."""
    names = [name for part in text.split(",") if (name := part.strip())]
    for name in names or [text]:
        if name not in METRICS:
            raise ScenarioError(
                told("The metric is {name}; valid is {metrics}.", name=shorten(name), metrics=either(list(METRICS)))
            )
    return list(dict.fromkeys(names))


def outcomes(tasks: list[Task], arguments: argparse.Namespace, say: Messages) -> list[tuple[Task, Outcome]]:
    """Every outcome, in the order of the tasks. ``arguments``: their ``jobs`` and ``cluster``."""
    total, bar, found = len(distinct(tasks)), Bar(), []
    done: set[str] = set()
    try:
        bar.show(0, total, say("cli.sweep.running", done=0, n=total))
        for task, outcome in run(tasks, jobs=arguments.jobs, cluster=arguments.cluster):
            found.append((task, outcome))
            if task.key and task.key not in done:
                done.add(task.key)
                bar.show(len(done), total, say("cli.sweep.running", done=len(done), n=total))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(say("cli.sweep.stopped", done=len(done), n=total)) from None
    finally:
        bar.clear()
    return in_order(tasks, found)


def _table(
    scenario: Scenario, axes: list[Axis], metrics: list[str], found: list[tuple[Task, Outcome]], seeds: int,
    say: Messages,
) -> str:  # fmt: skip
    """One line a system and point: the mean of each metric over the seeds, and its spread."""
    names = list(dict.fromkeys((task.index, task.system) for task, _ in found))
    points_ = list(dict.fromkeys(task.point for task, _ in found))
    titles = [say("cli.table.system"), *(axis.name for axis in axes)]
    for metric in metrics:
        titles += [say(f"metric.{metric}.short"), *([say("cli.sweep.spread")] if seeds > 1 else [])]
    rows, known = [titles], [cells(found, metric) for metric in metrics]
    for index, system in names:
        for point in points_:
            row = [system, *(written(value) for _, value in point)]
            for metric, numbers in zip(metrics, known, strict=True):
                row += shown(numbers[index, point], 0 if METRICS[metric].unit == "count" else 2, seeds, say)
            rows.append(row)
    about = say("cli.sweep.title", slots=scenario.slots, n=seeds)
    return "\n".join([about, *aligned(rows)])


def shown(cell: Cell, places: int, seeds: int, say: Messages) -> list[str]:
    """Mean and spread; a dash where nothing is known."""
    if not cell.seeds:
        return ["-"] * (2 if seeds > 1 else 1)
    spread = [f"{say.fixed(cell.low, places)}..{say.fixed(cell.high, places)}"] if seeds > 1 else []
    return [say.fixed(cell.mean, max(places, 1) if seeds > 1 else places), *spread]


def write_table(
    path: Path, make: Callable[[list[tuple[Task, Outcome]]], bytes], found: list[tuple[Task, Outcome]]
) -> None:
    """What ``make`` makes of the runs, as a file. Raises ScenarioError."""
    try:
        path.write_bytes(make(found))
    except (OSError, ValueError) as error:
        raise ScenarioError(
            told("The table cannot be written to {path!r}: {why}.", path=str(path), why=error)
        ) from None
