"""The token ids that are known of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload


class MadeUp(Sequence[int]):
    """The known tokens of a sequence that no model writes: its prompt, then ids that nobody else has.

    Nothing is stored but how many there are: a workload has thousands of sequences with thousands of tokens.
    """

    __slots__ = ("_first", "_prompt", "known")

    def __init__(self, prompt: Sequence[int], first: int):
        """``first`` + q is the id of the token at position q behind the prompt."""
        self._prompt, self._first, self.known = prompt, first, len(prompt)

    def __len__(self) -> int:
        return self.known

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...
    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        prompt = len(self._prompt)
        if isinstance(at, slice):
            start, stop, step = at.indices(self.known)
            if step != 1:
                return [self[i] for i in range(start, stop, step)]
            if stop <= prompt:
                return self._prompt[start:stop]
            made_up = range(self._first + max(start, prompt), self._first + stop)
            return made_up if start >= prompt else [*self._prompt[start:], *made_up]
        if at < 0:
            at += self.known
        if not 0 <= at < self.known:
            raise IndexError(at)
        return self._prompt[at] if at < prompt else self._first + at

    def append(self, token: int) -> None:
        """One more is known. Raises ValueError for another id than the next one."""
        if token != self.next:
            raise ValueError(f"token {token} at position {self.known}; the next made-up id is {self.next}")
        self.known += 1

    @property
    def next(self) -> int:
        """The id that is sampled next."""
        return self._first + self.known

    @property
    def sampled(self) -> range:
        """The ids behind the prompt."""
        return range(self._first + len(self._prompt), self._first + self.known)


Tokens = list[int] | MadeUp
