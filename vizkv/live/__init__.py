"""The browser half of the page "What if": bars that grow, the paper's numbers beside them, and knobs.

Plain ES modules without a build step, as :mod:`vizkv.player`; every word and number comes with the data, see
``live.js``. Each module is one concern; ``live.js`` comes last and has the default export.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
MODULES = ("words.js", "column.js", "knobs.js", "post.js", "live.js")  # in the order of their imports
_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)


def assets() -> tuple[str, str, str]:
    """(html, css, js); the JavaScript is one ES module whose default export mounts it."""
    parts = [_EXPORT.sub("", _IMPORT.sub("", (FOLDER / name).read_text(encoding="utf-8"))) for name in MODULES]
    html = (FOLDER / "live.html").read_text(encoding="utf-8")
    css = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("live.css", "room.css"))
    return html, css, "\n".join(parts)
