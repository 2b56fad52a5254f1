"""Everything that happened in a run, step by step: immutable, columnar, one file.

A trace holds the events of each system (see :mod:`vizkv.events`) and nothing that can be derived from them: slot
states, ledgers, block tables and free queues come from :mod:`vizkv.replay`.

A run of lengths only (:mod:`vizkv.ahead`) has millions of events that say no more than that somebody wrote one more
token. They are kept as spans: a sequence, its first step, and for how many steps it wrote one token in each.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np

from vizkv import __version__
from vizkv.events import Event, Kind
from vizkv.told import told

FORMAT = "vizkv trace"
VERSION = 3  # 2, which had no spans, can be read
MAX_FILE = 512 * 2**20
MAX_SLOTS = 2**22  # of a system, as in a scenario
BEHIND = 2**31 - 1  # a place behind all spans


class TraceError(ValueError):
    """A file that is not a trace this version can read; the message is one sentence."""


@dataclass(frozen=True)
class RequestFacts:
    """What is known of a sequence before it runs: a request, or one of a request's. Positions and lengths in tokens."""

    id: str
    prompt_tokens: int
    final_slots: int
    arrival: float  # step, or seconds in a workload
    pieces: tuple[str, ...]  # text of each position, as far as it is known; empty where only lengths were run
    group: int = -1  # index of the scenario's request, of which it may be one of several sequences


def _no_spans() -> np.ndarray:
    return np.zeros((0, 5), np.int64)


@dataclass(frozen=True)
class SystemTrace:
    """One system's part. Event columns have one entry an event, in order; ``offsets`` [steps + 1] cuts them into steps.

    ``late`` marks events after which the ledger of their step was already closed: what finished requests give back.

    ``spans`` [n, 5] are further WRITTEN events: request, first step, steps, first position, id of the first token. In
    a step they come in the order of the table, each after the events whose ``places`` is at most its row's number.
    """

    name: str
    kind: str  # contiguous | paged
    detail: dict[str, Any]  # the system's fields in the scenario
    slots: int
    block_size: int  # 0 for contiguous systems
    free_order: tuple[int, ...]  # paged: the free queue at the start
    offsets: np.ndarray
    kinds: np.ndarray
    values: np.ndarray  # [events, 5]: request, a, b, c, d
    late: np.ndarray
    stranded: np.ndarray  # [steps] 1 where free slots are stranded
    time_s: np.ndarray  # [steps] the clock at the end of the step, in seconds
    tokens: tuple[Sequence[int], ...]  # sampled token ids of each sequence; a range where they were made up
    vocabulary: dict[int, str] = field(default_factory=dict)  # texts of ids, where this system's own text differs
    places: np.ndarray | None = None  # [events]
    spans: np.ndarray = field(default_factory=_no_spans)

    @property
    def steps(self) -> int:
        """Number of steps until the system was idle for good."""
        return len(self.offsets) - 1

    @cached_property
    def columns(self) -> tuple[list[Event], list[bool], list[int]]:
        """The events, their late marks and their places, as lists: made once, on the first use."""
        rows = [Event(Kind(k), *v) for k, v in zip(self.kinds.tolist(), self.values.tolist(), strict=True)]
        return rows, self.late.tolist(), [] if self.places is None else self.places.tolist()

    def events(self, step: int) -> Iterator[tuple[Event, bool]]:
        """The events of one step with their ``late`` mark."""
        rows, late, places = self.columns
        writing = self.writing(step)
        at = 0
        for i in range(int(self.offsets[step]), int(self.offsets[step + 1])):
            while at < len(writing) and writing[at][0] < places[i]:
                yield writing[at][1], False
                at += 1
            yield rows[i], late[i]
        for _, event in writing[at:]:
            yield event, False

    def writing(self, step: int) -> list[tuple[int, Event]]:
        """(row of the spans' table, WRITTEN event) of each span that goes through a step."""
        if not len(self.spans):
            return []
        active = np.flatnonzero((self.spans[:, 1] <= step) & (step < self.spans[:, 1] + self.spans[:, 2]))
        return [
            (at, Event(Kind.WRITTEN, who, position + step - first, 1, token + step - first))
            for at, (who, first, _, position, token) in zip(active.tolist(), self.spans[active].tolist(), strict=True)
        ]

    def expanded(self) -> SystemTrace:
        """The same trace with every event in the columns, and no spans."""
        if not len(self.spans):
            return replace(self, places=None)
        step_of = np.repeat(np.arange(self.steps), np.diff(self.offsets))
        count = self.spans[:, 2]
        row = np.repeat(np.arange(len(self.spans)), count)
        since = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        who, first, _, position, token = self.spans[row].T
        written = np.stack([who, position + since, np.ones_like(since), token + since, np.zeros_like(since)], 1)
        steps = np.concatenate([step_of, first + since])
        places = np.concatenate([self.places if self.places is not None else np.zeros(0, np.int64), row])
        after = np.concatenate([np.zeros(len(step_of), bool), np.ones(len(row), bool)])
        order = np.lexsort((after, places, steps))
        kinds = np.concatenate([self.kinds, np.full(len(row), Kind.WRITTEN, np.uint8)])[order]
        offsets = np.searchsorted(steps[order], np.arange(self.steps + 1))
        late = np.concatenate([self.late, np.zeros(len(row), bool)])[order]
        values = np.concatenate([self.values, written])[order]
        return replace(self, offsets=offsets, kinds=kinds, values=values, late=late, places=None, spans=_no_spans())


