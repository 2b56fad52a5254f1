"""A request before it has a place in the line."""

from __future__ import annotations

from typing import NamedTuple

from vizkv.workload.arrival import BLOCK


class Row(NamedTuple):
    """Seconds, tokens, and the names of the prompt's content as in :class:`~vizkv.workload.arrival.Arrival`."""

    time_s: float
    prompt: int
    output: int
    hash_ids: tuple[int, ...] = ()
    step: int = BLOCK
