"""Everything that happened in a run, step by step: immutable, columnar, one file.

A trace holds the events of each system (see :mod:`vizkv.events`) and nothing that can be derived from them: slot
states, ledgers, block tables and free queues come from :mod:`vizkv.replay`.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vizkv import __version__
from vizkv.events import Event, Kind

FORMAT = "vizkv trace"
VERSION = 2
MAX_FILE = 512 * 2**20
_COLUMNS = ("request", "a", "b", "c", "d")


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


@dataclass(frozen=True)
class SystemTrace:
    """One system's part. Event columns have one entry an event, in order; ``offsets`` [steps + 1] cuts them into steps.

    ``late`` marks events after which the ledger of their step was already closed: what finished requests give back.
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
    tokens: tuple[tuple[int, ...], ...]  # sampled token ids of each sequence
    vocabulary: dict[int, str] = field(default_factory=dict)  # texts of ids, where this system's own text differs

    @property
    def steps(self) -> int:
        """Number of steps until the system was idle for good."""
        return len(self.offsets) - 1

    @cached_property
    def _rows(self) -> tuple[list, list]:
        return [Event(Kind(k), *v) for k, v in zip(self.kinds.tolist(), self.values.tolist(), strict=True)], (
            self.late.tolist()
        )

    def events(self, step: int) -> Iterator[tuple[Event, bool]]:
        """The events of one step with their ``late`` mark."""
        rows, late = self._rows
        for i in range(int(self.offsets[step]), int(self.offsets[step + 1])):
            yield rows[i], bool(late[i])


class SystemRecorder:
    """Collects one system's events while the engine runs, then freezes them."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, ...]] = []
        self._late: list[bool] = []
        self._offsets = [0]
        self._stranded: list[bool] = []
        self._time: list[float] = []

    def add(self, events: list[Event], late: bool = False) -> None:
        """Append events of the step under way."""
        self._rows.extend(events)
        self._late.extend([late] * len(events))

    def tokens_written(self) -> set[int]:
        """The ids of the tokens that ended a piece of written work."""
        return {row[4] for row in self._rows if row[0] == Kind.WRITTEN}

    def close(self, stranded: bool, time_s: float) -> None:
        """End the step."""
        self._offsets.append(len(self._rows))
        self._stranded.append(stranded)
        self._time.append(time_s)

    def freeze(self, **facts: Any) -> SystemTrace:
        """The immutable trace. ``facts``: the fields that the recorder does not know."""
        rows = np.array(self._rows, np.int64).reshape(-1, 6)
        return SystemTrace(
            offsets=np.array(self._offsets, np.int64),
            kinds=rows[:, 0].astype(np.uint8),
            values=rows[:, 1:].copy(),
            late=np.array(self._late, np.bool_),
            stranded=np.array(self._stranded, np.bool_),
            time_s=np.array(self._time, np.float64),
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
            put(f"{i}/tokens", np.array([t for row in s.tokens for t in row], np.int64))
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
        raise TraceError(f"The trace file has {len(data):,} bytes; at most {MAX_FILE:,} can be read.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > 4 * MAX_FILE:
                raise TraceError("The trace file unpacks to more than this program reads; it is damaged.")
            header = json.loads(archive.read("header.json"))
            if header.get("format") != FORMAT:
                raise TraceError("The file is not a vizkv trace; save one from a run and load that.")
            if header["format_version"] != VERSION:
                raise TraceError(
                    f"The trace has format version {header['format_version']}; this vizkv reads version {VERSION}."
                )

            def get(name: str) -> np.ndarray:
                return np.load(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)

            trace = Trace(
                scenario=header["scenario"],
                requests=tuple(
                    RequestFacts(row[0], row[1], row[2], row[3], tuple(row[4]), row[5]) for row in header["requests"]
                ),
                systems=tuple(_system(facts, i, get) for i, facts in enumerate(header["systems"])),
                model=header["model"],
                version=header["vizkv"],
            )
    except TraceError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError):
        raise TraceError("The file is not a complete vizkv trace: it is cut short or damaged.") from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError, NotImplementedError):
        raise TraceError("The file is not a vizkv trace, or its contents are damaged.") from None
    _check(trace)
    return trace


def _system(facts: dict[str, Any], i: int, get: Any) -> SystemTrace:
    tokens, ends = get(f"{i}/tokens").tolist(), np.cumsum(get(f"{i}/token_counts")).tolist()
    starts = [0, *ends[:-1]]
    return SystemTrace(
        name=str(facts["name"]),
        kind=str(facts["kind"]),
        detail=dict(facts["detail"]),
        slots=int(facts["slots"]),
        block_size=int(facts["block_size"]),
        free_order=tuple(facts["free_order"]),
        vocabulary={int(token): str(text) for token, text in facts["vocabulary"]},
        offsets=get(f"{i}/offsets"),
        kinds=get(f"{i}/kinds"),
        values=np.ascontiguousarray(get(f"{i}/values").T),
        late=get(f"{i}/late"),
        stranded=get(f"{i}/stranded"),
        time_s=get(f"{i}/time_s"),
        tokens=tuple(tuple(tokens[a:b]) for a, b in zip(starts, ends, strict=True)),
    )


def _check(trace: Trace) -> None:
    """Refuse a file whose columns contradict each other, before anything is drawn from it."""
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
        )
        if not sound:
            raise TraceError(f"The trace's columns for {system.name!r} contradict each other: the file is damaged.")


def read(path: str | Path) -> Trace:
    """Load a trace file."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TraceError(f"The file {str(path)!r} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise TraceError(f"The file name {str(path)!r} is not one that a file can have.") from None
    return load(data)
