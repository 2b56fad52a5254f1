"""What a beat of a script shows, as an exhibit: its run in the player, its bars, or its chart."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from vizkv import sweeps as sweep
from vizkv.engine import engine
from vizkv.exhibit.bars import bars, positions, strips
from vizkv.exhibit.chart import Chart, ChartWords, Point, Series, chart
from vizkv.exhibit.exhibit import Exhibit
from vizkv.exhibit.player import player
from vizkv.lecture import Beat
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import either
from vizkv.replay.metrics import METRICS
from vizkv.scenario.code import from_code, to_code
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.sweeps import prefix
from vizkv.sweeps.table import cells, in_order, number
from vizkv.trace.trace import Trace
from vizkv.views.charts.cost import PAPER, USUAL
from vizkv.views.charts.sweeps import READY

COST = Path(__file__).parent / "cost.csv"  # of `vizkv cost --csv`, once, on the machine that the chart names
_LOG_FROM = 16  # times: an axis that spans more is logarithmic
Tick = Callable[[], None]


@cache
def _model(name: str) -> object:
    from vizkv.model import ModelError, load_model

    try:
        return load_model(name)
    except ModelError as error:
        raise ScenarioError(str(error)) from None


@cache
def _run(code: str) -> Trace:
    scenario = from_code(code)
    return engine.run(scenario, None if scenario.model == "none" else _model(scenario.model))  # type: ignore[arg-type]


def run(scenario: Scenario) -> Trace:
    """Return the run of a scenario, made once: beats one after another often show the same."""
    return _run(to_code(scenario))


def work(beat: Beat) -> int:
    """Return how many units of work a beat is, for a bar of progress."""
    return 1 + (positions(beat.scenario) if beat.page == "whatif" and beat.scenario else 0)


def exhibit(beat: Beat, says: list[Messages], tick: Tick = lambda: None) -> Exhibit:
    """Return what a beat shows. ``tick``: called after each unit of :func:`work` but the last. Raises ScenarioError."""
    if beat.scenario is None or beat.example is None:
        return _cost(says)
    if beat.page == "sweep":
        return _sweep(beat, says)
    if beat.page == "cache":
        return _cache(beat.scenario, says)
    if beat.page == "whatif":
        knobs = strips(beat.scenario, engine.run, tick)
        return bars(run(beat.scenario), beat.scenario, beat.example, knobs, says)
    return player(run(beat.scenario), beat.page, beat.example, beat.words(), says)


def address(beat: Beat) -> str:
    """Return page and query of the app that open what a beat shows."""
    return f"{'' if beat.page == 'memory' else beat.page}?{urlencode(beat.words())}"


def _is_logarithmic(values: list[float]) -> bool:
    return min(values) > 0 and max(values) >= _LOG_FROM * min(values)


def _sweep(beat: Beat, says: list[Messages]) -> Exhibit:
    """The ready-made sweep of the beat's preset, over one parameter; the words of the beat's link may change it."""
    ready = READY.get(beat.preset)
    if ready is None or ready.y:
        valid = either([name for name, one in READY.items() if not one.y])
        raise ScenarioError(
            told("The beat's preset is {name!r}; valid in a show of sweeps is {valid}.", name=beat.preset, valid=valid)
        )
    assert beat.scenario is not None
    name, metric = beat.more.get("x", ready.x), beat.more.get("metric", ready.metric)
    if metric not in METRICS:
        raise ScenarioError(
            told("The beat has metric = {name!r}; valid is {valid}.", name=metric, valid=either(list(METRICS)))
        )
    axis = sweep.parse_axis(f"{name}={beat.more.get('xs', ready.xs)}")
    tasks = sweep.points(beat.scenario, [axis], 1)
    found = in_order(tasks, list(sweep.run(tasks)))
    names = {task.index: task.system for task, _ in found}
    points: dict[int, list[Point]] = {index: [] for index in names}
    for (index, point), cell in cells(found, metric).items():
        if not math.isnan(cell.mean):
            points[index].append(Point(_place(point[0][1]), cell.mean, cell.low, cell.high))
    xs = [_place(value) for value in axis.values]
    own = name == ready.x and metric == ready.metric and not (beat.change or beat.s)
    quoted = [one for one in ready.references if own and one[1] in xs]
    tops = [p.high for line in points.values() for p in line] + [value for _, _, value in quoted]
    percent = METRICS[metric].unit == "percent"
    high = 100.0 if percent and max(tops, default=0) > 50 else 1.1 * max(tops, default=1.0)
    numbers = [x for x in xs if isinstance(x, float)]
    drawn = Chart(
        xs, [Series(index, points[index]) for index in names], 0.0, high, len(numbers) > 2 and _is_logarithmic(numbers),
        quoted,
    )  # fmt: skip
    words = {}
    for say in says:
        axis_key, reference = f"parameter.{name}", f"sweep.reference.{beat.preset}"
        shown = [say.name(system) for system in names.values()]
        words[say.language] = ChartWords(
            say.html,
            say("show.alt.sweep", metric=say(f"metric.{metric}"), parameter=say(axis_key) if axis_key in say else name,
                n=len(shown), systems=say("show.list").join(shown)),
            say(axis_key) if axis_key in say else name,
            say("sweep.axis", name=say(f"metric.{metric}"), unit=say(f"metric.{metric}.unit")), shown,
            "%" if percent else "", say(reference) if quoted and reference in say else "",
            places={str(x): say.name(str(x)) for x in xs if isinstance(x, str)}, hint=say("show.chart.keys"),
        )  # fmt: skip
    return chart(drawn, words)


def _place(value: sweep.Value) -> float | str:
    at = number(value)
    return sweep.written(value) if at is None else float(at)


def _cache(scenario: Scenario, says: list[Messages]) -> Exhibit:
    """What a prefix cache finds, over the size of the pool: a line a block size."""
    with_cache = prefix.with_cache(scenario)
    pools = sweep.parse_axis(f"slots={prefix.ready_pools(with_cache)}")
    sizes = sweep.parse_axis("block_size=16,64,256")
    tasks = sweep.points(with_cache, [pools, sizes], 1)
    rates = {task.point: out["hit_rate"] for task, out in sweep.run(tasks) if not isinstance(out, str)}
    xs = sorted(float(n) for n in pools.values)
    lines = []
    for at, block in enumerate(sizes.values):
        known = [(float(n), rates.get((("slots", n), ("block_size", block)), math.nan)) for n in pools.values]
        lines.append(Series(at, [Point(x, y, y, y) for x, y in sorted(known) if not math.isnan(y)]))
    drawn = Chart(xs, lines, 0.0, 100.0, _is_logarithmic(xs))
    words = {
        say.language: ChartWords(
            say.html, say("show.alt.cache"),
            say("parameter.slots"), say("show.cache.y"),
            [say("show.cache.line", size=int(block)) for block in sizes.values], "%", hint=say("show.chart.keys"),
        )
        for say in says
    }  # fmt: skip
    return chart(drawn, words)


def _cost(says: list[Messages]) -> Exhibit:
    """What a block table costs, as it was measured once: the file's numbers, not this machine's."""
    with COST.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    lengths = sorted({int(row["tokens"]) for row in rows})
    sizes = sorted({float(row["block_size"]) for row in rows})
    lines = [
        Series(at, [
            Point(float(row["block_size"]), *(float(row[f"longer_{part}percent"]) for part in ("", "low_", "high_")))
            for row in rows
            if int(row["tokens"]) == length
        ])
        for at, length in enumerate(lengths)
    ]  # fmt: skip
    top = max(point.high for line in lines for point in line.points)
    drawn = Chart(sizes, lines, 0.0, 1.05 * top, True, band=PAPER, mark=float(USUAL))
    words = {
        say.language: ChartWords(
            say.html, say("show.alt.cost"), say("cost.chart.x"), say("cost.chart.y"),
            [say("cost.chart.line", tokens=length) for length in lengths], "%",
            band=say("cost.chart.paper", low=PAPER[0], high=PAPER[1]).replace("<br>", " "),
            mark=say("show.cost.usual"), note=say("show.cost.note"), hint=say("show.chart.keys"),
        )
        for say in says
    }  # fmt: skip
    return chart(drawn, words)
