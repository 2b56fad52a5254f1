"""The worker processes of the page "What if": one per core up to a limit, started on first use."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vizkv.messages.sentence import told
from vizkv.ui.whatif.lane import Answer, Wish, receive, send

ANSWER_S = 120.0  # time limit for one answer, after which the process is killed; a task takes a fraction of a second
_AT_MOST = 4
_COMMAND = (sys.executable, "-m", "vizkv.ui.whatif.lane")
_ROOT = Path(__file__).resolve().parents[3]


class WorkerError(RuntimeError):
    """A worker process ended twice without an answer; the message is one sentence."""


class Process:
    """One worker process. Hold it with :func:`taken` while calling :meth:`ask`."""

    def __init__(self) -> None:
        self.busy = False
        self.systems = 0  # number of systems that run here, in turns
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, wish: Wish) -> Answer:
        """Return the answer to a task. A dead process is restarted once, without its systems. Raises WorkerError."""
        for _ in range(2):
            child = self.start()
            assert child.stdin is not None and child.stdout is not None
            late = threading.Event()
            watch = threading.Timer(ANSWER_S, _end_late, (child, late))
            watch.daemon = True
            watch.start()
            try:
                send(child.stdin, wish)
                answer = receive(child.stdout)
                assert isinstance(answer, Answer)
                return answer
            except (OSError, EOFError):
                self.end()
                if late.is_set():  # the process was killed at the time limit, and a second one would be too
                    break
            finally:
                watch.cancel()
        raise WorkerError(told("The process that runs this system has ended twice without an answer; run it again."))

    def start(self) -> subprocess.Popen[bytes]:
        """Return the process; start it if it is not running."""
        if self._child is None or self._child.poll() is not None:
            # one thread per process: there are as many processes as cores
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            paths = [str(_ROOT), *filter(None, [environment.get("PYTHONPATH")])]
            environment["PYTHONPATH"] = os.pathsep.join(paths)
            self._child = subprocess.Popen(
                _COMMAND,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
            )  # fmt: skip
        return self._child

    def end(self) -> None:
        """Kill the process."""
        child, self._child = self._child, None
        if child is not None:
            with suppress(OSError):
                child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with suppress(OSError):  # flushing the rest of a write fails
                    if pipe is not None:
                        pipe.close()


def _end_late(child: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    child.kill()


_all: list[Process] = []
_free = threading.Condition()


def count() -> int:
    """Return the number of worker processes."""
    return max(1, min(_AT_MOST, os.cpu_count() or 1))


@contextmanager
def at_home(home: Process | None) -> Iterator[Process]:
    """Yield the process for a system: the one that has begun it, else the one with the fewest systems."""
    with _free:
        _complete()
        home = home or min(_all, key=lambda one: one.systems)
        home.systems += 1
    try:
        yield home
    finally:
        with _free:
            home.systems -= 1


@contextmanager
def taken(process: Process) -> Iterator[None]:
    """Hold a process exclusively, for one task."""
    with _free:
        while process.busy:
            _free.wait()
        process.busy = True
    try:
        yield
    finally:
        with _free:
            process.busy = False
            _free.notify_all()


def warm_up() -> None:
    """Start all processes: it takes a second, for which the first change of a knob would have to wait."""
    with _free:
        _complete()
    for process in _all:
        process.start()


def _complete() -> None:
    _all.extend(Process() for _ in range(count() - len(_all)))


@atexit.register
def end() -> None:
    """Kill all processes; the next task starts one again."""
    for process in _all:
        process.end()
