"""``vizkv check FILE``: the smallest workload on which the memory systems of a file break a rule."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

from vizkv.cli.export import write
from vizkv.cli.language import option
from vizkv.cli.text import whole
from vizkv.messages.catalogue import Messages
from vizkv.messages.validation import shorten
from vizkv.scenario.schema import from_dict, to_toml
from vizkv.systems.own import loading

BROKEN = 1  # exit code: a counterexample was found
MOST_SECONDS = 3600


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    command = commands.add_parser("check", help=say("cli.check"), description=say("cli.check"))
    command.add_argument("file", type=Path, metavar="FILE.py", help=say("cli.check.file"))
    command.add_argument("--against", default="none", metavar="SYSTEM", help=say("cli.check.against"))
    command.add_argument("--seed", type=partial(_number, say, 0, 2**32 - 1), default=0, help=say("cli.check.seed"))
    command.add_argument(
        "--seconds", type=partial(_number, say, 1, MOST_SECONDS), default=30, help=say("cli.check.seconds")
    )
    command.add_argument("--save", type=Path, metavar="FILE.toml", help=say("cli.check.save"))
    command.add_argument("--json", action="store_true", help=say("cli.check.json"))
    command.add_argument("--junit", type=Path, metavar="FILE.xml", help=say("cli.check.junit"))
    option(command, say)
    command.set_defaults(action=_check)


def _number(say: Messages, least: int, most: int, text: str) -> int:
    number = whole(text)
    if number is None or not least <= number <= most:
        raise argparse.ArgumentTypeError(say("cli.check.number", text=shorten(text), least=str(least), most=str(most)))
    return number


def _check(arguments: argparse.Namespace, say: Messages) -> int:
    from vizkv.check import report, search  # hypothesis takes half a second to import

    loading.load_with([str(arguments.file)])
    kinds = loading.load_file(arguments.file)
    against = search.chosen(kinds, arguments.against)
    share = arguments.seconds / len(kinds)
    results = [search.search(kind, other, arguments.seed, share) for kind, other in zip(kinds, against, strict=True)]
    for result in results:
        broken = result.broken
        saved = arguments.save or Path(f"{arguments.file.stem}-{result.kind}.toml")
        if broken is not None:
            write(saved, to_toml(from_dict(broken.scenario)).encode())
        if not arguments.json:
            print("\n".join(report.lines(result, str(saved), say)))
    if arguments.json:
        print(json.dumps(report.as_json(results), ensure_ascii=False))
    if arguments.junit:
        write(arguments.junit, report.as_junit(results))
    return BROKEN if any(result.broken for result in results) else 0
