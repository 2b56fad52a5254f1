"""Paged memory: each owner has a block table that grows by one block when the last is full (vLLM V1's block manager).

Owners are what holds references, and tables are kept here beside the pool, so operations on whole tables (release,
fork, swap) belong to :class:`PagedMemory`. Fork, copy-on-write and swap are the paper's (sections 4.3 to 4.5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.paged.blocks import BlockPool, Freed, Place, make, places
from vizkv.systems.paged.prefix import PrefixCache


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


class Copied(NamedTuple):
    """Copy-on-write: ``block`` replaced the shared ``source`` as logical block ``logical``."""

    source: int
    block: int
    logical: int
    evicted: bool


class Swapped(NamedTuple):
    """Logical block ``logical`` of ``owner`` lies in ``block`` of the pool, and in ``cpu_block`` of the CPU pool.

    ``first``: its content has to be copied; False where another table's entry names the same block. ``evicted``: the
    pool's block lost its key as it was taken.
    """

    owner: int
    logical: int
    block: int
    cpu_block: int
    first: bool
    evicted: bool = False


class Write(NamedTuple):
    """``owner`` is about to write tokens ``first`` to ``end`` - 1."""

    owner: int
    first: int
    end: int


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
        swap: bool = False,
    ):
        """``swap``: there is a CPU pool, with as many blocks as the pool (the paper's bound, section 4.5)."""
        self.block_size = block_size
        self.pool = BlockPool(slots // block_size, null_block=null_block, free_order=free_order)
        self.cache = PrefixCache() if prefix_caching else None
        self.cpu = BlockPool(self.pool.num_blocks) if swap else None
        self._tables: dict[int, _Table] = {}
        self._swapped: dict[int, list[int]] = {}  # owner -> CPU blocks, by logical block

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
        """Open a table that begins with ``found``. Raises ValueError for an owner that has one, swapped out or not."""
        self._refuse_known(owner)
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
        return self._extend(self._tables[owner].blocks, tokens)

    def _extend(self, blocks: list[int], tokens: int) -> list[Taken]:
        taken, take, cache = [], self.pool.take, self.cache
        for index in range(len(blocks), self.blocks_for(tokens)):
            block = take()
            blocks.append(block)
            taken.append(make(Taken, (block, index, cache is not None and cache.evict(block))))
        return taken

    def register(self, owner: int, chain: Sequence[bytes], tokens: int) -> list[int]:
        """Enter an owner's blocks that ``tokens`` tokens fill into the prefix cache; those that are new in it."""
        if self.cache is None:
            return []
        table = self._tables[owner]
        full = tokens // self.block_size
        new = table.blocks[table.registered : full]
        # a block that several brought back from the CPU pool is offered by each of them
        entered = [pair for pair in zip(new, chain[table.registered : full], strict=True) if pair[0] not in self.cache]
        for block, key in entered:
            self.cache.register(block, key)
        table.registered = max(table.registered, full)
        return [block for block, _ in entered]

    def free(self, owner: int) -> list[Freed]:
        """Drop all of an owner's references. Raises KeyError where there is no table.

        In the queue the tail comes before the head, so that the end of a prefix is lost before its beginning. Blocks
        without content worth keeping go to the front, which they reach one by one: hence the head first there.
        """
        blocks, cache = self._tables.pop(owner).blocks, self.cache
        if cache is None:
            return self.pool.drop_all(blocks, Place.FRONT)
        keyed = [block for block in reversed(blocks) if block in cache]
        plain = [block for block in blocks if block not in cache]
        return self.pool.drop_all(plain, Place.FRONT) + self.pool.drop_all(keyed, Place.BACK)

    # -- sharing -----------------------------------------------------------------------------------------------------

    def fork(self, parent: int, child: int) -> None:
        """Give ``child`` the same table: every block has one reference more. Raises ValueError, KeyError."""
        self._refuse_known(child)
        source = self._tables[parent]
        for block in source.blocks:
            self.pool.share(block)
        self._tables[child] = _Table(list(source.blocks), source.registered)

    def can_write(self, writes: Iterable[Write]) -> bool:
        """Whether all of these writes could be made in this order."""
        return self.write_cost(writes) <= self.pool.free_blocks

    def write_cost(self, writes: Iterable[Write]) -> int:
        """Blocks that leave the free queue when these writes are made: new blocks, and copies of shared ones."""
        need, shared = 0, list[int]()
        for owner, first, end in writes:
            blocks, logical = self._tables[owner].blocks, first // self.block_size
            need += max(0, self.blocks_for(end) - len(blocks))
            if logical < len(blocks) and self.pool.count(blocks[logical]) > 1:
                shared.append(blocks[logical])
        if shared:  # of those who hold a block, the last to write keeps it
            need += sum(min(shared.count(block), self.pool.count(block) - 1) for block in set(shared))
        return need

    def write(self, owner: int, first: int, end: int) -> list[Taken | Copied]:
        """Make the slots of tokens ``first`` to ``end`` - 1 the owner's alone. Raises OutOfMemory; nothing has changed.

        Only the block of ``first`` can be shared: what follows it does not exist yet.
        """
        blocks, logical = self._tables[owner].blocks, first // self.block_size
        copies = logical < len(blocks) and self.pool.count(blocks[logical]) > 1
        if copies + self.blocks_for(end) - len(blocks) > self.pool.free_blocks:
            raise OutOfMemory(f"{self.pool.free_blocks} free blocks do not let owner {owner} write up to token {end}")
        made: list[Taken | Copied] = []
        if copies:
            source, block = blocks[logical], self.pool.take()
            self.pool.drop(source, Place.FRONT)
            blocks[logical] = block
            made.append(Copied(source, block, logical, self._evict(block)))
        made += self._extend(blocks, end)
        return made

    # -- swapping ----------------------------------------------------------------------------------------------------

    def swapped(self, owner: int) -> bool:
        """Whether an owner's blocks lie in the CPU pool."""
        return owner in self._swapped

    def can_swap_out(self, owners: Iterable[int]) -> bool:
        """Whether the CPU pool has room for the owners' tables; blocks that they share count once."""
        if self.cpu is None:
            return False
        return len({block for owner in owners for block in self._tables[owner].blocks}) <= self.cpu.free_blocks

    def swap_out(self, owners: Sequence[int]) -> tuple[list[Swapped], list[tuple[int, Freed]]]:
        """Move the owners' tables to the CPU pool: what lies where now, and the references dropped, by owner.

        Raises OutOfMemory, KeyError, or ValueError for an owner named twice; nothing has changed.
        """
        _refuse_twice(owners)
        if self.cpu is None or not self.can_swap_out(owners):
            raise OutOfMemory(f"the CPU pool has no room for owners {list(owners)}")
        moved, freed, place = [], [], dict[int, int]()
        for owner in owners:
            for logical, block in enumerate(self._tables[owner].blocks):
                if first := block not in place:
                    place[block] = self.cpu.take()
                else:
                    self.cpu.share(place[block])
                moved.append(Swapped(owner, logical, block, place[block], first))
            self._swapped[owner] = [place[block] for block in self._tables[owner].blocks]
        for owner in owners:
            freed += [(owner, drop) for drop in self.free(owner)]
        return moved, freed

    def swap_in_cost(self, writes: Iterable[Write]) -> int:
        """Blocks that leave the free queue when the owners' tables come back and these writes are then made."""
        blocks, new, writers = Counter[int](), 0, Counter[int]()
        for owner, first, end in writes:
            table = self._swapped[owner]
            blocks.update(table)
            new += max(0, self.blocks_for(end) - len(table))
            if first // self.block_size < len(table):
                writers[table[first // self.block_size]] += 1
        return len(blocks) + new + sum(min(count, blocks[block] - 1) for block, count in writers.items())

    def can_swap_in(self, writes: Iterable[Write], spare: int = 0) -> bool:
        """Whether the owners' tables and these writes fit beside ``spare`` blocks that are to stay free."""
        return self.swap_in_cost(writes) + spare <= self.pool.free_blocks

    def swap_in(self, owners: Sequence[int]) -> list[Swapped]:
        """Move the owners' tables back into blocks of the pool, shared as before.

        Raises OutOfMemory, KeyError, or ValueError for an owner named twice; nothing has changed.
        """
        _refuse_twice(owners)
        if self.cpu is None or len({b for o in owners for b in self._swapped[o]}) > self.pool.free_blocks:
            raise OutOfMemory(f"{self.pool.free_blocks} free blocks do not hold what owners {list(owners)} swapped out")
        moved, place = [], dict[int, int]()
        for owner in owners:
            table = self._tables[owner] = _Table()
            for logical, cpu_block in enumerate(self._swapped.pop(owner)):
                evicted = False
                if first := cpu_block not in place:
                    place[cpu_block] = self.pool.take()
                    evicted = self._evict(place[cpu_block])
                else:
                    self.pool.share(place[cpu_block])
                table.blocks.append(place[cpu_block])
                moved.append(Swapped(owner, logical, place[cpu_block], cpu_block, first, evicted))
                self.cpu.drop(cpu_block, Place.FRONT)
        return moved

    # -- by hand -----------------------------------------------------------------------------------------------------

    def exchange(self, *pairs: tuple[int, int]) -> None:
        """Pairs of physical blocks change places, one after another; every table, key and queue says so.

        Raises ValueError; nothing has changed.
        """
        first = self.pool.num_blocks - self.pool.usable
        for pair in pairs:
            if not all(first <= block < self.pool.num_blocks for block in pair):
                raise ValueError(f"blocks {pair[0]} and {pair[1]} must lie in {first}..{self.pool.num_blocks - 1}")
        place = places(pairs)
        self.pool.rearrange(place)
        if self.cache is not None:
            self.cache.rearrange(place)
        for table in self._tables.values():
            table.blocks[:] = [place.get(block, block) for block in table.blocks]

    def _evict(self, block: int) -> bool:
        return self.cache is not None and self.cache.evict(block)

    def _refuse_known(self, owner: int) -> None:
        if owner in self._tables or owner in self._swapped:
            raise ValueError(f"owner {owner} already has a block table")


def _refuse_twice(owners: Sequence[int]) -> None:
    if len(set(owners)) != len(owners):
        raise ValueError(f"owners {list(owners)} must be different")
