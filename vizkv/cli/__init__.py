"""The command line, one module a command."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from vizkv import __version__
from vizkv.cli import (
    app,
    bench,
    cache,
    check,
    cost,
    deck,
    export,
    hardware,
    output,
    own,
    radix,
    runs,
    show,
    sweep,
    workload,
)  # fmt: skip
from vizkv.cli.language import asked, choose, option, speak
from vizkv.limits import address_space
from vizkv.messages.catalogue import DEFAULT, Messages, messages
from vizkv.messages.sentence import shortened, told

BAD_INPUT = 2
INTERRUPTED = 130  # as a shell has it
PIPE_CLOSED = 141  # as a shell has it for a program that SIGPIPE ends
MAX_COMPLAINT = 500  # characters of what argparse says: it quotes words whole
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)  # what standard output may end with


class _Parser(argparse.ArgumentParser):
    """argparse, but bad words get one sentence instead of the usage text."""

    def error(self, message: str) -> NoReturn:
        output.complain(f"{self.prog}: {shortened(message, MAX_COMPLAINT)}")
        raise SystemExit(BAD_INPUT)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help or version; unlike argparse's own, tell where that fails."""
        print(message, end="", file=file or sys.stdout, flush=True)


def parser(say: Messages) -> argparse.ArgumentParser:
    """All commands and their options."""
    top = _Parser(prog="vizkv", description=say("cli.about"))
    top.add_argument("--version", action="version", version=f"vizkv {__version__}")
    option(top, say)
    commands = top.add_subparsers(dest="command", required=True, metavar=say("cli.command"))
    for part in (app, runs, workload, sweep, cache, bench, cost, hardware, radix, export, deck, show, check):
        part.add(commands, say)
    for command in commands.choices.values():
        own.option(command, say)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 with one sentence for input that cannot be used."""
    output.prepare()
    words = sys.argv[1:] if argv is None else argv
    say = messages(choose(words, os.environ))
    if not output.speaks(say):
        if asked(words):
            why = told(
                "The language is {name!r}, whose letters the character set {charset} of standard output does not have; "
                "valid is UTF-8, as with PYTHONIOENCODING=utf-8, or --language en.",
                name=say.language,
                charset=sys.stdout.encoding,
            )
            output.complain(f"vizkv: {why}")
            return BAD_INPUT
        say = messages(DEFAULT)
    speak(say)
    try:
        arguments = parser(say).parse_args(argv)
        own.load(arguments)
        code: int = arguments.action(arguments, say)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as interrupt:
        output.complain(f"vizkv: {str(interrupt) or say('cli.stopped')}")
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough, as in `vizkv run ... | head`
        return PIPE_CLOSED
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        output.complain(f"vizkv: {say.error(sentence)}")
        return BAD_INPUT
    finally:
        output.finish()


def _sentence(error: Exception) -> str | None:
    """What to say of an exception; None for an error of the program itself."""
    if isinstance(error, ValueError) and type(error).__module__.split(".")[0] == "vizkv":
        return str(error)  # ScenarioError, TraceError, ModelError and others: one sentence each
    if address_space.ran_out(error):
        return told(
            "The command needs more memory than this process may use; valid is a smaller pool, fewer or shorter "
            "requests, or a higher limit (ulimit -v)."
        )
    # files that cannot be read or written have their own sentences by now
    if isinstance(error, OSError) and error.errno in _UNWRITABLE:
        return told("The output cannot be written: {why}.", why=error)
    return None


__all__ = ["BAD_INPUT", "INTERRUPTED", "PIPE_CLOSED", "main", "parser"]
