"""The words of each kind of system; a kind that has none is told in the words of all."""

from __future__ import annotations

from vizkv.views.systems.base import Words
from vizkv.views.systems.contiguous import ContiguousWords
from vizkv.views.systems.paged import PagedWords
from vizkv.views.systems.virtual import VirtualWords

WORDS: dict[str, Words] = {"contiguous": ContiguousWords(), "paged": PagedWords(), "virtual": VirtualWords()}
_PLAIN = Words()


def words(kind: str) -> Words:
    """The words of a kind."""
    return WORDS.get(kind, _PLAIN)
