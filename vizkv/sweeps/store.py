"""A store of sweep results: the latest in memory, more of them in a file. Both are bounded.

The file is an SQLite database, which several processes may use at once; a row takes some 600 bytes. If the file cannot
be used, results are kept in memory only.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from pathlib import Path

import cachetools
import platformdirs

MEMORY = 20_000  # results
ROWS = 50_000  # results in the file, about 30 MB
_TRIM = 0.9  # share of the rows that is kept when the file is full

Numbers = dict[str, float]


class Store:
    """Metrics by key. ``path``: the file; None keeps them in memory only. ``memory``, ``rows``: the most results."""

    def __init__(self, path: Path | None, memory: int = MEMORY, rows: int = ROWS):
        self._path, self._rows = path, rows
        self._memory: cachetools.LRUCache[str, Numbers] = cachetools.LRUCache(memory)
        self._lock = threading.RLock()
        self._file: sqlite3.Connection | None = None

    def get(self, key: str) -> Numbers | None:
        """Return the result of a key; None if there is none."""
        with self._lock:
            found = self._memory.get(key)
            if found is None and (text := self._read(key)) is not None:
                found = self._memory[key] = json.loads(text)
            return dict(found) if found is not None else None

    def put(self, key: str, numbers: Numbers) -> None:
        """Store a result; the least recently used are removed once there are too many."""
        with self._lock:
            self._memory[key] = dict(numbers)
            with contextlib.suppress(sqlite3.Error, OSError):
                if (file := self._open()) is not None:
                    row = (key, json.dumps(numbers), time.time())
                    file.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", row)
                    self._trim(file)
                    file.commit()

    def __len__(self) -> int:
        """Number of results in the file; in memory if there is no file."""
        with self._lock, contextlib.suppress(sqlite3.Error, OSError):
            if (file := self._open()) is not None:
                return int(file.execute("SELECT count(*) FROM results").fetchone()[0])
        return len(self._memory)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _read(self, key: str) -> str | None:
        with contextlib.suppress(sqlite3.Error, OSError):
            if (file := self._open()) is not None:
                row = file.execute("SELECT numbers FROM results WHERE key = ?", (key,)).fetchone()
                if row:
                    file.execute("UPDATE results SET used = ? WHERE key = ?", (time.time(), key))
                    file.commit()
                    return str(row[0])
        return None

    def _open(self) -> sqlite3.Connection | None:
        if self._file is None and self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(self._path, timeout=2, check_same_thread=False)
            self._file.execute("PRAGMA synchronous = OFF")  # a lost result is computed again
            self._file.execute("CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, numbers TEXT, used REAL)")
            self._file.execute("CREATE INDEX IF NOT EXISTS used ON results (used)")
        return self._file

    def _trim(self, file: sqlite3.Connection) -> None:
        count = file.execute("SELECT count(*) FROM results").fetchone()[0]
        if count > self._rows:
            least = count - int(self._rows * _TRIM)
            file.execute("DELETE FROM results WHERE key IN (SELECT key FROM results ORDER BY used LIMIT ?)", (least,))


_default: Store | None = None
_making = threading.Lock()


def default() -> Store:
    """Return the store in the user's cache directory. The environment variable ``VIZKV_CACHE`` moves it."""
    global _default
    with _making:
        if _default is None:
            folder = os.environ.get("VIZKV_CACHE") or platformdirs.user_cache_dir("vizkv")
            _default = Store(Path(folder) / "sweeps.sqlite")
        return _default
