"""Uploaded workload traces, stored in the user's cache directory by their content, so that a link can name one.

``upload:<16 hex digits>`` is the beginning of a file's SHA-256. It identifies content, not a path: a forged name can at
most open a file that was uploaded to this machine before. The least recently used files are removed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from cachetools.keys import hashkey

from vizkv.limits import file_store, kept
from vizkv.limits.limits import MAX_WORKLOAD_UPLOAD
from vizkv.messages.sentence import told
from vizkv.scenario.schema import MAX_REQUESTS, ScenarioError, Workload
from vizkv.workload import recorded
from vizkv.workload.formats import Parsed, Recorded

KEPT, KEPT_BYTES = 64, 500 * 10**6
LONGEST = 3600.0  # seconds of a trace that run by default
_PREFIX = "upload:"


def folder() -> Path:
    """Return the directory of uploads; the environment variable ``VIZKV_CACHE`` moves the cache."""
    return file_store.folder("uploads")


def keep(data: bytes, name: str, format: str | None = None) -> str:
    """Check a trace, store it, and return its name for ``workload.lengths``.

    ``name``: the file name, for messages and labels. ``format``: if the user declared it. Raises ScenarioError, and
    then stores nothing.
    """
    shown = name[-60:] or "upload"
    if len(data) > MAX_WORKLOAD_UPLOAD:
        raise ScenarioError(
            told(
                "The trace {shown!r} has {size:.1f} MB; valid is an upload of at most {most} MB.",
                shown=shown,
                size=len(data) / 1000000.0,
                most=MAX_WORKLOAD_UPLOAD // 10**6,
            )
        )
    recorded.parse(data, shown, format)
    digest = hashlib.sha256(data).hexdigest()[:16]
    try:
        file_store.put(folder(), digest, file_store.plain(shown) or "trace", data, KEPT, KEPT_BYTES)
    except OSError as error:
        raise ScenarioError(
            told("The trace {shown!r} cannot be kept on this machine: {why}.", shown=shown, why=error)
        ) from None
    return _PREFIX + digest


def path(word: str) -> Path:
    """Return the file of an upload. ``word``: "upload:...". Raises ScenarioError if it is not on this machine."""
    found = _find(word)
    if found is None:
        raise ScenarioError(
            told(
                "The field workload.lengths is {word!r}, an upload that is not on this machine; valid is to "
                "upload that file again.",
                word=word,
            )
        )
    file_store.used(found)
    return found


def name_of(word: str) -> str:
    """Return the file name of an upload, in plain characters; ``word`` itself if it is not on this machine."""
    found = _find(word)
    return found.name.partition(".")[2] if found else word


def read(word: str, format: str | None = None) -> Parsed:
    """Parse an upload, or return the cached result. Raises ScenarioError."""
    found = path(word)
    return _read(word, str(found), format)


def span(found: Recorded) -> tuple[float, float]:
    """Return the default ``duration`` and ``warmup`` of a trace with times, in seconds.

    The duration reaches to the last request, but at most an hour and MAX_REQUESTS requests; the warm-up is a third of
    it, as in the paper's experiment.
    """
    times = found.time_s
    since = np.sort(times - times.min())
    end = since[MAX_REQUESTS] if len(since) > MAX_REQUESTS else np.floor(since[-1]) + 1
    duration = max(1.0, min(float(end), LONGEST))
    return duration, float(duration // 3)


@kept.cached(recorded.KEPT_BYTES, key=hashkey)
def _read(word: str, place: str, format: str | None) -> Parsed:
    try:
        data = Path(place).read_bytes()
    except OSError as error:
        raise ScenarioError(told("The upload {word!r} cannot be read: {why}.", word=word, why=error)) from None
    return recorded.parse(data, name_of(word), format)


def _find(word: str) -> Path | None:
    # check the whole word: only hexadecimal digits may become part of a file pattern
    if not Workload.UPLOAD.fullmatch(word):
        return None
    return file_store.find(folder(), word.removeprefix(_PREFIX))
