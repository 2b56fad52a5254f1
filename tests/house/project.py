"""What the house tests look at: the project's own files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_MADE = {".git", ".venv", "__pycache__", "build", "dist", "node_modules"}  # by git, make and Python; not written by us


def files(suffix: str = "") -> Iterator[Path]:
    """Every file of the project whose name ends in ``suffix``, in a fixed order."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if f not in _MADE and not f.endswith(("_cache", ".egg-info")))
        folders[:] = [f for f in folders if f != ".hypothesis"]
        for name in sorted(names):
            if name.endswith(suffix) and name not in _MADE:  # in a worktree .git is a file
                yield Path(folder, name)


def text(path: Path) -> str | None:
    """The file's text, None if it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def relative(path: Path) -> str:
    """The path as it is written in documents."""
    return path.relative_to(ROOT).as_posix()
