"""Read a file that a user named: only a regular file, and only up to a number of bytes."""

from __future__ import annotations

import errno
import os
import stat
from itertools import islice
from pathlib import Path

from vizkv.messages.sentence import told

_PIECE = 1 << 20  # bytes per read: a large buffer would be allocated in full even for a small file


def read_file(path: str | Path, most: int) -> bytes:
    """Return the content of a regular file.

    Of a file larger than ``most`` bytes only a beginning is returned, which is longer than ``most``: the caller can
    tell. Raises OSError if the file cannot be read, or is a pipe, a device or a socket, which may have no end;
    ValueError for a name that no file can have.
    """
    kind = os.stat(path).st_mode
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):  # for a directory, open() raises a good message
        raise OSError(errno.EINVAL, told("it is a pipe, a device or a socket; valid is a regular file"))
    with open(path, "rb") as file:
        return b"".join(islice(iter(lambda: file.read(_PIECE), b""), most // _PIECE + 1))
