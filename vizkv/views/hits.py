"""What the prefix cache did for each request: tokens found, blocks taken off the free queue, blocks forgotten."""

from __future__ import annotations

from dataclasses import dataclass

from vizkv.events import Kind
from vizkv.replay import walk
from vizkv.trace import Trace


@dataclass(frozen=True)
class Admission:
    """A request joins the running list. ``found`` of its ``tokens`` are not computed: their blocks are in the cache.

    ``in_use``: found blocks that others hold; ``revived``: found blocks that lay in the free queue.
    """

    step: int
    request: str
    tokens: int
    found: int
    in_use: int
    revived: int


@dataclass(frozen=True)
class Cached:
    """The prefix cache's part in a run. ``evicted``: (step, block) that was handed out again from the queue's head."""

    admissions: tuple[Admission, ...]
    evicted: tuple[tuple[int, int], ...]

    @property
    def found(self) -> int:
        """Tokens that were not computed again."""
        return sum(a.found for a in self.admissions)

    @property
    def tokens(self) -> int:
        """Tokens that were asked for at admission."""
        return sum(a.tokens for a in self.admissions)


def cached(trace: Trace, system: int) -> Cached:
    """All of a system's admissions and evictions, in order."""
    admissions, evicted = [], []
    sampled: dict[int, int] = {}  # tokens known of a request that comes back: it is admitted with what it has sampled
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
