"""Each system's ledger over time."""

from __future__ import annotations

from vizkv.replay.ledgers import Series, ledgers
from vizkv.trace.trace import Trace


def series(trace: Trace) -> list[Series]:
    """One entry a system."""
    return [ledgers(system, trace.requests) for system in trace.systems]


__all__ = ["Series", "series"]
