"""Slow exports: one thread each, one running at a time in this process; pages poll their progress."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from vizkv.export.make import Made
from vizkv.export.render import Cancelled, Progress

LEFT_AFTER_S = 20.0  # an export whose page has not polled for so long is cancelled
_ALONE = threading.Semaphore(1)  # a class that exports films all at once must not block the lecture


class Job:
    """An export that is waiting, running or finished."""

    def __init__(self, name: str, make: Callable[[Progress], Made]):
        self.name = name  # of the file
        self.done, self.total = 0, 0
        self.made: Made | None = None
        self.problem: object = None  # an error of this package that was raised, with its sentence
        self.broken = False  # another exception was raised; it is in the log
        self._make, self._stop, self._looked = make, threading.Event(), time.monotonic()
        self._thread = threading.Thread(target=self._go, name="vizkv export", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Return whether the export is waiting or running. Polling this keeps it alive."""
        self._looked = time.monotonic()
        return self._thread.is_alive() and not self._stop.is_set()

    @property
    def cancelled(self) -> bool:
        """Return whether the export was cancelled."""
        return self._stop.is_set()

    @property
    def waiting(self) -> bool:
        """Return whether the export waits until another one has ended."""
        return self.total == 0

    def cancel(self) -> None:
        """Stop at the next picture and discard the result."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the export has ended."""
        self._thread.join(seconds)

    def _progress(self, done: int, total: int) -> bool:
        self.done, self.total = done, total
        return self._unwanted()

    def _unwanted(self) -> bool:
        if time.monotonic() - self._looked > LEFT_AFTER_S:
            self._stop.set()
        return self._stop.is_set()

    def _go(self) -> None:
        while not _ALONE.acquire(timeout=0.5):
            if self._unwanted():
                return
        try:
            self.total = 1
            if not self._unwanted():
                self.made = self._make(self._progress)
        except Cancelled:
            self._stop.set()
        except ValueError as error:
            if type(error).__module__.split(".")[0] == "vizkv":
                self.problem = error
            else:
                self._fail()
        except Exception:
            self._fail()
        finally:
            _ALONE.release()

    def _fail(self) -> None:
        self.broken = True
        logging.getLogger(__name__).exception("an export failed")
