"""The browser half: plain ES modules without a build step, handed to Streamlit as one module.

The browser draws what it is given and decides nothing. Each module is one concern; ``player.js`` comes last and has the
default export. In a browser (or a test) they also work unbundled, by their own imports.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
# in the order of their imports: nobody uses a name before it is there
MODULES = (
    "payload.js",
    "memory.js",
    "look.js",
    "links.js",
    "blocks.js",
    "mark.js",
    "strip.js",
    "row.js",
    "ledger.js",
    "text.js",
    "tables.js",
    "queue.js",
    "ranges.js",
    "follow.js",
    "panels.js",
    "timeline.js",
    "hover.js",
    "walk.js",
    "hands.js",
    "minute.js",
    "view.js",
    "player.js",
)
_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)


def assets() -> tuple[str, str, str]:
    """(html, css, js) of the player; the JavaScript is one ES module whose default export mounts it."""
    parts = []
    for name in MODULES:
        source = (FOLDER / name).read_text(encoding="utf-8")
        parts.append(_EXPORT.sub("", _IMPORT.sub("", source)))
    html = (FOLDER / "player.html").read_text(encoding="utf-8")
    css = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("player.css", "panels.css", "room.css"))
    return html, css, "\n".join(parts)
