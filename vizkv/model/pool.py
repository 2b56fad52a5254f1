"""The memory that K and V really lie in: one tensor a system, and the two ways of reading a sequence from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class KVPool:
    """One system's slots: ``tensor``, [layers, 2 (K, V), slots, kv_heads, head_dim]. A slot is one token in all layers.

    A fresh pool is filled with NaN: whoever reads a slot that nobody wrote gets NaN logits, not a plausible lie.
    """

    def __init__(self, layers: int, slots: int, kv_heads: int, head_dim: int, dtype: torch.dtype = torch.float32):
        self.tensor = torch.full((layers, 2, slots, kv_heads, head_dim), torch.nan, dtype=dtype)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole pool."""
        return self.tensor.nbytes


class Chunk(Protocol):
    """The new tokens of one sequence in one step, and where their K and V go. Made anew for every step."""

    ids: Sequence[int]
    position: int

    def write(self, layer: int, kv: Tensor) -> None:
        """Store K and V of the T new tokens, [2, T, kv_heads, head_dim]."""

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        """K and V of all n tokens up to the newest, each [1, kv_heads, n, head_dim]; good until the next read."""


@dataclass
class ContiguousChunk:
    """A sequence whose slots lie in one piece from ``start``: reading is a view, nothing is copied."""

    pool: KVPool
    ids: Sequence[int]
    position: int
    start: int

    def __post_init__(self) -> None:
        first = self.start + self.position
        end = first + len(self.ids)
        # sliced once a step, taken apart into layers once a step
        self._new = self.pool.tensor[:, :, first:end].unbind()
        self._all = _for_attention(self.pool.tensor[:, :, self.start : end])

    def write(self, layer: int, kv: Tensor) -> None:
        self._new[layer].copy_(kv)

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        return self._all[layer]


@dataclass
class PagedChunk:
    """A sequence whose slots are found through its block table: token i lies in block_table[i // B], at i % B."""

    pool: KVPool
    ids: Sequence[int]
    position: int
    block_table: Sequence[int]
    block_size: int

    def __post_init__(self) -> None:
        size, table, end = self.block_size, self.block_table, self.position + len(self.ids)
        slots = [table[i // size] * size + i % size for i in range(self.position, end)]
        # one look-up a step, used by every layer
        self._blocks = torch.tensor(table[: -(-end // size)])
        layers, _, all_slots, heads, width = self.pool.tensor.shape
        whole = self.pool.tensor[:, :, : all_slots // size * size]
        self._by_block = whole.view(layers, 2, -1, size * heads * width).unbind()
        # each layer's blocks are gathered here, one behind the other; what lies behind the last token is cut off
        self._gathered = whole.new_empty(2, len(self._blocks), size * heads * width)
        self._all = _for_attention(self._gathered.view(1, 2, -1, heads, width)[:, :, :end])[0]
        self._slots = None if len(slots) == 1 else torch.tensor(slots)
        # a single token needs no list of slots: its slot is a slice of the pool
        self._new = self.pool.tensor[:, :, slots[0] : slots[0] + 1].unbind() if len(slots) == 1 else ()

    def write(self, layer: int, kv: Tensor) -> None:
        if self._slots is None:
            self._new[layer].copy_(kv)
        else:
            self.pool.tensor[layer].index_copy_(1, self._slots, kv)

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        torch.index_select(self._by_block[layer], 1, self._blocks, out=self._gathered)
        return self._all


def _for_attention(kv: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Views of [layers, 2, n, kv_heads, head_dim]: K and V of each layer as attention takes them."""
    return [(layer[0], layer[1]) for layer in kv.transpose(2, 3).unsqueeze(2).unbind()]
