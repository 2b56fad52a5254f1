"""The command line: ``vizkv run``, ``sweep``, ``cache``, ``bench``, ``cost``, ``export``, ``deck`` and ``model``."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from vizkv import __version__
from vizkv.cli import bench, cache, cost, deck, export, runs, sweep
from vizkv.cli.language import choose, option, speak
from vizkv.messages import Messages, messages
from vizkv.told import told

BAD_INPUT = 2
INTERRUPTED = 130  # as a shell has it
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what standard output may end with


class _Parser(argparse.ArgumentParser):
    """argparse, but bad words get one sentence instead of the usage text."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message}\n")


def parser(say: Messages) -> argparse.ArgumentParser:
    """All commands and their options."""
    top = _Parser(prog="vizkv", description=say("cli.about"))
    top.add_argument("--version", action="version", version=f"vizkv {__version__}")
    option(top, say)
    commands = top.add_subparsers(dest="command", required=True, metavar=say("cli.command"))
    for part in (runs, sweep, cache, bench, cost, export, deck):
        part.add(commands, say)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 with one sentence for input that cannot be used."""
    say = messages(choose(sys.argv[1:] if argv is None else argv, os.environ))
    speak(say)
    arguments = parser(say).parse_args(argv)
    try:
        code: int = arguments.action(arguments, say)
        sys.stdout.flush()
        return code
    except ValueError as error:  # ScenarioError, TraceError and ModelError: one sentence each
        if type(error).__module__.split(".")[0] != "vizkv":
            raise
        print(f"vizkv: {say.error(error)}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt as interrupt:
        print(f"vizkv: {str(interrupt) or say('cli.stopped')}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough, as in `vizkv run ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # files that cannot be read or written have their own sentences by now
        if error.errno not in _FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"vizkv: {say.error(told('The output cannot be written: {why}.', why=error))}", file=sys.stderr)
        return BAD_INPUT


__all__ = ["BAD_INPUT", "INTERRUPTED", "main", "parser"]
