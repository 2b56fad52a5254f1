"""What a replay is made of: who holds slots, and runs of slots that changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from vizkv.trace.slots import Code

CODES = len(Code)


class Span(NamedTuple):
    """The slots from ``first`` to before ``end``."""

    first: int
    end: int


class Run(NamedTuple):
    """Consecutive slots that became ``code`` in a step. ``position``: the sequence's position at the first, -1 none."""

    start: int
    length: int
    code: int
    owner: int
    position: int


class LedgerError(AssertionError):
    """A slot would be in two states or have two owners: the engine, not the user, is wrong."""


@dataclass
class Live:
    """One request that holds slots: p, t, L, E and R of SPEC 2."""

    index: int
    prompt: int
    final: int
    estimate: int
    held: int
    start: int = -1
    written: int = 0
    finished: bool = False
    block_table: list[int] = field(default_factory=list)
    block_tables: list[list[int]] = field(default_factory=list)  # where layers fall into groups: a table a group
