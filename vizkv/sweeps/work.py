"""Execute the runs of a sweep with joblib: in this process, in worker processes, or on a Dask cluster.

A worker returns only the metrics of a run. A failed run gives an error message as its outcome; the sweep goes on.
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

from vizkv.engine import engine
from vizkv.messages.sentence import told
from vizkv.replay.averages import Window, window_of
from vizkv.replay.metrics import measure
from vizkv.scenario.schema import from_dict
from vizkv.sweeps import store as stores
from vizkv.sweeps.store import Numbers, Store
from vizkv.sweeps.tasks import Task, distinct, edition

MAX_STEPS = 2_000_000  # of one run
SECONDS_TO_CONNECT = 10
Outcome = Numbers | str
"""The metrics of a run, see vizkv.replay.metrics.METRICS; or one sentence that says why there are none."""

_ALONE = threading.Lock()  # two concurrent sweeps would share, and terminate, the same worker processes


class ClusterError(ValueError):
    """A cluster cannot be used; the message is one sentence."""


class Stop:
    """Cancels the runs of a sweep in all worker processes of this machine.

    The signal is a temporary file: workers go on while it exists.
    """

    def __init__(self) -> None:
        handle, self.path = tempfile.mkstemp(prefix="vizkv-sweep-")
        os.close(handle)
        self._asked = False
        self.begun = False  # whether the sweep has started, after waiting for other sweeps

    def set(self) -> None:
        """Cancel the runs."""
        self._asked = True
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    @property
    def is_set(self) -> bool:
        """Whether the runs were cancelled."""
        return self._asked

    def __enter__(self) -> Stop:
        return self

    def __exit__(self, *_: object) -> None:
        self.set()


def one(key: str, scenario: dict[str, Any], span: Window | None, go: str, made_by: str) -> tuple[str, Outcome | None]:
    """Execute one run in a worker; return its key and its outcome, None if it was cancelled.

    ``span``: the window of its averages. ``go``: the path of :class:`Stop`, "" for none. ``made_by``: :func:`edition`
    of the program that started the sweep.
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
    """Yield every task with its outcome, as soon as it is known; tasks with equal keys share one run.

    ``jobs``: worker processes on this machine, one per core if None; with 1, runs are made in this process.
    ``cluster``: address of a Dask scheduler to use instead. ``stop``: cancels the sweep; the outcomes that are missing
    then are not yielded. ``store``: where outcomes are cached; the user's store if None. Raises ClusterError.
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
    """Return the outcomes that are in the store already, by key."""
    kept = stores.default() if store is None else store
    found = {task.key: kept.get(task.key) for task in distinct(tasks)}
    return {key: numbers for key, numbers in found.items() if numbers is not None}


def cores() -> int:
    """Return the number of worker processes that can run at once on this machine."""
    import joblib

    return int(joblib.cpu_count())


def _done(
    tasks: list[Task], jobs: int | None, cluster: str | None, stop: Stop
) -> Generator[tuple[str, Any], None, None]:
    """Yield (key, outcome) of distinct tasks, as they finish."""
    import joblib

    go = "" if cluster else stop.path
    work = (
        joblib.delayed(one)(task.key, task.scenario, window_of(task.scenario), go, edition())
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
        with _interrupts_ignored():
            results = parallel(work)
        try:
            for key, outcome in results:
                left.discard(key)
                yield key, outcome
        except GeneratorExit:
            for _ in results:  # wait for the runs under way, which notice the stop, instead of killing their workers
                pass
            raise
        except Exception as error:  # a worker process died
            why = told("The run was lost: a process that ran it ended ({kind}).", kind=type(error).__name__)
            yield from ((key, why) for key in left)


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore SIGINT while worker processes start, so that they inherit this and ignore it for good.

    A terminal sends Ctrl+C to all processes of the group, and each worker would print a traceback. This process ignores
    the signal only meanwhile, about a tenth of a second.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set signal handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


@contextlib.contextmanager
def _turn(stop: Stop) -> Iterator[None]:
    """Run one sweep at a time; a sweep that waits for its turn can be cancelled."""
    while not _ALONE.acquire(timeout=0.1):
        if stop.is_set:
            yield  # cancelled: no task is started
            return
    try:
        yield
    finally:
        _ALONE.release()


@contextlib.contextmanager
def _connected(address: str) -> Iterator[None]:
    """Connect to a Dask cluster as the default client, which joblib then uses. Raises ClusterError."""
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
            warnings.simplefilter("ignore")  # different versions of other packages do not matter here
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
