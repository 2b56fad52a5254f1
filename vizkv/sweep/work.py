"""Doing the runs of a sweep: in this process, in processes of this machine, or on a Dask cluster, all through joblib.

Each run sends back its numbers only. A run that cannot be made is a sentence in its place, never a lost sweep.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import warnings
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from vizkv import engine
from vizkv.metrics import Window, measure
from vizkv.scenario import from_dict
from vizkv.sweep import store as stores
from vizkv.sweep.store import Numbers, Store
from vizkv.sweep.tasks import Task, distinct, edition, window
from vizkv.told import told

MAX_STEPS = 2_000_000  # of one run
SECONDS_TO_CONNECT = 10
Outcome = Numbers | str
"""The numbers of a run, see vizkv.metrics.METRICS; or in one sentence why there are none."""

_ALONE = threading.Lock()  # two sweeps at once would share, and end, each other's processes


class ClusterError(ValueError):
    """A cluster that cannot be used; the message is one sentence."""


class Stop:
    """Says to all runs of a sweep, in whatever process of this machine, that nobody waits for them any more.

    It is a file that is there for as long as they shall go on.
    """

    def __init__(self) -> None:
        handle, self.path = tempfile.mkstemp(prefix="vizkv-sweep-")
        os.close(handle)
        self._asked = False
        self.begun = False  # whether the sweep has had its turn

    def set(self) -> None:
        """Stop."""
        self._asked = True
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    @property
    def is_set(self) -> bool:
        """Whether it was asked for."""
        return self._asked

    def __enter__(self) -> Stop:
        return self

    def __exit__(self, *_: object) -> None:
        self.set()


def one(key: str, scenario: dict[str, Any], span: Window | None, go: str, made_by: str) -> tuple[str, Outcome | None]:
    """One run, in whatever process: its key and outcome; None if it was stopped on its way.

    ``go``: the file of :class:`Stop`, empty for none. ``made_by``: the asking program's edition.
    """
    if made_by != edition():
        return key, told(
            "A worker has vizkv {theirs}, this program is {ours}; valid is a cluster on which the same vizkv is "
            "installed.",
            theirs=edition(),
            ours=made_by,
        )
    try:
        trace = engine.run(
            from_dict(scenario), progress=(lambda *_: not os.path.exists(go)) if go else None, max_steps=MAX_STEPS
        )
        return key, measure(trace.systems[0], trace.requests, span)
    except engine.Cancelled:
        return key, None
    except MemoryError:
        return key, told("The run needs more memory than this machine has; valid is a shorter or smaller workload.")
    except Exception as error:
        if isinstance(error, ValueError) and type(error).__module__.startswith("vizkv."):
            return key, str(error)
        return key, told("The run failed with {kind}: {error}", kind=type(error).__name__, error=error)


def run(
    tasks: Sequence[Task],
    *,
    jobs: int | None = None,
    cluster: str | None = None,
    stop: Stop | None = None,
    store: Store | None = None,
) -> Iterator[tuple[Task, Outcome]]:
    """The outcome of every task, in the order in which they are known; those with equal keys are run once.

    ``jobs``: processes on this machine, as many as it has cores if None; 1 runs in this one. ``cluster``: the address
    of a Dask scheduler to run on instead. ``stop``: ends it early, without the outcomes that are missing then.
    ``store``: where outcomes are remembered, this user's if None. Raises ClusterError.
    """
    known = stores.default() if store is None else store
    stop = stop or Stop()
    same: dict[str, list[Task]] = {}
    for task in tasks:
        if task.problem:
            yield task, task.problem
        else:
            same.setdefault(task.key, []).append(task)
    missing = []
    for task in distinct(tasks):
        if (numbers := known.get(task.key)) is None:
            missing.append(task)
        else:
            yield from ((each, numbers) for each in same[task.key])
    if missing:
        with contextlib.closing(_done(missing, jobs, cluster, stop)) as outcomes, stop:
            for key, outcome in outcomes:
                if outcome is None or stop.is_set:
                    continue
                if not isinstance(outcome, str):
                    known.put(key, outcome)
                yield from ((each, outcome) for each in same.pop(key))
    stop.set()


def known(tasks: Sequence[Task], store: Store | None = None) -> dict[str, Numbers]:
    """The outcomes that are remembered, by key."""
    kept = stores.default() if store is None else store
    found = {task.key: kept.get(task.key) for task in distinct(tasks)}
    return {key: numbers for key, numbers in found.items() if numbers is not None}


def cores() -> int:
    """How many processes may run at once here."""
    import joblib

    return int(joblib.cpu_count())


def _done(
    tasks: list[Task], jobs: int | None, cluster: str | None, stop: Stop
) -> Generator[tuple[str, Any], None, None]:
    """The outcomes of distinct tasks, in the order in which they come."""
    import joblib

    go = "" if cluster else stop.path
    work = (
        joblib.delayed(one)(task.key, task.scenario, window(task.scenario), go, edition())
        for task in tasks
        if not stop.is_set
    )
    count = min(jobs or cores(), len(tasks))
    left = {task.key for task in tasks}
    with contextlib.ExitStack() as opened:
        if cluster:
            opened.enter_context(_connected(cluster))
            opened.enter_context(joblib.parallel_config(backend="dask"))
            parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1)
        else:
            opened.enter_context(_turn(stop))
            parallel = joblib.Parallel(count, return_as="generator_unordered", batch_size=1)
        stop.begun = True
        with _children_deaf():
            results = parallel(work)
        try:
            for key, outcome in results:
                left.discard(key)
                yield key, outcome
        except GeneratorExit:
            for _ in results:  # those under way notice the stop: nothing is left behind, and nobody is killed
                pass
            raise
        except Exception as error:  # a process that died; what it was about to tell is lost
            why = told("The run was lost: a process that ran it ended ({kind}).", kind=type(error).__name__)
            yield from ((key, why) for key in left)


@contextlib.contextmanager
def _children_deaf() -> Iterator[None]:
    """Processes started meanwhile never hear an interrupt: a terminal sends it to them too, and each would complain.

    Nor does this process for as long, a tenth of a second: what is ignored is inherited, what is handled is not.
    """
    if threading.current_thread() is not threading.main_thread():  # only that one is asked about signals
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


@contextlib.contextmanager
def _turn(stop: Stop) -> Iterator[None]:
    """One sweep at a time; whoever waits may be stopped."""
    while not _ALONE.acquire(timeout=0.1):
        if stop.is_set:
            yield  # its tasks are none by now
            return
    try:
        yield
    finally:
        _ALONE.release()


@contextlib.contextmanager
def _connected(address: str) -> Iterator[None]:
    """A client of a cluster, which joblib then finds. Raises ClusterError."""
    try:
        from distributed import Client
    except ImportError:
        raise ClusterError(
            told(
                "The cluster {address!r} needs Dask, which is not installed; valid is an installation with "
                "vizkv[cluster].",
                address=address,
            )
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that versions of other packages differ decides nothing here
            client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=True)
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterError(
            told(
                "The cluster {address!r} does not answer ({name}); valid is the address of a running Dask "
                "scheduler, as tcp://host:8786.",
                address=address,
                name=type(error).__name__,
            )
        ) from None
    with client:
        yield
