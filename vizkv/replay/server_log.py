"""Read what a server recorded while it ran a workload: requests running and waiting, and KV cache usage, over time.

The file is a CSV with columns named like vLLM's metrics or like the output of LLMServingSim's benchmark, or a log of
vLLM. The name of a column decides its unit.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from vizkv.limits.files import read_file
from vizkv.messages.reasons import reason
from vizkv.messages.sentence import joined, told
from vizkv.messages.validation import shorten
from vizkv.replay.queues import Queues
from vizkv.scenario.schema import ScenarioError

MAX_BYTES = 20 * 10**6
MAX_ROWS = 200_000
_SECONDS = ("t", "time", "time_s", "seconds")  # of the run
_MOMENTS = ("timestamp", "datetime")  # a date and time, or seconds since an epoch: counted from the first line
_RUNNING = ("running", "num_requests_running", "vllm:num_requests_running")
_WAITING = ("waiting", "num_requests_waiting", "vllm:num_requests_waiting")
_PERCENT = ("kv_cache_pct", "kv_cache_percent")
_SHARE = tuple(
    before + name
    for before in ("", "vllm:")
    for name in ("kv_cache_usage_perc", "gpu_cache_usage_perc", "kv_cache_usage")
)  # a share from 0 to 1, although vLLM calls it "perc"
_HALF_A_YEAR = 180 * 86_400.0
_LOG = re.compile(
    r"(?P<month>\d\d)-(?P<day>\d\d) (?P<time>\d\d:\d\d:\d\d)\b.*?Running: (?P<running>\d{1,9}) reqs, "
    r"(?:Swapped: \d+ reqs, )?(?:Waiting|Pending): (?P<waiting>\d{1,9}) reqs, GPU KV cache usage: (?P<held>[\d.]{1,9})%"
)


@dataclass(frozen=True, eq=False)
class Recording:
    """The name of a recording's file and its queues, one entry per line; ``held`` is NaN where the file lacks it."""

    name: str
    queues: Queues


def read_recording(path: Path) -> Recording:
    """Read a recording from a file. Raises ScenarioError."""
    try:
        data = read_file(path, MAX_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise ScenarioError(
            told("The recording {name!r} cannot be read: {why}.", name=shorten(str(path)), why=error)
        ) from None
    return parse(data, path.name)


def parse(data: bytes, name: str) -> Recording:
    """Read a recording from the content of a file. Raises ScenarioError, whose message names the file."""
    if len(data) > MAX_BYTES:
        raise ScenarioError(
            told(
                "The recording {name!r} is larger than {most} MB; valid is at most that.",
                name=name,
                most=MAX_BYTES // 10**6,
            )
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ScenarioError(told("The recording {name!r} is a binary file; valid is text in UTF-8.", name=name))
    logged = [found for line in text.splitlines() if (found := _LOG.search(line))]
    rows = _logged(logged) if logged else _table(text, name)
    if not rows:
        raise ScenarioError(told("The recording {name!r} has zero lines; valid is at least one.", name=name))
    if len(rows) > MAX_ROWS:
        raise ScenarioError(
            told(
                "The recording {name!r} has more than {max_rows} lines; valid is at most that many.",
                name=name,
                max_rows=MAX_ROWS,
            )
        )
    table = np.array(sorted(rows), float)
    return Recording(name, Queues(*table.T))


Row = tuple[float, float, float, float]


def _logged(found: list[re.Match[str]]) -> list[Row]:
    """Return a row per log line, with seconds since the first. A log has no year: after December follows January."""
    rows, first, year = list[Row](), math.nan, 2024
    for line in found:
        at = _moment(f"{year}-{line['month']}-{line['day']} {line['time']}")
        first = at if math.isnan(first) else first
        if at - first < -_HALF_A_YEAR:
            year, at = 2025, _moment(f"2025-{line['month']}-{line['day']} {line['time']}")
        if math.isfinite(at):
            rows.append((at - first, float(line["running"]), float(line["waiting"]), _percent(line["held"])))
    return rows


def _percent(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # more than one decimal point
        return math.nan


def _table(text: str, name: str) -> list[Row]:
    """Return a row per line of a CSV. Raises ScenarioError."""
    reader = csv.reader(io.StringIO(text))
    rows: list[Row] = []
    try:
        titles = [title.strip() for title in next(reader, [])]
        when, moments = _column(titles, _SECONDS), _column(titles, _MOMENTS)
        running, waiting = _column(titles, _RUNNING), _column(titles, _WAITING)
        percent, share = _column(titles, _PERCENT), _column(titles, _SHARE)
        clock = when if when is not None else moments
        if clock is None or running is None or waiting is None:
            lacking, known = next(
                (what, names)
                for what, names, at in (
                    (told("time"), (*_SECONDS, *_MOMENTS), clock),
                    (told("running requests"), _RUNNING, running),
                    (told("waiting requests"), _WAITING, waiting),
                )
                if at is None
            )
            raise ScenarioError(
                told(
                    "The recording {name!r} has no column for the {lacking} (its first line is {titles}); valid is one "
                    "called {known}, or a log of vLLM.",
                    name=name,
                    lacking=lacking,
                    titles=shorten(",".join(titles[:20])),
                    known=joined(known),
                )
            )
        held, scale = (percent, 1.0) if percent is not None else (share, 100.0)
        for cells in reader:
            if not any(cells):
                continue
            at = told("The recording {name!r}, line {line}", name=name, line=reader.line_num)
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
                _number(at, titles[clock], cells[clock], date=when is None),
                _number(at, titles[running], cells[running]),
                _number(at, titles[waiting], cells[waiting]),
                math.nan if held is None else scale * _number(at, titles[held], cells[held]),
            ))  # fmt: skip
    except csv.Error as error:
        raise ScenarioError(
            told(
                "The recording {name!r}, line {line_num}, is not CSV: {error}.",
                name=name,
                line_num=reader.line_num,
                error=reason(error),
            )
        ) from None
    if when is None and rows:
        first = min(row[0] for row in rows)
        rows = [(row[0] - first, *row[1:]) for row in rows]
    return rows


def _column(titles: Iterable[str], names: tuple[str, ...]) -> int | None:
    return next((at for at, title in enumerate(titles) if title.lower() in names), None)


def _number(at: str, field: str, value: str, *, date: bool = False) -> float:
    """Return the number in a cell, at least 0; with ``date``, also the seconds of a date and time.

    Raises ScenarioError for anything else. ``at``: the beginning of its message.
    """
    try:
        number = float(value)
    except ValueError:
        number = _moment(value) if date else math.nan
    if not math.isfinite(number) or number < 0:
        valid = told("a date and time, or a number of seconds") if date else told("a number of at least 0")
        raise ScenarioError(
            told("{at}: {field} is {value}; valid is {valid}.", at=at, field=field, value=shorten(value), valid=valid)
        )
    return number


def _moment(value: str) -> float:
    """Return the seconds since the epoch of a date and time in ISO format; NaN for any other text."""
    try:
        found = datetime.fromisoformat(value.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan
