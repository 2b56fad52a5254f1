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
    section: str = ""  # of the navigation bar, its title is the message ``section.<section>``; "": in the bar itself
    fields: tuple[str, ...] = ()  # words of its own in the link: ``Open.more``, which the page itself checks
    remembers: tuple[str, ...] = ()  # in st.session_state about what is open: forgotten when a link is taken

    @property
    def file(self) -> Path:
        """The page's script."""
        return FOLDER / f"{self.name}.py"


# fmt: off
_ALL = (
    Entry("memory"),
    Entry("table", section="inside", panels=("text", "logical", "table", "queue", "follow")),
    Entry("sharing", section="inside", panels=("tree", "text", "table", "queue")),
    Entry("pressure", section="inside", panels=("queue", "cpu")),
    Entry("paper", section="inside", panels=("text", "logical", "table", "queue", "tree", "cpu")),
    Entry("cost", section="inside"),
    Entry(
        "whatif", section="whatif", fields=("ghost", "seeds", "at", "as"),
        remembers=("vizkv.whatif.shown",),
    ),
    Entry(
        "sweep", section="whatif", fields=("x", "xs", "y", "ys", "metric", "point", "seeds", "systems", "as"),
        remembers=("sweep.preset", "window.sweep"),
    ),
    Entry(
        "cache", section="whatif", fields=("sizes", "pools", "point", "metric", "as"),
        remembers=("cache.preset", "window.cache"),
    ),
    Entry("lecture"),
)
# fmt: on
PAGES = {entry.name: entry for entry in _ALL if entry.file.is_file()}
FIRST = _ALL[0].name
