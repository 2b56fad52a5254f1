"""Read recorded workloads from files, bounded in size, and cached until the file changes."""

from __future__ import annotations

import io
from pathlib import Path

from cachetools.keys import hashkey

from vizkv.limits import kept
from vizkv.limits.limits import MAX_WORKLOAD_FILE
from vizkv.messages.sentence import joined, told
from vizkv.scenario.schema import LENGTH_SETS, ScenarioError, Workload
from vizkv.workload import formats
from vizkv.workload.formats import Parsed

KEPT_BYTES = 256 << 20  # bytes of parsed files in the cache


def read_trace(name: str, format: str | None = None) -> Parsed:
    """Parse a file, or return the cached result. Raises ScenarioError.

    ``format``: the format that the user declared; if None, it is recognised by the file's fields.
    """
    path = Path(name)
    try:
        if not path.is_file():
            raise ScenarioError(
                told(
                    "The field workload.lengths is {name!r}, which is neither a set nor a file; valid is a file's "
                    "name, one of the sets {length_sets}, or {made_up}.",
                    name=name,
                    length_sets=joined(LENGTH_SETS),
                    made_up=joined(Workload.MADE_UP),
                )
            )
        facts = path.stat()
        return _read(str(path.resolve()), name, format, facts.st_mtime_ns, facts.st_size)
    except OSError as error:
        raise ScenarioError(told("The trace {name!r} cannot be read: {why}.", name=name, why=error)) from None


@kept.cached(KEPT_BYTES, key=hashkey)
def _read(path: str, name: str, format: str | None, changed: int, size: int) -> Parsed:
    """Parse a file. ``changed``: its modification time, part of the cache key."""
    if size > MAX_WORKLOAD_FILE:
        raise ScenarioError(
            told(
                "The trace {name!r} has {size:.0f} MB; valid is at most {most} MB.",
                name=name,
                size=size / 1000000.0,
                most=MAX_WORKLOAD_FILE // 10**6,
            )
        )
    with open(path, "rb") as file:
        return formats.parse(file, name, format)


def parse(data: bytes, name: str, format: str | None = None) -> Parsed:
    """Parse the content of a file. Raises ScenarioError, whose message names the file."""
    return formats.parse(io.BytesIO(data), name, format)
