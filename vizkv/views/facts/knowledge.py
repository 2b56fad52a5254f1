"""What a system can know of a request's final length: its maximum, and bounds implied by its reservation.

The lens "what the system knows" shows this and no more. A system that reserves the maximum, or block by block, knows
nothing; a reservation that was derived from the true length implies bounds on it.
"""

from __future__ import annotations

from typing import NamedTuple

from vizkv.trace.trace import RequestFacts, SystemTrace, Trace


class Bounds(NamedTuple):
    """A request ends with at least ``least`` and at most ``most`` slots written."""

    least: int
    most: int


def longest(trace: Trace) -> list[int]:
    """Return the most slots that each sequence may write: the model's maximum length, or that of its request."""
    limit = trace.scenario.get("max_model_len", 2048)
    asked = trace.scenario.get("requests", [])
    own = [min(request.get("max_len") or limit, limit) for request in asked]
    return [own[r.group] if 0 <= r.group < len(own) else limit for r in trace.requests]


def ends(system: SystemTrace, request: RequestFacts, estimate: int, limit: int) -> Bounds | None:
    """Return the bounds on a request's final length that a reservation of ``estimate`` slots implies; None if none.

    ``limit``: the request's maximum from :func:`longest`. Estimates are capped at it, so one that equals it may have
    been larger.
    """
    reserve, prompt = system.detail.get("reserve"), request.prompt_tokens
    if reserve == "oracle":
        return Bounds(estimate, estimate)
    if reserve == "multiple":
        multiple = system.detail["multiple"]
        return Bounds(max(prompt, (estimate - 1) // multiple * multiple + 1), estimate)
    if reserve == "pow2-total":
        return Bounds(max(prompt, _power_below(estimate) + 1), estimate)
    if reserve == "pow2":
        # the last sampled token is not written
        return Bounds(prompt + _power_below(estimate - prompt), estimate if estimate >= limit else estimate - 1)
    return None


def _power_below(n: int) -> int:
    """Return the largest power of two below n; 0 if there is none."""
    return 1 << ((n - 1).bit_length() - 1) if n > 1 else 0
