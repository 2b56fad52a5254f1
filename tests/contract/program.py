"""Runs `vizkv run` as its user does and hands back what it printed: nothing else of the program is used here."""

import contextlib
import io
import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from vizkv.cli import main


class Answer(NamedTuple):
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


def vizkv(*arguments: str) -> Answer:
    """`vizkv ARGUMENTS`, in this process. argparse leaves by SystemExit; any other exception fails the test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            code = main(list(arguments))
        except SystemExit as left:
            code = int(left.code or 0)
    return Answer(code, out.getvalue(), err.getvalue())


def lines_of(file: Path, *arguments: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The step lines and the summary of `vizkv run FILE --json`."""
    answer = vizkv("run", str(file), "--json", *arguments)
    assert answer.code == 0, answer.err
    parsed = [json.loads(line) for line in answer.out.splitlines()]
    assert all("summary" not in line for line in parsed[:-1])
    assert list(parsed[-1]) == ["summary"]
    return parsed[:-1], parsed[-1]["summary"]
