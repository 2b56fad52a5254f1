"""The player's food: a whole trace, painted and narrated, packed into one piece of bytes.

Layout: ``VZP1``, length and JSON of the view (what is open: cheap to change), then the deflated inner part: ``VZI1``,
length and JSON header padded to 8 bytes, and little-endian arrays. The browser decides nothing: every word and number
that it shows is in here.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vizkv import __version__
from vizkv.events import Event, Kind
from vizkv.messages import Messages
from vizkv.replay import Replay, walk
from vizkv.slots import CATEGORIES, Accounting, Code, Lens, lookup
from vizkv.trace import SystemTrace, Trace
from vizkv.views import narration, ops
from vizkv.views import window as windows
from vizkv.views.geometry import beside_panels, columns, ruler
from vizkv.views.window import Window

VERSION = 1
_MARK = re.compile(r"([0-9]{1,2})\.([0-9]{1,7})-([0-9]{1,7})")
_ENDED = -1  # rank of what a system says that has long ended
_TICKS = {
    Kind.ADMITTED: "admission",
    Kind.REFUSED: "refusal",
    Kind.BLOCK: "block",
    Kind.FINISHED: "finish",
    Kind.PREEMPTED: "preemption",
    Kind.NEVER: "never",
    Kind.FORKED: "fork",
    Kind.COPIED: "copy",
    Kind.EXCHANGED: "hand",
    Kind.REPOINTED: "hand",
}


@dataclass(frozen=True)
class View:
    """What of a trace is open: everything that a link has to carry besides the scenario.

    ``step`` counts from the run's beginning, whatever window of it is shown.
    """

    step: int = 0
    lens: Lens = "online"
    accounting: Accounting = "textbook"
    colour: str = "state"
    focus: int = -1
    request: int = -1  # the sequence that the panels follow; -1: the first that is live
    position: int = -1  # its token that is followed; -1: none
    lit: str = ""  # the category whose slots are lit up
    lit_in: int = -1  # the system in which; -1: all
    mark: str = ""  # slots that are pointed at: "system.first-last", see mark_of
    play: bool = False
    command: int = 0  # the browser obeys a view of the same trace when this has gone up
    reveal: bool = False  # the page scrolls until the player is in sight
    intro: bool = False  # the run plays up to ``step``, and then the other lens is offered
    keep: bool = False  # a new trace on the same page: where the reader stands is kept


def mark_of(system: int, first: int, last: int) -> str:
    """The word of a link that points at the slots ``first`` to ``last`` of a system, all from zero."""
    return f"{system}.{first}-{last}"


def marked(text: str) -> tuple[int, int, int] | None:
    """The (system, first, last) of such a word; None if it is none."""
    found = _MARK.fullmatch(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


@dataclass(frozen=True)
class Moment:
    """A named place in the run: when a request has written so many slots in the first system."""

    label: str
    step: int


class _Strings:
    """A string table; index 0 is the empty string."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {"": 0}

    def __call__(self, text: str) -> int:
        return self.index.setdefault(text, len(self.index))


