"""Compiled shows are kept: an unchanged script is not run a second time. The key is the content of all that decides."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import platformdirs

ROOT = Path(__file__).resolve().parents[1]
_MOST = 12  # shows that are kept
_PARTS = (".py", ".js", ".css", ".html", ".po", ".toml", ".csv", ".ttf")


def key(script: bytes, options: Sequence[str]) -> str:
    """Return the name of what a script compiles to: it changes with the script, an option, or vizkv itself."""
    found = hashlib.sha256(script)
    for option in options:
        found.update(b"\0" + option.encode())
    for path in sorted(path for path in ROOT.rglob("*") if path.suffix in _PARTS):
        found.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        # the faces are large and change with their maker only
        found.update(str(path.stat().st_size).encode() if path.suffix == ".ttf" else path.read_bytes())
    return found.hexdigest()[:32]


def _folder() -> Path:
    return Path(os.environ.get("VIZKV_CACHE") or platformdirs.user_cache_dir("vizkv")) / "shows"


def get(name: str) -> dict[str, bytes] | None:
    """Return the files of a show that is kept; None if it is not, or cannot be read."""
    try:
        with zipfile.ZipFile(_folder() / f"{name}.zip") as file:
            return {part: file.read(part) for part in file.namelist()}
    except (OSError, zipfile.BadZipFile):
        return None


def put(name: str, files: dict[str, bytes]) -> None:
    """Keep a show; the oldest one goes. Nothing happens where no folder can be written."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for path, data in files.items():
            file.writestr(path, data)
    folder = _folder()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{name}.part"
        part.write_bytes(buffer.getvalue())
        part.replace(folder / f"{name}.zip")
        for old in sorted(folder.glob("*.zip"), key=lambda one: one.stat().st_mtime)[:-_MOST]:
            old.unlink(missing_ok=True)
