"""The payload of the player: a trace with its slot states and sentences, packed into bytes.

Layout: ``VZP1``, length and JSON of the view (cheap to change), then the deflated inner part: ``VZI1``, length and JSON
header padded to 8 bytes, and little-endian arrays. The browser decides nothing: the payload contains every word and
number that it shows.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vizkv import __version__
from vizkv.messages.catalogue import Messages
from vizkv.replay import Replay, walk
from vizkv.systems import registry
from vizkv.trace.events import Event, Kind
from vizkv.trace.slots import CATEGORIES, Code, lookup
from vizkv.trace.trace import SystemTrace, Trace
from vizkv.views.facts import decisions, knowledge, narration
from vizkv.views.payload import ops
from vizkv.views.payload import window as windows
from vizkv.views.payload.geometry import beside_panels, columns, ruler
from vizkv.views.payload.window import Window
from vizkv.views.systems.registry import words
from vizkv.views.view import View as View

VERSION = 1
_ENDED = -1  # rank of the sentence of a system that has ended
_TICKS = {
    Kind.ADMITTED: "admission",
    Kind.REFUSED: "refusal",
    Kind.BLOCK: "block",
    Kind.MAPPED: "block",
    Kind.FINISHED: "finish",
    Kind.PREEMPTED: "preemption",
    Kind.NEVER: "never",
    Kind.FORKED: "fork",
    Kind.COPIED: "copy",
    Kind.EXCHANGED: "hand",
    Kind.REPOINTED: "hand",
}


@dataclass(frozen=True)
class Moment:
    """A named step of the run."""

    label: str
    step: int


class _Strings:
    """A string table: calling it returns the index of a text; index 0 is the empty string."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {"": 0}

    def __call__(self, text: str) -> int:
        return self.index.setdefault(text, len(self.index))


@dataclass
class _Columns:
    """The arrays of one system during its replay, with one entry per frame."""

    steps: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])
    runs: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    counts: list[list[int]] = field(default_factory=list)
    stranded: list[int] = field(default_factory=list)
    online: list[int] = field(default_factory=list)
    hindsight: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    refusal: list[int] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)


class _Requests:
    """The requests in the header: all, or those that occur in a window, in order of occurrence."""

    def __init__(self, trace: Trace, whole: bool):
        self.trace = trace
        self.index: dict[int, int] = {i: i for i in range(len(trace.requests))} if whole else {}

    def __call__(self, request: int) -> int:
        """Return the index of a request in the header; -1 stays -1."""
        return request if request < 0 else self.index.setdefault(request, len(self.index))

    def records(self) -> list[dict[str, Any]]:
        """Return the records for the header; their ``index`` is the request's index in the trace."""
        return [
            {
                "id": (r := self.trace.requests[index]).id, "index": index, "prompt_tokens": r.prompt_tokens,
                "final_slots": r.final_slots, "tokens": list(r.pieces),
            }
            for index in self.index
        ]  # fmt: skip


def pack(
    trace: Trace, say: Messages, headline: str = "", moments: Sequence[Moment] = (), panels: Sequence[str] = (),
    window: Window | None = None,
) -> bytes:  # fmt: skip
    """Return the deflated inner part. It depends on the arguments only, not on the view, so it can be cached.

    ``panels``: what the player shows besides the rows, in the order of vizkv/player/panels.js; without panels the
    bookkeeping of paged systems is left out. ``window``: the frames to pack, all if None; the browser counts them from
    zero, and the header gives the place of the ``first`` in the run and the ``total`` number of frames.
    """
    whole = window is None
    window = window or Window(0, windows.total(trace))
    sentences, waits, pieces, requests = _Strings(), _Strings(), _Strings(), _Requests(trace, whole or bool(panels))
    refusals: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    frames, told = window.last - window.first, []
    for index, system in enumerate(trace.systems):
        books = ops.Ops(system, pieces) if panels and ops.wanted(system) else None
        c = _walk(index, window, trace, say, sentences, waits, refusals, events, books)
        told.append(c)
        arrays |= _arrays(index, c, requests)
        if window.lead >= 0:
            steps = np.array(c.steps)
            arrays |= {f"{index}/step": steps.astype("<u4"), f"{index}/time_s": windows.seconds(system, steps)}
        if books:
            arrays |= books.arrays(f"{index}/", frames)
    arrays |= _overall(told, trace, say, sentences, frames)
    events.sort(key=lambda e: (e["step"], e["system"]))
    for entry in (*events, *refusals):
        entry["request"] = requests(entry["request"])
    header = {
        "version": VERSION,
        "vizkv": __version__,
        "lang": say.html,
        "steps": frames,
        "first": window.first,
        "total": windows.total(trace, window.lead),
        "lead": window.lead,
        "headline": headline,
        "panels": list(panels),
        "texts": say.group("player."),
        "categories": list(CATEGORIES),
        "lookup": lookup(),
        "requests": requests.records(),
        "systems": [
            {
                "name": say.name(s.name),
                "subtitle": words(s.kind).subtitle(s, trace, say),
                "ended": _ended(s, say),
                "kind": s.kind,
                "slots": s.slots,
                "block_size": s.block_size,
                "columns": (wide := _columns(trace, bool(panels))),
                "unit": ruler(wide, s.block_size),
                **(ops.facts(s, trace.scenario.get("max_model_len", 2048)) if panels else {}),
            }
            for s in trace.systems
        ],
        "sentences": list(sentences.index),
        "waits": list(waits.index),
        "pieces": list(pieces.index),
        "refusals": refusals,
        "events": events,
        "moments": [{"label": m.label, "step": m.step} for m in moments],
    }
    return zlib.compress(_inner(header, arrays), 6)


