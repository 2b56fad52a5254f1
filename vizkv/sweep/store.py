"""Results that are known already: the last ones in memory, more of them in one small file. Both are bounded.

The file is SQLite: several programs may use it at once, and a row is some 600 bytes. Where it cannot be used, there is
only the memory.
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
_TRIM = 0.9  # of the rows stay when it is full

Numbers = dict[str, float]


class Store:
    """Numbers by key. ``path``: the file; None for none."""

    def __init__(self, path: Path | None, memory: int = MEMORY, rows: int = ROWS):
        self._path, self._rows = path, rows
        self._memory: cachetools.LRUCache[str, Numbers] = cachetools.LRUCache(memory)
        self._lock = threading.RLock()
        self._file: sqlite3.Connection | None = None

    def get(self, key: str) -> Numbers | None:
        """What is known under a key."""
        with self._lock:
            found = self._memory.get(key)
            if found is None and (text := self._read(key)) is not None:
                found = self._memory[key] = json.loads(text)
            return dict(found) if found is not None else None

    def put(self, key: str, numbers: Numbers) -> None:
        """Remember; the least recently used are forgotten."""
        with self._lock:
            self._memory[key] = dict(numbers)
            with contextlib.suppress(sqlite3.Error, OSError):
                if (file := self._open()) is not None:
                    row = (key, json.dumps(numbers), time.time())
                    file.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", row)
                    self._trim(file)
                    file.commit()

    def __len__(self) -> int:
        """Results in the file; in memory where there is none."""
        with self._lock, contextlib.suppress(sqlite3.Error, OSError):
            if (file := self._open()) is not None:
                return int(file.execute("SELECT count(*) FROM results").fetchone()[0])
        return len(self._memory)

    def close(self) -> None:
        """Let go of the file; it is opened again when it is needed."""
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
    """This user's results. The environment variable ``VIZKV_CACHE`` moves the file."""
    global _default
    with _making:
        if _default is None:
            folder = os.environ.get("VIZKV_CACHE") or platformdirs.user_cache_dir("vizkv")
            _default = Store(Path(folder) / "sweeps.sqlite")
        return _default
