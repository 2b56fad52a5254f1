"""From logits to tokens: the most probable one, a random one, or the best continuations of several beams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


def draw(logits: Tensor, temperature: float, key: Sequence[int]) -> int:
    """A token with probability softmax(logits / temperature); logits: [V]. Equal keys give equal tokens.

    The largest of logits / temperature plus Gumbel noise has that distribution. The noise depends on the key alone, so
    systems whose logits differ in the last bit draw the same token.
    """
    if temperature <= 0:
        return int(logits.argmax())
    noise = np.random.default_rng(list(key)).gumbel(size=logits.shape[-1])
    # from the largest down: near temperature 0 the quotients would all become infinite
    return int(((logits.double() - logits.max()) / temperature + torch.from_numpy(noise)).argmax())


class Survivor(NamedTuple):
    """Beam ``parent`` goes on with ``token``; ``score`` is the sum of the log probabilities so far."""

    parent: int
    token: int
    score: float


def survivors(rows: Sequence[Tensor], scores: Sequence[float], width: int) -> list[Survivor]:
    """The ``width`` best continuations of all beams, the best first. rows: logits [V] of each beam."""
    candidates = []
    for parent, (row, score) in enumerate(zip(rows, scores, strict=True)):
        values, tokens = row.double().log_softmax(-1).topk(min(width, row.shape[-1]))
        candidates += [
            Survivor(parent, token, score + value)
            for token, value in zip(tokens.tolist(), values.tolist(), strict=True)
        ]
    return sorted(candidates, key=lambda c: -c.score)[:width]


def scripted(rows: Sequence[Tensor], scores: Sequence[float], parents: Sequence[int]) -> list[Survivor]:
    """As :func:`survivors`, but which beams go on, and how often, is given: each with its most probable tokens."""
    found = []
    for parent in sorted(set(parents)):
        values, tokens = rows[parent].double().log_softmax(-1).topk(list(parents).count(parent))
        found += [
            Survivor(parent, token, scores[parent] + value)
            for token, value in zip(tokens.tolist(), values.tolist(), strict=True)
        ]
    return found
