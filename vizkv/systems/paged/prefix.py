"""The prefix cache: which block holds the K/V of which tokens after which beginning.

A block's key depends on its tokens and on the key of the block before it, so equal keys mean equal beginnings. Only
full blocks have one.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from hashlib import blake2b


def extend_chain(chain: list[bytes], tokens: Sequence[int], block_size: int) -> None:
    """Append to ``chain`` the keys of the full blocks of ``tokens`` that it does not have yet.

    Tokens are only ever appended, so a chain is kept with its sequence and nothing is hashed twice.
    """
    for index in range(len(chain), len(tokens) // block_size):
        parent = chain[-1] if chain else b""
        content = array("q", tokens[index * block_size : (index + 1) * block_size]).tobytes()
        chain.append(blake2b(parent + content, digest_size=16).digest())


class PrefixCache:
    """Keys and the blocks that have them. Among blocks with one key the first registered answers."""

    def __init__(self) -> None:
        self._blocks: dict[bytes, dict[int, None]] = {}  # a dict keeps the order of registration
        self._key: dict[int, bytes] = {}

    def __contains__(self, block: int) -> bool:
        """Whether a block has a key."""
        return block in self._key

    def blocks(self) -> list[int]:
        """Every block that has a key, in ascending order."""
        return sorted(self._key)

    def find(self, key: bytes) -> int | None:
        """The block to use for ``key``, or None."""
        blocks = self._blocks.get(key)
        return next(iter(blocks)) if blocks else None

    def register(self, block: int, key: bytes) -> None:
        """Give ``block`` its key; a duplicate of another block's is kept beside it."""
        self._key[block] = key
        self._blocks.setdefault(key, {})[block] = None

    def evict(self, block: int) -> bool:
        """Take a block's key away; whether it had one."""
        key = self._key.pop(block, None)
        if key is None:
            return False
        blocks = self._blocks[key]
        del blocks[block]
        if not blocks:
            del self._blocks[key]
        return True

    def rearrange(self, place: Mapping[int, int]) -> None:
        """What lay in block b lies in place[b] from now on, with its key and its rank among duplicates."""
        self._key = {place.get(block, block): key for block, key in self._key.items()}
        for key, blocks in self._blocks.items():
            self._blocks[key] = {place.get(block, block): None for block in blocks}
