"""The sequences of one step, and how they share their calls.

Most of a small model's step is the calling of operations, not arithmetic. So what many sequences do at the same place
is one operation: the new K and V of a pool are stored with one write, and all short sequences that have one new token
each are read and attended together, whether their slots lie in one piece or are found through a block table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby

import numpy as np
import torch
from torch import Tensor

from vizkv.model.attention import attend, attend_together
from vizkv.model.pool import Chunk

# bytes of K and V a layer: side by side all are as long as the longest, so a long one would cost more than its call
SHORT = 192 * 1024
FEWEST = 4  # sequences; laying fewer side by side costs more than their calls


class Batch:
    """The chunks of one step: first those that go together, then those that go alone; of each, pool by pool.

    ``ids``, ``positions``: [T], the new tokens of all, one behind the other.
    """

    def __init__(self, chunks: Sequence[Chunk]):
        short = [len(c.ids) == 1 and c.end * c.pool.layer_bytes_per_slot <= SHORT for c in chunks]
        if sum(short) < FEWEST:
            short = [False] * len(chunks)
        order = sorted(range(len(chunks)), key=lambda i: (not short[i], id(chunks[i].pool)))
        laid = [chunks[i] for i in order]
        slots = [chunk.slots() for chunk in laid]
        ends = list(accumulate(len(chunk.ids) for chunk in laid))
        self.ids = torch.tensor([token for chunk in laid for token in chunk.ids])
        self.positions = torch.tensor([p for chunk in laid for p in range(chunk.position, chunk.end)])
        self._last = [end - 1 for _, end in sorted(zip(order, ends, strict=True))]
        self._writes = list(_writes(laid, slots))
        count = sum(short)
        self._together = Together(laid[:count], slots[:count]) if count else None
        self._alone = [(chunk, slice(end - len(chunk.ids), end)) for chunk, end in zip(laid[count:], ends[count:])]

    def attention(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Store K and V of the new tokens ([T, G, d]), then let their queries ([T, H, d]) attend: [T, H * d].

        All is written before anything is read: a sequence may read blocks that another one of the same step fills
        (vLLM V1 registers blocks when it schedules them).
        """
        new = torch.stack((k, v))
        for pool, slots, rows in self._writes:
            pool[layer].index_copy_(1, slots, new[:, rows])
        parts = [self._together.attend(layer, q)] if self._together else []
        parts += [attend(q[rows], *chunk.read(layer)) for chunk, rows in self._alone]
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    def last_of_each(self, x: Tensor) -> Tensor:
        """Of rows [T, ...], the last of each chunk, in the order in which the chunks were given."""
        return x if self._last == list(range(len(x))) else x[torch.tensor(self._last)]


def _writes(chunks: Sequence[Chunk], slots: Sequence[np.ndarray]) -> Iterator[tuple[Tensor, Tensor, slice]]:
    """For each run of chunks in one pool: the pool, the slots of their new tokens, and the rows of these."""
    first = 0
    for _, run in groupby(zip(chunks, slots, strict=True), key=lambda entry: id(entry[0].pool)):
        same = list(run)
        new = np.concatenate([own[chunk.position :] for chunk, own in same])
        yield same[0][0].pool.tensor, torch.from_numpy(new), slice(first, first + len(new))
        first += len(new)


class Together:
    """Short sequences with one new token each, side by side as long as the longest one."""

    def __init__(self, chunks: Sequence[Chunk], slots: Sequence[np.ndarray]):
        tensor, ends = chunks[0].pool.tensor, [chunk.end for chunk in chunks]
        longest, count = max(ends), len(chunks)
        # behind its last token a sequence reads its first slot again: it is written, so it holds numbers
        wanted = np.empty((count, longest), np.int64)
        for row, own in zip(wanted, slots, strict=True):
            row[: len(own)], row[len(own) :] = own, own[0]
        mask = np.zeros((count, 1, 1, longest), np.float32)
        mask[np.arange(longest) >= np.array(ends)[:, None, None, None]] = -np.inf
        self._mask = torch.from_numpy(mask).to(tensor.dtype)
        self._kv = tensor.new_empty(2, count, longest, *tensor.shape[3:])
        self._gathers, first = [], 0
        for _, group in groupby(chunks, key=lambda chunk: id(chunk.pool)):
            same = list(group)
            last = first + len(same)
            index = torch.from_numpy(wanted[first:last].ravel())
            self._gathers.append((same[0].pool.tensor, index, self._kv[:, first:last].flatten(1, 2)))
            first = last

    def attend(self, layer: int, q: Tensor) -> Tensor:
        """The first rows of q [T, H, d] are those of these sequences."""
        for tensor, index, place in self._gathers:
            torch.index_select(tensor[layer], 1, index, out=place)
        return attend_together(q[: len(self._mask)], self._kv, self._mask)
