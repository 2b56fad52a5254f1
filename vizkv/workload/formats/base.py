"""The common part of all readers of workload files: the parsed requests, and how fields are parsed and refused."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import numpy as np

from vizkv.limits.limits import MAX_WORKLOAD_NAMES, MAX_WORKLOAD_REQUESTS
from vizkv.messages.sentence import Told, told
from vizkv.messages.validation import shorten
from vizkv.scenario.requests import MAX_SLOTS, read_whole
from vizkv.scenario.schema import ScenarioError

_NAMES = 2**31  # content hashes are renumbered below this: token ids made from them then stay below 2**40
_LENGTHS = told("a whole number from {low} to {high}", low=1, high=MAX_SLOTS)
_LENGTHS_OR_NONE = told("a whole number from {low} to {high}", low=0, high=MAX_SLOTS)
_SECONDS = told("a number of seconds")
_MILLISECONDS = told("a number of milliseconds")
_NANOSECONDS = told("a number of nanoseconds")
_MOMENT = told("a date and time, or a number of seconds")

Unit = Literal["date", "s", "ms", "ns"]
_PER_SECOND: dict[str, float] = {"s": 1.0, "ms": 1e3, "ns": 1e9}
_VALID: dict[str, Told] = {"date": _MOMENT, "s": _SECONDS, "ms": _MILLISECONDS, "ns": _NANOSECONDS}


@dataclass(frozen=True, eq=False)
class Recorded:
    """The requests of a file, in its order: seconds [n], prompt tokens [n], output tokens [n], content hashes.

    ``format``: as in FORMATS. ``hash_ids``: empty if the prompts have no content hashes, else one sequence per request
    with a hash per ``step`` tokens. ``left_out``: number of requests that failed. ``timed``: whether the file has
    times.
    """

    format: str
    time_s: np.ndarray
    prompts: np.ndarray
    outputs: np.ndarray
    hash_ids: tuple[Sequence[int], ...] = ()
    step: int = 0
    left_out: int = 0
    timed: bool = True

    def __len__(self) -> int:
        return len(self.time_s)


class Place(NamedTuple):
    """The position of a record in its file."""

    name: str
    number: int
    word: Literal["line", "item"] = "line"

    def __call__(self) -> Told:
        """Return the beginning of a sentence about the record."""
        if self.word == "item":
            return told("The trace {name!r}, item {item}", name=self.name, item=self.number)
        return told("The trace {name!r}, line {line}", name=self.name, line=self.number)


Record = tuple[Place, dict[str, Any]]
Records = Iterator[Record]


@dataclass
class Rows:
    """Collects the requests of a file, and refuses too many. ``names``: number of content hashes that take memory."""

    name: str
    times: list[float] = field(default_factory=list)
    prompts: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    named: list[Sequence[int]] = field(default_factory=list)
    left_out: int = 0
    names: int = 0

    def add(self, time_s: float, prompt: int, output: int, named: Sequence[int] = (), *, own: bool = True) -> None:
        """Add a request. ``named``: its content hashes; ``own``: whether they take memory. Raises ScenarioError."""
        self.times.append(time_s)
        self.prompts.append(prompt)
        self.outputs.append(output)
        self.named.append(named)
        self.names += len(named) if own else 0
        if len(self.times) > MAX_WORKLOAD_REQUESTS:
            raise too_many(self.name)
        if self.names > MAX_WORKLOAD_NAMES:
            raise ScenarioError(
                told(
                    "The trace {name!r} names more than {max_names} pieces of content; valid is at most that many.",
                    name=self.name,
                    max_names=MAX_WORKLOAD_NAMES,
                )
            )

    def recorded(self, format: str, step: int = 0, *, timed: bool = True) -> Recorded:
        """Return the collected requests."""
        named = tuple(self.named) if any(map(len, self.named)) else ()
        if any(isinstance(names, tuple) and names for names in named):  # some hashes are too large, see _ids
            named = renumbered(named)
        return Recorded(
            format, np.array(self.times, float), np.array(self.prompts, int), np.array(self.outputs, int), named,
            step if named else 0, self.left_out, timed,
        )  # fmt: skip


def too_many(name: str) -> ScenarioError:
    """Return the error for a file with too many requests."""
    return ScenarioError(
        told(
            "The trace {name!r} has more than {max_rows} requests; valid is at most that many.",
            name=name,
            max_rows=MAX_WORKLOAD_REQUESTS,
        )
    )


def renumbered(named: Iterable[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Return the content hashes renumbered as 0, 1, 2, ...; equal ones stay equal."""
    short: dict[int, int] = {}
    return tuple(tuple(short.setdefault(name, len(short)) for name in names) for names in named)


