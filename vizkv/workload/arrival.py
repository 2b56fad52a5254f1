"""What a workload consists of: requests with their times and lengths; and the clock that they are run by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from vizkv.scenario import Workload

BLOCK = 512  # prompt tokens that one of a recorded trace's hash_ids names (Mooncake)


class Arrival(NamedTuple):
    """One request of a workload. ``output_tokens``: sampled ones; ``time_s``: seconds after the first possible one."""

    id: str
    prompt_tokens: int
    output_tokens: int
    time_s: float
    hash_ids: tuple[int, ...] = ()  # names of the prompt's pieces: equal names, equal content; () shares with nobody
    step: int = BLOCK  # tokens that each of hash_ids names, the last one maybe fewer

    @property
    def final_slots(self) -> int:
        """L: slots that it will have written when it ends; the last sampled token's K/V is never written."""
        return self.prompt_tokens + self.output_tokens - 1


@dataclass(frozen=True)
class Clock:
    """How long an iteration takes: a fixed time, and some for each token in it."""

    iteration_ms: float = 33.0
    token_ms: float = 0.1

    @classmethod
    def of(cls, workload: Workload) -> Clock:
        """The clock that a workload asks for."""
        return cls(workload.iteration_ms, workload.token_ms)

    def seconds(self, tokens: int) -> float:
        """Duration of an iteration that computes so many tokens."""
        return (self.iteration_ms + self.token_ms * tokens) / 1000
