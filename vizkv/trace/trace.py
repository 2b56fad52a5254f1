"""The trace of a run: its events step by step, immutable, in columns, and stored as one file.

A trace holds the events of each system (see :mod:`vizkv.trace.events`) and nothing that can be derived from them: slot
states, ledgers, block tables and free queues come from :mod:`vizkv.replay`.

A run without a model (:mod:`vizkv.engine.skipping`) has millions of events of one kind: a sequence wrote one more
token. They are stored as spans: a sequence, its first step, and the number of steps in each of which it wrote a token.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vizkv import __version__
from vizkv.limits.files import read_file
from vizkv.limits.limits import (
    COMMAND_LINE,
    MAX_NAME,
    MAX_PIECE,
    MAX_REQUESTS,
    MAX_SLOTS,
    MAX_STEPS,
    MAX_SYSTEMS,
    MAX_TOKENS,
    TraceLimits,
)
from vizkv.limits.readers import TooMuch, one_line, open_zip, parse_array, parse_json, text, whole, within
from vizkv.messages.sentence import told
from vizkv.trace.events import Event, Kind

FORMAT = "vizkv trace"
VERSION = 4  # version 2 (without spans) and version 3 (without SHORT events) can be read too
BEHIND = 2**31 - 1  # a place after all spans
_LARGEST = 2**53  # the largest number in a file: synthetic token ids are below it
_LONGEST = 2 * MAX_SLOTS  # slots of one request; one that can never run may need more than a pool
_LATEST = 1e9  # the latest arrival, in steps or seconds


class TraceError(ValueError):
    """A file is not a trace, or not one that this version can read; the message is one sentence."""


@dataclass(frozen=True)
class RequestFacts:
    """What is known of a sequence before it runs. A request is one sequence or several; lengths are in tokens."""

    id: str
    prompt_tokens: int
    final_slots: int
    arrival: float  # in steps; in a workload, in seconds
    pieces: tuple[str, ...]  # text of each position, as far as it is known; empty in a run without a model
    group: int = -1  # index of its request in the scenario


def no_spans() -> np.ndarray:
    """Return an empty table of spans, [0, 5]."""
    return np.zeros((0, 5), np.int64)


@dataclass(frozen=True)
class SystemTrace:
    """The trace of one system.

    The event columns have one entry per event, in order; ``offsets`` [steps + 1] cuts them into steps.

    ``late`` marks events that happened after the ledger of their step was closed: what finished requests release.

    ``spans`` [n, 5] are further WRITTEN events: request, first step, steps, first position, id of the first token. In
    a step they come in the order of the table, each after the events whose ``places`` is at most its row number.
    """

    name: str
    kind: str  # as vizkv/systems/registry.py names it
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
    tokens: tuple[Sequence[int], ...]  # sampled token ids of each sequence; a range if they are synthetic
    vocabulary: dict[int, str] = field(default_factory=dict)  # text by token id, if this system's text differs
    places: np.ndarray | None = None  # [events]
    spans: np.ndarray = field(default_factory=no_spans)

    @property
    def steps(self) -> int:
        """Number of steps until the system had nothing left to do."""
        return len(self.offsets) - 1

    @property
    def nbytes(self) -> int:
        """Approximate size in bytes, including the lists that :attr:`columns` builds on its first use."""
        arrays = [self.offsets, self.kinds, self.values, self.late, self.stranded, self.time_s, self.spans]
        held = sum(array.nbytes for array in arrays) + (0 if self.places is None else self.places.nbytes)
        sampled = sum(len(ids) for ids in self.tokens if not isinstance(ids, range))
        return held + 300 * len(self.kinds) + 40 * sampled + 100 * len(self.tokens) + 8 * len(self.free_order)

    @cached_property
    def columns(self) -> tuple[list[Event], list[bool], list[int]]:
        """The events, their ``late`` marks and their ``places`` as lists, built on the first use."""
        rows = [Event(Kind(k), *v) for k, v in zip(self.kinds.tolist(), self.values.tolist(), strict=True)]
        return rows, self.late.tolist(), [] if self.places is None else self.places.tolist()

    def events(self, step: int) -> Iterator[tuple[Event, bool]]:
        """Yield the events of one step, each with its ``late`` mark, spans included."""
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
        """Return (row in ``spans``, WRITTEN event) for each span that covers a step."""
        if not len(self.spans):
            return []
        active = np.flatnonzero((self.spans[:, 1] <= step) & (step < self.spans[:, 1] + self.spans[:, 2]))
        return [
            (at, Event(Kind.WRITTEN, who, position + step - first, 1, token + step - first))
            for at, (who, first, _, position, token) in zip(active.tolist(), self.spans[active].tolist(), strict=True)
        ]

    def expanded(self) -> SystemTrace:
        """Return the same trace with every event in the columns and without spans."""
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
        return replace(self, offsets=offsets, kinds=kinds, values=values, late=late, places=None, spans=no_spans())


@dataclass(frozen=True)
class Trace:
    """A finished run: its scenario, its sequences, and the events of each system."""

    scenario: dict[str, Any]  # the minimal form, see vizkv.scenario.to_dict
    requests: tuple[RequestFacts, ...]
    systems: tuple[SystemTrace, ...]
    model: str
    version: str = __version__

    @property
    def steps(self) -> int:
        """Number of steps of the system that ran longest."""
        return max(system.steps for system in self.systems)


def save(trace: Trace) -> bytes:
    """Return the trace as the bytes of a file: a zip archive with a JSON header and one array per column."""
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
    with zipfile.ZipFile(file, "w") as archive:

        def put(name: str, array: np.ndarray) -> None:
            packed = io.BytesIO()
            np.save(packed, array, allow_pickle=False)
            # a fixed date: the same run gives the same bytes
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, packed.getvalue(), zipfile.ZIP_DEFLATED)

        for i, s in enumerate(trace.systems):
            header["systems"].append({
                "name": s.name, "kind": s.kind, "detail": s.detail, "slots": s.slots, "block_size": s.block_size,
                "free_order": list(s.free_order), "vocabulary": list(s.vocabulary.items()),
            })  # fmt: skip
            put(f"{i}/offsets", s.offsets)
            put(f"{i}/kinds", s.kinds)
            put(f"{i}/values", s.values.T)  # column by column, which compresses better
            put(f"{i}/late", s.late)
            put(f"{i}/stranded", s.stranded)
            put(f"{i}/time_s", s.time_s)
            put(f"{i}/token_counts", np.array([len(t) for t in s.tokens], np.int64))
            if any(isinstance(t, range) for t in s.tokens):  # synthetic ids: the first determines the others
                put(f"{i}/tokens_from", np.array([t[0] if t else 0 for t in s.tokens], np.int64))
            else:
                put(f"{i}/tokens", np.array([t for row in s.tokens for t in row], np.int64))
            if s.places is not None:
                put(f"{i}/places", s.places)
                put(f"{i}/spans", s.spans.T)
        header_text = json.dumps(header, ensure_ascii=False, separators=(",", ":"))
        archive.writestr(zipfile.ZipInfo("header.json", (1980, 1, 1, 0, 0, 0)), header_text, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def load(data: bytes, limits: TraceLimits = COMMAND_LINE) -> Trace:
    """Read the bytes that :func:`save` returned. Raises TraceError for anything else, also a damaged or newer file.

    ``limits``: the most that is accepted; a larger file is refused before it is unpacked.
    """
    try:
        within(told("bytes"), len(data), limits.packed)
        with open_zip(data, limits.unpacked) as archive:
            within(told("bytes of its header"), archive.getinfo("header.json").file_size, limits.header)
            header = parse_json(archive.read("header.json"))
            if header.get("format") != FORMAT:
                raise TraceError(told("The file is not a vizkv trace; save one from a run and load that."))
            if header["format_version"] not in (2, 3, VERSION):
                raise TraceError(
                    told(
                        "The trace has format version {format_version}; this vizkv reads versions 2 to {version}.",
                        format_version=header["format_version"],
                        version=VERSION,
                    )
                )
            names = set(archive.namelist())

            def get(name: str) -> np.ndarray | None:
                if f"{name}.npy" not in names:
                    return None
                return parse_array(archive.read(f"{name}.npy"))

            within(told("systems"), len(header["systems"]), MAX_SYSTEMS)
            within(told("requests"), len(header["requests"]), MAX_REQUESTS)
            for facts in header["systems"]:
                within(told("slots in a system"), whole(facts["slots"], 1, BEHIND), limits.slots)
            trace = Trace(
                scenario=header["scenario"],
                requests=tuple(_request(*row) for row in header["requests"]),
                systems=tuple(_system(facts, i, get) for i, facts in enumerate(header["systems"])),
                model=text(header["model"], MAX_PIECE),
                version=text(header["vizkv"], MAX_NAME),
            )
            _check_size(trace, limits)
            _check(trace)
    except TooMuch as error:
        raise TraceError(str(error)) from None
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
    if not isinstance(arrival, int | float) or not 0 <= arrival <= _LATEST:
        raise ValueError
    prompt = whole(prompt_tokens, 1, _LONGEST)
    texts = tuple(text(piece, MAX_PIECE) for piece in pieces)
    return RequestFacts(
        one_line(name), prompt, whole(final_slots, prompt, _LONGEST), arrival, texts, whole(group, -1, MAX_REQUESTS)
    )


def _system(facts: dict[str, Any], i: int, find: Callable[[str], np.ndarray | None]) -> SystemTrace:
    def get(name: str) -> np.ndarray:
        column = find(f"{i}/{name}")
        if column is None:
            raise KeyError(name)
        if column.dtype.kind not in ("f" if name == "time_s" else "iub"):
            raise TypeError(name)
        if name != "time_s" and column.size and not -_LARGEST <= column.min() <= column.max() <= _LARGEST:
            raise ValueError(name)
        return column if name == "time_s" else column.astype(np.int64, copy=False)

    counts = get("token_counts")
    if len(counts) and not 0 <= counts.min() <= counts.max() <= MAX_TOKENS:
        raise ValueError
    tokens: list[Sequence[int]]
    if find(f"{i}/tokens_from") is None:
        ids, ends = get("tokens"), np.cumsum(counts).tolist()
        within(told("sampled tokens"), len(ids), MAX_TOKENS)
        tokens = [tuple(ids[a:b].tolist()) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    else:
        tokens = [range(a, a + count) for a, count in zip(get("tokens_from").tolist(), counts.tolist(), strict=True)]
    places = None if find(f"{i}/places") is None else get("places")
    kinds = get("kinds")
    if len(kinds) and not 0 <= kinds.min() <= kinds.max() <= max(Kind):
        raise ValueError
    return SystemTrace(
        name=one_line(facts["name"]),
        kind=str(facts["kind"]),
        detail=dict(facts["detail"]),
        slots=facts["slots"],
        block_size=whole(facts["block_size"], 0, facts["slots"]),
        free_order=tuple(whole(block, 0, MAX_SLOTS) for block in facts["free_order"]),
        vocabulary={whole(token, 0, _LARGEST): text(text, MAX_PIECE) for token, text in facts["vocabulary"]},
        offsets=get("offsets"),
        kinds=kinds.astype(np.uint8),
        values=np.ascontiguousarray(get("values").T),
        late=get("late").astype(np.bool_),
        stranded=get("stranded").astype(np.bool_),
        time_s=get("time_s"),
        tokens=tuple(tokens),
        places=places,
        spans=no_spans() if places is None else np.ascontiguousarray(get("spans").T),
    )


def _check_size(trace: Trace, limits: TraceLimits) -> None:
    """Refuse a trace that would take too long to replay. Raises TooMuch."""
    events = sum(len(system.kinds) for system in trace.systems)
    steps = sum(system.steps for system in trace.systems)
    within(told("events"), events, limits.events)
    within(told("steps in a system"), trace.steps, MAX_STEPS)
    writes = sum(int(np.clip(system.spans.reshape(-1, 5)[:, 2], 0, MAX_STEPS).sum()) for system in trace.systems)
    within(told("events, writes and steps in all systems"), events + writes + steps, limits.work)


def _check(trace: Trace) -> None:
    """Refuse a trace whose columns contradict each other. Raises TraceError or ValueError."""
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
            and (not events or -1 <= system.values[:, 0].min() <= system.values[:, 0].max() < len(trace.requests))
            and len(system.tokens) == len(trace.requests)
            and 1 <= system.slots <= MAX_SLOTS
            and _values_hold(system)
            and _queue_holds(system)
            and bool(np.isfinite(system.time_s).all())
            and _spans_hold(system, len(trace.requests))
        )
        if not sound:
            raise TraceError(
                told("The trace's columns for {name!r} contradict each other: the file is damaged.", name=system.name)
            )


def _values_hold(system: SystemTrace) -> bool:
    """Whether the numbers of every event are in range: only token ids may be larger than twice the largest pool."""
    token = system.kinds == Kind.WRITTEN
    a, b, c, d = system.values.reshape(-1, 5).T[1:]
    return all(bool(((column >= -1) & (column <= _LONGEST)).all()) for column in (a, b, d, np.where(token, 0, c)))


def _queue_holds(system: SystemTrace) -> bool:
    """Whether the initial free queue names blocks of this pool only, and none of them twice."""
    blocks = system.slots // system.block_size if system.block_size else 0
    return len(set(system.free_order)) == len(system.free_order) and all(b < blocks for b in system.free_order)


def _spans_hold(system: SystemTrace, requests: int) -> bool:
    """Whether every span names a sequence and steps that exist, in the order of their first steps."""
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
    """Load a trace file. Raises TraceError, whose message names the file."""
    try:
        data = read_file(path, COMMAND_LINE.packed)
    except OSError as error:
        raise TraceError(told("The file {path!r} cannot be read: {why}.", path=str(path), why=error)) from None
    except ValueError:
        raise TraceError(told("The file name {path!r} is not one that a file can have.", path=str(path))) from None
    try:
        return load(data)
    except TraceError as error:
        raise TraceError(told("{path!r}: {error}", path=str(path), error=error)) from None
