"""The yardstick of the proof: logits of cache-less forward passes, and how far each sampled token's are from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vizkv.model.llama import Llama
from vizkv.model.runner import Work


class Seen(NamedTuple):
    """Evidence for one sampled token: the logits after ``position`` of a sequence, and those without any cache.

    ``difference``: largest absolute one of any logit; infinite where a slot was read that nobody wrote.
    """

    system: int
    request: int
    position: int
    difference: float
    expected: Tensor  # [V]


class Reference:
    """Cache-less logits of whole sequences; :meth:`compare` is an observer for the runner.

    ``sequences``: token ids as written to slots; ``prompts``: how many of them are prompt. Only positions that sample
    (from the prompt's last token on) are kept: [positions, V] each. What does not follow one of these texts (beams
    that were dropped, a memory that went wrong) is compared at the end, in :meth:`settle`.
    """

    def __init__(self, model: Llama, sequences: Sequence[Sequence[int]], prompts: Sequence[int]):
        self.model = model
        self.sequences = [list(ids) for ids in sequences]
        self.first = [p - 1 for p in prompts]
        self.seen: list[Seen] = []
        self._astray: list[tuple[Work, list[int], Tensor]] = []
        self.logits = [self._pass(ids, first) for ids, first in zip(self.sequences, self.first, strict=True)]

    def _pass(self, ids: Sequence[int], first: int) -> Tensor:
        with torch.inference_mode():
            return self.model(torch.tensor([list(ids)]))[0, first:].clone()

    def compare(self, work: Work, logits: Tensor) -> None:
        """Take in the logits [V] that a system had after the last token of a piece of work."""
        end = work.position + len(work.ids)
        context = list(work.tokens[:end])
        if context == self.sequences[work.request][:end]:
            self._note(work, logits, self.logits[work.request][end - 1 - self.first[work.request]])
        else:
            self._astray.append((work, context, logits.clone()))

    def settle(self) -> None:
        """Compare what followed a text of its own."""
        known: list[tuple[list[int], Tensor]] = []
        for work, context, logits in sorted(self._astray, key=lambda entry: -len(entry[1])):
            rows = next((rows for ids, rows in known if ids[: len(context)] == context), None)
            if rows is None:
                rows = self._pass(context, 0)
                known.append((context, rows))
            self._note(work, logits, rows[len(context) - 1])
        self._astray = []
        self.seen.sort(key=lambda seen: (seen.system, seen.request, seen.position))

    def _note(self, work: Work, logits: Tensor, expected: Tensor) -> None:
        difference = float((expected - logits).abs().max())
        if difference != difference:  # NaN: it read a slot that nobody wrote
            difference = float("inf")
        self.seen.append(Seen(work.system, work.request, work.position + len(work.ids) - 1, difference, expected))
