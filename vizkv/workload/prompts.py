"""The token ids of a workload's prompts, derived from content hashes so that equal content has equal ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

from vizkv.workload.arrival import Arrival


class PromptIds(Sequence[int]):
    """The token ids of a prompt, computed on access from its content hashes; only the hashes are stored.

    Token j is ``hash_ids[j // step] * step + j % step``: equal hashes give equal tokens, and different hashes have no
    token in common. All ids are below 2**40, so that larger ids occur in no prompt of this kind.
    """

    __slots__ = ("_count", "_names", "_step")

    def __init__(self, names: Sequence[int], count: int, step: int):
        self._names, self._count, self._step = names, count, step

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...
    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        names, step = self._names, self._step
        if not isinstance(at, slice):
            if at < 0:
                at += self._count
            if not 0 <= at < self._count:
                raise IndexError(at)
            return names[at // step] * step + at % step
        start, stop, stride = at.indices(self._count)
        if stride != 1:
            return [self[j] for j in range(start, stop, stride)]
        if step == 1:  # the hashes are the tokens
            return list(names[start:stop])
        ids: list[int] = []
        while start < stop:  # hash by hash: most slices are one block
            piece, offset = divmod(start, step)
            end = min(stop, start - offset + step)
            first = names[piece] * step + offset
            ids.extend(range(first, first + end - start))
            start = end
        return ids


def prompt_ids(arrival: Arrival) -> Sequence[int]:
    """Return the token ids of a request's prompt, without storing a list.

    With content hashes: :class:`PromptIds`. Without: ids from 2**41 on that no other request of the workload has, so
    that the request shares nothing.
    """
    if arrival.hash_ids:
        return PromptIds(arrival.hash_ids, arrival.prompt_tokens, arrival.step)
    first = 2**41 + int(arrival.id) * 2**22  # no prompt is longer than 2**22 (MAX_SLOTS)
    return range(first, first + arrival.prompt_tokens)


def infinite_hit_rate(arrivals: Iterable[Arrival], block_size: int) -> float:
    """Return the share of prompt tokens found by a prefix cache that never evicts a block; 0 without prompt tokens.

    The requests run one after the other, each finished before the next arrives. Only full blocks are cached, and the
    last token of a prompt is never a hit: at most ``(tokens - 1) // block_size`` blocks are. Sampled tokens are new
    content, as in recorded traces. All prompts count, also those that are too long to run.
    """
    followers: dict[tuple[int, int], int] = {}  # a tree of all prompts: (node, hash) -> next node
    covered: list[int] = []  # by node: the most tokens that a prompt had up to its end
    asked = hit = 0
    for arrival in arrivals:
        tokens = arrival.prompt_tokens
        asked += tokens
        before = -1
        common, known = 0, True
        for number, name in enumerate(arrival.hash_ids, 1):
            place = followers.setdefault((before, name), len(covered))
            reached = min(tokens, number * arrival.step)
            if place == len(covered):
                known = False
                covered.append(reached)
            else:
                if known:
                    common = min(reached, covered[place])
                covered[place] = max(covered[place], reached)
            before = place
        hit += min(common, tokens - 1) // block_size * block_size
    return hit / asked if asked else 0.0
