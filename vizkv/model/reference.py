"""The yardstick of the proof: logits of cache-less forward passes, and the largest difference from them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vizkv.model.llama import Llama


class Reference:
    """Cache-less logits of whole sequences; :meth:`compare` is an observer for the runner.

    ``sequences``: token ids as written to slots; ``prompts``: how many of them are prompt. Only positions that sample
    (from the prompt's last token on) are kept: [positions, V] each.
    """

    def __init__(self, model: Llama, sequences: Sequence[Sequence[int]], prompts: Sequence[int]):
        self.first = [p - 1 for p in prompts]
        self.worst: dict[int, float] = {}
        self.count: dict[int, int] = {}
        self.logits: list[Tensor] = []
        with torch.inference_mode():
            for ids, first in zip(sequences, self.first, strict=True):
                self.logits.append(model(torch.tensor([list(ids)]))[0, first:].clone())

    def compare(self, system: int, request: int, position: int, logits: Tensor) -> None:
        """Take in the logits [V] that a system had after reading the token at ``position``."""
        expected = self.logits[request][position - self.first[request]]
        difference = float((expected - logits).abs().max())
        if difference != difference:  # NaN: it read a slot that nobody wrote
            difference = float("inf")
        self.worst[system] = max(self.worst.get(system, 0.0), difference)
        self.count[system] = self.count.get(system, 0) + 1
