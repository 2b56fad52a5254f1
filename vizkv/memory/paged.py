"""Paged memory: each owner has a block table that grows by one block when the last is full (vLLM V1's block manager).

Owners are what holds references, and tables are kept here beside the pool, so operations on whole tables (release,
and whatever shares, copies or moves a table) belong to :class:`PagedMemory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vizkv.memory.blocks import BlockPool, Freed, Place
from vizkv.memory.placement import OutOfMemory
from vizkv.memory.prefix import PrefixCache


class Taken(NamedTuple):
    """A block left the free queue to become logical block ``logical``. ``evicted``: it lost its key by that."""

    block: int
    logical: int
    evicted: bool


class Shared(NamedTuple):
    """A cached block became logical block ``logical``. ``was_free``: it lay in the free queue."""

    block: int
    logical: int
    was_free: bool


@dataclass
class _Table:
    blocks: list[int] = field(default_factory=list)
    registered: int = 0  # blocks from the first on that have been offered to the prefix cache


class PagedMemory:
    """Block tables over one pool, with or without a prefix cache. Lengths are in tokens (= slots)."""

    def __init__(
        self,
        slots: int,
        block_size: int,
        *,
        prefix_caching: bool = False,
        null_block: bool = False,
        free_order: Sequence[int] = (),
    ):
        self.block_size = block_size
        self.pool = BlockPool(slots // block_size, null_block=null_block, free_order=free_order)
        self.cache = PrefixCache() if prefix_caching else None
        self._tables: dict[int, _Table] = {}

    # -- looking -----------------------------------------------------------------------------------------------------

    def blocks_for(self, tokens: int) -> int:
        """Blocks that ``tokens`` tokens fill, the last one perhaps partly."""
        return -(-tokens // self.block_size)

    def table(self, owner: int) -> list[int]:
        """An owner's block table: the memory's own list, to be read only. Raises KeyError where there is none."""
        return self._tables[owner].blocks

    def cached_blocks(self) -> list[int]:
        """Every block that has a key, in use or free, in ascending order."""
        return self.cache.blocks() if self.cache else []

    def lookup(self, chain: Sequence[bytes], tokens: int) -> list[int]:
        """Blocks that already hold the beginning of ``tokens`` tokens with the keys ``chain``.

        Never the last token: at least one is computed, for its logits. Nothing changes.
        """
        found: list[int] = []
        if self.cache is None:
            return found
        for key in chain[: (tokens - 1) // self.block_size]:
            block = self.cache.find(key)
            if block is None:
                break
            found.append(block)
        return found

    def cost(self, tokens: int, found: Sequence[int] = ()) -> int:
        """Blocks that leave the free queue for a table of ``tokens`` tokens beginning with ``found``."""
        lying_free = sum(self.pool.is_free(block) for block in found)
        return max(0, self.blocks_for(tokens) - len(found)) + lying_free

    # -- changing ----------------------------------------------------------------------------------------------------

    def can_allocate(self, tokens: int, found: Sequence[int] = (), spare: int = 0) -> bool:
        """Whether a whole sequence of ``tokens`` fits beside ``spare`` blocks that are to stay free."""
        return self.cost(tokens, found) + spare <= self.pool.free_blocks

    def allocate(self, owner: int, found: Sequence[int] = ()) -> list[Shared]:
        """Open a table that begins with ``found``. Raises ValueError for an owner that has one."""
        if owner in self._tables:
            raise ValueError(f"owner {owner} already has a block table")
        shared = [Shared(block, index, self.pool.share(block)) for index, block in enumerate(found)]
        self._tables[owner] = _Table(list(found), len(found))
        return shared

    def can_append(self, owner: int, tokens: int) -> bool:
        """Whether an owner's table could grow to hold ``tokens`` tokens in all."""
        return self.blocks_for(tokens) - len(self._tables[owner].blocks) <= self.pool.free_blocks

    def append(self, owner: int, tokens: int) -> list[Taken]:
        """Let an owner's table grow to hold ``tokens`` tokens. Raises OutOfMemory, and then nothing has changed."""
        if not self.can_append(owner, tokens):
            raise OutOfMemory(f"{self.pool.free_blocks} free blocks do not hold {tokens} tokens of owner {owner}")
        blocks = self._tables[owner].blocks
        taken = []
        for index in range(len(blocks), self.blocks_for(tokens)):
            block = self.pool.take()
            blocks.append(block)
            taken.append(Taken(block, index, self.cache is not None and self.cache.evict(block)))
        return taken

    def register(self, owner: int, chain: Sequence[bytes], tokens: int) -> list[int]:
        """Enter an owner's blocks that ``tokens`` tokens fill into the prefix cache; those that are new in it."""
        if self.cache is None:
            return []
        table = self._tables[owner]
        full = tokens // self.block_size
        new = table.blocks[table.registered : full]
        for block, key in zip(new, chain[table.registered : full], strict=True):
            self.cache.register(block, key)
        table.registered = max(table.registered, full)
        return new

    def free(self, owner: int) -> list[Freed]:
        """Drop all of an owner's references. Raises KeyError where there is no table.

        In the queue the tail comes before the head, so that the end of a prefix is lost before its beginning. Blocks
        without content worth keeping go to the front, which they reach one by one: hence the head first there.
        """
        blocks = self._tables.pop(owner).blocks
        keyed = [block for block in reversed(blocks) if self.cache is not None and block in self.cache]
        plain = [block for block in blocks if self.cache is None or block not in self.cache]
        return [self.pool.drop(block, Place.FRONT) for block in plain] + [
            self.pool.drop(block, Place.BACK) for block in keyed
        ]
