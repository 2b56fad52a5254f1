"""One system's run in numbers: how its pool was used, how fast it went, how long its requests took.

Shares and rates are averages over the steps in a window (docs/decisions/0013), latencies over the requests that
finished in it; counts are of the whole run. Times are seconds by the scenario's clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vizkv.events import Kind
from vizkv.ledgers import Series, ledgers
from vizkv.slots import CATEGORIES, Accounting, Code, Lens
from vizkv.trace import RequestFacts, SystemTrace

Window = tuple[float, float]


@dataclass(frozen=True)
class Metric:
    """One number of a run. ``unit``: percent | requests | tokens/s | requests/s | s | s/token | count."""

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
"""Every number of :func:`measure`, by name.

used, reserved, internal, external      percent of the pool, hindsight lens, paper accounting
*-online                                the online lens; *-textbook: the textbook accounting (SPEC 2)
rounding, stranded, free                percent of the pool: what external & others of the paper consists of
mean_batch                              requests that an iteration works on
throughput, request_rate                tokens sampled, and requests finished, a second
latency_mean, latency_p95               from arrival to the last token, of those that finished
latency_token                           the same for each sampled token (the paper's normalized latency)
ttft_mean                               from arrival to the first token
hit_rate                                percent of prompt tokens that a first admission found in the prefix cache
unfinished                              arrived, and not finished when the run ended: of those no latency is known
never                                   too long ever to run
"""


def measure(system: SystemTrace, requests: tuple[RequestFacts, ...], window: Window | None = None) -> dict[str, float]:
    """All of :data:`METRICS` for one system; NaN for an average over nothing.

    ``requests``: the trace's. ``window``: the seconds of a workload from and to which steps count (all, where none
    lies in it); None where there is no workload, and arrivals are steps.
    """
    told = ledgers(system, requests)
    counted = _counted(system, window)
    times = Times.of(system, requests, timed=window is not None)
    numbers = _shares(told, counted)
    numbers["mean_batch"] = _mean(told.batched[counted])
    numbers |= _rates(system, times, counted)
    numbers |= _latencies(times, requests, window)
    numbers["hit_rate"] = _hit_rate(system, requests)
    numbers |= {
        "preemptions": float(told.preemptions),
        "finished": float(told.finished),
        "never": float(told.never),
        "steps": float(system.steps),
        "time_s": float(system.time_s[-1]) if system.steps else 0.0,
    }
    return {name: numbers[name] for name in METRICS}


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _counted(system: SystemTrace, window: Window | None) -> np.ndarray:
    """Which steps the averages are taken over, bool [steps]."""
    low, high = window or (0.0, math.inf)
    within = (system.time_s >= low) & (system.time_s <= high)
    return within if within.any() else np.ones(system.steps, bool)


def _shares(told: Series, counted: np.ndarray) -> dict[str, float]:
    """Percent of the pool, by name."""
    whole = 100.0 / told.slots

    def booked(lens: Lens, accounting: Accounting) -> dict[str, float]:
        shares = told.shares(lens, accounting)[counted]
        return {name: _mean(shares[:, i]) * whole for i, name in enumerate(CATEGORIES)}

    paper, textbook = booked("hindsight", "paper"), booked("hindsight", "textbook")
    online, codes = booked("online", "paper"), told.counts[counted]
    return {
        **{name: paper[name] for name in ("used", "reserved", "internal", "external")},
        "reserved-online": online["reserved"],
        "internal-online": online["internal"],
        "internal-textbook": textbook["internal"],
        "external-textbook": textbook["external"],
        "rounding": _mean(codes[:, Code.ROUNDING]) * whole,
        "stranded": _mean(codes[:, Code.STRANDED]) * whole,
        "free": textbook["free"],
    }


@dataclass(frozen=True)
class Times:
    """When things happened to each request, in seconds [requests]; NaN where they did not."""

    arrived: np.ndarray
    first: np.ndarray  # its first token was sampled
    finished: np.ndarray
    never: np.ndarray  # [requests] bool
    sampled: np.ndarray  # [steps] tokens sampled in each step

    @classmethod
    def of(cls, system: SystemTrace, requests: Sequence[RequestFacts], *, timed: bool) -> Times:
        """From the events of a run. ``timed``: the requests' arrivals are seconds."""
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
    """(seconds of each request's first token, tokens sampled in each step).

    A token is sampled by the step that writes a position further than ever before, behind the prompt: what is
    computed again after a preemption samples only with its last piece. A fork has what its parent wrote.
    """
    written, forked = system.kinds == Kind.WRITTEN, system.kinds == Kind.FORKED
    rows = np.flatnonzero(written | forked)
    _, a, b, _, _ = system.values[rows].T
    spans = system.spans  # request, first step, steps, position, token: one position a step
    who = np.concatenate([system.values[rows, 0], spans[:, 0]])
    at = np.concatenate([steps[rows], spans[:, 1]])
    count = np.concatenate([np.ones_like(rows), spans[:, 2]])
    end = np.concatenate([np.where(written[rows], a + b, b), spans[:, 3] + 1])  # positions written by the first step
    order = np.lexsort((at, who))
    who, at, count, end = who[order], at[order], count[order], end[order]
    # the furthest before, of the same request: requests are told apart by an offset larger than any length
    apart = int((end + count).max(initial=0)) + 1
    furthest = np.maximum.accumulate(end + count - 1 + who * apart)
    before = np.concatenate([[-1], furthest[:-1]]) - who * apart
    prompt = np.array([r.prompt_tokens for r in requests], np.int64)
    idle = np.maximum(0, np.maximum(before + 1, prompt[who]) - end)  # steps of a row that sample nothing
    samples = idle < count
    who, start, stop = who[samples], (at + idle)[samples], (at + count)[samples]
    first = np.full(len(requests), np.nan)
    first[who[::-1]] = system.time_s[start[::-1]]  # of several values for one request numpy keeps the last
    change = np.bincount(start, minlength=system.steps + 1) - np.bincount(stop, minlength=system.steps + 1)
    return first, np.cumsum(change)[: system.steps]


def _rates(system: SystemTrace, times: Times, counted: np.ndarray) -> dict[str, float]:
    """Tokens and finished requests a second, over the steps that count."""
    if not counted.any():
        return {"throughput": math.nan, "request_rate": math.nan}
    steps = np.flatnonzero(counted)
    start = float(system.time_s[steps[0] - 1]) if steps[0] else 0.0
    end = float(system.time_s[steps[-1]])
    finished = int(((times.finished > start) & (times.finished <= end)).sum())
    return {
        "throughput": float(times.sampled[counted].sum()) / (end - start),
        "request_rate": finished / (end - start),
    }


def _latencies(times: Times, requests: Sequence[RequestFacts], window: Window | None) -> dict[str, float]:
    """Of the requests that finished in the window: how long they took; and how many never did, to the run's end."""
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
    """Which of these moments lie in the window; all that there are, where none does."""
    low, high = window or (0.0, math.inf)
    within = (times >= low) & (times <= high)
    return within if within.any() else ~np.isnan(times)


def _hit_rate(system: SystemTrace, requests: Sequence[RequestFacts]) -> float:
    """Percent of the prompt tokens that were found, each request at its first admission."""
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
