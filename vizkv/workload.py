"""Arrivals and lengths of a workload: drawn from quantiles that were measured, or read from a recorded trace.

Everything random comes from ``scenario.seed``; arrivals, prompts and outputs each have a generator of their own, so
that another rate does not change the lengths. Nothing is left out for being too long: the engine reports it.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from vizkv.scenario import LENGTH_SETS, MAX_REQUESTS, MAX_SLOTS, MAX_TOKENS, Scenario, ScenarioError, Workload

MAX_TRACE_BYTES = 200 * 10**6
CSV_COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
JSONL_FIELDS = ("timestamp", "input_length", "output_length")
_DATA = Path(__file__).parent / "data" / "lengths.json"
_ALIASES = {"sharegpt": "sharegpt_paper_filtered"}


@dataclass(frozen=True)
class Arrival:
    """One request of a workload. ``output_tokens``: sampled ones; ``time_s``: seconds after the first possible one."""

    id: str
    prompt_tokens: int
    output_tokens: int
    time_s: float
    hash_ids: tuple[int, ...] = ()  # the trace's names of the prompt's blocks: equal ids, equal content


@dataclass(frozen=True)
class Clock:
    """How long an iteration takes: a fixed time, and some for each token in it."""

    iteration_ms: float = 33.0
    token_ms: float = 0.1

    @classmethod
    def of(cls, workload: Workload) -> Clock:
        """The clock that a workload asks for."""
        return cls(workload.iteration_ms, workload.token_ms)

    def seconds(self, tokens: int) -> float:
        """Duration of an iteration that computes so many tokens."""
        return (self.iteration_ms + self.token_ms * tokens) / 1000


@dataclass(frozen=True)
class _Row:
    time_s: float
    prompt: int
    output: int
    hash_ids: tuple[int, ...] = ()


def draw(workload: Workload, scenario: Scenario) -> list[Arrival]:
    """The requests of a workload in the order of arrival, those before ``workload.duration``.

    Raises ScenarioError for a set that does not exist, a file that cannot be used, and no requests at all.
    """
    seeds = np.random.SeedSequence(scenario.seed).spawn(4)
    times, prompts, outputs, picks = (np.random.default_rng(seed) for seed in seeds)
    if workload.lengths in LENGTH_SETS:
        if workload.arrivals == "trace":
            raise ScenarioError(
                f"The field workload.arrivals is 'trace', but workload.lengths = {workload.lengths!r} is a set without "
                "recorded times; valid is 'poisson', or a file for workload.lengths."
            )
        at = _poisson(workload, times)
        pairs = draw_lengths(workload.lengths, len(at), prompts, outputs)
        rows = [_Row(t, p, o) for t, (p, o) in zip(at, pairs, strict=True)]
    else:
        recorded = read_trace(workload.lengths)
        if workload.arrivals == "trace":
            start = min(row.time_s for row in recorded)
            rows = [_Row(row.time_s - start, row.prompt, row.output, row.hash_ids) for row in recorded]
            rows = sorted((row for row in rows if row.time_s < workload.duration), key=lambda row: row.time_s)
        else:  # prompt and output stay together, as they were recorded
            at = _poisson(workload, times)
            chosen = [recorded[i] for i in picks.integers(len(recorded), size=len(at))]
            rows = [_Row(t, row.prompt, row.output, row.hash_ids) for t, row in zip(at, chosen, strict=True)]
    _check_size(rows, workload, min(scenario.max_model_len, scenario.slots))
    return [Arrival(str(i + 1), row.prompt, row.output, row.time_s, row.hash_ids) for i, row in enumerate(rows)]


def _check_size(rows: list[_Row], workload: Workload, longest: int) -> None:
    given = f"rate = {workload.rate:g}, " if workload.arrivals == "poisson" else ""
    given += f"duration = {workload.duration:g}"
    if not rows:
        raise ScenarioError(f"The workload ({given}) has zero requests; valid is a longer duration or a higher rate.")
    # one that can never run costs nothing
    tokens = sum(row.prompt + row.output for row in rows if row.prompt + row.output - 1 <= longest)
    for count, most, what in ((len(rows), MAX_REQUESTS, "requests"), (tokens, MAX_TOKENS, "tokens to compute")):
        if count > most:
            raise ScenarioError(
                f"The workload ({given}) has {count} {what}; valid is at most {most}: give a shorter duration."
            )


def _poisson(workload: Workload, generator: np.random.Generator) -> list[float]:
    """Times of a Poisson process, in seconds, below the duration."""
    times: list[float] = []
    now = 0.0
    while now < workload.duration:
        for gap in generator.exponential(1 / workload.rate, size=1024):
            now += float(gap)
            if now >= workload.duration:
                break
            times.append(now)
    return times


@cache
def _sets() -> dict[str, Any]:
    return json.loads(_DATA.read_text(encoding="utf-8"))


def draw_lengths(
    name: str, count: int, prompts: np.random.Generator, outputs: np.random.Generator
) -> list[tuple[int, int]]:
    """(prompt, output) tokens from a set of :data:`LENGTH_SETS`, independent of each other.

    A length lies between two quantiles as if its logarithm were uniform there. A set that was filtered by the total
    is filtered here too: a pair over it is drawn again.
    """
    data = _sets()
    lengths = data["sets"][_ALIASES.get(name, name)]
    limit = lengths.get("total_below", math.inf)
    pairs: list[tuple[int, int]] = []
    while len(pairs) < count:
        left = count - len(pairs)
        drawn = []
        for side, generator in (("prompt", prompts), ("output", outputs)):
            logs = np.interp(generator.random(left), data["levels"], np.log(lengths[side]["quantiles"]))
            drawn.append(np.maximum(1, np.rint(np.exp(logs))).astype(int).tolist())
        pairs += [(p, o) for p, o in zip(*drawn, strict=True) if p + o < limit]
    return pairs


# ---- recorded traces ----


def read_trace(name: str) -> list[_Row]:
    """All requests of a CSV (Azure) or JSONL (Mooncake) file, in the file's order. Raises ScenarioError."""
    path = Path(name)
    try:
        if not path.is_file():
            raise ScenarioError(
                f"The field workload.lengths is {name!r}, which is neither a set nor a file; valid is a file's name or "
                f"one of the sets {', '.join(LENGTH_SETS)}."
            )
        size = path.stat().st_size
        if size > MAX_TRACE_BYTES:
            raise ScenarioError(
                f"The trace {name!r} has {size / 1e6:.0f} MB; valid is at most {MAX_TRACE_BYTES // 10**6} MB."
            )
        with path.open("rb") as file:
            head = file.read(65_536)
        if b"\0" in head or head.startswith((b"\x1f\x8b", b"PK\x03\x04")):
            raise ScenarioError(f"The trace {name!r} is a binary file; valid is text (CSV or JSONL), unpacked.")
        if not head.strip():
            raise ScenarioError(f"The trace {name!r} is empty; valid is CSV or JSONL with at least one request.")
        with path.open(encoding="utf-8-sig", newline="") as text:
            rows = list((_jsonl if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" else _csv)(text, name))
    except OSError as error:
        raise ScenarioError(f"The trace {name!r} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"The trace {name!r} is a binary file; valid is text (CSV or JSONL) in UTF-8.") from None
    if not rows:
        raise ScenarioError(f"The trace {name!r} has zero requests; valid is at least one after the line of names.")
    return rows


def _csv(text: Any, name: str) -> Iterator[_Row]:
    reader = csv.reader(text)
    try:
        titles = [title.strip() for title in next(reader)]
        missing = [column for column in CSV_COLUMNS if column not in titles]
        if missing:
            raise ScenarioError(
                f"The trace {name!r} has no column {missing[0]} (its first line is {_short(','.join(titles))}); "
                f"valid is CSV with the columns {', '.join(CSV_COLUMNS)}, or JSONL with {', '.join(JSONL_FIELDS)}."
            )
        when, prompt, output = (titles.index(column) for column in CSV_COLUMNS)
        for cells in reader:
            if not any(cells):
                continue
            at = f"The trace {name!r}, line {reader.line_num}"
            if len(cells) != len(titles):
                raise ScenarioError(f"{at}, has {len(cells)} cells; valid are {len(titles)}, as in its first line.")
            yield _Row(
                _field(at, CSV_COLUMNS[0], cells[when], _seconds, "a date and time, or a number of seconds"),
                _field(at, CSV_COLUMNS[1], cells[prompt], _length, _LENGTHS),
                _field(at, CSV_COLUMNS[2], cells[output], _length, _LENGTHS),
            )
    except csv.Error as error:
        raise ScenarioError(f"The trace {name!r}, line {reader.line_num}, is not CSV: {error}.") from None


def _jsonl(text: Any, name: str) -> Iterator[_Row]:
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        at = f"The trace {name!r}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise ScenarioError(f"{at}, is {_short(line.strip())}; valid is one JSON object a line.")
        missing = next((field for field in JSONL_FIELDS if field not in record), None)
        if missing:
            raise ScenarioError(
                f"{at}, has no field {missing} (its fields are {_short(', '.join(record))}); valid are "
                f"{', '.join(JSONL_FIELDS)} and, if wanted, hash_ids."
            )
        yield _Row(
            _field(at, "timestamp", record["timestamp"], _milliseconds, "a number of milliseconds"),
            _field(at, "input_length", record["input_length"], _length, _LENGTHS),
            _field(at, "output_length", record["output_length"], _length, _LENGTHS),
            _field(at, "hash_ids", record.get("hash_ids", []), _hash_ids, "a list of whole numbers"),
        )


_LENGTHS = f"a whole number from 1 to {MAX_SLOTS}"


def _field(at: str, field: str, value: Any, read: Callable[[Any], Any], valid: str) -> Any:
    try:
        return read(value)
    except (ValueError, TypeError, OverflowError):
        raise ScenarioError(f"{at}: {field} is {_short(value)}; valid is {valid}.") from None


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