def missing(place: Place, record: dict[str, Any], fields: Iterable[str], valid: Told | str) -> None:
    """Raise ScenarioError if a record lacks one of the fields. ``valid``: all fields, in words."""
    for name in fields:
        if name not in record:
            raise ScenarioError(
                told(
                    "{at}, has no field {missing} (its fields are {fields}); valid are {valid}.",
                    at=place(),
                    missing=name,
                    fields=shorten(", ".join(map(str, record))),
                    valid=valid,
                )
            )


def parsed(place: Place, name: str, value: Any, read: Callable[[Any], Any], valid: str) -> Any:
    """Return a field's value, parsed by ``read``. Raises ScenarioError if ``read`` fails. ``valid``: in words."""
    try:
        return read(value)
    except (ValueError, TypeError, OverflowError):
        raise ScenarioError(
            told("{at}: {field} is {value}; valid is {valid}.", at=place(), field=name, value=shorten(value),
                 valid=valid)
        ) from None  # fmt: skip


def tokens(place: Place, name: str, value: Any, *, least: Literal[0, 1] = 1) -> int:
    """Return a number of tokens; 100.0 is the whole number 100. Raises ScenarioError."""
    valid = _LENGTHS if least else _LENGTHS_OR_NONE
    count: int = parsed(place, name, value, lambda given: _whole(given, least), valid)
    return count


def moment(place: Place, name: str, value: Any, unit: Unit) -> float:
    """Return a time in seconds. Raises ScenarioError."""
    seconds: float = parsed(place, name, value, lambda given: _seconds(given, unit), _VALID[unit])
    return seconds


def ids(place: Place, name: str, value: Any) -> Sequence[int]:
    """Return a list of whole numbers. Raises ScenarioError."""
    found: Sequence[int] = parsed(place, name, value, _ids, told("a list of whole numbers"))
    return found


def text(place: Place, name: str, value: Any) -> str:
    """Return a text. Raises ScenarioError."""
    found: str = parsed(place, name, value, _text, told("a text"))
    return found


def pieces(place: Place, name: str, value: Any, prompt: int, step: int, length: str) -> Sequence[int]:
    """Return the content hashes of a prompt, one per ``step`` tokens, or none. Raises ScenarioError.

    ``length``: name of the field with the prompt's length, for the message.
    """
    named = ids(place, name, value)
    wanted = -(-prompt // step)
    if named and len(named) != wanted:
        raise ScenarioError(
            told(
                "{at}: {field} has {count} items for {length} = {prompt}; valid is {wanted}, one for each {step} "
                "tokens.",
                at=place(),
                field=name,
                count=len(named),
                length=length,
                prompt=prompt,
                wanted=wanted,
                step=step,
            )
        )
    return named


def _whole(value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    count = read_whole(value) if isinstance(value, str) else int(value)
    if not least <= count <= MAX_SLOTS or (isinstance(value, float) and value != count):
        raise ValueError
    return count


def _seconds(value: Any, unit: Unit) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    try:
        number = float(value)
    except ValueError:
        if unit != "date":
            raise
        found = datetime.fromisoformat(str(value).strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(number):
        raise OverflowError
    return number / _PER_SECOND.get(unit, 1.0)


def _ids(value: Any) -> Sequence[int]:
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise TypeError
    if not value:
        return ()
    small = 0 <= min(value) and max(value) < _NAMES
    return memoryview(array("i", value)) if small else tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
