"""The pages, in the order of the navigation bar, and the panels that the player shows on each besides the slots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vizkv.exhibit.panels import PANELS, panels
from vizkv.installed import app_folder

FOLDER = app_folder() / "pages"


@dataclass(frozen=True)
class Entry:
    """One page: ``pages/<name>.py``, reached under ``/<name>``; its title is the message ``page.<name>.title``."""

    name: str
    panels: tuple[str, ...] = ()  # of the player; listed in the docstring of vizkv/views/payload/pack.py
    section: str = ""  # of the navigation bar, titled by the message ``section.<section>``; "": no section
    fields: tuple[str, ...] = ()  # additional words of the page's link, kept in ``Open.more``; the page checks them
    remembers: tuple[str, ...] = ()  # keys in the store that belong to what is open; cleared when a link is opened

    @property
    def file(self) -> Path:
        """Return the name of the page's script."""
        return FOLDER / f"{self.name}.py"


# fmt: off
_ALL = (
    Entry("memory"),
    Entry("table", panels=PANELS["table"], section="inside"),
    Entry("sharing", panels=PANELS["sharing"], section="inside"),
    Entry("pressure", panels=PANELS["pressure"], section="inside"),
    Entry("paper", panels=PANELS["paper"], section="inside"),
    Entry("cost", section="inside"),
    Entry(
        "whatif", section="whatif", fields=("ghost", "seeds", "at", "as", "card"),
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

__all__ = ["FIRST", "PAGES", "Entry", "panels"]
