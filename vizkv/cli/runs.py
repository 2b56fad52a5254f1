"""``vizkv run FILE [--json] [--steps A:B]`` and ``vizkv model add NAME``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from vizkv.cli import workload
from vizkv.cli.export import opened
from vizkv.cli.language import option
from vizkv.cli.output import holds
from vizkv.cli.text import aligned, whole
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import shorten
from vizkv.replay.averages import is_within, window_of
from vizkv.replay.ledgers import ledgers
from vizkv.replay.queues import queues
from vizkv.replay.server_log import Recording, read_recording
from vizkv.scenario.schema import ScenarioError, from_dict
from vizkv.trace import trace as traces
from vizkv.trace.slots import CATEGORIES
from vizkv.trace.trace import Trace
from vizkv.views.charts.figure2.recorded import compared, table
from vizkv.views.facts import narration, records


def add(commands: Any, say: Messages) -> None:
    """The two commands and their options."""
    run = commands.add_parser("run", help=say("cli.run"), description=say("cli.run"))
    run.add_argument("file", type=Path, metavar="FILE", help=say("cli.run.file"))
    run.add_argument("--json", action="store_true", help=say("cli.run.json"))
    run.add_argument("--steps", type=partial(_steps, say), metavar="A:B", help=say("cli.run.steps"))
    run.add_argument("--save", type=Path, metavar="TRACE", help=say("cli.run.save"))
    run.add_argument("--recorded", type=Path, metavar="CSV", help=say("cli.run.recorded"))
    workload.options(run, say)
    option(run, say)
    run.set_defaults(action=_run)

    model = commands.add_parser("model", help=say("cli.model"), description=say("cli.model"))
    verbs = model.add_subparsers(dest="verb", required=True, metavar=say("cli.command"))
    new = verbs.add_parser("add", help=say("cli.model.add"), description=say("cli.model.add"))
    new.add_argument("name", help=say("cli.model.add.name"))
    new.set_defaults(action=_model_add)
    known = verbs.add_parser("list", help=say("cli.model.list"), description=say("cli.model.list"))
    known.set_defaults(action=_model_list)
    option(new, say)
    option(known, say)


def _steps(say: Messages, text: str) -> tuple[int, int | None]:
    """``A:B``, both inclusive; either may be left out."""
    first, colon, last = text.partition(":")
    numbers = whole(first), whole(last)
    if not colon or any(part and number is None for part, number in zip((first, last), numbers, strict=True)):
        raise argparse.ArgumentTypeError(say("cli.run.steps.form", text=shorten(text)))
    span = numbers[0] or 0, numbers[1]
    if span[1] is not None and span[1] < span[0]:
        raise argparse.ArgumentTypeError(say("cli.run.steps.order", text=shorten(text)))
    return span


def _run(arguments: argparse.Namespace, say: Messages) -> int:
    if arguments.file.suffix == ".vizkv":
        workload.refuse(arguments)
    recording = read_recording(arguments.recorded) if arguments.recorded else None
    trace = opened(arguments.file, lambda: workload.load(arguments))
    if arguments.save:
        try:
            arguments.save.write_bytes(traces.save(trace))
        except (OSError, ValueError) as error:
            raise ScenarioError(
                told("The trace cannot be saved to {save!r}: {why}.", save=str(arguments.save), why=error)
            ) from None
    if arguments.json:
        first, last = arguments.steps or (0, None)
        for line in records.records(trace, first, last):
            print(_json(line))
    summary = records.summary(trace)
    if arguments.json:
        print(_json({"summary": summary}))
    else:
        print(_table(trace, summary, say))
    if recording is not None:
        _print_compared(trace, recording, say, as_json=arguments.json)
    return 0


def _print_compared(trace: Trace, recording: Recording, say: Messages, *, as_json: bool) -> None:
    """Print what a server recorded of the workload, and the same numbers of each system."""
    runs = [(s.name, queues(s, ledgers(s, trace.requests))) for s in trace.systems]
    rows = [compared(name, run) for name, run in [(recording.name, recording.queues), *runs]]
    if as_json:
        known = [{name: None if value != value else value for name, value in asdict(row).items()} for row in rows]
        print(_json({"recorded": known[0], "runs": known[1:]}))
        return
    titles, *columns = zip(*([title, *values] for title, values in table(rows, say).items()), strict=True)
    cells = [[str(name), *(say.fixed(number, 2) for number in numbers)] for name, *numbers in columns]
    print("\n".join(["", say("recorded.title"), *aligned([list(titles), *cells])]))


def _json(line: dict[str, Any]) -> str:
    """A line of JSON; in a character set that lacks some of its letters, with escapes."""
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    return text if holds(text) else json.dumps(line, separators=(",", ":"))


def _table(trace: Trace, summary: dict[str, dict[str, Any]], say: Messages) -> str:
    """Return the summary for a reader: textbook shares, and what the paper books otherwise; hindsight lens."""
    titles = [say(f"cli.table.{name}") for name in (
        "system", "used", "reserved", "internal", "external", "free", "internal-paper", "external-paper", "batch",
        "tokens", "preemptions", "hits", "steps",
    )]  # fmt: skip
    rows = [titles]
    for name, values in summary.items():
        paper, textbook = (values["percent"]["hindsight"][a] for a in ("paper", "textbook"))
        rows.append([
            say.name(name),
            *(say.fixed(textbook[part], 1) for part in CATEGORIES),
            *(say.fixed(paper[part], 1) for part in ("internal", "external")),
            say.fixed(values["mean_batched_requests"], 2),
            *(say.number(values[part]) for part in ("tokens", "preemptions", "cache_hits", "steps")),
        ])  # fmt: skip
    lines = aligned(rows)
    slots = trace.systems[0].slots
    never = [
        say("cli.table.never", n=values["never"], system=say.name(name), first=narration.first_never(trace, i, say))
        for i, (name, values) in enumerate(summary.items())
        if values["never"]
    ]
    window = window_of(trace.scenario)
    if window is None:
        title = say("cli.table.title", slots=slots)
    else:
        within = all(is_within(system.time_s, window) for system in trace.systems)
        which = "cli.table.title.window" if within else "cli.table.title.none"
        title = say(which, first=window[0], last=window[1], slots=slots)
    source = workload.told_of(from_dict(trace.scenario), say)
    return "\n".join([title, *lines, *never, say("cli.table.note"), *source])


def _model_add(arguments: argparse.Namespace, say: Messages) -> int:
    from vizkv.model.add import add_model

    def progress(stage: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            width = 40
            filled = width * done // max(1, total)
            bar = "#" * filled + "." * (width - filled)
            known, whole = say.fixed(done / 1e6, 1).rjust(6), say.fixed(total / 1e6, 1)
            print(f"\r{bar} {known} / {whole} MB", end="", file=sys.stderr, flush=True)

    path = add_model(arguments.name, progress=progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(say("cli.model.added", name=arguments.name, path=str(path)))
    return 0


def _model_list(arguments: argparse.Namespace, say: Messages) -> int:
    from vizkv.model import available_models

    rows = [
        [model.name, say("cli.model.here" if model.installed else "cli.model.absent"), say.error(model.description)]
        for model in available_models()
    ]
    print("\n".join(aligned(rows, left=3)))
    return 0
