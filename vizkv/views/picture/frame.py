"""What the player shows at a step, for drawing it elsewhere: read from the same payload that the player gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vizkv.messages.catalogue import Messages
from vizkv.trace.slots import Accounting, Code, Lens
from vizkv.trace.trace import Trace
from vizkv.views.payload import pack as payload
from vizkv.views.payload import window as windows
from vizkv.views.payload.window import Window
from vizkv.views.picture.look import FREE, FREE_MARKS, OTHERS, TONES


@dataclass(frozen=True)
class Pool:
    """One system at a step. By slot: its code, its owner (-1 if none), and the position of its token (-1 if none)."""

    facts: dict[str, Any]  # from the header: name, subtitle, kind, slots, block_size, columns, unit
    index: int
    step: int  # of this system: in a workload, systems are at different steps
    time_s: float  # -1 if steps have no duration
    codes: np.ndarray
    owners: np.ndarray
    positions: np.ndarray
    counts: tuple[int, ...]  # by code
    waiting: str
    refusal: dict[str, Any] | None
    sentences: dict[str, str]  # by lens

    def marks(self, lookup: Sequence[int], by_request: bool, tones: np.ndarray) -> np.ndarray:
        """Return the style of every slot: tone * 8 + mark."""
        looks = np.array(lookup, np.int64)
        # a free slot is drawn as free also if the paper counts it as external
        looks[Code.FREE] = FREE if lookup[Code.FREE] == FREE else OTHERS
        for code, mark in FREE_MARKS.items():
            looks[code] = mark
        marks = looks[self.codes]
        if by_request:
            held = self.owners >= 0
            marks[held] += 8 * (1 + tones[self.owners[held]] % TONES)
        return marks

    @property
    def kept(self) -> frozenset[int]:
        """The marks of free slots that are drawn differently and occur in this pool."""
        return frozenset(mark for code, mark in FREE_MARKS.items() if self.counts[code])

    def totals(self, lookup: Sequence[int]) -> list[int]:
        """Return the slots by category: five integers that add up to the pool."""
        totals = [0] * 5
        for code, count in enumerate(self.counts):
            totals[lookup[code]] += count
        return totals

    @property
    def free(self) -> int:
        """Number of free slots, including those whose content can be reused."""
        return sum(self.counts[Code.FREE : Code.EXPIRED])

    @property
    def over(self) -> bool:
        """Whether the system has ended."""
        return self.step >= self.facts["ended"]["step"]

    @property
    def hole(self) -> tuple[int, int] | None:
        """Start and length of the largest hole, if a request is refused because it needs contiguous slots."""
        if not self.refusal or self.facts["block_size"]:
            return None
        return self.refusal["hole_start"], self.refusal["hole"]


@dataclass(frozen=True)
class Frame:
    """All systems at a step, and the sentences about it."""

    step: int
    last: int
    timed: bool
    header: dict[str, Any]
    pools: tuple[Pool, ...]
    overall: dict[str, str]  # the sentence by lens

    def lookup(self, lens: Lens, accounting: Accounting) -> list[int]:
        """Return the index into CATEGORIES of each code."""
        return self.header["lookup"][lens][accounting]

    def second(self, lead: int) -> float:
        """Return the clock of the leading system, in seconds."""
        return self.pools[max(0, lead)].time_s

    @property
    def tones(self) -> np.ndarray:
        """By index in the header: the request's index in the trace, which determines its colour."""
        return np.array([r["index"] for r in self.header["requests"]] or [0], np.int64)


def clamp(trace: Trace, step: int, lead: int = -1) -> int:
    """Return the step, or the nearest one that the run has."""
    return max(0, min(windows.total(trace, lead) - 1, step))


def frames(
    trace: Trace, first: int, last: int, say: Messages, *, lead: int = -1, panels: Sequence[str] = ()
) -> Iterator[Frame]:
    """Yield the frames ``first`` <= frame < ``last``."""
    packed = payload.pack(trace, say, panels=panels, window=Window(first, last, lead))
    _, header, arrays = payload.unpack(payload.open_at(packed, payload.View()))
    walks = [_walk(i, system, header, arrays) for i, system in enumerate(header["systems"])]
    for at in range(header["steps"]):
        yield Frame(
            first + at, header["total"] - 1, lead >= 0, header, tuple(next(walk) for walk in walks),
            {lens: header["sentences"][arrays[f"all/sentence_{lens}"][at]] for lens in ("online", "hindsight")},
        )  # fmt: skip


def frame(trace: Trace, step: int, say: Messages, *, lead: int = -1, panels: Sequence[str] = ()) -> Frame:
    """Return the frame of one step."""
    at = clamp(trace, step, lead)
    return next(frames(trace, at, at + 1, say, lead=lead, panels=panels))


def _walk(index: int, facts: dict[str, Any], header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Iterator[Pool]:
    def get(name: str) -> np.ndarray:
        return arrays[f"{index}/{name}"]

    start, length, position = (get(name).astype(np.int64) for name in ("start", "length", "position"))
    code, owner, offsets, counts = (
        get("code"),
        get("owner"),
        get("offsets").tolist(),
        get("counts").reshape(-1, len(Code)),
    )
    latest = np.zeros(facts["slots"], np.int64)
    slots = np.arange(facts["slots"])
    for at in range(header["steps"]):
        for run in range(offsets[at], offsets[at + 1]):
            latest[start[run] : start[run] + length[run]] = run
        codes = code[latest].copy()
        if get("stranded")[at]:
            codes[codes == Code.FREE] = Code.STRANDED
        refusal = int(get("refusal")[at])
        yield Pool(
            facts, index,
            int(arrays[f"{index}/step"][at]) if f"{index}/step" in arrays else header["first"] + at,
            float(arrays[f"{index}/time_s"][at]) if f"{index}/time_s" in arrays else -1.0,
            codes, owner[latest],
            np.where(position[latest] < 0, -1, position[latest] + slots - start[latest]),
            tuple(counts[at].tolist()),
            header["waits"][get("waiting")[at]],
            header["refusals"][refusal] if refusal >= 0 else None,
            {lens: header["sentences"][get(f"sentence_{lens}")[at]] for lens in ("online", "hindsight")},
        )  # fmt: skip
