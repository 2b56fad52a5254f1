"""The lengths of requests: drawn from measured quantiles, or from a distribution with parameters.

Prompt and output are drawn independently of each other, each from its own generator: the k-th request has the same
lengths regardless of how many are drawn.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vizkv.messages.sentence import told
from vizkv.scenario.schema import MAX_SLOTS, Workload

_DATA = Path(__file__).parents[0] / "data" / "lengths.json"
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
    """Return the table of a set in data/lengths.json. Raises KeyError for another name."""
    return _data()["sets"][_ALIASES.get(name, name)]


def in_words(text: str) -> str:
    """Return a source or a licence of the table with its English sentences made translatable."""
    for part in _SENTENCES:
        before, found, after = text.partition(part)
        if found:
            return told("{before}{part}{after}", before=before, part=part, after=in_words(after))
    return text


def draw_lengths(name: str, count: int, prompts: np.random.Generator, outputs: np.random.Generator) -> Pairs:
    """Return ``count`` pairs (prompt, output) in tokens from a set of LENGTH_SETS, independent of each other.

    Between two quantiles a length is uniform; in sets with few quantiles its logarithm is. If a set was filtered by
    prompt + output, a pair beyond that limit is drawn again.
    """
    lengths = length_set(name)
    limit = lengths.get("total_below", math.inf)
    logarithmic = lengths["between"] == "logarithmic"
    pairs: Pairs = []
    while len(pairs) < count:
        left = count - len(pairs)
        drawn = []
        for side, generator in (("prompt", prompts), ("output", outputs)):
            quantiles = np.array(lengths[side]["quantiles"], float)
            places = generator.random(left) * (len(quantiles) - 1)
            known = np.log(quantiles) if logarithmic else quantiles
            between = np.interp(places, np.arange(len(quantiles)), known)
            tokens = np.exp(between) if logarithmic else between
            drawn.append(np.maximum(1, np.rint(tokens)).astype(int).tolist())
        pairs += [(p, o) for p, o in zip(*drawn, strict=True) if p + o < limit]
    return pairs


def make_up_lengths(
    workload: Workload, count: int, prompts: np.random.Generator, outputs: np.random.Generator
) -> Pairs:
    """Return ``count`` pairs (prompt, output) in tokens for ``lengths`` = "constant", "uniform" or "lognormal".

    constant: always ``prompt_tokens`` and ``output_tokens``. uniform: every whole number of ``prompt_range`` and of
    ``output_range``, both ends included, is equally likely. lognormal: :func:`lognormal` of ``prompt_median`` and
    ``prompt_sigma``, ``output_median`` and ``output_sigma``. Prompt and output are independent of each other.
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
    """Return log-normal whole numbers [shape]: median * exp(sigma * z), rounded to the nearest.

    They are clipped to the range from 1 to MAX_SLOTS; a request of MAX_SLOTS tokens can never run anyway.
    """
    numbers = median * np.exp(sigma * generator.standard_normal(shape))
    return np.clip(np.rint(numbers), 1, MAX_SLOTS).astype(int)
