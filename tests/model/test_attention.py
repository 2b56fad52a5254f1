"""Attention weights as the pages show them: computed from what lies in the pool, and changing nothing there."""

from __future__ import annotations

import pytest
import torch

from tests.model.conftest import random_model
from tests.model.test_memory import IDS, TOLERANCE, forward, largest, new_pool
from vizkv.model.attention import attend, attend_together
from vizkv.model.attention_weights import weights
from vizkv.model.llama import Llama
from vizkv.model.pool import Chunk, ContiguousChunk, KVPool, PagedChunk

TABLE = [9, 2, 14, 5, 0, 7, 11, 3, 12, 1]


def chunk_of(memory: str, pool: KVPool, ids: list[int], position: int) -> Chunk:
    if memory == "contiguous":
        return ContiguousChunk(pool, ids, position, start=11)
    return PagedChunk(pool, ids, position, TABLE, 4)


def written(model: Llama, memory: str) -> tuple[KVPool, Chunk, torch.Tensor]:
    """A pool with all of IDS in it, the chunk of the last token, and the logits of the step that wrote it."""
    pool = new_pool(model)
    model.step([chunk_of(memory, pool, IDS[:-1], 0)])
    last = chunk_of(memory, pool, IDS[-1:], len(IDS) - 1)
    (logits,) = model.step([last])
    return pool, chunk_of(memory, pool, IDS[-1:], len(IDS) - 1), logits


@pytest.mark.parametrize("memory", ["contiguous", "paged"])
def test_attention_weights_are_shares_of_one_over_all_tokens_so_far(small, memory):
    _, chunk, _ = written(small, memory)
    shares = weights(small, chunk)
    assert shares.shape == (small.config.layers, small.config.heads, len(IDS))
    assert (shares >= 0).all()
    assert largest(shares.sum(-1) - 1) < 1e-5


@pytest.mark.parametrize("memory", ["contiguous", "paged"])
def test_the_logits_follow_from_the_attention_weights(small, memory):
    """Weights times V, put through the layers in the place of attention, give the logits of the real step."""
    _, chunk, logits = written(small, memory)
    shares = weights(small, chunk)
    repeat = small.config.heads // small.config.kv_heads

    def weighted(layer, q, k, v):
        values = chunk.read(layer)[1][0].repeat_interleave(repeat, 0)  # [H, n, d]
        return torch.einsum("hn,hnd->hd", shares[layer], values).reshape(1, -1)

    with torch.inference_mode():  # what a chunk has looked up there stays there
        x = small.walk(torch.tensor(IDS[-1:]), torch.tensor([len(IDS) - 1]), weighted)
    assert largest(small.logits(x)[0] - logits) < TOLERANCE
    assert largest(logits - forward(small, IDS)[-1]) < TOLERANCE


@pytest.mark.parametrize("memory", ["contiguous", "paged"])
def test_looking_at_the_weights_leaves_the_pool_as_it_was(small, memory):
    pool, chunk, _ = written(small, memory)
    before = pool.tensor.clone()
    weights(small, chunk)
    assert torch.equal(pool.tensor.nan_to_num(1e9), before.nan_to_num(1e9))


def test_the_weights_are_the_same_in_every_memory(small):
    contiguous, paged = (weights(small, written(small, memory)[1]) for memory in ("contiguous", "paged"))
    assert largest(contiguous - paged) < 1e-6


def test_of_a_longer_chunk_the_weights_are_those_of_its_last_token(small):
    pool, chunk, _ = written(small, "paged")
    longer = PagedChunk(pool, IDS[-5:], len(IDS) - 5, TABLE, 4)
    assert torch.equal(weights(small, longer), weights(small, chunk))


def test_a_wrong_block_shows_in_the_weights(small):
    pool, chunk, _ = written(small, "paged")
    astray = PagedChunk(pool, IDS[-1:], len(IDS) - 1, [2, 2, *TABLE[2:]], 4)
    assert largest(weights(small, astray) - weights(small, chunk)) > 1e-4


def test_many_sequences_attend_together_as_each_does_alone():
    dice = torch.Generator().manual_seed(0)
    q, kv = torch.randn(3, 6, 8, generator=dice), torch.randn(2, 3, 20, 2, 8, generator=dice)
    ends = [20, 1, 13]
    unseen = torch.arange(20) >= torch.tensor(ends)[:, None]
    mask = torch.zeros(3, 1, 1, 20).masked_fill(unseen[:, None, None], -torch.inf)
    together = attend_together(q, kv, mask)
    for row, end in enumerate(ends):
        k, v = kv[:, row : row + 1, :end].transpose(2, 3)
        assert largest(together[row] - attend(q[row : row + 1], k, v)[0]) < 1e-6


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_step_gives_each_sequence_its_own_logits_in_the_order_asked_for(small, count):
    """Two pools whose sequences alternate, one token each, besides two of several tokens."""
    pools = [new_pool(small, 400), new_pool(small, 400)]
    texts = [IDS[i : i + 3 + 4 * i] for i in range(count)]

    def chunks(ids_of, position_of):
        return [
            PagedChunk(pools[i % 2], ids_of(text), position_of(text), [8 * i + j for j in (3, 0, 6, 1, 7, 2, 5, 4)], 4)
            if i % 3
            else ContiguousChunk(pools[i % 2], ids_of(text), position_of(text), 32 * i)
            for i, text in enumerate(texts)
        ]

    small.step(chunks(lambda text: text[:-1], lambda text: 0))
    mixed = chunks(lambda text: text[-1:], lambda text: len(text) - 1)
    mixed.insert(1, ContiguousChunk(pools[0], IDS[:9], 0, 330))
    mixed.append(ContiguousChunk(pools[1], IDS[:5], 0, 350))
    expected = [forward(small, text)[-1] for text in texts]
    expected.insert(1, forward(small, IDS[:9])[-1])
    expected.append(forward(small, IDS[:5])[-1])
    for row, right in zip(small.step(mixed), expected, strict=True):
        assert largest(row - right) < TOLERANCE


def test_an_unwritten_slot_of_one_sequence_does_not_spoil_the_others_of_its_step(small):
    pool = new_pool(small)
    small.step([ContiguousChunk(pool, IDS[:6], 0, 8 * i) for i in range(5)])
    chunks = [ContiguousChunk(pool, IDS[6:7], 6, 8 * i) for i in range(5)]
    chunks[2] = ContiguousChunk(pool, IDS[6:7], 9, 40)  # nobody wrote 40..48
    logits = small.step(chunks)
    assert logits[2].isnan().all()
    for row in (0, 1, 3, 4):
        assert largest(logits[row] - forward(small, IDS[:7])[-1]) < TOLERANCE


def test_training_still_finds_its_gradients():
    """The pass that training uses goes through the same layers; no shortcut may cut its gradients."""
    model = random_model().requires_grad_(True)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(torch.tensor([IDS])).square().mean()
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in model.parameters())
