"""The state of a class on disk: a file a class, to which every change is appended before anybody is told of it.

A process that is killed loses at most a line that it had not finished. A file that has grown is written anew beside
the old one and takes its place.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

KEPT_S = 30 * 24 * 3600.0  # a file that nobody has written to for so long is deleted
MAX_BYTES = 64 * 2**20  # of one file: larger ones are not ours
REWRITE_LINES = 20_000  # so many lines after the last rewriting a file is written anew
_NAME = re.compile(r"[a-z]{6}")


def folder() -> Path:
    """Return where the classes are; the environment variable ``VIZKV_STATE`` moves it."""
    return Path(os.environ.get("VIZKV_STATE") or platformdirs.user_state_dir("vizkv")) / "classes"


def _line(entry: dict[str, Any]) -> str:
    return json.dumps(entry, separators=(",", ":")) + "\n"


class Log:
    """The file of one class. Where it cannot be written, ``works`` is False and nothing is raised."""

    def __init__(self, code: str) -> None:
        self.path = folder() / f"{code}.jsonl"
        self.works = True
        self.lines = 0

    def append(self, *entries: dict[str, Any]) -> None:
        """Add entries at the end, in one write."""
        self._do("ab", "".join(map(_line, entries)), self.path)
        self.lines += len(entries)

    def rewrite(self, entries: list[dict[str, Any]]) -> None:
        """Put these entries in place of all others, at once."""
        part = self.path.with_suffix(".part")
        self._do("wb", "".join(map(_line, entries)), part)
        if self.works:
            try:
                part.replace(self.path)
            except OSError:
                self.works = False
        self.lines = 0

    def _do(self, mode: str, text: str, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # readable for nobody else: it has the digest of the lecturer's secret
            with open(os.open(path, os.O_CREAT | os.O_WRONLY | (os.O_APPEND if mode == "ab" else os.O_TRUNC), 0o600),
                      mode) as file:  # fmt: skip
                file.write(text.encode())
            self.works = True
        except OSError:
            self.works = False

    def read(self) -> list[dict[str, Any]]:
        """Return the entries; a line that was cut off, and all that is no entry, is left out."""
        try:
            if self.path.stat().st_size > MAX_BYTES:
                return []
            data = self.path.read_bytes()
        except OSError:
            return []
        if data and not data.endswith(b"\n"):
            self.append_newline()  # what is appended later must not join the half line
        found = []
        for line in data.splitlines():
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict):
                found.append(entry)
        self.lines = len(found)
        return found

    def append_newline(self) -> None:
        """End a line that a killed process has left unfinished."""
        self._do("ab", "\n", self.path)

    def delete(self) -> None:
        """Remove the file."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError:
            self.works = False


def codes() -> Iterator[str]:
    """Yield the names of the classes on disk, the one that was written last first; too old ones are deleted."""
    try:
        files = sorted(((path.stat().st_mtime, path) for path in folder().glob("*.jsonl")), reverse=True)
    except OSError:
        return
    for written, path in files:
        if time.time() - written > KEPT_S:
            Log(path.stem).delete()
        elif _NAME.fullmatch(path.stem):
            yield path.stem
