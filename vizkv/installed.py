"""Where the app's own files are: at the top of a checkout, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_app"  # filled when the wheel is built, see pyproject.toml


def app_folder() -> Path:
    """Return the folder with ``app.py``, ``pages/`` and ``.streamlit/``."""
    return _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent
