"""The output of `vizkv run`, a public contract: one record per step and system, and the summary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vizkv.replay import Replay, walk
from vizkv.replay.averages import averages, window_of
from vizkv.trace.events import Event, Kind
from vizkv.trace.slots import ACCOUNTINGS, LENSES, ledger
from vizkv.trace.trace import Trace
from vizkv.views.charts.series import series

# the meaning of an event's integers, by kind; see vizkv.trace.events
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
    Kind.SHORT: ("blocks_needed", "blocks_free"),
    Kind.PREEMPTED: ("slots_lost",),
    Kind.FORKED: ("parent", "tokens"),
    Kind.COPIED: ("source", "block", "index", "slots"),
    Kind.SWAPPED_OUT: ("block", "cpu_block", "index", "copied"),
    Kind.SWAPPED_IN: ("cpu_block", "block", "index", "copied"),
    Kind.EXCHANGED: ("block", "with"),
    Kind.REPOINTED: ("index", "block", "right_block"),
    Kind.MAPPED: ("page", "index", "range"),
    Kind.UNMAPPED: ("page", "index", "range"),
    Kind.FINISHED: (),
    Kind.FREED: ("start", "-", "held"),
    Kind.FREED_BLOCK: ("block", "references"),
    Kind.LEFT_BEHIND: ("block", "references"),
}


def event_record(event: Event, trace: Trace) -> dict[str, Any]:
    """Return an event as a record of named values."""
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
    if event.kind == Kind.ADMITTED and event.a < 0:  # paged: it has no contiguous piece
        del record["start"], record["estimate"], record["held"]
    return record


def record(replay: Replay, trace: Trace) -> dict[str, Any]:
    """Return one record of the output: the state of a system at a step."""
    system, ids = replay.system, [r.id for r in trace.requests]
    counts = replay.booked()
    line: dict[str, Any] = {
        "system": system.name,
        "step": replay.step,
        "time_s": round(float(system.time_s[replay.step]), 6),
        "ledger": {lens: ledger(counts, lens, expires=replay.expires) for lens in LENSES},
        "running": [
            {"id": ids[r.index], "slots_written": r.written, "slots_held": r.held} | replay.place(r)
            for r in replay.running
        ],
        "waiting": [ids[i] for i in replay.waiting],
        "scheduled": {ids[i]: count for i, count in replay.scheduled.items()},
        "cache_hits": {ids[i]: count for i, count in replay.hits.items()},
        "preempted": [ids[i] for i in replay.preempted],
        "finished": [ids[i] for i in replay.finished],
    }
    line |= replay.pool()
    line["events"] = [event_record(e, trace) for e in replay.events]
    return line


def records(trace: Trace, first: int = 0, last: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the records of the steps ``first`` to ``last``, both included, by step and then by system."""
    walks = [walk(system, trace.requests, first=first) for system in trace.systems]
    end = trace.steps if last is None else min(trace.steps, last + 1)
    for step in range(first, end):
        for system, steps in zip(trace.systems, walks, strict=True):
            if step < system.steps:
                yield record(next(steps), trace)


def summary(trace: Trace) -> dict[str, dict[str, Any]]:
    """Return the averages of each system over the steps that count, in percent of the pool, and counts of the run."""
    result, window = {}, window_of(trace.scenario)
    for system, ledgers in zip(trace.systems, series(trace), strict=True):
        counted = averages(ledgers, system.time_s, window)
        result[system.name] = {
            "steps": system.steps,
            "percent": {
                lens: {
                    accounting: {
                        name: round(share, 3) if counted.steps else 0.0
                        for name, share in counted.percent(lens, accounting).items()
                    }
                    for accounting in ACCOUNTINGS
                }
                for lens in LENSES
            },
            "mean_batched_requests": round(counted.batched, 3) if counted.steps else 0.0,
            "tokens": ledgers.written,
            "preemptions": ledgers.preemptions,
            "cache_hits": ledgers.cache_hits,
            "finished": ledgers.finished,
            "never": ledgers.never,
            "time_s": round(float(system.time_s[-1]), 3) if system.steps else 0.0,
        }
    return result
