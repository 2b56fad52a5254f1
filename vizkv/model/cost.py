"""What paging costs on this machine: attention of one new token through a block table against a slice, timed.

Both sides are the engine's own code: a chunk is made as for a step, and in every layer K and V are read and attended
over. They read the same numbers: the paged pool holds the contiguous one's blocks in shuffled order. Each pool has the
layout that its memory has in the engine (see KVPool).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import inf
from statistics import median, quantiles
from typing import Any, NamedTuple

import torch

from vizkv.model.attention import attend
from vizkv.model.llama import LlamaConfig
from vizkv.model.pool import Chunk, ContiguousChunk, KVPool, PagedChunk

BLOCK_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LENGTHS = (128, 512, 2048)
SECONDS = 0.2  # for one pair of length and block size
FEWEST, MOST = 15, 300  # rounds of one pair that count
WARM_UP = 5  # rounds before them
_COPIED = 64 * 2**20  # bytes, more than the caches of most processors hold


class Spread(NamedTuple):
    """A median between its quartiles."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Cost:
    """One pair of length and block size. Times in microseconds a token, all layers together.

    ``overhead``: (paged / contiguous - 1), of each round by itself. ``floor``: what it takes to move as many bytes of
    K and V as are read, at the rate at which this machine copies.
    """

    length: int
    block_size: int
    contiguous: Spread
    paged: Spread
    gather: Spread
    overhead: Spread
    floor: float
    rounds: int


def copy_rate(repeats: int = 5) -> float:
    """Bytes a second that this machine reads and writes while copying a large tensor: the median of some copies."""
    source, target = torch.ones(_COPIED // 4), torch.zeros(_COPIED // 4)
    times = [_seconds(target.copy_, source) for _ in range(repeats)]
    return 2 * _COPIED / median(times)


class Bench:
    """Two pools with the same K and V, one of them in shuffled blocks; sequences side by side, used in turn.

    In turn, because a sequence that was just read would still lie in the processor's cache.
    """

    def __init__(self, config: LlamaConfig, slots: int = 8192):
        c = config
        self.slots, self.layers = slots, c.layers
        dice = torch.Generator().manual_seed(0)
        self.contiguous = KVPool(c.layers, slots, c.kv_heads, c.head_dim, by_head=True)
        self.contiguous.tensor.normal_(generator=dice)
        self.paged = KVPool(c.layers, slots, c.kv_heads, c.head_dim)
        self.queries = torch.randn(c.layers, 1, c.heads, c.head_dim, generator=dice)
        self._physical: list[int] = []
        self._size = 0

    def shuffle(self, block_size: int) -> None:
        """Lay the paged pool in blocks of this size, in random order."""
        self._size, count = block_size, self.slots // block_size
        order = torch.randperm(count, generator=torch.Generator().manual_seed(block_size))
        self._physical = order.tolist()  # logical block -> physical block
        by_block = self.contiguous.tensor.unflatten(2, (count, block_size))
        self.paged.tensor.unflatten(2, (count, block_size)).index_copy_(2, order, by_block)

    def pair(self, number: int, length: int) -> tuple[Callable[[], Chunk], Callable[[], Chunk]]:
        """How to make the contiguous and the paged chunk of the newest token of sequence ``number``."""
        room = -(-length // self._size) * self._size
        start = number * room
        table = self._physical[start // self._size : (start + room) // self._size]
        token, last = [0], length - 1
        return (
            lambda: ContiguousChunk(self.contiguous, token, last, start),
            lambda: PagedChunk(self.paged, token, last, table, self._size),
        )

    @torch.inference_mode()
    def attended(self, make: Callable[[], Chunk]) -> torch.Tensor:
        """What is timed: read and attend, layer by layer. [layers, H * d]."""
        chunk = make()
        return torch.cat([attend(self.queries[layer], *chunk.read(layer)) for layer in range(self.layers)])

    @torch.inference_mode()
    def gathered(self, make: Callable[[], Chunk]) -> None:
        """The look-up alone."""
        chunk = make()
        for layer in range(self.layers):
            chunk.read(layer)

    def cost(self, length: int, rate: float, seconds: float = SECONDS) -> Cost:
        """Time one length at the block size that lies there now: in turn slice, table and look-up, each round anew."""
        room = -(-length // self._size) * self._size
        pairs = [self.pair(number, length) for number in range(self.slots // room)]
        rounds: list[tuple[float, float, float]] = []
        end = inf
        for count, (contiguous, paged) in enumerate(cycle(pairs)):
            if count == WARM_UP:
                rounds, end = [], time.perf_counter() + seconds
            # every other round the other way about: neither always comes first
            one, two = (contiguous, paged) if count % 2 else (paged, contiguous)
            times = {make: _seconds(self.attended, make) for make in (one, two)}
            rounds.append((times[contiguous], times[paged], _seconds(self.gathered, paged)))
            if len(rounds) >= MOST or (len(rounds) >= FEWEST and time.perf_counter() > end):
                break
        slices, tables, look_ups = zip(*rounds, strict=True)
        return Cost(
            length,
            self._size,
            contiguous=_spread(slices, 1e6),
            paged=_spread(tables, 1e6),
            gather=_spread(look_ups, 1e6),
            overhead=_spread([t / s - 1 for s, t in zip(slices, tables, strict=True)]),
            floor=length * self.contiguous.layer_bytes_per_slot * self.layers / rate * 1e6,
            rounds=len(rounds),
        )


def measure(
    config: LlamaConfig, lengths: Sequence[int] = LENGTHS, sizes: Sequence[int] = BLOCK_SIZES, seconds: float = SECONDS
) -> Iterator[Cost]:
    """One pair after the other, block size by block size; whoever has seen enough stops asking."""
    slots = -(-4 * max(lengths) // max(sizes)) * max(sizes)  # room for four of the longest
    bench, rate = Bench(config, slots), copy_rate()
    for size in sizes:
        bench.shuffle(size)
        for length in lengths:
            yield bench.cost(length, rate, seconds)


def _clock() -> Callable[[], float]:
    """One thread's processor time, which other programs do not lengthen; where that is no answer, the wall's."""
    fine = time.get_clock_info("thread_time").resolution < 1e-6
    return time.thread_time if fine and torch.get_num_threads() == 1 else time.perf_counter


def _seconds(do: Callable[..., Any], *arguments: Any) -> float:
    clock = _clock()
    started = clock()
    do(*arguments)
    return clock() - started


def _spread(values: Sequence[float], scale: float = 1.0) -> Spread:
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return Spread(low * scale, middle * scale, high * scale)


def threads() -> int:
    """How many threads torch computes with."""
    return torch.get_num_threads()
