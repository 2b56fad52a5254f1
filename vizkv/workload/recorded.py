"""Recorded traces: CSV with Azure's columns, JSONL with Mooncake's fields. Every refusal is one sentence.

Nothing is guessed: a line that is not a request is named, with its number, and the file refused.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vizkv.reasons import reason
from vizkv.scenario import LENGTH_SETS, MAX_SLOTS, ScenarioError, Workload
from vizkv.told import joined, told
from vizkv.workload.arrival import BLOCK

MAX_TRACE_BYTES = 200 * 10**6
MAX_ROWS = 1_000_000
CSV_COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
JSONL_FIELDS = ("timestamp", "input_length", "output_length")
_NAMES = 2**31  # a piece of content's name is below this: the ids of its tokens then stay below 2**40
_LENGTHS = told("a whole number from {low} to {high}", low=1, high=MAX_SLOTS)
_PACKED = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A trace in the file's order: seconds [n], prompt tokens [n], output tokens [n], names of the prompts' blocks.

    ``hash_ids`` is empty where the trace names no content at all, else one tuple a request, for 512 tokens a name.
    """

    time_s: np.ndarray
    prompts: np.ndarray
    outputs: np.ndarray
    hash_ids: tuple[tuple[int, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.time_s)


def read_trace(name: str) -> Recorded:
    """A file, read once for as long as it does not change. Raises ScenarioError."""
    path = Path(name)
    try:
        if not path.is_file():
            raise ScenarioError(
                told(
                    "The field workload.lengths is {name!r}, which is neither a set nor a file; valid is a file's "
                    "name, one of the sets {length_sets}, or {made_up}.",
                    name=name,
                    length_sets=joined(LENGTH_SETS),
                    made_up=joined(Workload.MADE_UP),
                )
            )
        facts = path.stat()
        return _read(str(path.resolve()), name, facts.st_mtime_ns, facts.st_size)
    except OSError as error:
        raise ScenarioError(told("The trace {name!r} cannot be read: {why}.", name=name, why=error)) from None


@lru_cache(4)
def _read(path: str, name: str, changed: int, size: int) -> Recorded:
    if size > MAX_TRACE_BYTES:
        raise ScenarioError(
            told(
                "The trace {name!r} has {size:.0f} MB; valid is at most {most} MB.",
                name=name,
                size=size / 1000000.0,
                most=MAX_TRACE_BYTES // 10**6,
            )
        )
    with open(path, "rb") as file:
        return _parse(file, name)


def parse(data: bytes, name: str) -> Recorded:
    """The content of a file. Raises ScenarioError with one sentence that begins with the file's name."""
    return _parse(io.BytesIO(data), name)


def _parse(file: BinaryIO, name: str) -> Recorded:
    head = file.read(65_536)
    packed = next((what for start, what in _PACKED if head.startswith(start)), None)
    if packed:
        raise ScenarioError(
            told(
                "The trace {name!r} is a binary file, packed with {packed}; valid is it unpacked.",
                name=name,
                packed=packed,
            )
        )
    if b"\0" in head:
        raise ScenarioError(told("The trace {name!r} is a binary file; valid is text (CSV or JSONL).", name=name))
    if not head.strip():
        raise ScenarioError(
            told("The trace {name!r} is empty; valid is CSV or JSONL with at least one request.", name=name)
        )
    file.seek(0)
    jsonl = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    try:
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            recorded = _jsonl(text, name) if jsonl else _csv(text, name)
    except UnicodeDecodeError:
        raise ScenarioError(
            told("The trace {name!r} is a binary file; valid is text (CSV or JSONL) in UTF-8.", name=name)
        ) from None
    if not len(recorded):
        raise ScenarioError(
            told("The trace {name!r} has zero requests; valid is at least one after the line of names.", name=name)
        )
    return recorded


def _recorded(rows: Iterable[tuple[float, int, int]], hash_ids: list[tuple[int, ...]]) -> Recorded:
    times, prompts, outputs = [np.array(column) for column in zip(*rows, strict=True)] or [np.array([])] * 3
    named = tuple(hash_ids) if any(hash_ids) else ()
    if not all(0 <= name < _NAMES for name in chain.from_iterable(named)):
        named = renumbered(named)
    return Recorded(times.astype(float), prompts, outputs, named)


def renumbered(named: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """The same names as 0, 1, 2, ...: all that counts is which are equal."""
    short: dict[int, int] = {}
    return tuple(tuple(short.setdefault(name, len(short)) for name in names) for names in named)


def _too_many(name: str) -> ScenarioError:
    return ScenarioError(
        told(
            "The trace {name!r} has more than {max_rows} requests; valid is at most that many.",
            name=name,
            max_rows=MAX_ROWS,
        )
    )


def _csv(text: Iterable[str], name: str) -> Recorded:
    reader = csv.reader(text)
    rows: list[tuple[float, int, int]] = []
    try:
        titles = [title.strip() for title in next(reader)]
        missing = [column for column in CSV_COLUMNS if column not in titles]
        if missing:
            raise ScenarioError(
                told(
                    "The trace {name!r} has no column {missing} (its first line is {titles}); valid is CSV with the "
                    "columns {csv_columns}, or JSONL with {jsonl_fields}.",
                    name=name,
                    missing=missing[0],
                    titles=_short(",".join(titles[:20])),
                    csv_columns=joined(CSV_COLUMNS),
                    jsonl_fields=joined(JSONL_FIELDS),
                )
            )
        when, prompt, output = (titles.index(column) for column in CSV_COLUMNS)
        for cells in reader:
            if not any(cells):
                continue
            at = told("The trace {name!r}, line {line}", name=name, line=reader.line_num)
            if len(cells) != len(titles):
                raise ScenarioError(
                    told(
                        "{at}, has {count} cells; valid are {wanted}, as in its first line.",
                        at=at,
                        count=len(cells),
                        wanted=len(titles),
                    )
                )
            rows.append((
                _field(at, CSV_COLUMNS[0], cells[when], _seconds, told("a date and time, or a number of seconds")),
                _field(at, CSV_COLUMNS[1], cells[prompt], _length, _LENGTHS),
                _field(at, CSV_COLUMNS[2], cells[output], _length, _LENGTHS),
            ))  # fmt: skip
            if len(rows) > MAX_ROWS:
                raise _too_many(name)
    except csv.Error as error:
        raise ScenarioError(
            told(
                "The trace {name!r}, line {line_num}, is not CSV: {error}.",
                name=name,
                line_num=reader.line_num,
                error=reason(error),
            )
        ) from None
    return _recorded(rows, [])


def _jsonl(text: Iterable[str], name: str) -> Recorded:
    rows: list[tuple[float, int, int]] = []
    names: list[tuple[int, ...]] = []
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        at = told("The trace {name!r}, line {line}", name=name, line=number)
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise ScenarioError(
                told("{at}, is {line}; valid is one JSON object a line.", at=at, line=_short(line.strip()))
            )
        missing = next((field for field in JSONL_FIELDS if field not in record), None)
        if missing:
            raise ScenarioError(
                told(
                    "{at}, has no field {missing} (its fields are {fields}); valid are {jsonl_fields} and, if "
                    "wanted, hash_ids.",
                    at=at,
                    missing=missing,
                    fields=_short(", ".join(record)),
                    jsonl_fields=joined(JSONL_FIELDS),
                )
            )
        prompt = _field(at, "input_length", record["input_length"], _length, _LENGTHS)
        rows.append((
            _field(at, "timestamp", record["timestamp"], _milliseconds, told("a number of milliseconds")),
            prompt,
            _field(at, "output_length", record["output_length"], _length, _LENGTHS),
        ))  # fmt: skip
        named = _field(at, "hash_ids", record.get("hash_ids", []), _hash_ids, told("a list of whole numbers"))
        blocks = -(-prompt // BLOCK)
        if named and len(named) < blocks:
            raise ScenarioError(
                told(
                    "{at}: hash_ids has {count} items for input_length = {prompt}; valid are {blocks}, one for each "
                    "{block} tokens.",
                    at=at,
                    count=len(named),
                    prompt=prompt,
                    blocks=blocks,
                    block=BLOCK,
                )
            )
        names.append(named[:blocks])
        if len(rows) > MAX_ROWS:
            raise _too_many(name)
    return _recorded(rows, names)


def _field(at: str, field: str, value: Any, read: Callable[[Any], Any], valid: str) -> Any:
    try:
        return read(value)
    except (ValueError, TypeError, OverflowError):
        raise ScenarioError(
            told("{at}: {field} is {value}; valid is {valid}.", at=at, field=field, value=_short(value), valid=valid)
        ) from None


def _length(value: Any) -> int:
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise TypeError
    number = int(value)
    if not 1 <= number <= MAX_SLOTS:
        raise ValueError
    return number


def _seconds(value: str) -> float:
    try:
        return _finite(float(value))
    except ValueError:
        moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _milliseconds(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError
    return _finite(value) / 1000


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise OverflowError  # not a ValueError: "nan" must not be tried as a date
    return float(value)


def _hash_ids(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise TypeError
    return tuple(value)


def _short(value: Any) -> str:
    text = repr(value[:100] if isinstance(value, str) else value)
    return text if len(text) <= 60 else text[:57] + "..."
