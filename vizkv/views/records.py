"""What `vizkv run` prints: one record a system and step, and the summary (SPEC 8, a public contract)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from vizkv.events import Event, Kind
from vizkv.replay import Replay, walk
from vizkv.slots import ACCOUNTINGS, CATEGORIES, LENSES, Accounting, Lens, ledger
from vizkv.trace import SystemTrace, Trace
from vizkv.views.series import Series, series

# the meaning of an event's integers, by kind; see vizkv.events
_FIELDS = {
    Kind.ARRIVED: (),
    Kind.NEVER: ("need", "limit"),
    Kind.ADMITTED: ("start", "estimate", "held"),
    Kind.REFUSED: ("need", "free", "largest_hole", "hole_start"),
    Kind.MOVED: ("from", "to", "held"),
    Kind.BLOCK: ("block", "index"),
    Kind.HIT: ("tokens",),
    Kind.SHARED: ("block", "index"),
    Kind.WRITTEN: ("position", "tokens"),
    Kind.REGISTERED: ("block",),
    Kind.EVICTED: ("block",),
    Kind.PREEMPTED: ("slots_lost",),
    Kind.FORKED: ("parent", "tokens"),
    Kind.COPIED: ("source", "block", "index", "slots"),
    Kind.SWAPPED_OUT: ("block", "cpu_block", "index", "copied"),
    Kind.SWAPPED_IN: ("cpu_block", "block", "index", "copied"),
    Kind.EXCHANGED: ("block", "with"),
    Kind.REPOINTED: ("index", "block", "right_block"),
    Kind.FINISHED: (),
    Kind.FREED: ("start", "-", "held"),
    Kind.FREED_BLOCK: ("block", "references"),
}


def event_record(event: Event, trace: Trace) -> dict[str, Any]:
    """One event as names and numbers."""
    record: dict[str, Any] = {"kind": event.kind.name.lower()}
    if event.request >= 0:
        record["request"] = trace.requests[event.request].id
    record |= {name: value for name, value in zip(_FIELDS[event.kind], event[2:], strict=False) if name != "-"}
    if event.kind == Kind.NEVER:
        record["reason"] = ("max_model_len", "pool")[event.c != 0]
    if event.kind == Kind.PREEMPTED:
        record["recovery"] = ("recompute", "swap")[event.b != 0]
    if event.kind == Kind.FORKED:
        record["parent"] = trace.requests[event.a].id
    if event.kind in (Kind.SWAPPED_OUT, Kind.SWAPPED_IN):
        record["copied"] = bool(event.d)
    if event.kind == Kind.ADMITTED and event.a < 0:  # paged: no piece of its own
        del record["start"], record["estimate"], record["held"]
    return record


def record(replay: Replay, trace: Trace) -> dict[str, Any]:
    """One line of the output: a system at a step."""
    system, ids = replay.system, [r.id for r in trace.requests]
    paged = system.kind == "paged"
    counts = replay.booked()
    line: dict[str, Any] = {
        "system": system.name,
        "step": replay.step,
        "time_s": round(float(system.time_s[replay.step]), 6),
        "ledger": {lens: ledger(counts, lens) for lens in LENSES},
        "running": [
            {"id": ids[r.index], "slots_written": r.written, "slots_held": r.held}
            | ({"block_table": list(r.block_table)} if paged else {"start": r.start})
            for r in replay.running
        ],
        "waiting": [ids[i] for i in replay.waiting],
        "scheduled": {ids[i]: count for i, count in replay.scheduled.items()},
        "cache_hits": {ids[i]: count for i, count in replay.hits.items()},
        "preempted": [ids[i] for i in replay.preempted],
        "finished": [ids[i] for i in replay.finished],
    }
    if paged:
        line["free_queue"] = list(replay.free_queue)
        line["ref_count"] = {str(block): count for block, count in sorted(replay.references.items())}
        line["cached_blocks"] = sorted(replay.cached)
    line["events"] = [event_record(e, trace) for e in replay.events]
    return line


def records(trace: Trace, first: int = 0, last: int | None = None) -> Iterator[dict[str, Any]]:
    """The lines of steps first..last (inclusive), by step and then by system."""
    walks = [walk(system, trace.requests, first=first) for system in trace.systems]
    end = trace.steps if last is None else min(trace.steps, last + 1)
    for step in range(first, end):
        for system, steps in zip(trace.systems, walks, strict=True):
            if step < system.steps:
                yield record(next(steps), trace)


def within(system: SystemTrace, window: tuple[float, float]) -> np.ndarray:
    """Which steps lie from one second to another, bool [steps]."""
    return (system.time_s >= window[0]) & (system.time_s <= window[1])


def _counted(system: SystemTrace, window: tuple[float, float]) -> np.ndarray:
    """Which steps the averages are taken over, bool [steps]; all, where none lies in the window."""
    those = within(system, window)
    return those if those.any() else np.ones(system.steps, bool)


def summary(trace: Trace, window: tuple[float, float] = (0.0, math.inf)) -> dict[str, dict[str, Any]]:
    """Per system: shares in percent of the pool and the batch, averaged over steps; counts of the whole run.

    ``window``: the seconds from and to which steps are averaged.
    """
    result = {}
    for system, told in zip(trace.systems, series(trace), strict=True):
        counted = _counted(system, window)
        result[system.name] = {
            "steps": system.steps,
            "percent": {
                lens: {accounting: _percent(told, counted, lens, accounting) for accounting in ACCOUNTINGS}
                for lens in LENSES
            },
            "mean_batched_requests": round(float(told.batched[counted].mean()), 3) if system.steps else 0.0,
            "tokens": told.written,
            "preemptions": told.preemptions,
            "cache_hits": told.cache_hits,
            "finished": told.finished,
            "never": told.never,
            "time_s": round(float(system.time_s[-1]), 3) if system.steps else 0.0,
        }
    return result


def _percent(told: Series, counted: np.ndarray, lens: Lens, accounting: Accounting) -> dict[str, float]:
    """Mean share of each category, in percent of the pool."""
    if not told.steps:
        return dict.fromkeys(CATEGORIES, 0.0)
    means = told.shares(lens, accounting)[counted].mean(0) / told.slots * 100
    return {name: round(float(mean), 3) for name, mean in zip(CATEGORIES, means, strict=True)}
