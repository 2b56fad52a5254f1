"""Where models lie that a person added: one folder each in the user's cache. No torch here."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def models_folder() -> Path:
    """The folder of added models; the environment variable ``VIZKV_CACHE`` moves the cache."""
    cache = os.environ.get("VIZKV_CACHE") or platformdirs.user_cache_dir("vizkv")
    return Path(cache) / "models"


def installed() -> dict[str, Path]:
    """Name -> folder of every model in the cache."""
    folder = models_folder()
    if not folder.is_dir():
        return {}
    return {f.name: f for f in sorted(folder.iterdir()) if f.is_dir() and holds_model(f)}


def holds_model(folder: Path) -> bool:
    """Whether a folder looks like a model: a config.json, or a GGUF file."""
    return (folder / "config.json").is_file() or any(folder.glob("*.gguf"))
