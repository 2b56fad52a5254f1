"""Arrivals and lengths of a workload: drawn from measured quantiles, made up, or read from a recorded trace."""

from vizkv.workload.arrival import BLOCK, Arrival, Clock
from vizkv.workload.draw import Report, Source, draw, kind_of, report, source_of
from vizkv.workload.lengths import draw_lengths
from vizkv.workload.prompts import PromptIds, infinite_hit_rate, prompt_ids
from vizkv.workload.recorded import CSV_COLUMNS, JSONL_FIELDS, MAX_TRACE_BYTES, read_trace

__all__ = [
    "BLOCK",
    "CSV_COLUMNS",
    "JSONL_FIELDS",
    "MAX_TRACE_BYTES",
    "Arrival",
    "Clock",
    "PromptIds",
    "Report",
    "Source",
    "draw",
    "draw_lengths",
    "infinite_hit_rate",
    "kind_of",
    "prompt_ids",
    "read_trace",
    "report",
    "source_of",
]
