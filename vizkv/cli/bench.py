"""``vizkv bench``: simulated tokens a second on this machine."""

from __future__ import annotations

import argparse
import platform
from typing import Any

from vizkv.cli.language import option
from vizkv.cli.text import Bar, aligned
from vizkv.messages.catalogue import Messages
from vizkv.sweeps import bench
from vizkv.sweeps.bench import Measured, Run


def add(commands: Any, say: Messages) -> None:
    """The command and its option."""
    command = commands.add_parser("bench", help=say("cli.bench"), description=say("cli.bench"))
    command.add_argument("--quick", action="store_true", help=say("cli.bench.quick"))
    option(command, say)
    command.set_defaults(action=_bench)


def _bench(arguments: argparse.Namespace, say: Messages) -> int:
    runs, bar = bench.runs(arguments.quick), Bar()
    found: list[tuple[Run, Measured]] = []
    try:
        bar.show(0, len(runs), say("cli.bench.running", done=0, n=len(runs)))
        for pair in bench.measurements(arguments.quick):
            found.append(pair)
            bar.show(len(found), len(runs), say("cli.bench.running", done=len(found), n=len(runs)))
    finally:
        bar.clear()
    print(report(found, say))
    return 0


def report(found: list[tuple[Run, Measured]], say: Messages) -> str:
    """All tables as text."""
    seconds = found[0][0].seconds
    lines = [say("cli.bench.machine", python=platform.python_version(), machine=platform.machine())]
    lines += ["", say("cli.bench.systems", seconds=seconds), *aligned(_systems(found, say))]
    lines += ["", say("cli.bench.requests"), *aligned(_growth(found, "requests", say))]
    lines += ["", say("cli.bench.pool", seconds=seconds), *aligned(_growth(found, "pool", say))]
    return "\n".join(lines)


def _systems(found: list[tuple[Run, Measured]], say: Messages) -> list[list[str]]:
    """Each system ahead and plain, side by side."""
    head = ("system", "tokens", "seconds", "speed", "plain", "ratio")
    rows = [[say(f"cli.bench.column.{name}") for name in head]]
    pairs = [(run, measured) for run, measured in found if run.table == "systems"]
    for (_, ahead), (_, plain) in zip(pairs[::2], pairs[1::2], strict=True):
        rows.append([
            ahead.name, say.number(ahead.tokens), say.fixed(ahead.seconds, 2), say.number(round(ahead.speed)),
            say.number(round(plain.speed)), say.fixed(ahead.speed / plain.speed, 1),
        ])  # fmt: skip
    total, plain_total = (sum(m.seconds for _, m in pairs[i::2]) for i in (0, 1))
    tokens = sum(m.tokens for _, m in pairs[::2])
    rows.append([
        say("cli.bench.all"), say.number(tokens), say.fixed(total, 2), say.number(round(tokens / total)),
        say.number(round(tokens / plain_total)), say.fixed(plain_total / total, 1),
    ])  # fmt: skip
    return rows


def _growth(found: list[tuple[Run, Measured]], table: bench.Table, say: Messages) -> list[list[str]]:
    """How a system's speed and memory change with what is asked of it."""
    head = ("system", table, "tokens", "seconds", "speed", "peak")
    rows = [[say(f"cli.bench.column.{name}") for name in head]]
    for run, measured in found:
        if run.table == table:
            size = run.slots if table == "pool" else measured.requests
            rows.append([
                measured.name, say.number(size), say.number(measured.tokens), say.fixed(measured.seconds, 2),
                say.number(round(measured.speed)), say.fixed(measured.peak / 2**20, 0),
            ])  # fmt: skip
    return rows
