"""``--with FILE.py``, on every command: memory systems of one's own."""

from __future__ import annotations

import argparse

from vizkv.messages.catalogue import Messages
from vizkv.systems.own import loading


def option(parser: argparse.ArgumentParser, say: Messages) -> None:
    """Let a command load files. Loading one runs it: no link and no upload can name one."""
    parser.add_argument("--with", dest="own", action="append", default=[], metavar="FILE.py", help=say("cli.with"))


def load(arguments: argparse.Namespace) -> None:
    """Load the files that were named, here and in child processes. Raises OwnSystemError."""
    loading.load_with(getattr(arguments, "own", []))
