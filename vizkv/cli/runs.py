"""``vizkv run FILE [--json] [--steps A:B]`` and ``vizkv model add NAME``."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from vizkv import engine, scenario
from vizkv import trace as traces
from vizkv.cli.language import option
from vizkv.cli.text import aligned
from vizkv.messages import Messages
from vizkv.replay import checked
from vizkv.scenario import ScenarioError
from vizkv.told import told
from vizkv.trace import Trace
from vizkv.views import narration, records


def add(commands: Any, say: Messages) -> None:
    """The two commands and their options."""
    run = commands.add_parser("run", help=say("cli.run"), description=say("cli.run"))
    run.add_argument("file", type=Path, metavar="FILE", help=say("cli.run.file"))
    run.add_argument("--json", action="store_true", help=say("cli.run.json"))
    run.add_argument("--steps", type=partial(_steps, say), metavar="A:B", help=say("cli.run.steps"))
    run.add_argument("--save", type=Path, metavar="TRACE", help=say("cli.run.save"))
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
    if not colon or not all(part == "" or part.isdecimal() for part in (first, last)) or len(text) > 40:
        raise argparse.ArgumentTypeError(say("cli.run.steps.form", text=repr(text[:40])))
    span = int(first or 0), int(last) if last else None
    if span[1] is not None and span[1] < span[0]:
        raise argparse.ArgumentTypeError(say("cli.run.steps.order", text=repr(text)))
    return span


def _run(arguments: argparse.Namespace, say: Messages) -> int:
    path: Path = arguments.file
    if path.suffix == ".vizkv":
        trace = checked(traces.read(path))
    else:
        trace = engine.run(scenario.load(path))
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
            print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    # as the paper's Figure 2: from the warm-up to the end of the arrivals, not while the pool runs empty afterwards
    workload = scenario.from_dict(trace.scenario).workload
    window = (workload.warmup, workload.duration) if workload else None
    summary = records.summary(trace, window) if window else records.summary(trace)
    if arguments.json:
        print(json.dumps({"summary": summary}, ensure_ascii=False, separators=(",", ":")))
    else:
        print(_table(trace, summary, window, say))
    return 0


def _table(trace: Trace, summary: dict[str, dict[str, Any]], window: tuple[float, float] | None, say: Messages) -> str:
    """The summary for a reader: shares under both accountings, hindsight lens."""
    titles = [say(f"cli.table.{name}") for name in (
        "system", "used", "reserved", "internal", "external", "internal-textbook", "external-textbook", "batch",
        "tokens", "preemptions", "hits", "steps",
    )]  # fmt: skip
    rows = [titles]
    for name, values in summary.items():
        paper, textbook = (values["percent"]["hindsight"][a] for a in ("paper", "textbook"))
        rows.append([
            say.name(name),
            *(say.fixed(paper[part], 1) for part in ("used", "reserved", "internal", "external")),
            *(say.fixed(textbook[part], 1) for part in ("internal", "external")),
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
    if window is None:
        title = say("cli.table.title", slots=slots)
    else:
        within = all(records.within(system, window).any() for system in trace.systems)
        which = "cli.table.title.window" if within else "cli.table.title.none"
        title = say(which, first=window[0], last=window[1], slots=slots)
    return "\n".join([title, *lines, *never, say("cli.table.note")])


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
