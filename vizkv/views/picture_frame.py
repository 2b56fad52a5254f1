"""What the player shows at a step, for drawing it elsewhere: read from the payload, all that the player gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vizkv.messages import Messages
from vizkv.slots import Accounting, Code, Lens
from vizkv.trace import Trace
from vizkv.views import payload
from vizkv.views import window as windows
from vizkv.views.picture_look import CACHED, FREE, TONES
from vizkv.views.window import Window


@dataclass(frozen=True)
class Pool:
    """One system at a step. Per slot: its code, who holds it (-1 nobody), its token's position (-1 none)."""

    facts: dict[str, Any]  # the header's: name, subtitle, kind, slots, block_size, columns, unit
    index: int
    step: int  # the system's own, where each has a clock of its own
    time_s: float  # -1 where steps have no length
    codes: np.ndarray
    owners: np.ndarray
    positions: np.ndarray
    counts: tuple[int, ...]  # by code
    waiting: str
    refusal: dict[str, Any] | None
    sentences: dict[str, str]  # by lens

    def marks(self, lookup: Sequence[int], by_request: bool, tones: np.ndarray) -> np.ndarray:
        """The style of every slot: tone * 8 + mark."""
        table = np.array(lookup, np.int64)
        cached = table.copy()
        if table[Code.CACHED] == FREE:
            cached[Code.CACHED] = CACHED
        marks = cached[self.codes]
        if by_request:
            held = self.owners >= 0
            marks[held] += 8 * (1 + tones[self.owners[held]] % TONES)
        return marks

    def totals(self, lookup: Sequence[int]) -> list[int]:
        """Slots by category: five integers that add up to the pool."""
        totals = [0] * 5
        for code, count in enumerate(self.counts):
            totals[lookup[code]] += count
        return totals

    @property
    def hole(self) -> tuple[int, int] | None:
        """Start and length of the largest hole where a request is refused for want of one piece."""
        if not self.refusal or self.facts["block_size"]:
            return None
        return self.refusal["hole_start"], self.refusal["hole"]


@dataclass(frozen=True)
class Frame:
    """All systems at a step, and what is said of it."""

    step: int
    last: int
    timed: bool
    header: dict[str, Any]
    pools: tuple[Pool, ...]
    overall: dict[str, str]  # the sentence by lens

    def lookup(self, lens: Lens, accounting: Accounting) -> list[int]:
        """The category of each code."""
        return self.header["lookup"][lens][accounting]

    def second(self, lead: int) -> float:
        """The clock of the system whose steps are counted."""
        return self.pools[max(0, lead)].time_s

    @property
    def tones(self) -> np.ndarray:
        """By place in the header: the request's place in the trace, which gives its colour."""
        return np.array([r["index"] for r in self.header["requests"]] or [0], np.int64)


def clamp(trace: Trace, step: int, lead: int = -1) -> int:
    """The step, or the nearest that the run has."""
    return max(0, min(windows.total(trace, lead) - 1, step))


def frames(
    trace: Trace, first: int, last: int, say: Messages, *, lead: int = -1, panels: Sequence[str] = ()
) -> Iterator[Frame]:
    """The frames from ``first`` to before ``last``, one after another."""
    packed = payload.pack(trace, say, panels=panels, window=Window(first, last, lead))
    _, header, arrays = payload.unpack(payload.open_at(packed, payload.View()))
    walks = [_walk(i, system, header, arrays) for i, system in enumerate(header["systems"])]
    for at in range(header["steps"]):
        yield Frame(
            first + at, header["total"] - 1, lead >= 0, header, tuple(next(walk) for walk in walks),
            {lens: header["sentences"][arrays[f"all/sentence_{lens}"][at]] for lens in ("online", "hindsight")},
        )  # fmt: skip


def frame(trace: Trace, step: int, say: Messages, *, lead: int = -1, panels: Sequence[str] = ()) -> Frame:
    """The frame of one step."""
    at = clamp(trace, step, lead)
    return next(frames(trace, at, at + 1, say, lead=lead, panels=panels))


def _walk(index: int, facts: dict[str, Any], header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Iterator[Pool]:
    def get(name: str) -> np.ndarray:
        return arrays[f"{index}/{name}"]

    start, length, position = (get(name).astype(np.int64) for name in ("start", "length", "position"))
    code, owner, offsets, counts = get("code"), get("owner"), get("offsets").tolist(), get("counts").reshape(-1, 8)
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
