"""The pools are real: what attention reads lies in the slots that the chunks name, and nowhere else."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vizkv.model.generate import greedy, greedy_batch
from vizkv.model.llama import Llama
from vizkv.model.pool import Chunk, ContiguousChunk, KVPool, PagedChunk

TOLERANCE = 1e-4
IDS = [(7 * i * i + 3 * i + 1) % 97 for i in range(40)]


def new_pool(model: Llama, slots: int = 64, by_head: bool = False) -> KVPool:
    c = model.config
    return KVPool(c.layers, slots, c.kv_heads, c.head_dim, by_head=by_head)


def forward(model: Llama, ids: list[int]) -> torch.Tensor:
    """Logits of every position by the pass that knows no cache."""
    return model(torch.tensor([ids]))[0]


def largest(difference: torch.Tensor) -> float:
    return float(difference.abs().max())


@given(
    cuts=st.sets(st.integers(1, 39), max_size=6),
    block_size=st.sampled_from([1, 3, 4, 16]),
    seed=st.integers(0, 100),
)
@settings(max_examples=25, deadline=None)
def test_logits_equal_the_cacheless_pass_however_a_sequence_is_cut_into_steps(small, cuts, block_size, seed):
    expected = forward(small, IDS)
    table = torch.randperm(64 // block_size, generator=torch.Generator().manual_seed(seed)).tolist()
    slices, blocks = new_pool(small, by_head=True), new_pool(small)
    edges = [0, *sorted(cuts), len(IDS)]
    for first, end in zip(edges, edges[1:], strict=False):
        chunks: list[Chunk] = [
            ContiguousChunk(slices, IDS[first:end], first, start=11),
            PagedChunk(blocks, IDS[first:end], first, table, block_size),
        ]
        contiguous, paged = small.step(chunks)
        assert largest(contiguous - expected[end - 1]) < TOLERANCE
        assert largest(paged - expected[end - 1]) < TOLERANCE


def test_sequences_of_different_length_and_phase_share_one_step(small):
    pool, other = new_pool(small), new_pool(small)
    small.step([ContiguousChunk(pool, IDS[:20], 0, start=0), PagedChunk(other, IDS[:9], 0, [5, 2, 7], 4)])
    logits = small.step([
        ContiguousChunk(pool, IDS[20:21], 20, start=0),
        PagedChunk(other, IDS[9:12], 9, [5, 2, 7], 4),
        ContiguousChunk(pool, IDS[5:13], 0, start=30),
    ])  # fmt: skip
    for row, ids in zip(logits, (IDS[:21], IDS[:12], IDS[5:13]), strict=True):
        assert largest(row - forward(small, ids)[-1]) < TOLERANCE


@pytest.mark.parametrize("by_head", [True, False])
def test_a_contiguous_read_is_a_view_of_the_pool(small, by_head):
    pool = new_pool(small, by_head=by_head)
    chunk = ContiguousChunk(pool, [5], position=6, start=10)
    for half, read in enumerate(chunk.read(1)):
        assert read.untyped_storage().data_ptr() == pool.tensor.untyped_storage().data_ptr()
        assert read.data_ptr() == pool.tensor[1, half, 10].data_ptr()
        assert read.shape == (1, small.config.kv_heads, 7, small.config.head_dim)


def test_a_contiguous_read_finds_all_tokens_of_a_head_side_by_side(small):
    chunk = ContiguousChunk(new_pool(small, by_head=True), [5], position=6, start=10)
    for read in chunk.read(1):
        assert all(head.is_contiguous() for head in read[0])


@pytest.mark.parametrize("sequences", [1, 5])  # five short ones are attended together
def test_how_the_slots_lie_in_memory_changes_no_logit(small, sequences):
    def steps(pool: KVPool, paged: bool) -> list[torch.Tensor]:
        def chunk(number: int, ids: list[int], position: int) -> Chunk:
            start = 12 * number
            table = list(range(start // 4, start // 4 + 3))
            return PagedChunk(pool, ids, position, table, 4) if paged else ContiguousChunk(pool, ids, position, start)

        small.step([chunk(n, IDS[n : n + 9], 0) for n in range(sequences)])
        return [small.step([chunk(n, [IDS[p]], p) for n in range(sequences)]) for p in (9, 10)]

    expected = steps(new_pool(small), paged=False)
    for by_head, paged in ((True, False), (False, True)):
        for ours, theirs in zip(steps(new_pool(small, by_head=by_head), paged), expected, strict=True):
            assert largest(ours - theirs) < TOLERANCE


def test_physical_blocks_may_trade_places_if_the_table_follows(small):
    pool, table = new_pool(small), [3, 0, 12, 7, 9]
    small.step([PagedChunk(pool, IDS[:17], 0, table, 4)])
    before = small.step([PagedChunk(pool, IDS[17:18], 17, table, 4)])
    moved = torch.randperm(16, generator=torch.Generator().manual_seed(3))
    by_block = pool.tensor.unflatten(2, (16, 4))
    pool.tensor.copy_(by_block[:, :, moved].flatten(2, 3))
    followed = [moved.tolist().index(block) for block in table]
    assert followed != table
    assert torch.equal(small.step([PagedChunk(pool, IDS[17:18], 17, followed, 4)]), before)
    astray = small.step([PagedChunk(pool, IDS[17:18], 17, table, 4)])
    assert not torch.equal(astray, before)


def test_the_unwritten_rest_of_a_block_never_leaks(small):
    pool = new_pool(small)
    logits = small.step([PagedChunk(pool, IDS[:5], 0, [2, 1], 4)])
    assert torch.isfinite(logits).all()
    assert pool.tensor[:, :, 5:8].isnan().all()  # the rest of block 1
    assert pool.tensor[:, :, 4:5].isfinite().all()


@pytest.mark.parametrize("memory", ["contiguous", "paged"])
def test_reading_a_slot_that_nobody_wrote_is_seen(small, memory):
    pool = new_pool(small)
    chunk = ContiguousChunk(pool, [5], 3, 0) if memory == "contiguous" else PagedChunk(pool, [5], 3, [0], 4)
    assert small.step([chunk]).isnan().any()


def test_a_step_writes_its_new_slots_and_no_others(small):
    pool = new_pool(small)
    small.step([ContiguousChunk(pool, IDS[:3], 0, start=8), PagedChunk(pool, IDS[:6], 0, [9, 5], 4)])
    written = pool.tensor.isfinite().all(dim=(0, 1, 3, 4))
    assert torch.nonzero(written).flatten().tolist() == [8, 9, 10, 20, 21, 36, 37, 38, 39]


def test_a_sequence_may_read_blocks_that_another_fills_in_the_same_step(small):
    pool = new_pool(small)
    sharing = PagedChunk(pool, IDS[8:10], 8, [4, 6, 1], 4)
    filling = PagedChunk(pool, IDS[:12], 0, [4, 6, 9], 4)
    logits = small.step([sharing, filling])
    assert largest(logits[0] - forward(small, IDS[:10])[-1]) < TOLERANCE


def test_every_memory_gives_the_same_text(tiny):
    ids = tiny.tokenizer.encode("The people of this country")
    texts = [greedy(tiny.model, ids, 60), greedy(tiny.model, ids, 60, 16)]
    texts += [greedy(tiny.model, ids, 60, 1), greedy_batch(tiny.model, [ids[:2], ids], 60, 16)[1]]
    assert all(text == texts[0] for text in texts)


def test_the_embedded_model_continues_the_papers_example(tiny):
    ids = tiny.tokenizer.encode("Four score and seven years ago our")
    assert len(ids) == 7
    assert tiny.tokenizer.decode(greedy(tiny.model, ids, 9)) == " fathers brought forth on this continent, a new"


def test_the_embedded_models_logits_equal_the_cacheless_pass_past_five_hundred_tokens(tiny):
    ids = tiny.filler(520, 0)
    pool = new_pool(tiny.model, 544)
    table = list(reversed(range(34)))
    tiny.model.step([PagedChunk(pool, ids[:-1], 0, table, 16)])
    logits = tiny.model.step([PagedChunk(pool, ids[-1:], 519, table, 16)])
    assert largest(logits[0] - forward(tiny.model, ids)[-1]) < TOLERANCE


def test_a_slot_takes_as_many_bytes_as_the_configuration_says(tiny):
    assert new_pool(tiny.model, 10).nbytes == 10 * tiny.config.bytes_per_token == 10 * 2048
