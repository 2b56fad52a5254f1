"""How commands print: columns of text, and a bar while something takes long and somebody watches."""

from __future__ import annotations

import sys
from unicodedata import east_asian_width

from vizkv.scenario.requests import read_whole


def whole(text: str) -> int | None:
    """The number from 0 on that a word is, written as 100 or 100.0; None for any other word."""
    try:
        number = read_whole(text)
    except ValueError:
        return None
    return number if 0 <= number < 10**18 else None


def wide(text: str) -> int:
    """Columns of a terminal that a text takes: a Chinese character takes two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def aligned(rows: list[list[str]], left: int = 1) -> list[str]:
    """A line a row, columns as wide as they need; the first ``left`` of them flush left, the others flush right."""
    widths = [max(wide(row[i]) for row in rows) for i in range(len(rows[0]))]

    def padded(cell: str, width: int, flush_left: bool) -> str:
        room = " " * (width - wide(cell))
        return cell + room if flush_left else room + cell

    return [
        "  ".join(padded(cell, width, i < left) for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
        for row in rows
    ]


class Bar:
    """A line on standard error that is written over; nothing where nobody watches."""

    def __init__(self) -> None:
        self._width = 0

    def show(self, done: int, total: int, text: str) -> None:
        """``text`` stands behind the bar."""
        if sys.stderr.isatty():
            filled = 30 * done // max(1, total)
            line = f"{'#' * filled}{'.' * (30 - filled)} {text}"
            room = " " * (self._width - wide(line))
            print(f"\r{line}{room}", end="", file=sys.stderr, flush=True)
            self._width = wide(line)

    def clear(self) -> None:
        """Nothing of it stays."""
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
            self._width = 0
