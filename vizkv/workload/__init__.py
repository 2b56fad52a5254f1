"""Arrivals and lengths of a workload: drawn from measured quantiles, synthetic, or read from a recorded trace."""

from vizkv.workload.arrival import BLOCK, Arrival, Clock
from vizkv.workload.draw import Report, Source, arrivals_of, counted, draw, kind_of, read, report, source_of
from vizkv.workload.formats import FORMATS, Recorded, Texts
from vizkv.workload.lengths import draw_lengths
from vizkv.workload.prompts import PromptIds, infinite_hit_rate, prompt_ids
from vizkv.workload.recorded import read_trace
from vizkv.workload.replacing import with_lengths

__all__ = [
    "BLOCK",
    "FORMATS",
    "Arrival",
    "Clock",
    "PromptIds",
    "Recorded",
    "Report",
    "Source",
    "Texts",
    "arrivals_of",
    "counted",
    "draw",
    "draw_lengths",
    "infinite_hit_rate",
    "kind_of",
    "prompt_ids",
    "read",
    "read_trace",
    "report",
    "source_of",
    "with_lengths",
]