class SystemRecorder:
    """Collects one system's events while the engine runs, then freezes them."""

    def __init__(self) -> None:
        self._rows = array("q")  # six numbers an event: a tuple each would take ten times the room
        self._late = bytearray()
        self._places = array("q")
        self._offsets = array("q", [0])
        self._stranded = bytearray()
        self._time = array("d")

    def add(self, events: list[Event], late: bool = False, place: int = 0) -> None:
        """Append events of the step under way. ``place``: behind the spans' rows before it, see SystemTrace."""
        if len(events) == 1:  # nearly always; the general way costs as much for one as for ten
            self._rows.extend(events[0])
            self._late.append(late)
            self._places.append(place)
        elif events:
            self._rows.extend(chain.from_iterable(events))
            self._late.extend(bytes((late,)) * len(events))
            self._places.extend(repeat(place, len(events)))

    def tokens_written(self) -> set[int]:
        """The ids of the tokens that ended a piece of written work."""
        return {self._rows[i + 4] for i in range(0, len(self._rows), 6) if self._rows[i] == Kind.WRITTEN}

    def close(self, stranded: bool, time_s: float) -> None:
        """End the step."""
        self._offsets.append(len(self._late))
        self._stranded.append(stranded)
        self._time.append(time_s)

    def freeze(self, *, spans: np.ndarray | None = None, **facts: Any) -> SystemTrace:
        """The immutable trace so far. ``facts``: the fields that the recorder does not know."""
        rows = np.array(self._rows, np.int64).reshape(-1, 6)
        return SystemTrace(
            offsets=np.array(self._offsets, np.int64),
            kinds=rows[:, 0].astype(np.uint8),
            values=rows[:, 1:].copy(),
            late=np.array(self._late, np.bool_),
            stranded=np.array(self._stranded, np.bool_),
            time_s=np.array(self._time, np.float64),
            places=None if spans is None else np.array(self._places, np.int64),
            spans=_no_spans() if spans is None else spans,
            **facts,
        )


@dataclass(frozen=True)
class Trace:
    """A finished run: its scenario, its requests, and what happened in each system."""

    scenario: dict[str, Any]  # the minimal form, see vizkv.scenario.to_dict
    requests: tuple[RequestFacts, ...]
    systems: tuple[SystemTrace, ...]
    model: str
    version: str = __version__

    @property
    def steps(self) -> int:
        """Steps of the longest system."""
        return max(system.steps for system in self.systems)


