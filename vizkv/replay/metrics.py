"""The metrics of one system's run: memory use, throughput and latency.

Shares and rates are averages over the steps in a window (docs/decisions/0013), latencies over the requests that
finished in it; counts are of the whole run. Times are seconds of the simulated clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vizkv.replay.averages import Averages, Window, averages
from vizkv.replay.ledgers import Series, ledgers
from vizkv.trace.events import Kind
from vizkv.trace.slots import Code
from vizkv.trace.trace import RequestFacts, SystemTrace


@dataclass(frozen=True)
class Metric:
    """A metric. ``unit``: percent | requests | tokens/s | requests/s | s | s/token | count."""

    name: str
    unit: str


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("used", "percent"),
        Metric("reserved", "percent"),
        Metric("internal", "percent"),
        Metric("external", "percent"),
        Metric("reserved-online", "percent"),
        Metric("internal-online", "percent"),
        Metric("internal-textbook", "percent"),
        Metric("external-textbook", "percent"),
        Metric("rounding", "percent"),
        Metric("stranded", "percent"),
        Metric("free", "percent"),
        Metric("mean_batch", "requests"),
        Metric("throughput", "tokens/s"),
        Metric("request_rate", "requests/s"),
        Metric("latency_mean", "s"),
        Metric("latency_p95", "s"),
        Metric("latency_token", "s/token"),
        Metric("ttft_mean", "s"),
        Metric("hit_rate", "percent"),
        Metric("preemptions", "count"),
        Metric("finished", "count"),
        Metric("unfinished", "count"),
        Metric("never", "count"),
        Metric("steps", "count"),
        Metric("time_s", "s"),
    )
}
"""Every metric of :func:`measure`, by name.

