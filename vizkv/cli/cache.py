"""``vizkv cache FILE``: what a prefix cache finds, by pool and block size; the page "Prefix cache" as a command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vizkv.cli import workload
from vizkv.cli.export import reachable, write
from vizkv.cli.language import option
from vizkv.cli.sweep import MAX_JOBS, count, metrics_of, outcomes, shown, write_table
from vizkv.cli.text import aligned
from vizkv.export import swept
from vizkv.export.charts.draw import chart
from vizkv.export.data import parameters
from vizkv.export.request import CHART, THEMES, format_of
from vizkv.messages.catalogue import Messages
from vizkv.replay.metrics import METRICS
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.sweeps import Axis, Outcome, Task, parse_values, points, prefix, said, written
from vizkv.sweeps.table import cells, in_order, problems, to_csv, to_parquet
from vizkv.views.charts import cache as views
from vizkv.views.charts.cache import Curve
from vizkv.views.charts.projector import for_projector


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    command = commands.add_parser("cache", help=say("cli.cache"), description=say("cli.cache"))
    command.add_argument("file", type=Path, metavar="FILE", help=say("cli.cache.file"))
    command.add_argument("--pools", default="", metavar="VALUES", help=say("cli.cache.pools"))
    command.add_argument("--sizes", default=prefix.SIZES, metavar="VALUES", help=say("cli.cache.sizes"))
    command.add_argument("--metric", default="", metavar="NAME[,NAME]", help=say("cli.cache.metric"))
    command.add_argument(
        "--jobs", type=partial(count, say, "jobs", MAX_JOBS), metavar="COUNT", help=say("cli.sweep.jobs")
    )
    command.add_argument("--csv", type=Path, metavar="OUT", help=say("cli.sweep.csv"))
    command.add_argument("--parquet", type=Path, metavar="OUT", help=say("cli.sweep.parquet"))
    command.add_argument("--chart", type=Path, metavar="OUT", help=say("cli.cache.chart"))
    command.add_argument("--theme", choices=THEMES, default="light", help=say("cli.export.theme"))
    command.add_argument("--projector", action="store_true", help=say("cli.export.projector"))
    workload.options(command, say)
    option(command, say)
    command.set_defaults(action=_cache, cluster=None)


def _cache(arguments: argparse.Namespace, say: Messages) -> int:
    more = metrics_of(arguments.metric) if arguments.metric else []
    kind = format_of(CHART + "cache", "", arguments.chart.suffix) if arguments.chart else ""
    for path in (arguments.csv, arguments.parquet, arguments.chart):
        if path:
            reachable(path)
    sizes = parse_values("block_size", arguments.sizes)
    given = workload.load(arguments)
    scenario = prefix.with_cache(given)
    pools = parse_values("slots", arguments.pools or prefix.ready_pools(scenario))
    tasks = points(scenario, [pools, sizes])
    found = in_order(tasks, outcomes(prefix.quickest_first(tasks), arguments, say))
    complaints = problems(found)
    if sum(map(len, complaints.values())) == len(found):  # there is nothing to show
        raise ScenarioError(next(iter(complaints)))
    point = prefix.near(prefix.own(scenario), prefix.grid(pools, sizes))
    curves = swept.curves(scenario, pools, sizes, point, found)
    headline = views.headline(*views.chosen(curves), say)
    about = [*workload.told_of(given, say), _about(scenario, say)]
    print("\n".join([headline, "", *about, *aligned(_rows(curves, found, more, say), left=0)]))
    for sentence, those in complaints.items():
        print(say("cli.sweep.problem", n=len(those), system=said(those[0].point), problem=sentence))
    for path, make in ((arguments.csv, to_csv), (arguments.parquet, to_parquet)):
        if path:
            write_table(path, make, found)
    if arguments.chart:
        figure = views.chart(curves, {}, arguments.theme, say)
        if arguments.projector:
            figure = for_projector(figure, arguments.theme)
        write(arguments.chart, chart(
            figure, kind, scale=2, theme=arguments.theme, caption=_caption(headline, scenario, pools, sizes, say),  # type: ignore[arg-type]
            alt=say("cache.alt"), title=say("picture.chart.cache"),
        ))  # fmt: skip
        print(say("cli.export.written", path=str(arguments.chart), size=arguments.chart.stat().st_size))
    return 0


def _about(scenario: Scenario, say: Messages) -> str:
    """What the prompts hold, as on the page."""
    needs = prefix.demand(scenario)
    told = [say("cache.workload.is", n=needs.requests, tokens=needs.prompt_tokens, fresh=needs.fresh)]
    if needs.too_long:
        told.append(say("cache.too-long", n=needs.too_long, most=scenario.max_model_len))
    return say.sentences(*told)


def _rows(
    curves: Sequence[Curve], found: Sequence[tuple[Task, Outcome]], more: Sequence[str], say: Messages
) -> list[list[str]]:
    """A line a pool and block size: percent found, percent that there is to be found, and what else was asked for."""
    titles = ["slots", "block_size", say("metric.hit_rate.short"), say("cli.cache.infinite")]
    rows = [[*titles, *(say(f"metric.{name}.short") for name in more)]]
    known = {name: cells(list(found), name) for name in ("hit_rate", *more)}
    infinite = {curve.block: curve.infinite for curve in curves}
    for task, _ in found:
        numbers = dict(task.point)
        row = [written(value) for value in numbers.values()]
        row += shown(known["hit_rate"][task.index, task.point], 2, 1, say)
        row.append(say.fixed(infinite[int(numbers["block_size"])], 2))
        for name in more:
            row += shown(known[name][task.index, task.point], 0 if METRICS[name].unit == "count" else 2, 1, say)
        rows.append(row)
    return rows


def _caption(headline: str, scenario: Scenario, pools: Axis, sizes: Axis, say: Messages) -> str:
    varied = f"slots={pools.text}, block_size={sizes.text}"
    about = say("cli.sweep.chart.about", title=say("page.cache.title"), varied=varied, n="1")
    return headline + "\n" + parameters(about, scenario, say)
