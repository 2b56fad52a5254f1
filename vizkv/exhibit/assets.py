"""The browser half of an exhibit as one script: the player, the bars and the chart, each in a scope of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path

from vizkv import live, player

FOLDER = Path(__file__).parent / "js"
_DEFAULT = re.compile(r"^export default function\s*\(", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)


def script() -> str:
    """Return JavaScript that defines ``mount(element, exhibit)``; it has no imports and no exports."""
    parts = []
    for name, module in (("Player", player), ("Live", live)):
        html, _, js = module.assets()
        inner, found = _DEFAULT.subn("return function (", js)
        if found != 1:
            raise AssertionError(f"the module of {name} has no default function to call")
        parts.append(f"const mount{name} = (() => {{\n{inner}\n}})();\nconst html{name} = {json.dumps(html.strip())};")
    parts += [plain((FOLDER / name).read_text(encoding="utf-8")) for name in ("chart.js", "mount.js")]
    return "\n".join(parts)


def plain(source: str) -> str:
    """Return a module's text without its imports and the word ``export``, to stand in one script with others."""
    return _EXPORT.sub("", _IMPORT.sub("", source))


def css() -> str:
    """Return the style sheets of all kinds."""
    own = (FOLDER / "exhibit.css").read_text(encoding="utf-8")
    return "\n".join((player.assets()[1], live.assets()[1], own))