used, reserved, internal, external      percent of the pool, hindsight lens, paper accounting
*-online                                the same under the online lens
*-textbook                              the same under the textbook accounting
rounding, stranded, free                percent of the pool: the parts of the paper's "external & others"
mean_batch                              requests in the batch of a step
throughput, request_rate                tokens sampled per second, and requests finished per second
latency_mean, latency_p95               from arrival to the last token, over the requests that finished
latency_token                           the same per sampled token (the paper's normalized latency)
ttft_mean                               from arrival to the first token
hit_rate                                percent of prompt tokens that a first admission found in the prefix cache
unfinished                              requests that arrived but had not finished when the run ended
never                                   requests too long ever to run
"""


def measure(
    system: SystemTrace, requests: tuple[RequestFacts, ...], window: Window | None = None, series: Series | None = None
) -> dict[str, float]:
    """Return all of :data:`METRICS` for one system; an average over nothing is NaN.

    ``requests``: the trace's. ``window``: the seconds of a workload that count, see :mod:`vizkv.replay.averages`; None
    without a workload, when arrivals are given in steps. ``series``: the system's ledgers, computed here if None.
    """
    series = series or ledgers(system, requests)
    counted = averages(series, system.time_s, window)
    times = Times.of(system, requests, timed=window is not None)
    numbers = _shares(counted)
    numbers["mean_batch"] = counted.batched
    numbers |= _rates(system, times, counted)
    numbers |= _latencies(times, requests, window)
    numbers["hit_rate"] = _hit_rate(system, requests)
    numbers |= {
        "preemptions": float(series.preemptions),
        "finished": float(series.finished),
        "never": float(series.never),
        "steps": float(system.steps),
        "time_s": float(system.time_s[-1]) if system.steps else 0.0,
    }
    return {name: numbers[name] for name in METRICS}


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _shares(counted: Averages) -> dict[str, float]:
    """Return the metrics that are percentages of the pool, by name."""
    paper, textbook = counted.percent("hindsight", "paper"), counted.percent("hindsight", "textbook")
    online, codes = counted.percent("online", "paper"), counted.shares
    return {
        **{name: paper[name] for name in ("used", "reserved", "internal", "external")},
        "reserved-online": online["reserved"],
        "internal-online": online["internal"],
        "internal-textbook": textbook["internal"],
        "external-textbook": textbook["external"],
        "rounding": float(codes[Code.ROUNDING]),
        "stranded": float(codes[Code.STRANDED]),
        "free": textbook["free"],
    }


@dataclass(frozen=True)
class Times:
    """When each request arrived, sampled its first token and finished, in seconds; NaN if it did not."""

    arrived: np.ndarray  # [requests]
    first: np.ndarray  # [requests] the end of the step that sampled its first token
    finished: np.ndarray  # [requests]
    never: np.ndarray  # [requests] bool: too long ever to run
    sampled: np.ndarray  # [steps] tokens sampled in each step

    @classmethod
    def of(cls, system: SystemTrace, requests: Sequence[RequestFacts], *, timed: bool) -> Times:
        """Read the times from the events of a run. ``timed``: ``arrival`` of the requests is in seconds, not steps."""
        ends, steps = system.time_s, _step_of_each_event(system)
        starts = np.concatenate([[0.0], ends[:-1]]) if system.steps else ends

        def when(kind: Kind, clock: np.ndarray) -> np.ndarray:
            rows = system.kinds == kind
            at = np.full(len(requests), np.nan)
            at[system.values[rows, 0]] = clock[steps[rows]]
            return at

        arrived = when(Kind.ARRIVED, starts)
        if timed:
            arrived = np.array([r.arrival for r in requests], np.float64)
        first, sampled = _sampling(system, requests, steps)
        return cls(arrived, first, when(Kind.FINISHED, ends), ~np.isnan(when(Kind.NEVER, ends)), sampled)


def _step_of_each_event(system: SystemTrace) -> np.ndarray:
    return np.repeat(np.arange(system.steps), np.diff(system.offsets))


def _sampling(
    system: SystemTrace, requests: Sequence[RequestFacts], steps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (seconds of each request's first token [requests], tokens sampled in each step [steps]).

    A step samples a token of a sequence if it writes the last position of the prompt or a later one, and that position
    was never written before: of what is recomputed after a preemption, only the last piece samples. A fork counts what
    its parent wrote as its own.
    """
    written, forked = system.kinds == Kind.WRITTEN, system.kinds == Kind.FORKED
    rows = np.flatnonzero(written | forked)
    _, a, b, _, _ = system.values[rows].T
    spans = system.spans  # request, first step, steps, position, token: one position per step
    who = np.concatenate([system.values[rows, 0], spans[:, 0]])
    at = np.concatenate([steps[rows], spans[:, 1]])
    count = np.concatenate([np.ones_like(rows), spans[:, 2]])
    end = np.concatenate([np.where(written[rows], a + b, b), spans[:, 3] + 1])  # positions written after its first step
    order = np.lexsort((at, who))
    who, at, count, end = who[order], at[order], count[order], end[order]
    # a running maximum per request: an offset larger than any length keeps the requests apart
    apart = int((end + count).max(initial=0)) + 1
    furthest = np.maximum.accumulate(end + count - 1 + who * apart)
    before = np.concatenate([[-1], furthest[:-1]]) - who * apart
    prompt = np.array([r.prompt_tokens for r in requests], np.int64)
    idle = np.maximum(0, np.maximum(before + 1, prompt[who]) - end)  # first steps of a row, which sample nothing
    samples = idle < count
    who, start, stop = who[samples], (at + idle)[samples], (at + count)[samples]
    first = np.full(len(requests), np.nan)
    first[who[::-1]] = system.time_s[start[::-1]]  # reversed: of several values for one index NumPy keeps the last
    change = np.bincount(start, minlength=system.steps + 1) - np.bincount(stop, minlength=system.steps + 1)
    return first, np.cumsum(change)[: system.steps]


def _rates(system: SystemTrace, times: Times, counted: Averages) -> dict[str, float]:
    """Return sampled tokens and finished requests per second, over the steps that count."""
    if not counted.steps:
        return {"throughput": math.nan, "request_rate": math.nan}
    start = float(system.time_s[counted.first - 1]) if counted.first else 0.0
    end = float(system.time_s[counted.end - 1])
    finished = int(((times.finished > start) & (times.finished <= end)).sum())
    return {
        "throughput": float(times.sampled[counted.first : counted.end].sum()) / (end - start),
        "request_rate": finished / (end - start),
    }


def _latencies(times: Times, requests: Sequence[RequestFacts], window: Window | None) -> dict[str, float]:
    """Return the latencies of the requests that finished in the window, and the number that never finished."""
    done, started = _within(times.finished, window), _within(times.first, window)
    latency = (times.finished - times.arrived)[done]
    tokens = np.array([r.final_slots - r.prompt_tokens + 1 for r in requests], np.float64)[done]
    open_ = ~np.isnan(times.arrived) & np.isnan(times.finished) & ~times.never
    return {
        "latency_mean": _mean(latency),
        "latency_p95": float(np.percentile(latency, 95)) if len(latency) else math.nan,
        "latency_token": _mean(latency / tokens),
        "ttft_mean": _mean((times.first - times.arrived)[started]),
        "unfinished": float(open_.sum()),
    }


def _within(times: np.ndarray, window: Window | None) -> np.ndarray:
    """Return a mask of the times that lie in the window; of all times that are not NaN if none does."""
    low, high = window or (0.0, math.inf)
    within = (times >= low) & (times <= high)
    return within if within.any() else ~np.isnan(times)


def _hit_rate(system: SystemTrace, requests: Sequence[RequestFacts]) -> float:
    """Return the percentage of prompt tokens found in the prefix cache, each request at its first admission."""
    steps = _step_of_each_event(system)
    rows = np.flatnonzero(system.kinds == Kind.ADMITTED)
    if not len(rows):
        return math.nan
    admitted = np.full(len(requests), -1)
    admitted[system.values[rows[::-1], 0]] = steps[rows[::-1]]
    hits = np.flatnonzero(system.kinds == Kind.HIT)
    counted = hits[admitted[system.values[hits, 0]] == steps[hits]]
    prompt = np.array([r.prompt_tokens for r in requests], np.int64)[admitted >= 0]
    return float(system.values[counted, 1].sum()) / float(prompt.sum()) * 100
