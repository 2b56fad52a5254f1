"""Traces that somebody uploaded: kept in the user's cache by their content, so that a link can name one.

``upload:<16 hex digits>`` is the beginning of a file's SHA-256. It names content and no place: whoever makes up such a
word can open only what was uploaded here before. The newest are kept, up to a number and a size.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np
import platformdirs

from vizkv.scenario import MAX_REQUESTS, ScenarioError, Workload
from vizkv.told import told
from vizkv.workload import recorded
from vizkv.workload.recorded import Recorded

MAX_BYTES = 50 * 10**6  # of one upload; the page's uploader says so before anything is sent
KEPT, KEPT_BYTES = 64, 500 * 10**6
LONGEST = 3600.0  # seconds of a trace that are run where nobody asked for more
_PREFIX = "upload:"
_TEMPORARY = ".part"


def folder() -> Path:
    """Where uploads lie; the environment variable ``VIZKV_CACHE`` moves the cache."""
    return Path(os.environ.get("VIZKV_CACHE") or platformdirs.user_cache_dir("vizkv")) / "uploads"


def keep(data: bytes, name: str) -> str:
    """Check a trace and keep it; the word for ``workload.lengths``. ``name``: the file's, for sentences and labels.

    Raises ScenarioError, and then keeps nothing.
    """
    shown = name[-60:] or "upload"
    if len(data) > MAX_BYTES:
        raise ScenarioError(
            told(
                "The trace {shown!r} has {size:.1f} MB; valid is an upload of at most {most} MB.",
                shown=shown,
                size=len(data) / 1000000.0,
                most=MAX_BYTES // 10**6,
            )
        )
    recorded.parse(data, shown)
    digest = hashlib.sha256(data).hexdigest()[:16]
    try:
        folder().mkdir(parents=True, exist_ok=True)
        _write(data, folder() / f"{digest}.{_plain(shown)}")
    except OSError as error:
        raise ScenarioError(
            told("The trace {shown!r} cannot be kept on this machine: {why}.", shown=shown, why=error)
        ) from None
    _tidy()
    return _PREFIX + digest


def path(word: str) -> Path:
    """The file that an upload's word names. Raises ScenarioError if it is none, or is not here (any more)."""
    found = _find(word)
    if found is None:
        raise ScenarioError(
            told(
                "The field workload.lengths is {word!r}, an upload that is not on this machine; valid is to "
                "upload that file again.",
                word=word,
            )
        )
    with suppress(OSError):
        os.utime(found)  # what is used is not the oldest
    return found


def name_of(word: str) -> str:
    """The name under which a file was uploaded, in plain letters; the word itself if it is not here."""
    found = _find(word)
    return found.name.partition(".")[2] if found else word


def read(word: str) -> Recorded:
    """The trace that an upload's word names, parsed once. Raises ScenarioError."""
    found = path(word)
    return _read(word, str(found))


def span(word: str) -> tuple[float, float]:
    """``duration`` and ``warmup`` that suit a trace: to its last request, but an hour and what can be run at most; a
    third of it, as in the paper's experiment, fills the pool. Raises ScenarioError."""
    times = read(word).time_s
    since = np.sort(times - times.min())
    end = since[MAX_REQUESTS] if len(since) > MAX_REQUESTS else np.floor(since[-1]) + 1
    duration = max(1.0, min(float(end), LONGEST))
    return duration, float(duration // 3)


@lru_cache(4)
def _read(word: str, place: str) -> Recorded:
    try:
        data = Path(place).read_bytes()
    except OSError as error:
        raise ScenarioError(told("The upload {word!r} cannot be read: {why}.", word=word, why=error)) from None
    return recorded.parse(data, name_of(word))


def _find(word: str) -> Path | None:
    # the whole word is checked: nothing of it but hexadecimal digits ever reaches the file system
    if not Workload.UPLOAD.fullmatch(word):
        return None
    digits = word.removeprefix(_PREFIX)
    return next((file for file in folder().glob(f"{digits}.*") if not file.name.endswith(_TEMPORARY)), None)


def _plain(name: str) -> str:
    """A name with nothing in it that a file system minds."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[-60:] or "trace"


def _write(data: bytes, target: Path) -> None:
    """All of it or nothing; a file of the same content under another name goes."""
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=_TEMPORARY, delete=False) as file:
        try:
            file.write(data)
            file.close()
            os.replace(file.name, target)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise
    for other in target.parent.glob(f"{target.name[:16]}.*"):
        if other.name != target.name:
            other.unlink(missing_ok=True)


def _tidy() -> None:
    """Remove the oldest until number and size are within their bounds."""
    files = []
    for file in folder().iterdir():
        with suppress(OSError):  # another session may have removed it
            facts = file.stat()
            files.append((facts.st_mtime_ns, facts.st_size, file))
    files.sort(key=lambda entry: entry[0], reverse=True)
    total = 0
    for number, (_, size, file) in enumerate(files, 1):
        total += size
        if number > KEPT or total > KEPT_BYTES:
            with suppress(OSError):
                file.unlink()