def save(trace: Trace) -> bytes:
    """One file: a zip archive of a JSON header and one array a column."""
    header: dict[str, Any] = {
        "format": FORMAT,
        "format_version": VERSION,
        "vizkv": trace.version,
        "model": trace.model,
        "scenario": trace.scenario,
        "requests": [
            [r.id, r.prompt_tokens, r.final_slots, r.arrival, list(r.pieces), r.group] for r in trace.requests
        ],
        "systems": [],
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:

        def put(name: str, array: np.ndarray) -> None:
            packed = io.BytesIO()
            np.save(packed, array, allow_pickle=False)
            # a fixed date: the same run gives the same bytes
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), packed.getvalue())

        for i, s in enumerate(trace.systems):
            header["systems"].append({
                "name": s.name, "kind": s.kind, "detail": s.detail, "slots": s.slots, "block_size": s.block_size,
                "free_order": list(s.free_order), "vocabulary": list(s.vocabulary.items()),
            })  # fmt: skip
            put(f"{i}/offsets", s.offsets)
            put(f"{i}/kinds", s.kinds)
            put(f"{i}/values", s.values.T)  # column by column: it packs better
            put(f"{i}/late", s.late)
            put(f"{i}/stranded", s.stranded)
            put(f"{i}/time_s", s.time_s)
            put(f"{i}/token_counts", np.array([len(t) for t in s.tokens], np.int64))
            if any(isinstance(t, range) for t in s.tokens):  # made up: the first of each tells the others
                put(f"{i}/tokens_from", np.array([t[0] if t else 0 for t in s.tokens], np.int64))
            else:
                put(f"{i}/tokens", np.array([t for row in s.tokens for t in row], np.int64))
            if s.places is not None:
                put(f"{i}/places", s.places)
                put(f"{i}/spans", s.spans.T)
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":"))
        archive.writestr(zipfile.ZipInfo("header.json", (1980, 1, 1, 0, 0, 0)), text)
    return _deflated(file.getvalue())


