"""The pages in the order of the navigation bar, and what the player shows on each besides the rows of slots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "pages"


@dataclass(frozen=True)
class Entry:
    """One page: ``pages/<name>.py``, reached under ``/<name>``; its title is the message ``page.<name>.title``."""

    name: str
    panels: tuple[str, ...] = ()  # of the player, see the header of vizkv/views/payload.py

    @property
    def file(self) -> Path:
        """The page's script."""
        return FOLDER / f"{self.name}.py"


_ALL = (
    Entry("memory"),
    Entry("table", ("text", "logical", "table", "queue", "follow")),
    Entry("sharing", ("tree", "text", "table", "queue")),
    Entry("pressure", ("queue", "cpu")),
    Entry("paper", ("text", "logical", "table", "queue", "tree", "cpu")),
    Entry("cost"),
)
PAGES = {entry.name: entry for entry in _ALL if entry.file.is_file()}
FIRST = _ALL[0].name
