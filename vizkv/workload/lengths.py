"""How long requests are: drawn from quantiles that were measured, or from a distribution with parameters.

Prompt and output are drawn independently of each other, each from a generator of its own, one after the other: the
k-th request has the same lengths however many are drawn.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vizkv.scenario import MAX_SLOTS, Workload
from vizkv.told import told

_DATA = Path(__file__).parents[1] / "data" / "lengths.json"
_ALIASES = {"sharegpt": "sharegpt_paper_filtered"}
_SENTENCES = (  # of data/lengths.json
    told("OPT tokenizer, first round of each conversation"),
    told("filtered prompt+output<2048 as in the paper"),
    told("no licence file in repo; README says lengths only were published to avoid licensing concerns"),
    told(" (repo)"),
)
Pairs = list[tuple[int, int]]


@cache
def _data() -> dict[str, Any]:
    return json.loads(_DATA.read_text(encoding="utf-8"))


def length_set(name: str) -> dict[str, Any]:
    """The table of data/lengths.json that a set's name means. KeyError for another word."""
    return _data()["sets"][_ALIASES.get(name, name)]


def in_words(text: str) -> str:
    """A source or a licence of the table, so that what is a sentence in it can be said in another language."""
    for part in _SENTENCES:
        before, found, after = text.partition(part)
        if found:
            return told("{before}{part}{after}", before=before, part=part, after=in_words(after))
    return text


def draw_lengths(name: str, count: int, prompts: np.random.Generator, outputs: np.random.Generator) -> Pairs:
    """(prompt, output) tokens from a set of LENGTH_SETS, independent of each other.

    A length lies between two quantiles as if its logarithm were uniform there. A set that was filtered by the total
    is filtered here too: a pair over it is drawn again.
    """
    levels, lengths = _data()["levels"], length_set(name)
    limit = lengths.get("total_below", math.inf)
    pairs: Pairs = []
    while len(pairs) < count:
        left = count - len(pairs)
        drawn = []
        for side, generator in (("prompt", prompts), ("output", outputs)):
            logs = np.interp(generator.random(left), levels, np.log(lengths[side]["quantiles"]))
            drawn.append(np.maximum(1, np.rint(np.exp(logs))).astype(int).tolist())
        pairs += [(p, o) for p, o in zip(*drawn, strict=True) if p + o < limit]
    return pairs


def make_up_lengths(
    workload: Workload, count: int, prompts: np.random.Generator, outputs: np.random.Generator
) -> Pairs:
    """(prompt, output) tokens of ``lengths`` = "constant", "uniform" or "lognormal", independent of each other.

    constant: ``prompt_tokens`` and ``output_tokens``, always. uniform: every whole number of ``prompt_range`` and of
    ``output_range``, both ends included, equally often. lognormal: :func:`lognormal` of ``prompt_median`` and
    ``prompt_sigma``, ``output_median`` and ``output_sigma``.
    """
    drawn = []
    sides: tuple[tuple[Literal["prompt", "output"], np.random.Generator], ...] = (
        ("prompt", prompts), ("output", outputs),
    )  # fmt: skip
    for side, generator in sides:
        if workload.lengths == "constant":
            tokens = np.full(count, getattr(workload, f"{side}_tokens"))
        elif workload.lengths == "uniform":
            low, high = getattr(workload, f"{side}_range")
            tokens = low + np.floor(generator.random(count) * (high - low + 1)).astype(int)
        else:
            median, sigma = getattr(workload, f"{side}_median"), getattr(workload, f"{side}_sigma")
            tokens = lognormal(generator, median, sigma, (count,))
        drawn.append(tokens.tolist())
    return list(zip(*drawn, strict=True))


def lognormal(generator: np.random.Generator, median: float, sigma: float, shape: tuple[int, ...]) -> np.ndarray:
    """Whole numbers [shape] whose logarithms are normal: median * exp(sigma * z), rounded to the nearest.

    A number below 1 counts as 1, one above MAX_SLOTS as MAX_SLOTS (a request of that length can never run anyway).
    """
    numbers = median * np.exp(sigma * generator.standard_normal(shape))
    return np.clip(np.rint(numbers), 1, MAX_SLOTS).astype(int)
