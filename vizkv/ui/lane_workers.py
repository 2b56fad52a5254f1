"""The processes that compute what the page "What if" shows: as many as there are cores, started when first wanted."""

from __future__ import annotations

import atexit
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vizkv.ui.lane_work import Answer, Wish

_AT_MOST = 4
_ROOT = Path(__file__).resolve().parents[2]


class Process:
    """One of them. Who wants something from it takes it for himself first."""

    def __init__(self) -> None:
        self.busy = False
        self.systems = 0  # that go on here now, in turns
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, wish: Wish) -> Answer:
        """Its answer. One that has died is started anew; what it had under way begins anew."""
        for again in (True, False):
            child = self.start()
            assert child.stdin is not None and child.stdout is not None
            try:
                pickle.dump(wish, child.stdin, pickle.HIGHEST_PROTOCOL)
                child.stdin.flush()
                answer = pickle.load(child.stdout)
                assert isinstance(answer, Answer)
                return answer
            except (OSError, EOFError):
                self.end()
                if not again:
                    raise
        raise AssertionError

    def start(self) -> subprocess.Popen[bytes]:
        """The process itself, running."""
        if self._child is None or self._child.poll() is not None:
            # one thread each: there are as many processes as cores
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            paths = [str(_ROOT), *filter(None, [environment.get("PYTHONPATH")])]
            environment["PYTHONPATH"] = os.pathsep.join(paths)
            self._child = subprocess.Popen(
                [sys.executable, "-m", "vizkv.ui.lane_work"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
            )  # fmt: skip
        return self._child

    def end(self) -> None:
        """Let it go."""
        child, self._child = self._child, None
        if child is not None:
            with suppress(OSError):
                child.kill()
            child.wait()


_all: list[Process] = []
_free = threading.Condition()


def count() -> int:
    """How many there are."""
    return max(1, min(_AT_MOST, os.cpu_count() or 1))


@contextmanager
def at_home(home: Process | None) -> Iterator[Process]:
    """A system goes on: where it is under way already, else where the fewest others do."""
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
    """A process for oneself, for one wish."""
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
    """Start all of them: it takes a second, which the first knob that is turned would have to wait."""
    with _free:
        _complete()
    for process in _all:
        process.start()


def _complete() -> None:
    _all.extend(Process() for _ in range(count() - len(_all)))


@atexit.register
def end() -> None:
    """Let all of them go; the next wish starts one anew."""
    for process in _all:
        process.end()
