"""What changes in a paged system's books from step to step, as rows that the browser replays (vizkv/player/ledger.js).

A row is ``(op, x, y, z)``. The rows of a step are the difference between the replay's state and that of the step
before, so that whoever applies them in order has its block tables, references, free queue and cached blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np

from vizkv.events import Kind
from vizkv.replay import Replay
from vizkv.trace import SystemTrace

MOST_BLOCKS = 4096  # of a system; above that nobody reads single blocks


class Op(IntEnum):
    """The kinds of rows; the numbers are part of the payload's format."""

    TABLE = 0  # request x, logical y lies in physical block z
    DROP = 1  # request x has no table any more, nothing written, no wrong entry
    REFS = 2  # block x has y references
    LEAVE = 3  # block x leaves the free queue
    FRONT = 4  # block x comes to the queue's front
    BACK = 5  # block x comes to its back
    CACHED = 6  # block x has a hash (y = 1) or none
    WRITTEN = 7  # request x has y tokens written; the last such row of a step is what the step wrote
    CPU = 8  # request x, index y lies in CPU block z
    CPU_DROP = 9  # request x has nothing in the CPU pool
    REPOINT = 10  # attention reads block z for request x, logical y; -1: the right one again
    EXCHANGE = 11  # blocks x and y change places in tables, references, cache and queue
    COPY = 12  # in this step block x was copied to block y for request z
    SWAP = 13  # in this step block y went out to CPU block z (x = 1), or came in from there (x = 2)
    TEXT = 14  # request x, position y holds piece z of the header's; -1: the request's own token again


class Ops:
    """Collects the rows while a replay of the system is walked: :meth:`step` once for each step, in order."""

    def __init__(self, system: SystemTrace, piece: Callable[[str], int]) -> None:
        """``piece``: the index of a text in the header's table of pieces."""
        self.rows: list[tuple[int, int, int, int]] = []
        self.offsets = [0]
        self._tables: dict[int, list[int]] = {}
        self._written: dict[int, int] = {}
        self._refs: dict[int, int] = {}
        self._queue = list(system.free_order)
        self._cached: set[int] = set()
        self._cpu: dict[int, list[int]] = {}
        self._repointed: dict[tuple[int, int], int] = {}
        self._piece = piece
        self._texts: dict[int, dict[int, str]] = {}  # where a sequence's text is not that of its request
        for block in self._queue:
            self._row(Op.BACK, block)

    def step(self, replay: Replay, frames: int = 1) -> None:
        """Write down what has changed since the last call. ``frames``: that show this step; 0: the next one's do."""
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
        self._step_marks(replay)

    def arrays(self, prefix: str, steps: int) -> dict[str, np.ndarray]:
        """``op_offsets`` u4 [steps + 1] and ``ops`` i4 [4 x rows]; a system that is done earlier changes no more."""
        offsets = self.offsets + [self.offsets[-1]] * (steps + 1 - len(self.offsets))
        return {
            f"{prefix}op_offsets": np.array(offsets, "<u4"),
            f"{prefix}ops": np.array(self.rows, "<i4").reshape(-1),
        }

    def _row(self, op: Op, x: int, y: int = 0, z: int = 0) -> None:
        self.rows.append((int(op), x, y, z))

    # -- one part of the books each ------------------------------------------------------------------------------------

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
            # what was there before the step wrote: found in the cache, shared by a fork, brought back from the CPU
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

    def _step_marks(self, replay: Replay) -> None:
        for event in replay.events:
            if event.kind == Kind.COPIED:
                self._row(Op.COPY, event.a, event.b, event.request)
            elif event.kind == Kind.SWAPPED_OUT and event.d:
                self._row(Op.SWAP, 1, event.a, event.b)
            elif event.kind == Kind.SWAPPED_IN and event.d:
                self._row(Op.SWAP, 2, event.b, event.a)

    def _step_texts(self, replay: Replay) -> None:
        if len(self.offsets) == 1:  # a walk that begins in the middle of a run finds texts written
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
    """The longest stretch of ``new`` whose blocks all were in ``old``, in the same order: it stays where it is."""
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


def facts(system: SystemTrace) -> dict[str, Any]:
    """What the panels know of a system besides its rows: the null block, and how many blocks the CPU pool has."""
    detail = system.detail
    blocks = system.slots // system.block_size if system.block_size else 0
    return {
        "null_block": bool(detail.get("null_block")),
        "cpu_blocks": blocks if detail.get("recovery") == "swap" else 0,
    }


def wanted(system: SystemTrace) -> bool:
    """Whether the system's rows go into the payload: paged, and small enough that single blocks are read.

    Of a system without blocks only texts that differ from the requests' own.
    """
    if not system.block_size:
        return bool(system.vocabulary)
    return system.slots // system.block_size <= MOST_BLOCKS
