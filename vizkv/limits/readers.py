"""Readers for formats in which a small file can unpack, nest or repeat to a huge value: JSON, TOML, zip, NumPy files.

Each checks its limits before it does the work. They raise ValueError: :class:`TooMuch`, whose message names the limit,
or what the format's own parser raises.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
import tomllib
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from vizkv.limits.limits import MAX_KEY_PARTS, MAX_NAME, MAX_VALUES
from vizkv.messages.sentence import told

_MOST_ENTRIES = 1000  # of a zip archive
_MOST_ENTRY = 1000  # bytes of each entry in the archive's directory
_END = struct.Struct("<4s4H2LH")  # a zip archive's end-of-central-directory record
_STRINGS = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})' r"|'''.*?'''(?:'{0,2})" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'|#[^\n]*", re.DOTALL
)
_LONG_KEY = re.compile(r"(?:\.[^\s.=,\[\]{}]+)" f"{{{MAX_KEY_PARTS}}}")


class TooMuch(ValueError):
    """An input exceeds a limit; the message is one sentence."""


def parse_json(raw: bytes, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return the value of a JSON text. Raises ValueError, also for one that is nested too deeply.

    ``parse_constant``: as in ``json.loads``, converts NaN and Infinity.
    """
    count = sum(map(raw.count, (b",", b"[", b"{")))  # an upper bound: each value but the first follows one of these
    within(told("values in JSON"), count, MAX_VALUES)
    try:
        return json.loads(raw, parse_constant=parse_constant)
    except RecursionError:
        raise ValueError from None


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text. Raises ValueError, or RecursionError if it is nested too deeply."""
    keys = re.sub(r"[ \t]+", "", _STRINGS.sub("s", text))
    if found := _LONG_KEY.search(keys):
        raise TooMuch(
            told(
                "The file has a key with more than {most} parts, at {found!r}; valid are at most that many.",
                most=MAX_KEY_PARTS,
                found=found[0][:40],
            )
        )
    return tomllib.loads(text)


def open_zip(data: bytes, unpacked: int) -> zipfile.ZipFile:
    """Open a zip archive that unpacks to at most ``unpacked`` bytes, with at most 1000 entries, stored or deflated.

    Raises TooMuch, or zipfile.BadZipFile for an archive that is damaged or compressed in another way.
    """
    _check_directory(data)
    archive = zipfile.ZipFile(io.BytesIO(data))
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)  # zipfile unpacks no more of an entry than it declares
    within(told("bytes when it is unpacked"), size, unpacked)
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise zipfile.BadZipFile  # other methods may take any amount of memory
    return archive


def _check_directory(data: bytes) -> None:
    """Refuse an archive with very many entries before zipfile makes an object of each."""
    at = data.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(data):
        raise zipfile.BadZipFile
    _, _, _, _, entries, size, _, _ = _END.unpack_from(data, at)
    within(told("entries"), max(entries, size // _MOST_ENTRY), _MOST_ENTRIES)


def parse_array(raw: bytes) -> np.ndarray:
    """Return the array of a ``.npy`` file with one or two dimensions of numbers. Raises ValueError or TypeError."""
    file = io.BytesIO(raw)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
    start = file.tell()
    if dtype.kind not in "biuf" or dtype.itemsize > 8 or not 1 <= len(shape) <= 2:
        raise TypeError
    if math.prod(shape) * dtype.itemsize != len(raw) - start:  # NumPy would allocate whatever the shape declares
        raise ValueError
    return np.frombuffer(raw, dtype, offset=start).reshape(shape, order="F" if by_column else "C")


def within(what: str, count: int, most: int) -> None:
    """Raise TooMuch if ``count`` exceeds ``most``. ``what``: the plural noun of what was counted."""
    if count > most:
        raise TooMuch(
            told("The file has {count:,} {what}; at most {most:,} are taken in.", count=count, what=what, most=most)
        )


def text(value: object, most: int) -> str:
    """Return a value that is a text of at most ``most`` characters. Raises ValueError."""
    if not isinstance(value, str) or len(value) > most:
        raise ValueError
    return value


def one_line(value: object) -> str:
    """Return a value that is a printable name of one line. Raises ValueError."""
    if not text(value, MAX_NAME).isprintable():
        raise ValueError
    return str(value)


def whole(value: object, low: int, most: int) -> int:
    """Return a value that is a whole number from ``low`` to ``most``. Raises ValueError."""
    if type(value) is not int or not low <= value <= most:
        raise ValueError
    return value
