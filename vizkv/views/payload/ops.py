"""The changes of a paged system's bookkeeping in each step, as rows that the browser applies (vizkv/player/ledger.js).

A row is ``(op, x, y, z)``. The rows of a step are the difference between the replay's state and that of the previous
step: applied in order they give the block tables, references, free queue and cached blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np

from vizkv.replay import Replay
from vizkv.systems import registry
from vizkv.trace.events import Kind
from vizkv.trace.trace import SystemTrace

MOST_BLOCKS = 4096  # of a system; in larger ones single blocks cannot be read


class Op(IntEnum):
    """The kinds of rows; the numbers are part of the payload's format."""

    TABLE = 0  # request x: logical block y is physical block z
    DROP = 1  # request x has no table any more, nothing written, no wrong entry
    REFS = 2  # block x has y references
    LEAVE = 3  # block x leaves the free queue
    FRONT = 4  # block x joins the front of the free queue
    BACK = 5  # block x joins the back of the free queue
    CACHED = 6  # block x has a hash (y = 1) or none
    WRITTEN = 7  # request x has y tokens written; of several such rows in a step, the last is what the step wrote
    CPU = 8  # request x: logical block y is CPU block z
    CPU_DROP = 9  # request x has nothing in the CPU pool
    REPOINT = 10  # for request x, logical block y, attention reads block z; -1: the correct one again
    EXCHANGE = 11  # blocks x and y change places in tables, references, cache and free queue
    COPY = 12  # in this step block x was copied to block y for request z
    SWAP = 13  # in this step block y went out to CPU block z (x = 1), or came in from there (x = 2)
    TEXT = 14  # request x: the token at position y is piece z of the header; -1: the request's own token again
    RANGE = 15  # page z is mapped as page y of range x; -1: the range has y pages
    OWNER = 16  # range x belongs to request y; -1: to nobody


class Ops:
    """Collects the rows during a replay of the system: call :meth:`step` once for each step, in order."""

    def __init__(self, system: SystemTrace, piece: Callable[[str], int]) -> None:
        """Begin before the first step. ``piece``: returns the index of a text in the header's table of pieces."""
        self.rows: list[tuple[int, int, int, int]] = []
        self.offsets = [0]
        self._tables: dict[int, list[int]] = {}
        self._written: dict[int, int] = {}
        self._refs: dict[int, int] = {}
        self._queue = list(system.free_order)
        self._cached: set[int] = set()
        self._cpu: dict[int, list[int]] = {}
        self._repointed: dict[tuple[int, int], int] = {}
        self._ranges: dict[int, list[int]] = {}
        self._owners: dict[int, int] = {}
        self._piece = piece
        self._texts: dict[int, dict[int, str]] = {}  # texts that differ from the request's own, by position
        for block in self._queue:
            self._row(Op.BACK, block)

    def step(self, replay: Replay, frames: int = 1) -> None:
        """Add the rows of what changed since the last call.

        ``frames``: number of frames that show this step; with 0, the rows count to the frame of the next step.
        """
        for event in replay.events:
            if event.kind == Kind.EXCHANGED:
                self._row(Op.EXCHANGE, event.a, event.b)
                self._exchange(event.a, event.b)
        if replay.system.block_size:
            self._step_books(replay)
        if replay.system.vocabulary:
            self._step_texts(replay)
        self.offsets += [len(self.rows)] * frames

    def _step_books(self, replay: Replay) -> None:
        self._step_tables(replay)
        self._step_written(replay)
        self._step_refs(replay)
        self._step_queue(list(replay.free_queue))
        self._step_cpu(replay.swapped)
        self._step_repointed(replay)
        self._step_ranges(replay)
        self._step_marks(replay)

    def arrays(self, prefix: str, steps: int) -> dict[str, np.ndarray]:
        """Return ``op_offsets`` u4 [steps + 1] and ``ops`` i4 [4 x rows]; a system that ended has no more rows."""
        offsets = self.offsets + [self.offsets[-1]] * (steps + 1 - len(self.offsets))
        return {
            f"{prefix}op_offsets": np.array(offsets, "<u4"),
            f"{prefix}ops": np.array(self.rows, "<i4").reshape(-1),
        }

    def _row(self, op: Op, x: int, y: int = 0, z: int = 0) -> None:
        self.rows.append((int(op), x, y, z))

    # -- the rows of each part of the bookkeeping ----------------------------------------------------------------------

    def _step_tables(self, replay: Replay) -> None:
        live = {who: r.block_table for who, r in replay.live.items()}
        for who, old in list(self._tables.items()):
            if who not in live or len(live[who]) < len(old):
                self._row(Op.DROP, who)
                del self._tables[who]
                self._written.pop(who, None)
                self._repointed = {place: b for place, b in self._repointed.items() if place[0] != who}
        for who, new in live.items():
            old = self._tables.setdefault(who, [])
            for index in range(len(old)):
                if old[index] != new[index]:
                    self._row(Op.TABLE, who, index, new[index])
            for index in range(len(old), len(new)):
                self._row(Op.TABLE, who, index, new[index])
            self._tables[who] = new.copy()

    def _step_written(self, replay: Replay) -> None:
        for who, r in replay.live.items():
            # first the tokens present before the step wrote: cache hits, shared by a fork, swapped in
            for written in (r.written - replay.scheduled.get(who, 0), r.written):
                if written != self._written.get(who, 0):
                    self._row(Op.WRITTEN, who, written)
                    self._written[who] = written

    def _step_refs(self, replay: Replay) -> None:
        new = dict(replay.references)
        for block in sorted(self._refs.keys() | new.keys()):
            if self._refs.get(block, 0) != new.get(block, 0):
                self._row(Op.REFS, block, new.get(block, 0))
        self._refs = new
        for block in sorted(self._cached ^ replay.cached):
            self._row(Op.CACHED, block, int(block in replay.cached))
        self._cached = set(replay.cached)

    def _step_queue(self, new: list[int]) -> None:
        if new == self._queue:
            return
        start, end = _kept(self._queue, new)
        kept = set(new[start:end])
        for block in self._queue:
            if block not in kept:
                self._row(Op.LEAVE, block)
        for block in reversed(new[:start]):
            self._row(Op.FRONT, block)
        for block in new[end:]:
            self._row(Op.BACK, block)
        self._queue = new

    def _step_cpu(self, swapped: dict[int, list[int]]) -> None:
        for who in [w for w in self._cpu if w not in swapped or len(swapped[w]) < len(self._cpu[w])]:
            self._row(Op.CPU_DROP, who)
            del self._cpu[who]
        for who, blocks in swapped.items():
            old = self._cpu.get(who, [])
            for index, block in enumerate(blocks):
                if index >= len(old) or old[index] != block:
                    self._row(Op.CPU, who, index, block)
            self._cpu[who] = list(blocks)

    def _step_repointed(self, replay: Replay) -> None:
        new = {place: block for place, block in replay.repointed.items() if place[0] in replay.live}
        for place in sorted(self._repointed.keys() | new.keys()):
            if self._repointed.get(place) != new.get(place):
                self._row(Op.REPOINT, *place, new.get(place, -1))
        self._repointed = new

    def _step_ranges(self, replay: Replay) -> None:
        for number, pages in replay.ranges.items():
            old = self._ranges.setdefault(number, [])
            if len(pages) < len(old):
                self._row(Op.RANGE, number, len(pages), -1)
            for index, page in enumerate(pages):
                if index >= len(old) or old[index] != page:
                    self._row(Op.RANGE, number, index, page)
            self._ranges[number] = list(pages)
        for number in sorted(self._owners.keys() | replay.owners.keys()):
            owner = replay.owners.get(number, -1)
            if self._owners.get(number, -1) != owner:
                self._row(Op.OWNER, number, owner)
                self._owners[number] = owner

    def _step_marks(self, replay: Replay) -> None:
        for event in replay.events:
            if event.kind == Kind.COPIED:
                self._row(Op.COPY, event.a, event.b, event.request)
            elif event.kind == Kind.SWAPPED_OUT and event.d:
                self._row(Op.SWAP, 1, event.a, event.b)
            elif event.kind == Kind.SWAPPED_IN and event.d:
                self._row(Op.SWAP, 2, event.b, event.a)

    def _step_texts(self, replay: Replay) -> None:
        if len(self.offsets) == 1:  # a replay that begins in the middle of a run starts with written texts
            for who, r in replay.live.items():
                for position in range(r.written):
                    self._set_text(replay, who, position)
        for kind, who, a, b, _, _ in replay.events:
            if kind in (Kind.WRITTEN, Kind.FORKED):
                for position in [a + b - 1] if kind == Kind.WRITTEN else range(b):
                    self._set_text(replay, who, position)

    def _set_text(self, replay: Replay, who: int, position: int) -> None:
        pieces = replay.requests[who].pieces
        own = pieces[position] if position < len(pieces) else ""
        text, known = replay.piece(who, position), self._texts.setdefault(who, {})
        if text != known.get(position, own):
            known[position] = text
            self._row(Op.TEXT, who, position, -1 if text == own else self._piece(text))

    def _exchange(self, a: int, b: int) -> None:
        other = {a: b, b: a}
        self._tables = {who: [other.get(x, x) for x in table] for who, table in self._tables.items()}
        self._refs = {other.get(x, x): count for x, count in self._refs.items()}
        self._cached = {other.get(x, x) for x in self._cached}
        self._queue = [other.get(x, x) for x in self._queue]


def _kept(old: list[int], new: list[int]) -> tuple[int, int]:
    """Return (start, end) of the longest stretch of ``new`` whose blocks were all in ``old``, in the same order."""
    if not old or not new:
        return 0, 0
    place = np.full(max(max(old), max(new)) + 1, -1, np.int64)
    place[old] = np.arange(len(old))
    at = place[new]
    broken = np.flatnonzero((at[1:] < at[:-1]) | (at[:-1] < 0) | (at[1:] < 0)) + 1
    edges = np.concatenate(([0], broken, [len(new)]))
    lengths = np.where(at[edges[:-1]] < 0, 0, np.diff(edges))
    longest = int(np.argmax(lengths))
    start = int(edges[longest])
    return start, start + int(lengths[longest])


def facts(system: SystemTrace, longest: int) -> dict[str, Any]:
    """Return what the panels need besides the rows: null block, blocks of the CPU pool, pages of an address range.

    ``longest``: slots of an address range, if the system has ranges.
    """
    detail = system.detail
    blocks = system.slots // system.block_size if system.block_size else 0
    return {
        "range_pages": -(-longest // system.block_size) if registry.schema(system).has_ranges else 0,
        "null_block": bool(detail.get("null_block")),
        "cpu_blocks": blocks if detail.get("recovery") == "swap" else 0,
    }


def wanted(system: SystemTrace) -> bool:
    """Whether the rows of a system go into the payload: it is paged, and has at most MOST_BLOCKS blocks.

    A system without blocks has rows only if its texts differ from the requests' own.
    """
    if not system.block_size:
        return bool(system.vocabulary)
    return system.slots // system.block_size <= MOST_BLOCKS
