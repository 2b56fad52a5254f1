"""Formats with sessions of several turns: those of AIPerf and LLMServingSim.

A turn arrives as long after the previous turn as the file says. How long a system takes to answer is not added: the
file does not record it, and every system gets the same requests.
"""

from __future__ import annotations

from typing import Any

from vizkv.messages.sentence import joined, told
from vizkv.messages.validation import shorten
from vizkv.scenario.schema import ScenarioError
from vizkv.workload.formats.base import Place, Recorded, Records, Rows, ids, missing, moment, parsed, pieces, tokens


class AIPerf:
    """As Mooncake's format, with ``session_id`` of a turn and its ``delay`` in ms after the previous turn."""

    name = "aiperf"
    kind = "json"
    step = 512
    required = ("input_length", "output_length")
    marks = ("session_id", "delay")
    fields = told(
        "{required} and, if wanted, {optional}",
        required=joined(required),
        optional=joined(["session_id", "timestamp", "delay", "hash_ids"]),
    )

    def read(self, records: Records, name: str) -> Recorded:
        """Return the requests of a file. Raises ScenarioError."""
        rows, last = Rows(name), dict[str, float]()
        for place, record in records:
            missing(place, record, self.required, self.fields)
            session = str(parsed(place, "session_id", record.get("session_id", ""), _name, told("a text or a number")))
            at = self._time(place, record, last.get(session) if session else None)
            if session:
                last[session] = at
            prompt = tokens(place, "input_length", record["input_length"])
            output = tokens(place, "output_length", record["output_length"])
            named = pieces(place, "hash_ids", record.get("hash_ids") or [], prompt, self.step, "input_length")
            rows.add(at, prompt, output, named)
        return rows.recorded(self.name, self.step)

    def _time(self, place: Place, record: dict[str, Any], before: float | None) -> float:
        """Return the arrival of a turn in seconds: its timestamp, or the previous turn's arrival plus its delay.

        ``before``: arrival of the previous turn; None for a first turn, which then begins at 0.
        """
        if record.get("timestamp") is not None:
            return moment(place, "timestamp", record["timestamp"], "ms")
        delay = record.get("delay")
        return (before or 0.0) + (0.0 if delay is None else _pause(place, "delay", delay, "ms"))


class LLMServingSim:
    """``input_toks``, ``output_toks``, ``arrival_time_ns``; a session has ``sub_requests``, with pauses in between."""

    name = "llmservingsim"
    kind = "json"
    step = 1
    required = ("input_toks", "output_toks", "arrival_time_ns")
    marks = ("input_toks", "sub_requests")
    fields = told(
        "{required} and, if wanted, {optional}",
        required=joined(required),
        optional=joined(["input_tok_ids", "sub_requests"]),
    )

    def read(self, records: Records, name: str) -> Recorded:
        """Return the requests of a file. Raises ScenarioError."""
        rows = Rows(name)
        for place, record in records:
            if "sub_requests" not in record:
                missing(place, record, self.required, self.fields)
                self._add(rows, place, record, moment(place, "arrival_time_ns", record["arrival_time_ns"], "ns"))
                continue
            missing(place, record, self.required[2:], self.fields)
            at = moment(place, "arrival_time_ns", record["arrival_time_ns"], "ns")
            for call in parsed(place, "sub_requests", record["sub_requests"], _objects, told("a list of calls")):
                missing(place, call, self.required[:2], self.fields)
                self._add(rows, place, call, at)
                at += _pause(place, "tool_duration_ns", call.get("tool_duration_ns", 0), "ns")
        return rows.recorded(self.name, self.step)

    def _add(self, rows: Rows, place: Place, record: dict[str, Any], at: float) -> None:
        prompt = tokens(place, "input_toks", record["input_toks"])
        output = tokens(place, "output_toks", record["output_toks"])
        named = ids(place, "input_tok_ids", record.get("input_tok_ids") or [])
        if named and len(named) != prompt:
            raise ScenarioError(
                told(
                    "{at}: input_tok_ids has {count} items for input_toks = {prompt}; valid is one for each token.",
                    at=place(),
                    count=len(named),
                    prompt=prompt,
                )
            )
        rows.add(at, prompt, output, named)


def _pause(place: Place, name: str, value: Any, unit: str) -> float:
    """Return the seconds between two turns. Raises ScenarioError if they are negative."""
    seconds = moment(place, name, value, "ms" if unit == "ms" else "ns")
    if seconds < 0:
        raise ScenarioError(
            told("{at}: {field} is {value}; valid is 0 or more.", at=place(), field=name, value=shorten(value))
        )
    return seconds


def _name(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError
    return str(value)


def _objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise TypeError
    return value


AIPERF, LLMSERVINGSIM = AIPerf(), LLMServingSim()
