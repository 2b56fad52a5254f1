"""What paging costs: that the measurement compares like with like. How long things take is no test's business."""

from __future__ import annotations

import itertools

import pytest
import torch

from tests.model.conftest import SMALL
from tests.model.test_memory import largest
from vizkv.model.cost import BLOCK_SIZES, Bench, measure

LENGTH = 300


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(SMALL, 2048)


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_paged_attention_reads_the_same_through_every_block_size(bench, block_size):
    bench.shuffle(block_size)
    for number in range(3):
        contiguous, paged = bench.pair(number, LENGTH)
        assert largest(bench.attended(contiguous) - bench.attended(paged)) == 0
        for layer in range(SMALL.layers):
            for ours, theirs in zip(contiguous().read(layer), paged().read(layer), strict=True):
                assert torch.equal(ours, theirs)


def test_each_memory_lies_in_the_layout_that_suits_it(bench):
    bench.shuffle(16)
    contiguous = bench.pair(0, LENGTH)[0]()
    for layer in range(SMALL.layers):
        for read in contiguous.read(layer):
            assert all(head.is_contiguous() for head in read[0])  # attention reads one head after the other
    blocks = bench.paged.tensor.unflatten(2, (-1, 16))
    assert blocks[0, 0, 1].is_contiguous()  # a block is gathered in one piece


@pytest.mark.parametrize("block_size", [1, 16, 64])
def test_the_blocks_are_scattered(bench, block_size):
    bench.shuffle(block_size)
    table = bench.pair(0, LENGTH)[1]().blocks
    neighbours = sum(b == a + 1 for a, b in itertools.pairwise(table))
    assert neighbours <= len(table) // 4
    assert len(set(table)) == len(table)


def test_the_measurement_leaves_the_pool_alone(bench):
    bench.shuffle(16)
    before = [pool.tensor.clone() for pool in (bench.contiguous, bench.paged)]
    bench.cost(LENGTH, rate=1e9, seconds=0)
    for pool, kept in zip((bench.contiguous, bench.paged), before, strict=True):
        assert torch.equal(pool.tensor, kept)


def test_a_measurement_can_be_left_after_its_first_pair():
    costs = measure(SMALL, lengths=(64, 128), sizes=(4, 32), seconds=0)
    first = next(costs)
    assert (first.length, first.block_size) == (64, 4)
    costs.close()


def test_every_pair_is_measured_once_block_size_by_block_size():
    costs = list(measure(SMALL, lengths=(64, 128), sizes=(4, 32), seconds=0))
    assert [(c.block_size, c.length) for c in costs] == [(4, 64), (4, 128), (32, 64), (32, 128)]
    for cost in costs:
        assert cost.rounds >= 15
        for spread in (cost.contiguous, cost.paged, cost.gather, cost.overhead):
            assert spread.low <= spread.median <= spread.high
        assert cost.gather.median > 0


def test_the_floor_grows_with_the_bytes_that_are_read():
    short, long = measure(SMALL, lengths=(64, 128), sizes=(4,), seconds=0)
    assert long.floor == pytest.approx(2 * short.floor)


def test_a_text_shorter_than_a_block_is_measured_too(bench):
    bench.shuffle(256)
    contiguous, paged = bench.pair(1, 100)
    assert len(paged().blocks) == 1
    assert largest(bench.attended(contiguous) - bench.attended(paged)) == 0