def _deflated(data: bytes) -> bytes:
    """ZipInfo entries default to stored; repack once with compression."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in source.infolist():
            archive.writestr(zipfile.ZipInfo(info.filename, info.date_time), source.read(info), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def load(data: bytes) -> Trace:
    """Read what :func:`save` wrote. Raises TraceError for anything else, a damaged or a newer file included."""
    if len(data) > MAX_FILE:
        raise TraceError(
            told(
                "The trace file has {size:,} bytes; at most {max_file:,} can be read.",
                size=len(data),
                max_file=MAX_FILE,
            )
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > 4 * MAX_FILE:
                raise TraceError(told("The trace file unpacks to more than this program reads; it is damaged."))
            header = json.loads(archive.read("header.json"))
            if header.get("format") != FORMAT:
                raise TraceError(told("The file is not a vizkv trace; save one from a run and load that."))
            if header["format_version"] not in (2, VERSION):
                raise TraceError(
                    told(
                        "The trace has format version {format_version}; this vizkv reads versions 2 and {version}.",
                        format_version=header["format_version"],
                        version=VERSION,
                    )
                )
            names = set(archive.namelist())

            def get(name: str) -> np.ndarray | None:
                if f"{name}.npy" not in names:
                    return None
                return np.load(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)

            trace = Trace(
                scenario=header["scenario"],
                requests=tuple(_request(*row) for row in header["requests"]),
                systems=tuple(_system(facts, i, get) for i, facts in enumerate(header["systems"])),
                model=header["model"],
                version=header["vizkv"],
            )
            _check(trace)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError):
        raise TraceError(told("The file is not a complete vizkv trace: it is cut short or damaged.")) from None
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError, MemoryError) as error:
        if isinstance(error, TraceError):
            raise
        raise TraceError(told("The file is not a vizkv trace, or its contents are damaged.")) from None
    return trace


def _request(
    name: str, prompt_tokens: int, final_slots: int, arrival: float, pieces: list[str], group: int
) -> RequestFacts:
    if not all(isinstance(text, str) for text in (name, *pieces)) or not np.isfinite(arrival):
        raise TypeError
    return RequestFacts(name, int(prompt_tokens), int(final_slots), arrival, tuple(pieces), int(group))


def _system(facts: dict[str, Any], i: int, find: Callable[[str], np.ndarray | None]) -> SystemTrace:
    def get(name: str) -> np.ndarray:
        column = find(f"{i}/{name}")
        if column is None:
            raise KeyError(name)
        if column.dtype.kind not in ("f" if name == "time_s" else "iub"):
            raise TypeError(name)
        return column

    counts = get("token_counts").tolist()
    first = find(f"{i}/tokens_from")
    tokens: list[Sequence[int]]
    if first is None:
        ids, ends = get("tokens").tolist(), np.cumsum(counts).tolist()
        tokens = [tuple(ids[a:b]) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    else:
        tokens = [range(a, a + count) for a, count in zip(first.tolist(), counts, strict=True)]
    places = find(f"{i}/places")
    return SystemTrace(
        name=str(facts["name"]),
        kind=str(facts["kind"]),
        detail=dict(facts["detail"]),
        slots=int(facts["slots"]),
        block_size=int(facts["block_size"]),
        free_order=tuple(facts["free_order"]),
        vocabulary={int(token): str(text) for token, text in facts["vocabulary"]},
        offsets=get("offsets"),
        kinds=get("kinds"),
        values=np.ascontiguousarray(get("values").T),
        late=get("late"),
        stranded=get("stranded"),
        time_s=get("time_s"),
        tokens=tuple(tokens),
        places=places,
        spans=_no_spans() if places is None else np.ascontiguousarray(get("spans").T),
    )


def _check(trace: Trace) -> None:
    """Refuse a file whose columns contradict each other, before anything is drawn from it."""
    if not trace.systems:
        raise ValueError
    for system in trace.systems:
        events, steps = len(system.kinds), len(system.stranded)
        sound = (
            system.values.shape == (events, 5)
            and len(system.late) == events
            and len(system.offsets) == steps + 1 == len(system.time_s) + 1
            and system.offsets[0] == 0
            and system.offsets[-1] == events
            and bool((np.diff(system.offsets) >= 0).all())
            and (not events or system.kinds.max() <= max(Kind))
            and (not events or -1 <= system.values[:, 0].min() <= system.values[:, 0].max() < len(trace.requests))
            and len(system.tokens) == len(trace.requests)
            and 1 <= system.slots <= MAX_SLOTS
            and {"contiguous": "reserve", "paged": "block_size"}[system.kind] in system.detail
            and 0 <= system.block_size <= system.slots
            and all(isinstance(block, int) for block in system.free_order)
            and bool(np.isfinite(system.time_s).all())
            and _spans_hold(system, len(trace.requests))
        )
        if not sound:
            raise TraceError(
                told("The trace's columns for {name!r} contradict each other: the file is damaged.", name=system.name)
            )


def _spans_hold(system: SystemTrace, requests: int) -> bool:
    if system.places is None:
        return not len(system.spans)
    who, first, count, position, _ = system.spans.reshape(-1, 5).T
    return (
        len(system.places) == len(system.kinds)
        and system.spans.shape == (len(who), 5)
        and bool(((0 <= who) & (who < requests) & (first >= 0) & (count >= 0) & (position >= 0)).all())
        and bool((first + count <= system.steps).all())
        and bool((np.diff(first) >= 0).all())
    )


def read(path: str | Path) -> Trace:
    """Load a trace file. Raises TraceError, which names it."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TraceError(told("The file {path!r} cannot be read: {why}.", path=str(path), why=error)) from None
    except ValueError:
        raise TraceError(told("The file name {path!r} is not one that a file can have.", path=str(path))) from None
    try:
        return load(data)
    except TraceError as error:
        raise TraceError(told("{path!r}: {error}", path=str(path), error=error)) from None
