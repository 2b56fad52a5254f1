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
        size, table = self.block_size, self.block_table
        self.end = self.position + len(self.ids)
        slots = [table[i // size] * size + i % size for i in range(self.position, self.end)]
        self._slots = None if len(slots) == 1 else torch.tensor(slots)
        # a single token needs no list of slots: its slot is a slice of the pool
        self._new = self.pool.tensor[:, :, slots[0] : slots[0] + 1].unbind() if len(slots) == 1 else ()
        self.lookup: Lookup | None = None

    @property
    def blocks(self) -> Sequence[int]:
        """The physical blocks that hold tokens, in the sequence's order."""
        return self.block_table[: -(-self.end // self.block_size)]

    def write(self, layer: int, kv: Tensor) -> None:
        if self.lookup:
            self.lookup.forget()
        if self._slots is None:
            self._new[layer].copy_(kv)
        else:
            self.pool.tensor[layer].index_copy_(1, self._slots, kv)

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        lookup = self.lookup or Lookup([self])
        return lookup.read(self, layer)


class Lookup:
    """The blocks of all sequences of one pool in a step, gathered through their block tables at once a layer.

    One look-up for eight sequences takes little longer than one for one.
    """

    def __init__(self, chunks: Sequence[PagedChunk]):
        pool, size = chunks[0].pool.tensor, chunks[0].block_size
        layers, _, slots, heads, width = pool.shape
        self._by_block = pool[:, :, : slots // size * size].view(layers, 2, -1, size * heads * width).unbind()
        self._blocks = torch.tensor([block for chunk in chunks for block in chunk.blocks])
        # each layer's blocks are gathered here, one behind the other; what lies behind a last token is cut off
        self._gathered = pool.new_empty(2, len(self._blocks), size * heads * width)
        self._layer = -1
        self._views: dict[int, tuple[Tensor, Tensor]] = {}
        by_token, first = self._gathered.view(1, 2, -1, heads, width), 0
        for chunk in chunks:
            chunk.lookup = self
            self._views[id(chunk)] = _for_attention(by_token[:, :, first : first + chunk.end])[0]
            first += len(chunk.blocks) * size

    def forget(self) -> None:
        """Something was written: what was gathered may be old."""
        self._layer = -1

    def read(self, chunk: PagedChunk, layer: int) -> tuple[Tensor, Tensor]:
        """K and V of one sequence, valid until another layer is read."""
        if layer != self._layer:
            torch.index_select(self._by_block[layer], 1, self._blocks, out=self._gathered)
            self._layer = layer
        return self._views[id(chunk)]


def look_up_together(chunks: Sequence[Chunk]) -> None:
    """Give the paged sequences of each pool one look-up."""
    pools: dict[tuple[int, int], list[PagedChunk]] = {}
    for chunk in chunks:
        if isinstance(chunk, PagedChunk):
            pools.setdefault((id(chunk.pool), chunk.block_size), []).append(chunk)
    for together in pools.values():
        Lookup(together)


def _for_attention(kv: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Views of [layers, 2, n, kv_heads, head_dim]: K and V of each layer as attention takes them."""
    return [(layer[0], layer[1]) for layer in kv.transpose(2, 3).unsqueeze(2).unbind()]
