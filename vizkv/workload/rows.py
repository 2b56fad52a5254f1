"""A request of a workload before it has an id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vizkv.workload.arrival import BLOCK


class Row(NamedTuple):
    """Arrival in seconds, lengths in tokens, and content hashes; see :class:`~vizkv.workload.arrival.Arrival`."""

    time_s: float
    prompt: int
    output: int
    hash_ids: Sequence[int] = ()
    step: int = BLOCK
