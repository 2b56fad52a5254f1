"""The browser half of what stands around every page: its language, sharing a link, and following a class."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def assets(name: str) -> tuple[str, str, str]:
    """(html, css, js) of ``frame`` or ``share``."""
    html, css, js = ((FOLDER / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return html, css, js
