"""Formats with one request per record, with its time and lengths: a declaration for each, and one reader for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from vizkv.messages.sentence import Told, joined, told
from vizkv.workload.formats.base import Place, Record, Recorded, Records, Rows, Unit, missing, moment, pieces, tokens


@dataclass(frozen=True)
class Table:
    """A format with one request per record.

    ``time``, ``prompt``, ``output``: names of its fields. ``unit``: of the time. ``names``: the field with the content
    hashes of the prompt, one per ``step`` tokens. ``marks``: further fields by which the format is recognised.
    ``failures``: whether requests without response tokens occur; they failed, and are left out.
    """

    name: str
    kind: Literal["csv", "json"]
    time: str
    unit: Unit
    prompt: str
    output: str
    names: str = ""
    step: int = 0
    marks: tuple[str, ...] = ()
    failures: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that every record has."""
        return self.time, self.prompt, self.output

    @property
    def fields(self) -> Told | str:
        """All fields, in words."""
        required = joined(self.required)
        if not self.names:
            return required
        return told("{required} and, if wanted, {optional}", required=required, optional=self.names)

    def read(self, records: Records, name: str) -> Recorded:
        """Return the requests of a file. Raises ScenarioError."""
        rows = Rows(name)
        for place, record in records:
            missing(place, record, self.required, self.fields)
            self._take(rows, place, record)
        return rows.recorded(self.name, self.step)

    def _take(self, rows: Rows, place: Place, record: dict[str, Any]) -> None:
        at = moment(place, self.time, record[self.time], self.unit)
        least: Literal[0, 1] = 0 if self.failures else 1
        prompt = tokens(place, self.prompt, record[self.prompt], least=least)
        output = tokens(place, self.output, record[self.output], least=least)
        if not prompt or not output:
            rows.left_out += 1
            return
        given = record.get(self.names, []) if self.names else []
        rows.add(at, prompt, output, pieces(place, self.names, given, prompt, self.step or 1, self.prompt))


AZURE = Table("azure", "csv", "TIMESTAMP", "date", "ContextTokens", "GeneratedTokens")
BURSTGPT = Table("burstgpt", "csv", "Timestamp", "s", "Request tokens", "Response tokens", failures=True)
VIDUR = Table("vidur", "csv", "arrived_at", "s", "num_prefill_tokens", "num_decode_tokens")
MOONCAKE = Table("mooncake", "json", "timestamp", "ms", "input_length", "output_length", "hash_ids", 512)
BAILIAN = Table(
    "bailian", "json", "timestamp", "s", "input_length", "output_length", "hash_ids", 16,
    marks=("chat_id", "parent_chat_id"),
)  # fmt: skip

__all__ = ["AZURE", "BAILIAN", "BURSTGPT", "MOONCAKE", "VIDUR", "Record", "Table"]