@dataclass
class _Columns:
    """One system's arrays while it is walked; one entry a frame."""

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
    """The requests that the header tells of: all, or those that a window has to do with, as they turn up."""

    def __init__(self, trace: Trace, whole: bool):
        self.trace = trace
        self.index: dict[int, int] = {i: i for i in range(len(trace.requests))} if whole else {}

    def __call__(self, request: int) -> int:
        """A request's place in the header; -1 stays -1."""
        return request if request < 0 else self.index.setdefault(request, len(self.index))

    def told(self) -> list[dict[str, Any]]:
        """What the header says; ``index``: the request's place in the trace."""
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
    """The deflated inner part: depends on the trace, the language and the page's panels only, so it can be cached.

    ``panels``: what the player shows besides the rows, in the order of vizkv/player/panels.js; without them the books
    of the paged systems stay out. ``window``: the frames to pack; the browser counts them from zero, the header says
    where the ``first`` stands in the run and how many frames that has in ``total``.
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
        "requests": requests.told(),
        "systems": [
            {
                "name": say.name(s.name),
                "subtitle": subtitle(s, trace, say),
                "kind": s.kind,
                "slots": s.slots,
                "block_size": s.block_size,
                "columns": (wide := _columns(trace, bool(panels))),
                "unit": ruler(wide, s.block_size),
                **(ops.facts(s) if panels else {}),
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
    """The whole payload: a packed trace and what of it is open."""
    text = json.dumps({
        "trace": hashlib.sha256(packed).hexdigest()[:16],
        "step": view.step, "lens": view.lens, "accounting": view.accounting, "colour": view.colour,
        "focus": view.focus, "request": view.request, "position": view.position, "lit": view.lit,
        "lit_in": view.lit_in, "mark": view.mark, "play": view.play,
        "command": view.command, "keep": view.keep, "reveal": view.reveal, "intro": view.intro,
    }).encode()  # fmt: skip
    return b"VZP1" + struct.pack("<I", len(text)) + text + packed


def unpack(payload: bytes) -> tuple[dict[str, Any], dict[str, Any], dict[str, np.ndarray]]:
    """(view, header, arrays) of a payload: what the browser reads, for tests and exports."""
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


def subtitle(system: SystemTrace, trace: Trace, say: Messages) -> str:
    """The policy in a few words."""
    detail = system.detail
    if system.kind == "paged":
        return say("system.paged", size=system.block_size)
    reserve = detail["reserve"]
    facts: dict[str, Any] = {}
    if reserve == "max":
        facts["length"] = trace.scenario.get("max_model_len", 2048)
    if reserve == "multiple":
        first = trace.requests[0].final_slots
        facts = {"length": first, "held": -(-first // detail["multiple"]) * detail["multiple"]}
    text = say(f"system.{reserve}", **facts)
    return say("system.static", subtitle=text) if detail["batching"] == "static" else text


def _columns(trace: Trace, panels: bool) -> int:
    """One width for all systems, so that an address is at the same place in each."""
    slots, size = trace.systems[0].slots, max((s.block_size for s in trace.systems if s.block_size), default=0)
    return beside_panels(slots, size) if panels else columns(slots, size, len(trace.systems))


def _walk(
    index: int, window: Window, trace: Trace, say: Messages, sentences: _Strings, waits: _Strings,
    refusals: list[dict[str, Any]], events: list[dict[str, Any]], books: ops.Ops | None = None,
) -> _Columns:  # fmt: skip
    """One system's frames. From one to the next it may stand still, or take several steps: all of them are painted."""
    c, system = _Columns(), trace.systems[index]
    before, *wanted = windows.steps_of(trace, index, Window(window.first - 1, window.last, window.lead)).tolist()
    refused: dict[int, int] = {}  # request -> its entry in refusals, while it waits
    best: narration.Told | None = None  # of the steps of one frame the most important is told
    for replay in walk(system, trace.requests, closing=True, first=wanted[0], last=wanted[-1] + 1):
        at = len(c.steps)
        stays = wanted[at:].count(replay.step) if wanted[at] == replay.step else 0
        c.runs.extend(replay.runs)
        if books:
            books.step(replay, stays)
        told = narration.tell(replay, say)
        if not c.offsets[1:] and not best:
            for event, text in narration.still_refused(system, replay, say):
                refused[event.request] = len(refusals)
                refusals.append(_refusal(event, text))
        by_hand = False
        for event in replay.events:
            if event.kind == Kind.REFUSED:
                refused[event.request] = len(refusals)
                refusals.append(_refusal(event, told.online))
            name = _TICKS.get(event.kind)
            if not name or (event.kind == Kind.BLOCK and _on_admission(event, replay)) or (name == "hand" and by_hand):
                continue
            by_hand = by_hand or name == "hand"  # many blocks change places, and it is one event
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
        rest = _ENDED if ended else 0  # what was told once is no news in the next frame
        c.ranks += [_ENDED if ended and before == replay.step else best.rank] + [rest] * (stays - 1)
        c.steps += [replay.step] * stays
        c.offsets += [len(c.runs)] * stays
        c.counts += [replay.booked()] * stays
        c.stranded += [int(replay.stranded)] * stays
        c.online += [sentences(best.online)] * stays
        c.hindsight += [sentences(best.hindsight)] * stays
        c.waiting += [waits(narration.waiting(replay, say))] * stays
        c.refusal += [_refusal_now(replay, refused, refusals)] * stays
        best = None
    return c


def _refusal_now(replay: Replay, refused: dict[int, int], refusals: list[dict[str, Any]]) -> int:
    """Why the head of the line waits: its entry in ``refusals``, -1 if it does not.

    A refusal is told once, while blocks go on becoming free: with paging, what is free is that of this step.
    """
    head = replay.waiting[0] if replay.waiting else -1
    at = refused.get(head, -1)
    if at >= 0 and replay.system.kind == "paged":
        counts = replay.booked()
        free = counts[Code.FREE] + counts[Code.CACHED] + counts[Code.STRANDED]
        if free != refusals[at]["free"]:
            refusals.append(refusals[at] | {"free": free, "hole": free})
            refused[head] = at = len(refusals) - 1
    return at


def _on_admission(event: Event, replay: Replay) -> bool:
    return any(e.kind == Kind.ADMITTED and e.request == event.request for e in replay.events)


def _refusal(event: Event, text: str) -> dict[str, Any]:
    return {
        "request": event.request, "need": event.a, "free": event.b, "hole": event.c, "hole_start": event.d,
        "text": text,
    }  # fmt: skip


def _arrays(index: int, c: _Columns, requests: _Requests) -> dict[str, np.ndarray]:
    """Arrays of one system; one that is done earlier stays as its last step left it."""
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
    """The one sentence for all systems: the most important event of the frame, or what the first busy system does."""
    table = {v: k for k, v in sentences.index.items()}
    chosen: dict[str, list[int]] = {"online": [], "hindsight": []}
    for frame in range(frames):
        alive = [i for i, c in enumerate(told) if c.ranks[frame] > _ENDED]
        # one more block is no news beside the others: it is told where its system is followed
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
