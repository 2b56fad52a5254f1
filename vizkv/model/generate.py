"""Greedy text over real pools, without a scheduler: for tests and measurements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from vizkv.model.llama import Llama, most_probable
from vizkv.model.pool import Chunk, ContiguousChunk, KVPool, PagedChunk

Memory = Literal["contiguous", "paged"]


def greedy(model: Llama, ids: Sequence[int], n: int, memory: Memory = "contiguous", block_size: int = 16) -> list[int]:
    """The ``n`` most probable next tokens after ``ids``, one step each."""
    return greedy_batch(model, [ids], n, memory, block_size)[0]


@torch.inference_mode()
def greedy_batch(
    model: Llama, prompts: Sequence[Sequence[int]], n: int, memory: Memory = "contiguous", block_size: int = 16
) -> list[list[int]]:
    """As :func:`greedy`, for several prompts that share one pool and every step.

    Paged: block tables run backwards through the pool and interleave, so no sequence lies in order.
    """
    c, count = model.config, len(prompts)
    blocks = max(-(-(len(ids) + n) // block_size) for ids in prompts)
    room = blocks * block_size
    pool = KVPool(c.layers, room * count, c.kv_heads, c.head_dim)
    tables = [list(range(count * blocks - 1 - i, -1, -count)) for i in range(count)]

    def chunk(index: int, ids: Sequence[int], position: int) -> Chunk:
        if memory == "paged":
            return PagedChunk(pool, ids, position, tables[index], block_size)
        return ContiguousChunk(pool, ids, position, index * room)

    new: list[list[int]] = [[] for _ in prompts]
    for step in range(n):
        chunks = [chunk(i, new[i][-1:] or ids, len(ids) + step - 1 if step else 0) for i, ids in enumerate(prompts)]
        for tokens, token in zip(new, most_probable(model.step(chunks)), strict=True):
            tokens.append(token)
    return new
