"""The memory that K and V really lie in: one tensor a system, and the two ways of reading a sequence from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class KVPool:
    """One system's slots: ``tensor``, [layers, 2 (K, V), slots, kv_heads, head_dim]. A slot is one token in all layers.

    ``by_head``: how they lie in memory; only the strides of ``tensor`` differ. True: in each layer all slots of a head
    are adjacent, the layout of a contiguous cache, because attention reads one head after the other. False: all heads
    of a slot are adjacent, the layout of a paged cache, because a block is then copied in one piece. A block table
    needs the second.

    A fresh pool is filled with NaN: whoever reads a slot that nobody wrote gets NaN logits, not a plausible lie.
    """

    def __init__(
        self, layers: int, slots: int, kv_heads: int, head_dim: int, dtype: torch.dtype = torch.float32, *,
        by_head: bool = False,
    ):  # fmt: skip
        if by_head:
            self.tensor = torch.full((layers, 2, kv_heads, slots, head_dim), torch.nan, dtype=dtype).transpose(2, 3)
        else:
            self.tensor = torch.full((layers, 2, slots, kv_heads, head_dim), torch.nan, dtype=dtype)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole pool."""
        return self.tensor.nbytes

    @property
    def layer_bytes_per_slot(self) -> int:
        """Bytes of K and V of one token in one layer."""
        return self.tensor.nbytes // (self.tensor.shape[0] * self.tensor.shape[2])


class Chunk(Protocol):
    """The new tokens of one sequence in one step, and where their K and V go. Made anew for every step."""

    pool: KVPool
    ids: Sequence[int]
    position: int

    @property
    def end(self) -> int:
        """How many tokens the sequence has with the new ones: n."""

    def slots(self) -> np.ndarray:
        """The slot of each of the n tokens, [n]."""

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        """K and V of all n tokens up to the newest, each [1, kv_heads, n, head_dim]; good until the next read."""


@dataclass
class ContiguousChunk:
    """A sequence whose slots lie in one piece from ``start``: reading is a view, nothing is copied."""

    pool: KVPool
    ids: Sequence[int]
    position: int
    start: int

    @property
    def end(self) -> int:
        return self.position + len(self.ids)

    def slots(self) -> np.ndarray:
        return np.arange(self.start, self.start + self.end)

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        return self._slices[layer]

    @cached_property
    def _slices(self) -> list[tuple[Tensor, Tensor]]:
        # sliced once a step for all layers
        return _for_attention(self.pool.tensor[:, :, self.start : self.start + self.end])


@dataclass
class PagedChunk:
    """A sequence whose slots are found through its block table: token i lies in block_table[i // B], at i % B."""

    pool: KVPool
    ids: Sequence[int]
    position: int
    block_table: Sequence[int]
    block_size: int

    @property
    def end(self) -> int:
        return self.position + len(self.ids)

    @property
    def blocks(self) -> Sequence[int]:
        """The physical blocks that hold tokens, in the sequence's order."""
        return self.block_table[: -(-self.end // self.block_size)]

    def slots(self) -> np.ndarray:
        # row i // B, column i % B of this table is token i
        return (np.array(self.blocks)[:, None] * self.block_size + np.arange(self.block_size)).ravel()[: self.end]

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        return self._look_up.read(layer)

    @cached_property
    def _look_up(self) -> LookUp:
        return LookUp(self.pool.tensor, self.blocks, self.block_size, self.end)


class LookUp:
    """The blocks of one sequence, gathered one behind the other, a layer at a time. Made once a step."""

    def __init__(self, pool: Tensor, blocks: Sequence[int], size: int, end: int):
        layers, _, slots, heads, width = pool.shape
        self._by_block = pool[:, :, : slots // size * size].view(layers, 2, -1, size * heads * width).unbind()
        self._blocks = torch.tensor(blocks)
        self._gathered = pool.new_empty(2, len(blocks), size * heads * width)
        # what lies in the last block behind the last token is cut off
        (self._read,) = _for_attention(self._gathered.view(1, 2, -1, heads, width)[:, :, :end])

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        """K and V, valid until another layer is read."""
        torch.index_select(self._by_block[layer], 1, self._blocks, out=self._gathered)
        return self._read


def _for_attention(kv: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Views of [layers, 2, n, kv_heads, head_dim]: K and V of each layer as attention takes them."""
    return [(layer[0], layer[1]) for layer in kv.transpose(2, 3).unsqueeze(2).unbind()]
