"""Exports that take long: a thread each, one at a time in this process; pages look at how far it is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from vizkv.export.make import Made
from vizkv.export.render import Cancelled, Progress

LEFT_AFTER_S = 20.0  # an export at which nobody has looked for so long is not wanted any more
_ALONE = threading.Semaphore(1)  # a class that exports films all at once must not stop the lecture


class Job:
    """An export under way, or one that is over."""

    def __init__(self, name: str, make: Callable[[Progress], Made]):
        self.name = name  # of the file
        self.done, self.total = 0, 0
        self.made: Made | None = None
        self.problem: object = None  # what was raised, a sentence of ours
        self.broken = False  # something else was raised: the log has it
        self._make, self._stop, self._looked = make, threading.Event(), time.monotonic()
        self._thread = threading.Thread(target=self._go, name="vizkv export", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still at work; asking keeps it alive."""
        self._looked = time.monotonic()
        return self._thread.is_alive() and not self._stop.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody stopped it."""
        return self._stop.is_set()

    @property
    def waiting(self) -> bool:
        """Whether another one has to end first."""
        return self.total == 0

    def cancel(self) -> None:
        """Stop at the next picture; nothing is kept."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Until it is over."""
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
