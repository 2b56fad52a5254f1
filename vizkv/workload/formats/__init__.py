"""Public formats of workload files: one declaration or reader per format, chosen by name or recognised by its fields.

Nothing is guessed: a file is recognised only if its fields are those of exactly one format. The format decides the unit
of times and the number of tokens per content hash (docs/workloads.md).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, BinaryIO, Literal, Protocol

from vizkv.limits.readers import TooMuch, parse_json
from vizkv.messages.reasons import reason
from vizkv.messages.sentence import Told, joined, told
from vizkv.messages.validation import either, shorten
from vizkv.scenario.schema import FORMATS as NAMES
from vizkv.scenario.schema import ScenarioError
from vizkv.workload.formats.base import Place, Record, Recorded, Records, renumbered
from vizkv.workload.formats.sessions import AIPERF, LLMSERVINGSIM
from vizkv.workload.formats.tables import AZURE, BAILIAN, BURSTGPT, MOONCAKE, VIDUR
from vizkv.workload.formats.texts import OUTPUT_TOKENS, SHAREGPT, VLLM_CUSTOM, Texts

Kind = Literal["csv", "json"]
Reader = Any  # of the csv module, which does not name the type
Parsed = Recorded | Texts


class Format(Protocol):
    """A reader for the files of one format.

    ``kind``: CSV, or JSON objects, one per line or in a list. ``required``: fields of every record. ``marks``: fields
    by which the format is recognised. ``fields``: all fields, in words.
    """

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def required(self) -> tuple[str, ...]: ...
    @property
    def marks(self) -> tuple[str, ...]: ...
    @property
    def fields(self) -> Told | str: ...
    def read(self, records: Records, name: str) -> Parsed:
        """Return the requests of a file. Raises ScenarioError."""


_ALL: tuple[Format, ...] = (AZURE, MOONCAKE, BAILIAN, BURSTGPT, VIDUR, AIPERF, LLMSERVINGSIM, SHAREGPT, VLLM_CUSTOM)
FORMATS: dict[str, Format] = {one.name: one for one in _ALL}
_LOOKED_AT = 100  # records whose fields decide the format
_MOONCAKE_ONLY = {*MOONCAKE.required, MOONCAKE.names}
_PACKED = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)


def parse(file: BinaryIO, name: str, declared: str | None = None) -> Parsed:
    """Return the requests of a file. ``declared``: its format, if the user named it; otherwise it is recognised.

    Raises ScenarioError, whose message names the file.
    """
    head = file.read(65_536)
    _refuse_binary(head, name)
    file.seek(0)
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    kind: Kind = "json" if first in (b"{", b"[") else "csv"
    try:
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            fields = list[str]()
            if kind == "csv":
                reader = csv.reader(text)
                fields = _titles(reader, name)
                records = _rows(reader, fields, name)
            else:
                records = _list(text, name) if first == b"[" else _lines(text, name)
            begin = list(islice(records, _LOOKED_AT))
            fields = fields or list(dict.fromkeys(str(key) for _, record in begin for key in record))
            chosen = (
                _declared(declared, kind, name) if declared
                else recognised(kind, fields, [record for _, record in begin], name)
            )  # fmt: skip
            found = chosen.read(chain(begin, records), name)
    except UnicodeDecodeError:
        raise ScenarioError(
            told("The trace {name!r} is a binary file; valid is text (CSV or JSON) in UTF-8.", name=name)
        ) from None
    if not len(found):
        if found.left_out:
            raise ScenarioError(
                told(
                    "The trace {name!r} has zero requests with a prompt and an answer, and {left_out} without; valid "
                    "is at least one with both.",
                    name=name,
                    left_out=found.left_out,
                )
            )
        raise ScenarioError(told("The trace {name!r} has zero requests; valid is at least one.", name=name))
    return found


def _refuse_binary(head: bytes, name: str) -> None:
    """Refuse a file that is compressed, binary or empty. ``head``: its beginning. Raises ScenarioError."""
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
        raise ScenarioError(told("The trace {name!r} is a binary file; valid is text (CSV or JSON).", name=name))
    if not head.strip():
        raise ScenarioError(
            told("The trace {name!r} is empty; valid is CSV or JSON with at least one request.", name=name)
        )


# ---- which format ----------------------------------------------------------------------------------------------------


def _declared(declared: str, kind: Kind, name: str) -> Format:
    """Return the format that the user named. Raises ScenarioError if it is CSV and the file is JSON, or vice versa."""
    chosen = FORMATS[declared]
    if chosen.kind != kind:
        raise ScenarioError(
            told(
                "The trace {name!r} is {is_kind}, and the format {format} is {other}; valid is another format.",
                name=name,
                is_kind=_KINDS[kind],
                format=declared,
                other=_KINDS["json" if kind == "csv" else "csv"],
            )
        )
    return chosen


_KINDS: dict[str, str] = {"csv": told("CSV"), "json": told("JSON")}


def recognised(kind: Kind, fields: Sequence[str], records: Sequence[dict[str, Any]], name: str) -> Format:
    """Return the only format that matches a file. Raises ScenarioError if none does, or several do.

    ``fields``: the fields of ``records``, the first records of the file.
    """
    known = set(fields)
    found = [one for one in _ALL if one.kind == kind and _is(one, known, records)]
    if not found and known.issuperset(MOONCAKE.required):
        found = [MOONCAKE, BAILIAN, AIPERF]  # same fields, different units: the user has to choose
    if len(found) == 1:
        return found[0]
    shown = shorten(", ".join(fields[:20]))
    if found:
        names = [one.name for one in found]
        raise ScenarioError(
            told(
                "The trace {name!r} has the fields {fields}, which may be of the format {formats}; valid is to say "
                'which: format = "{first}" in [workload], --format {first} on the command line, or the field Format '
                "on a page.",
                name=name,
                fields=shown,
                formats=either(names),
                first=names[0],
            )
        )
    near = max(_ALL, key=lambda one: (one.kind == kind and not one.marks) * len(known.intersection(one.required)))
    if near.kind == kind and known.intersection(near.required):
        raise ScenarioError(
            told(
                "The trace {name!r} has no field {missing} (its fields are {fields}); valid in the format {format} are "
                "{valid}.",
                name=name,
                missing=next(field for field in near.required if field not in known),
                fields=shown,
                format=near.name,
                valid=near.fields,
            )
        )
    valid = [
        told("{format} ({fields})", format=one.name, fields=joined(one.required)) for one in _ALL if one.kind == kind
    ]
    raise ScenarioError(
        told(
            "The trace {name!r} has the fields {fields}, by which no format is known; valid as {kind} is {formats}.",
            name=name,
            fields=shown,
            kind=_KINDS[kind],
            formats=joined(valid),
        )
    )


def _is(one: Format, known: set[str], records: Sequence[dict[str, Any]]) -> bool:
    """Whether the fields and first records of a file match a format."""
    if one is LLMSERVINGSIM and "sub_requests" in known:
        return True
    if one is MOONCAKE and not known <= _MOONCAKE_ONLY:
        return False
    marked = not one.marks or any(mark in known for mark in one.marks)
    return marked and known.issuperset(one.required) and (one is not MOONCAKE or not _has_names_for_16(records))


def _has_names_for_16(records: Iterable[dict[str, Any]]) -> bool:
    """Whether the first content hashes cover 16 tokens each, which they never do in files of Mooncake."""
    for record in records:
        names, prompt = record.get(MOONCAKE.names), record.get(MOONCAKE.prompt)
        if isinstance(names, list) and names and isinstance(prompt, int | float) and 0 < prompt < 1e9:
            each = [-(-int(prompt) // one.step) for one in (MOONCAKE, BAILIAN)]
            return len(names) == each[1] != each[0]
    return False


# ---- records ---------------------------------------------------------------------------------------------------------


def _titles(reader: Reader, name: str) -> list[str]:
    with _told_as_csv(reader, name):
        return [title.strip() for title in next(reader)]


def _rows(reader: Reader, titles: list[str], name: str) -> Iterator[Record]:
    """Yield the lines below the header as records."""
    with _told_as_csv(reader, name):
        for cells in reader:
            if not any(cells):
                continue
            place = Place(name, reader.line_num)
            if len(cells) != len(titles):
                raise ScenarioError(
                    told(
                        "{at}, has {count} cells; valid are {wanted}, as in its first line.",
                        at=place(),
                        count=len(cells),
                        wanted=len(titles),
                    )
                )
            yield place, dict(zip(titles, cells, strict=True))


@contextmanager
def _told_as_csv(reader: Reader, name: str) -> Iterator[None]:
    """Raise an error of the CSV reader as ScenarioError."""
    try:
        yield
    except csv.Error as error:
        raise ScenarioError(
            told(
                "The trace {name!r}, line {line_num}, is not CSV: {error}.",
                name=name,
                line_num=reader.line_num,
                error=reason(error),
            )
        ) from None


def _lines(text: Iterable[str], name: str) -> Iterator[Record]:
    """Yield the records of a file with one JSON object per line."""
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        place = Place(name, number)
        try:
            record = parse_json(line.encode())
        except TooMuch as error:
            raise ScenarioError(told("{at}, cannot be read: {why}", at=place(), why=error)) from None
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise ScenarioError(
                told("{at}, is {line}; valid is one JSON object a line.", at=place(), line=shorten(line.strip()))
            )
        yield place, record


def _list(text: io.TextIOBase, name: str) -> Iterator[Record]:
    """Yield the records of a file with one JSON list of objects."""
    try:
        items = parse_json(text.read().encode())
    except TooMuch as error:
        raise ScenarioError(told("The trace {name!r} cannot be read: {why}", name=name, why=error)) from None
    except json.JSONDecodeError as error:
        raise ScenarioError(told("The trace {name!r} is not JSON: {error}.", name=name, error=reason(error))) from None
    except UnicodeDecodeError:
        raise
    except ValueError:
        why = told("its lists are nested too deeply, or a number has thousands of digits")
        raise ScenarioError(told("The trace {name!r} is not JSON: {error}.", name=name, error=why)) from None
    for number, item in enumerate(items, 1):
        place = Place(name, number, "item")
        if not isinstance(item, dict):
            raise ScenarioError(told("{at}, is {item}; valid is a JSON object.", at=place(), item=shorten(item)))
        yield place, item


__all__ = ["FORMATS", "NAMES", "OUTPUT_TOKENS", "Format", "Parsed", "Recorded", "Texts", "parse",
           "recognised", "renumbered"]  # fmt: skip
