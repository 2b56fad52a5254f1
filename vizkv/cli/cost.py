"""``vizkv cost``: the page "What paging costs" as a command: what a block table costs on this machine."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vizkv.cli.export import reachable, write
from vizkv.cli.language import option
from vizkv.cli.text import Bar, aligned
from vizkv.export.charts.draw import chart
from vizkv.export.data import parameters
from vizkv.export.page import plain
from vizkv.export.request import CHART, THEMES, format_of
from vizkv.messages.catalogue import Messages
from vizkv.views.charts import cost as views
from vizkv.views.charts.projector import for_projector

if TYPE_CHECKING:
    from vizkv.model.cost import Cost

MODEL = "tiny"  # whose sizes are measured, as on the page; the K and V are random numbers
QUICK_LENGTHS, QUICK_SIZES, QUICK_SECONDS = (128, 2048), (1, 16, 256), 0.02
COLUMNS = (
    "tokens", "block_size", "slice_us", "block_table_us", "look_up_us", "longer_percent", "longer_low_percent",
    "longer_high_percent", "floor_us", "rounds", "threads",
)  # fmt: skip


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    command = commands.add_parser("cost", help=say("cli.cost"), description=say("cli.cost"))
    command.add_argument("--quick", action="store_true", help=say("cli.cost.quick"))
    command.add_argument("--csv", type=Path, metavar="OUT", help=say("cli.cost.csv"))
    command.add_argument("--chart", type=Path, metavar="OUT", help=say("cli.cost.chart"))
    command.add_argument("--theme", choices=THEMES, default="light", help=say("cli.export.theme"))
    command.add_argument("--projector", action="store_true", help=say("cli.export.projector"))
    option(command, say)
    command.set_defaults(action=_cost)


def _cost(arguments: argparse.Namespace, say: Messages) -> int:
    kind = format_of(CHART + "cost", "", arguments.chart.suffix) if arguments.chart else ""
    for path in (arguments.csv, arguments.chart):
        if path:
            reachable(path)
    found, threads = _measure(arguments.quick, say)
    sentence = plain(views.sentence(found, threads, say))
    print("\n".join([sentence, "", say("cost.table.about"), *aligned(_rows(found, say), left=0)]))
    if arguments.csv:
        write(arguments.csv, to_csv(found, threads))
        print(say("cli.export.written", path=str(arguments.csv), size=arguments.csv.stat().st_size))
    if arguments.chart:
        figure = views.chart(found, sorted({c.block_size for c in found}), arguments.theme, say)
        if arguments.projector:
            figure = for_projector(figure, arguments.theme)
        # no scenario tells what was measured: its sentence does
        about = sentence + "\n" + parameters(say("page.cost.title"), None, say)
        write(arguments.chart, chart(
            figure, kind, scale=2, theme=arguments.theme, caption=about, alt=say("chart.alt.cost"),  # type: ignore[arg-type]
            title=say("picture.chart.cost"),
        ))  # fmt: skip
        print(say("cli.export.written", path=str(arguments.chart), size=arguments.chart.stat().st_size))
    return 0


def _measure(quick: bool, say: Messages) -> tuple[list[Cost], int]:
    """All pairs, and on how many threads."""
    from vizkv.model import cost as model
    from vizkv.model import load_model

    lengths, sizes = (QUICK_LENGTHS, QUICK_SIZES) if quick else (model.LENGTHS, model.BLOCK_SIZES)
    seconds = QUICK_SECONDS if quick else model.SECONDS
    total, bar, found = len(lengths) * len(sizes), Bar(), []
    try:
        bar.show(0, total, say("cli.cost.running", done=0, n=total))
        for cost in model.measure(load_model(MODEL).config, lengths, sizes, seconds):
            found.append(cost)
            bar.show(len(found), total, say("cli.cost.running", done=len(found), n=total))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(say("cli.cost.stopped", done=len(found), n=total)) from None
    finally:
        bar.clear()
    return found, model.threads()


def _rows(found: Sequence[views.Cost], say: Messages) -> list[list[str]]:
    """The page's table, as text."""
    columns = views.table(found, say)
    shown = [
        [say.fixed(value, 1) if isinstance(value, float) else say.number(value) for value in row]
        for row in zip(*columns.values(), strict=True)
    ]
    return [list(columns), *shown]


def to_csv(found: Sequence[views.Cost], threads: int) -> bytes:
    """A line a pair; medians, times in microseconds a token. UTF-8 with a mark that spreadsheets know it by."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")  # as RFC 4180 has it
    table.writerow(COLUMNS)
    for c in found:
        times = (c.contiguous.median, c.paged.median, c.gather.median)
        shares = (c.overhead.median, c.overhead.low, c.overhead.high)
        table.writerow([
            c.length, c.block_size, *(round(t, 3) for t in times), *(round(s * 100, 3) for s in shares),
            round(c.floor, 3), c.rounds, threads,
        ])  # fmt: skip
    return text.getvalue().encode("utf-8-sig")
