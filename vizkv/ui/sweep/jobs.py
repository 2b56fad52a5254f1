"""Running sweeps: one thread each, which drives the worker processes; pages poll the results so far."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from vizkv import sweeps as sweep
from vizkv.sweeps import Outcome, Stop, Task

LEFT_AFTER_S = 15.0  # a sweep that no page has polled for so long stops: others wait for the worker processes


class Job:
    """A sweep that is waiting, running or finished."""

    def __init__(self, tasks: Sequence[Task]):
        self.tasks = list(tasks)
        self.keys = frozenset(task.key for task in tasks)
        self.total = len(sweep.distinct(tasks))
        self.problem = ""  # why the sweep failed, in one sentence
        self._found: dict[str, Outcome] = {}
        self._stop = Stop()
        self._looked = time.monotonic()
        self._thread = threading.Thread(target=self._go, name="vizkv sweep", daemon=True)
        self._watch = threading.Thread(target=self._mind, name="vizkv sweep watch", daemon=True)
        self._thread.start()
        self._watch.start()

    @property
    def running(self) -> bool:
        """Return whether more results will come."""
        return self._thread.is_alive() and not self._stop.is_set

    @property
    def waiting(self) -> bool:
        """Return whether the sweep waits until another sweep on this machine has ended."""
        return self.running and not self._stop.begun

    @property
    def stopped(self) -> bool:
        """Return whether the sweep was stopped before its end."""
        return self._stop.is_set and len(self._found) < self.total

    @property
    def found(self) -> dict[str, Outcome]:
        """Return the results so far, by the key of the run. Polling this keeps the sweep alive."""
        self._looked = time.monotonic()
        return dict(self._found)

    def stop(self) -> None:
        """Stop the sweep; its results are kept."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until no more results will come."""
        self._thread.join(seconds)

    def _go(self) -> None:
        try:
            for task, outcome in sweep.run(self.tasks, stop=self._stop):
                if task.key:
                    self._found[task.key] = outcome
        except Exception as error:
            self.problem = str(error) or type(error).__name__
            self._stop.set()

    def _mind(self) -> None:
        while self._thread.is_alive():
            self._thread.join(1.0)
            if time.monotonic() - self._looked > LEFT_AFTER_S:
                self._stop.set()
