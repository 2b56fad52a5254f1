"""``vizkv radix OPS.json``: operations on SGLang's radix tree, and what the tree is after each, as lines of JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from vizkv.cli.language import option
from vizkv.messages.catalogue import Messages
from vizkv.systems.radix import operations


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    command = commands.add_parser("radix", help=say("cli.radix"), description=say("cli.radix"))
    command.add_argument("file", type=Path, metavar="OPS.json", help=say("cli.radix.file"))
    option(command, say)
    command.set_defaults(action=_radix)


def _radix(arguments: argparse.Namespace, say: Messages) -> int:
    for record in operations.run(operations.read(arguments.file)):
        print(json.dumps(record))
    return 0
