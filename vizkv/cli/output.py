"""Standard output and error as this process was given them: perhaps closed, or in a character set without Chinese."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress

from vizkv.messages.catalogue import Messages


class _Closed(io.TextIOBase):
    """A standard output that was closed before the program began."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def prepare() -> None:
    """Make both streams such that no character and no missing stream ends in a traceback."""
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = io.StringIO()  # nobody reads it
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not where a test has put something else in its place
            stream.reconfigure(errors="backslashreplace")


def holds(text: str) -> bool:
    """Whether standard output's character set has every character of a text."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def speaks(say: Messages) -> bool:
    """Whether standard output's character set has a language's letters."""
    return holds(say("cli.about"))


def complain(sentence: str) -> None:
    """Write a line to standard error; where that cannot be written to, the exit code has to do."""
    with suppress(OSError, ValueError):
        print(sentence, file=sys.stderr, flush=True)


def finish() -> None:
    """Write what standard output still holds, or drop it: the interpreter would complain at its end."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
