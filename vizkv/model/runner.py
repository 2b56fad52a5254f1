"""Runs the real model over the pools of several systems in one go.

All systems advance on one clock, so the new tokens of all of them go through the model together: the weights are read
once a step, while each system's K and V are written to, and read from, a pool of its own. When a memory moves a block,
the tensors move here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vizkv.model.llama import Llama
from vizkv.model.pool import Chunk, ContiguousChunk, KVPool, PagedChunk


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
    tokens: Sequence[int] = ()  # all tokens of the sequence so far; grows later on, so copy what is to be kept


Observer = Callable[[Work, Tensor], None]
"""Called with the work and the logits [V] of its last token, for every token that is sampled."""


class Runner:
    """One model, one pool a system. ``block_sizes``: 0 for a contiguous system."""

    def __init__(self, model: Llama, slots: int, block_sizes: Sequence[int], observe: Observer | None = None):
        c = model.config
        self.model, self.block_sizes, self.observe = model, block_sizes, observe
        self.pools = [KVPool(c.layers, slots, c.kv_heads, c.head_dim, by_head=not size) for size in block_sizes]
        self.logits: Tensor | None = None  # [works, V] of the last step
        self._cpu: dict[int, KVPool] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of all pools, those behind swapping included."""
        return sum(pool.nbytes for pool in (*self.pools, *self._cpu.values()))

    def chunk(self, work: Work) -> Chunk:
        """The work's tokens as the model takes them."""
        pool, size = self.pools[work.system], self.block_sizes[work.system]
        if size:
            return PagedChunk(pool, work.ids, work.position, work.block_table, size)
        return ContiguousChunk(pool, work.ids, work.position, work.start)

    @torch.inference_mode()
    def step(self, works: Sequence[Work]) -> list[int]:
        """Compute; returns the most probable next token of each piece of work."""
        logits = self.logits = self.model.step([self.chunk(work) for work in works])
        if self.observe:
            for work, row in zip(works, logits, strict=True):
                if work.samples:
                    self.observe(work, row)
        return logits.argmax(-1).tolist()

    # -- what memories do, done to the tensors -----------------------------------------------------------------------

    @torch.inference_mode()
    def move(self, system: int, old: int, new: int, length: int) -> None:
        """Copy the K and V of ``length`` slots: closing gaps between pieces moves what lies there."""
        tensor = self.pools[system].tensor
        tensor[:, :, new : new + length] = tensor[:, :, old : old + length].clone()

    @torch.inference_mode()
    def copy_block(self, system: int, source: int, block: int) -> None:
        """Copy-on-write: the K and V of a whole block."""
        tensor = self.pools[system].tensor
        tensor[:, :, self._slots(system, block)] = tensor[:, :, self._slots(system, source)]

    @torch.inference_mode()
    def exchange(self, system: int, a: int, b: int) -> None:
        """Two blocks change places."""
        tensor, first, second = self.pools[system].tensor, self._slots(system, a), self._slots(system, b)
        kept = tensor[:, :, first].clone()
        tensor[:, :, first] = tensor[:, :, second]
        tensor[:, :, second] = kept

    @torch.inference_mode()
    def swap_out(self, system: int, block: int, cpu_block: int) -> None:
        """Copy a block to the CPU pool."""
        to, of = self._slots(system, cpu_block), self._slots(system, block)
        self._cpu_pool(system).tensor[:, :, to] = self.pools[system].tensor[:, :, of]

    @torch.inference_mode()
    def swap_in(self, system: int, cpu_block: int, block: int) -> None:
        """Copy a block back."""
        to, of = self._slots(system, block), self._slots(system, cpu_block)
        self.pools[system].tensor[:, :, to] = self._cpu_pool(system).tensor[:, :, of]

    def _slots(self, system: int, block: int) -> slice:
        size = self.block_sizes[system]
        return slice(block * size, (block + 1) * size)

    def _cpu_pool(self, system: int) -> KVPool:
        if system not in self._cpu:
            layers, _, slots, heads, width = self.pools[system].tensor.shape
            self._cpu[system] = KVPool(layers, slots, heads, width)
        return self._cpu[system]
