"""Prefix cache hits and evictions: for each admission the tokens found and the blocks reused."""

from __future__ import annotations

from dataclasses import dataclass

from vizkv.replay import walk
from vizkv.trace.events import Kind
from vizkv.trace.trace import Trace


@dataclass(frozen=True)
class Admission:
    """A request joins the running list. ``found`` of its ``tokens`` are cache hits, which are not computed.

    ``in_use``: found blocks that other requests hold. ``revived``: found blocks that were in the free queue.
    """

    step: int
    request: str
    tokens: int
    found: int
    in_use: int
    revived: int


@dataclass(frozen=True)
class Cached:
    """The effect of the prefix cache on a run. ``evicted``: (step, block) of each cached block that was reallocated."""

    admissions: tuple[Admission, ...]
    evicted: tuple[tuple[int, int], ...]

    @property
    def found(self) -> int:
        """Number of tokens that were found in the cache."""
        return sum(a.found for a in self.admissions)

    @property
    def tokens(self) -> int:
        """Number of tokens that were looked up at admission."""
        return sum(a.tokens for a in self.admissions)


def cached(trace: Trace, system: int) -> Cached:
    """Return all admissions and evictions of a system, in order."""
    admissions, evicted = [], []
    sampled: dict[int, int] = {}  # tokens that a preempted request has sampled: it is readmitted with them
    for replay in walk(trace.systems[system], trace.requests):
        for event in replay.events:
            who = event.request
            if event.kind == Kind.ADMITTED:
                mine = [e for e in replay.events if e.request == who]
                shared = [e.c for e in mine if e.kind == Kind.SHARED]
                facts, found = trace.requests[who], replay.hits.get(who, 0)
                tokens = facts.prompt_tokens + sampled.get(who, 0)
                admissions.append(Admission(replay.step, facts.id, tokens, found, shared.count(0), shared.count(1)))
            elif event.kind == Kind.PREEMPTED:
                sampled[who] = max(0, event.a + 1 - trace.requests[who].prompt_tokens)
            elif event.kind == Kind.EVICTED:
                evicted.append((replay.step, event.a))
    return Cached(tuple(admissions), tuple(evicted))
