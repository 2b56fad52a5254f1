"""``vizkv run FILE [--json] [--steps A:B]`` and ``vizkv model add NAME``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from vizkv import engine, scenario
from vizkv import trace as traces
from vizkv.cli.text import aligned
from vizkv.messages import Messages
from vizkv.replay import checked
from vizkv.scenario import ScenarioError
from vizkv.trace import Trace
from vizkv.views import records


def add(commands: Any, say: Messages) -> None:
    """The two commands and their options."""
    run = commands.add_parser("run", help=say("cli.run"), description=say("cli.run"))
    run.add_argument("file", type=Path, metavar="FILE", help=say("cli.run.file"))
    run.add_argument("--json", action="store_true", help=say("cli.run.json"))
    run.add_argument("--steps", type=_steps, metavar="A:B", help=say("cli.run.steps"))
    run.add_argument("--save", type=Path, metavar="TRACE", help=say("cli.run.save"))
    run.set_defaults(action=_run)

    model = commands.add_parser("model", help=say("cli.model"), description=say("cli.model"))
    verbs = model.add_subparsers(dest="verb", required=True, metavar=say("cli.command"))
    new = verbs.add_parser("add", help=say("cli.model.add"), description=say("cli.model.add"))
    new.add_argument("name", help=say("cli.model.add.name"))
    new.set_defaults(action=_model_add)
    verbs.add_parser("list", help=say("cli.model.list")).set_defaults(action=_model_list)


def _steps(text: str) -> tuple[int, int | None]:
    """``A:B``, both inclusive; either may be left out."""
    first, colon, last = text.partition(":")
    if not colon or not all(part == "" or part.isdecimal() for part in (first, last)) or len(text) > 40:
        raise argparse.ArgumentTypeError(f"steps is {text[:40]!r}; give A:B, for example 0:99, 100: or :99")
    span = int(first or 0), int(last) if last else None
    if span[1] is not None and span[1] < span[0]:
        raise argparse.ArgumentTypeError(f"steps is {text!r}; the first must not be greater than the last")
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
            why = getattr(error, "strerror", error)
            raise ScenarioError(f"The trace cannot be saved to {str(arguments.save)!r}: {why}.") from None
    if arguments.json:
        first, last = arguments.steps or (0, None)
        for line in records.records(trace, first, last):
            print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    # as the paper's Figure 2: from the warm-up to the end of the arrivals, not while the pool runs empty afterwards
    workload = scenario.from_dict(trace.scenario).workload
    summary = records.summary(trace, (workload.warmup, workload.duration)) if workload else records.summary(trace)
    if arguments.json:
        print(json.dumps({"summary": summary}, ensure_ascii=False, separators=(",", ":")))
    else:
        print(_table(trace, summary, say))
    return 0


def _table(trace: Trace, summary: dict[str, dict[str, Any]], say: Messages) -> str:
    """The summary for a reader: shares under both accountings, hindsight lens."""
    titles = [say(f"cli.table.{name}") for name in (
        "system", "used", "reserved", "internal", "external", "internal-textbook", "external-textbook", "batch",
        "tokens", "preemptions", "hits", "steps",
    )]  # fmt: skip
    rows = [titles]
    for name, values in summary.items():
        paper, textbook = (values["percent"]["hindsight"][a] for a in ("paper", "textbook"))
        rows.append([
            name, f"{paper['used']:.1f}", f"{paper['reserved']:.1f}", f"{paper['internal']:.1f}",
            f"{paper['external']:.1f}", f"{textbook['internal']:.1f}", f"{textbook['external']:.1f}",
            f"{values['mean_batched_requests']:.2f}", str(values["tokens"]), str(values["preemptions"]),
            str(values["cache_hits"]), str(values["steps"]),
        ])  # fmt: skip
    lines = aligned(rows)
    slots = trace.systems[0].slots
    never = [say("cli.table.never", n=v["never"], system=name) for name, v in summary.items() if v["never"]]
    return "\n".join([say("cli.table.title", slots=slots), *lines, *never, say("cli.table.note")])


def _model_add(arguments: argparse.Namespace, say: Messages) -> int:
    from vizkv.model.add import add_model

    def progress(stage: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            width = 40
            filled = width * done // max(1, total)
            bar = "#" * filled + "." * (width - filled)
            print(f"\r{bar} {done / 1e6:6.1f} / {total / 1e6:.1f} MB", end="", file=sys.stderr, flush=True)

    path = add_model(arguments.name, progress=progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(say("cli.model.added", name=arguments.name, path=str(path)))
    return 0


def _model_list(arguments: argparse.Namespace, say: Messages) -> int:
    from vizkv.model import available_models

    for model in available_models():
        state = say("cli.model.here" if model.installed else "cli.model.absent")
        print(f"{model.name:10} {state:14} {model.description}")
    return 0
