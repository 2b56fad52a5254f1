"""What the prompts of a workload say, as far as anybody needs to know: which of their tokens are equal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

from vizkv.workload.arrival import Arrival


class PromptIds(Sequence[int]):
    """A prompt's token ids made from the names of its content, one at a time: nothing is stored but the names.

    Token j is ``hash_ids[j // step] * step + j % step``: equal names, equal tokens, and different names share none.
    All are below 2**40, so that ids from there on belong to nobody's prompt.
    """

    __slots__ = ("_count", "_names", "_step")

    def __init__(self, names: tuple[int, ...], count: int, step: int):
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
        ids: list[int] = []
        while start < stop:  # name by name: a slice is mostly one block
            piece, offset = divmod(start, step)
            end = min(stop, start - offset + step)
            first = names[piece] * step + offset
            ids.extend(range(first, first + end - start))
            start = end
        return ids


def prompt_ids(arrival: Arrival) -> Sequence[int]:
    """The token ids of a request's prompt, without a list of them.

    Where content is named: :class:`PromptIds`. Else ids that no other request of the workload has, from 2**41 on: such
    a request shares with nobody.
    """
    if arrival.hash_ids:
        return PromptIds(arrival.hash_ids, arrival.prompt_tokens, arrival.step)
    first = 2**41 + int(arrival.id) * 2**22  # no prompt is longer than 2**22 (MAX_SLOTS)
    return range(first, first + arrival.prompt_tokens)


def infinite_hit_rate(arrivals: Iterable[Arrival], block_size: int) -> float:
    """The share of all prompt tokens that a prefix cache would hit if it never had to give up a block; 0 for no tokens.

    The requests come one after the other, each computed before the next asks. Only full blocks are kept and hit, and
    never a prompt's last token (SPEC 4: at most ``(tokens - 1) // block_size`` blocks). Prompts only: what a request
    samples is new content, as in the recorded traces. All prompts count, those that are too long to run as well.
    """
    followers: dict[tuple[int, int], int] = {}  # (what came before, name) -> what is now: a tree of all prompts
    covered: list[int] = []  # of each place in that tree: the most tokens that one prompt had up to its end
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