def open_at(packed: bytes, view: View) -> bytes:
    """Return the whole payload: a packed trace preceded by its view."""
    text = json.dumps({
        "trace": hashlib.sha256(packed).hexdigest()[:16],
        "step": view.step, "lens": view.lens, "accounting": view.accounting, "colour": view.colour,
        "focus": view.focus, "request": view.request, "position": view.position, "lit": view.lit,
        "lit_in": view.lit_in, "mark": view.mark, "play": view.play,
        "command": view.command, "keep": view.keep, "reveal": view.reveal, "intro": view.intro,
    }).encode()  # fmt: skip
    return b"VZP1" + struct.pack("<I", len(text)) + text + packed


def unpack(payload: bytes) -> tuple[dict[str, Any], dict[str, Any], dict[str, np.ndarray]]:
    """Return (view, header, arrays) of a payload, as the browser reads it; for tests and exports."""
    (length,) = struct.unpack_from("<I", payload, 4)
    view = json.loads(payload[8 : 8 + length])
    inner = zlib.decompress(payload[8 + length :])
    (head,) = struct.unpack_from("<I", inner, 4)
    header = json.loads(inner[8 : 8 + head])
    arrays = {
        name: np.frombuffer(inner, np.dtype(f"<{kind}"), count, 8 + head + offset)
        for name, (kind, offset, count) in header["arrays"].items()
    }
    return view, header, arrays


def _ended(system: SystemTrace, say: Messages) -> dict[str, Any]:
    """Return the step at which a system has ended, and the texts of its row from then on."""
    word, sentence = narration.ended(system, say)
    after = say("row.after", step=system.steps - 1) if system.steps else ""
    return {"step": system.steps, "word": word, "after": after, "sentence": sentence}


def _columns(trace: Trace, panels: bool) -> int:
    """Return one width for all systems, so that an address has the same position in each."""
    slots, size = trace.systems[0].slots, max((s.block_size for s in trace.systems if s.block_size), default=0)
    return beside_panels(slots, size) if panels else columns(slots, size, len(trace.systems))


def _walk(
    index: int, window: Window, trace: Trace, say: Messages, sentences: _Strings, waits: _Strings,
    refusals: list[dict[str, Any]], events: list[dict[str, Any]], books: ops.Ops | None = None,
) -> _Columns:  # fmt: skip
    """Return the frames of one system. From one frame to the next it may take no step, or several, which add up."""
    c, system, longest = _Columns(), trace.systems[index], knowledge.longest(trace)
    before, *wanted = windows.steps_of(trace, index, Window(window.first - 1, window.last, window.lead)).tolist()
    refused: dict[int, _Refused] = {}  # by request, while it waits
    best: narration.Narration | None = None  # the most important sentence of the steps of one frame
    for replay in walk(system, trace.requests, closing=True, first=wanted[0], last=wanted[-1] + 1):
        at = len(c.steps)
        stays = wanted[at:].count(replay.step) if wanted[at] == replay.step else 0
        c.runs.extend(replay.runs)
        if books:
            books.step(replay, stays)
        told = narration.tell(replay, say, longest, system)
        if not c.offsets[1:] and not best:
            for event, then, text in narration.still_refused(system, replay, say):
                refused[event.request] = _Refused(event, then, len(refusals))
                refusals.append(_refusal(event, text))
        by_hand = False
        admitted = {event.request for event in replay.events if event.kind == Kind.ADMITTED}
        for event in replay.events:
            if event.kind == Kind.REFUSED:
                refused[event.request] = _Refused(event, replay, len(refusals))
                refusals.append(_refusal(event, narration.refused(event, replay, say)))
            name = _TICKS.get(event.kind)
            if (
                not name
                or (event.kind in narration.TAKES and event.request in admitted)
                or (name == "hand" and by_hand)
            ):
                continue
            by_hand = by_hand or name == "hand"  # a shuffle exchanges many blocks, but is one event
            who = trace.requests[event.request].id if event.request >= 0 else ""
            block = event.a if name == "block" else event.b
            parent = trace.requests[event.a].id if name == "fork" else ""
            events.append({
                "step": at, "kind": name, "system": index, "request": event.request,
                "text": say(f"event.{name}", system=system.name, request=who, block=block, parent=parent),
            })  # fmt: skip
        refused = {who: entry for who, entry in refused.items() if who in replay.waiting}
        best = told if best is None or told.rank >= best.rank else best
        if not stays:
            continue
        ended = replay.step == system.steps
        rest = _ENDED if ended else 0  # a sentence counts as important in its first frame only
        c.ranks += [_ENDED if ended and before == replay.step else best.rank] + [rest] * (stays - 1)
        c.steps += [replay.step] * stays
        c.offsets += [len(c.runs)] * stays
        c.counts += [replay.booked()] * stays
        c.stranded += [int(replay.stranded)] * stays
        c.online += [sentences(best.online)] * stays
        c.hindsight += [sentences(best.hindsight)] * stays
        c.waiting += [waits(narration.waiting(replay, say))] * stays
        c.refusal += [_refusal_now(replay, refused, refusals, say)] * stays
        best = None
    return c


