"""Uploaded files in the user's cache directory, named by a digest of their content, bounded in number and size.

A file is called ``<digest>.<plain name>``. A digest identifies content, not a path, so a forged one can at most open
a file that was uploaded to this machine before. The least recently used files are removed first.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

import platformdirs

_TEMPORARY = ".part"


def folder(name: str) -> Path:
    """Return the directory for one kind of files; the environment variable ``VIZKV_CACHE`` moves the cache."""
    return Path(os.environ.get("VIZKV_CACHE") or platformdirs.user_cache_dir("vizkv")) / name


def plain(name: str) -> str:
    """Return a name with only the characters that every file system accepts; "" if none of them is left."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[-60:]


def find(place: Path, digest: str) -> Path | None:
    """Return the file with a digest, or None. ``digest`` must be hexadecimal digits: it becomes part of a pattern."""
    return next((file for file in place.glob(f"{digest}.*") if not file.name.endswith(_TEMPORARY)), None)


def used(file: Path) -> None:
    """Mark a file as just used, so that it is removed last."""
    with suppress(OSError):
        os.utime(file)


def put(place: Path, digest: str, name: str, data: bytes, most_files: int, most_bytes: int) -> None:
    """Store a file atomically, then remove the oldest files beyond the bounds. Raises OSError.

    A file with the same content under another name is removed.
    """
    place.mkdir(parents=True, exist_ok=True)
    target = place / f"{digest}.{name}"
    with tempfile.NamedTemporaryFile(dir=place, suffix=_TEMPORARY, delete=False) as file:
        try:
            file.write(data)
            file.close()
            os.replace(file.name, target)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise
    for other in place.glob(f"{digest}.*"):
        if other.name != target.name:
            other.unlink(missing_ok=True)
    _tidy(place, most_files, most_bytes)


def _tidy(place: Path, most_files: int, most_bytes: int) -> None:
    """Remove the oldest files until number and size are within their bounds."""
    files = []
    for file in place.iterdir():
        with suppress(OSError):  # another process may have removed it
            facts = file.stat()
            files.append((facts.st_mtime_ns, facts.st_size, file))
    files.sort(key=lambda entry: entry[0], reverse=True)
    total = 0
    for number, (_, size, file) in enumerate(files, 1):
        total += size
        if number > most_files or total > most_bytes:
            with suppress(OSError):
                file.unlink()
