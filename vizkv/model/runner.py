"""Runs the real model over the pools of several systems in one go.

All systems advance on one clock, so the new tokens of all of them go through the model together: the weights are read
once a step, while each system's K and V are written to, and read from, a pool of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vizkv.model.llama import Llama
from vizkv.model.pool import Chunk, ContiguousChunk, KVPool, PagedChunk

Observer = Callable[[int, int, int, Tensor], None]
"""Called with (system, request, position of the token that was read, logits [V]) for every token that is sampled."""


@dataclass(frozen=True)
class Work:
    """What one sequence of one system computes in a step: tokens ``ids`` from ``position`` on, and where they lie."""

    system: int
    request: int
    ids: Sequence[int]
    position: int
    start: int  # contiguous: first slot
    block_table: Sequence[int]  # paged; empty in a contiguous system
    samples: bool  # whether the last token's logits are wanted


class Runner:
    """One model, one pool a system. ``block_sizes``: 0 for a contiguous system."""

    def __init__(self, model: Llama, slots: int, block_sizes: Sequence[int], observe: Observer | None = None):
        c = model.config
        self.model, self.block_sizes, self.observe = model, block_sizes, observe
        self.pools = [KVPool(c.layers, slots, c.kv_heads, c.head_dim) for _ in block_sizes]

    def _chunk(self, work: Work) -> Chunk:
        pool, size = self.pools[work.system], self.block_sizes[work.system]
        if size:
            return PagedChunk(pool, work.ids, work.position, work.block_table, size)
        return ContiguousChunk(pool, work.ids, work.position, work.start)

    @torch.inference_mode()
    def step(self, works: Sequence[Work]) -> list[int]:
        """Compute; returns the most probable next token of each piece of work (greedy)."""
        logits = self.model.step([self._chunk(work) for work in works])
        if self.observe:
            for work, row in zip(works, logits, strict=True):
                if work.samples:
                    self.observe(work.system, work.request, work.position + len(work.ids) - 1, row)
        return logits.argmax(-1).tolist()

    @torch.inference_mode()
    def move(self, system: int, old: int, new: int, length: int) -> None:
        """Copy the K and V of ``length`` slots: ideal placement closes gaps by really moving what lies there."""
        tensor = self.pools[system].tensor
        tensor[:, :, new : new + length] = tensor[:, :, old : old + length].clone()