class _Refused:
    """A refusal that is in effect: the decision, and the index of its entry in the header's refusals."""

    def __init__(self, event: Event, then: Replay, entry: int):
        self.entry = entry
        self.decided = words(then.system.kind).decided(event, then)


def _refusal_now(
    replay: Replay, refused: dict[int, _Refused], refusals: list[dict[str, Any]], say: Messages
) -> int:  # fmt: skip
    """Return the index in ``refusals`` of why the head of the waiting queue waits; -1 if it does not lack memory.

    The trace records a refusal once, but slots may become free later: if no contiguous hole is needed, the number of
    free slots is updated to that of this step.
    """
    now = refused.get(replay.waiting[0]) if replay.waiting else None
    if now is None:
        return -1
    if registry.schema(replay.system).needs_hole:
        return now.entry
    counts, decided = replay.booked(), now.decided
    slots = sum(counts[code] for code in (Code.FREE, Code.CACHED, Code.MAPPED, Code.STRANDED))
    if decided is None:
        if slots != refusals[now.entry]["free"]:
            refusals.append(refusals[now.entry] | {"free": slots, "hole": slots})
            now.entry = len(refusals) - 1
        return now.entry
    size = replay.system.block_size
    free = slots // size
    if free != decided.free:
        now.decided = replace(decided, free=free)
        text = decisions.waits(now.decided, say, lambda who: replay.requests[who].id)
        refusals.append(refusals[now.entry] | {"free": free * size, "hole": free * size, "text": text})
        now.entry = len(refusals) - 1
    return now.entry if free < decided.need + decided.spare else -1


def _refusal(event: Event, text: str) -> dict[str, Any]:
    return {
        "request": event.request, "need": event.a, "free": event.b, "hole": event.c, "hole_start": event.d,
        "text": text,
    }  # fmt: skip


def _arrays(index: int, c: _Columns, requests: _Requests) -> dict[str, np.ndarray]:
    """Return the arrays of one system."""
    runs = np.array(c.runs, np.int64).reshape(-1, 5)
    owners, place = np.unique(runs[:, 3], return_inverse=True)
    p = f"{index}/"
    return {
        p + "offsets": np.array(c.offsets, "<u4"),
        p + "start": runs[:, 0].astype("<u4"),
        p + "length": runs[:, 1].astype("<u4"),
        p + "code": runs[:, 2].astype("<u1"),
        p + "owner": np.array([requests(owner) for owner in owners.tolist()], "<i4")[place],
        p + "position": runs[:, 4].astype("<i4"),
        p + "stranded": np.array(c.stranded, "<u1"),
        p + "counts": np.array(c.counts, "<u4").reshape(-1),
        p + "sentence_online": np.array(c.online, "<u4"),
        p + "sentence_hindsight": np.array(c.hindsight, "<u4"),
        p + "waiting": np.array(c.waiting, "<u4"),
        p + "refusal": np.array(c.refusal, "<i4"),
    }


def _overall(
    told: list[_Columns], trace: Trace, say: Messages, sentences: _Strings, frames: int
) -> dict[str, np.ndarray]:
    """Return one sentence per frame for all systems: the most important event, or what the first busy system does."""
    table = {v: k for k, v in sentences.index.items()}
    chosen: dict[str, list[int]] = {"online": [], "hindsight": []}
    for frame in range(frames):
        alive = [i for i, c in enumerate(told) if c.ranks[frame] > _ENDED]
        # allocating a block is too common to be chosen over an earlier system
        best = max(alive, key=lambda i: (max(told[i].ranks[frame], narration.NEWS), -i))
        for lens, column in chosen.items():
            text = table[getattr(told[best], lens)[frame]]
            column.append(sentences(say("narration.with", system=trace.systems[best].name, sentence=text)))
    return {f"all/sentence_{lens}": np.array(column, "<u4") for lens, column in chosen.items()}


def _inner(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    parts, offset, places = [], 0, {}
    for name, array in arrays.items():
        data = array.tobytes()
        places[name] = [array.dtype.str[1:], offset, len(array)]
        padding = -len(data) % 8
        parts.append(data + b"\0" * padding)
        offset += len(data) + padding
    text = json.dumps(header | {"arrays": places}, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 8)
    return b"VZI1" + struct.pack("<I", len(text)) + text + b"".join(parts)
