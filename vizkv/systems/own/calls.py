"""Call code that we did not write: what goes wrong in it becomes one sentence with its file and line."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from vizkv.messages.sentence import shortened, told

MAX_SHOWN = 200  # characters of a foreign message or value


class OwnSystemError(ValueError):
    """A system that was brought along failed, or broke its contract; the message is one sentence."""


def ask(method: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a method of a system returns. Raises OwnSystemError in place of any exception in it."""
    try:
        return method(*arguments)
    except OwnSystemError:
        raise
    except Exception as error:
        broken(error, Path(method.__code__.co_filename).name if hasattr(method, "__code__") else "")


def broken(error: BaseException, file: str) -> NoReturn:
    """Raise OwnSystemError with the last line of ``file`` that an exception went through."""
    if isinstance(error, SyntaxError):
        name, line = Path(error.filename or file).name, error.lineno or 0
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).name == file] or list(frames)
        name, line = (Path(own[-1].filename).name, own[-1].lineno or 0) if own else (file, 0)
    raise OwnSystemError(
        told(
            "{file}, line {line}: {kind}: {message}.", file=name, line=line, kind=type(error).__name__,
            message=shortened(str(error).rstrip("."), MAX_SHOWN),
        )
    ) from error  # fmt: skip


def refuse(who: str, what: str, given: Any, valid: str) -> NoReturn:
    """Raise OwnSystemError: a method returned what it must not. ``valid``: what it may return, in words."""
    raise OwnSystemError(
        told(
            "{who} returned {given} for {what}; valid is {valid}.", who=who, what=what,
            given=shortened(repr(given), MAX_SHOWN), valid=valid,
        )
    )  # fmt: skip
