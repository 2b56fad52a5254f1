"""Greedy text over real pools, without a scheduler: for tests and measurements."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from vizkv.model.llama import Llama, most_probable
from vizkv.model.pool import Chunk, ContiguousChunk, KVPool, PagedChunk


def greedy(model: Llama, ids: Sequence[int], n: int, block_size: int = 0) -> list[int]:
    """The ``n`` most probable next tokens after ``ids``, one step each. ``block_size``: as for :func:`greedy_batch`."""
    return greedy_batch(model, [ids], n, block_size)[0]


@torch.inference_mode()
def greedy_batch(model: Llama, prompts: Sequence[Sequence[int]], n: int, block_size: int = 0) -> list[list[int]]:
    """As :func:`greedy`, for several prompts that share one pool and every step.

    ``block_size``: 0 for one slice of the pool a sequence. With blocks, the tables run backwards through the pool and
    interleave, so that no sequence lies in order.
    """
    c, count = model.config, len(prompts)
    blocks = max(-(-(len(ids) + n) // (block_size or 1)) for ids in prompts)
    room = blocks * (block_size or 1)
    pool = KVPool(c.layers, room * count, c.kv_heads, c.head_dim, by_head=not block_size)
    tables = [list(range(count * blocks - 1 - i, -1, -count)) for i in range(count)]

    def chunk(index: int, ids: Sequence[int], position: int) -> Chunk:
        if block_size:
            return PagedChunk(pool, ids, position, tables[index], block_size)
        return ContiguousChunk(pool, ids, position, index * room)

    new: list[list[int]] = [[] for _ in prompts]
    for step in range(n):
        chunks = [chunk(i, new[i][-1:] or ids, len(ids) + step - 1 if step else 0) for i, ids in enumerate(prompts)]
        for tokens, token in zip(new, most_probable(model.step(chunks)), strict=True):
            tokens.append(token)
    return new
