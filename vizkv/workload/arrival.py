"""The requests of a workload, with arrival times and lengths, and the simulated clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vizkv.scenario.schema import Workload

BLOCK = 512  # default number of prompt tokens per content hash, as in Mooncake's traces


class Arrival(NamedTuple):
    """One request of a workload. ``output_tokens``: to sample. ``time_s``: arrival, in seconds since the start."""

    id: str
    prompt_tokens: int
    output_tokens: int
    time_s: float
    hash_ids: Sequence[int] = ()  # a hash per ``step`` prompt tokens: equal hash, equal content; () shares nothing
    step: int = BLOCK  # tokens per hash; the last hash may cover fewer

    @property
    def final_slots(self) -> int:
        """L, the slots written when it ends: the K/V of the last sampled token is never written."""
        return self.prompt_tokens + self.output_tokens - 1


@dataclass(frozen=True)
class Clock:
    """The simulated clock: a step takes a fixed time, and an additional time per token in its batch."""

    iteration_ms: float = 33.0
    token_ms: float = 0.1

    @classmethod
    def of(cls, workload: Workload) -> Clock:
        """Return the clock of a workload."""
        return cls(workload.iteration_ms, workload.token_ms)

    def seconds(self, tokens: int) -> float:
        """Return the duration of a step that computes ``tokens``, in seconds."""
        return (self.iteration_ms + self.token_ms * tokens) / 1000
