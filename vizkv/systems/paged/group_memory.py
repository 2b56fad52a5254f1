"""Paged memory of a model whose layers fall into groups: each owner has a block table a group, over one pool.

Block 0 is the null block: in a table it stands where a group holds nothing, because its layers read nothing there any
more. A block belongs to one group at a time; its key in the prefix cache says which. vLLM 0.32,
``vllm/v1/core/kv_cache_coordinator.py`` and ``single_type_kv_cache_manager.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.paged.blocks import BlockPool, Freed, Place
from vizkv.systems.paged.hits import NULL, Hit, Kinds
from vizkv.systems.paged.prefix import PrefixCache, extend_chain
from vizkv.systems.paged.retention import Retained, Retention
from vizkv.systems.paged.window import Window


class GroupTaken(NamedTuple):
    """A block left the free queue to become block ``logical`` of a group. ``evicted``: it lost its key by that."""

    group: int
    block: int
    logical: int
    evicted: bool


class GroupShared(NamedTuple):
    """A cached block became block ``logical`` of a group; NULL: none is needed. ``was_free``: it lay in the queue."""

    group: int
    block: int
    logical: int
    was_free: bool


class GroupKept(NamedTuple):
    """Block ``logical`` of a group, ``block``, got a key."""

    group: int
    block: int
    logical: int


class GroupFreed(NamedTuple):
    """A group's entry ``logical`` became the null block, or its table went: what became of the block."""

    group: int
    logical: int
    freed: Freed


class Chains:
    """The keys of a sequence's full blocks, by block size; each is made once."""

    def __init__(self) -> None:
        self._by_size: dict[int, list[bytes]] = {}

    def of(self, tokens: Sequence[int], block_size: int) -> list[bytes]:
        """The keys of the full blocks of ``tokens``."""
        chain = self._by_size.setdefault(block_size, [])
        extend_chain(chain, tokens, block_size)
        return chain


@dataclass
class _Tables:
    blocks: list[list[int]]
    registered: list[int]  # by group: blocks from the first on that have been offered to the prefix cache
    boundaries: tuple[int, ...]  # in tokens, see Retained
    chains: Chains = field(default_factory=Chains)


class GroupMemory:
    """Block tables over one pool, a table a group, with or without a prefix cache. Lengths are in tokens.

    ``budget``: the most tokens that a step computes; together with ``max_model_len`` it bounds what a group behind a
    window can hold.
    """

    def __init__(
        self,
        num_blocks: int,
        groups: Sequence[Window],
        *,
        prefix_caching: bool = False,
        retention: Retention = 0,
        budget: int,
        max_model_len: int,
        free_order: Sequence[int] = (),
    ):
        """``num_blocks`` has the null block in it. Raises ValueError where there is no group."""
        if not groups:
            raise ValueError("a model has at least one group of layers")
        self.groups = tuple(groups)
        self.pool = BlockPool(num_blocks, null_block=True, free_order=free_order)
        self.cache = PrefixCache() if prefix_caching else None
        self.kinds = Kinds.of(self.groups)
        self.changes = 0  # how often blocks were given back by a running owner, or got a key: waiting may be over
        self._retained = Retained(retention, self.kinds.align)
        self._caps = [group.cap(budget, max_model_len) for group in self.groups]
        self._tables: dict[int, _Tables] = {}

    # -- looking -----------------------------------------------------------------------------------------------------

    def tables(self, owner: int) -> list[list[int]]:
        """An owner's tables, one a group: the memory's own lists, to be read only. Raises KeyError."""
        return self._tables[owner].blocks

    def cached_blocks(self) -> list[int]:
        """Every block that has a key, in use or free, in ascending order."""
        return self.cache.blocks() if self.cache else []

    def lookup(self, tokens: Sequence[int], chains: Chains) -> Hit:
        """What the cache has of the beginning of ``tokens`` in every group; never the last token. Nothing changes."""
        cache = self.cache
        if cache is None:
            return Hit(0, ((),) * len(self.groups))

        def finder(kind: Window, numbers: Sequence[int], cache: PrefixCache) -> list[list[int] | None]:
            chain = chains.of(tokens, kind.block_size)
            return [_of_all(cache, key, numbers) for key in chain[: (len(tokens) - 1) // kind.block_size]]

        rows = [finder(kind, numbers, cache) for kind, numbers in self.kinds.kinds]
        return self.kinds.look_up([row.__getitem__ for row in rows], len(tokens) - 1)

    def admission_cost(self, tokens: int, hit: Hit, *, whole: bool) -> int:
        """Blocks that leave the free queue for a new owner's ``tokens`` tokens beginning with ``hit``.

        ``whole``: the tokens are not computed in one step, so that no group holds more than its window asks for.
        """
        cost = 0
        for group, cap, found in zip(self.groups, self._caps, hit.blocks, strict=True):
            dead = group.dead(hit.tokens)
            blocks = min(group.blocks(tokens), cap) if whole else group.blocks(tokens)
            lying_free = sum(block != NULL and self.pool.is_free(block) for block in found[dead:])
            cost += max(0, blocks - max(dead, len(found))) + lying_free
        return cost

    def cost(self, owner: int, tokens: int) -> int:
        """Blocks that an owner's tables lack for ``tokens`` tokens in all."""
        tables = self._tables[owner].blocks
        return sum(max(0, g.blocks(tokens) - len(t)) for g, t in zip(self.groups, tables, strict=True))

    def least(self, tokens: int) -> int:
        """The blocks without which a sequence cannot write its last token, the ``tokens``-th."""
        return sum(group.blocks(tokens) - group.dead(tokens - 1) for group in self.groups)

    # -- changing ----------------------------------------------------------------------------------------------------

    def allocate(self, owner: int, hit: Hit, *, prompt: int, chains: Chains | None = None) -> list[GroupShared]:
        """Open tables that begin with ``hit``, null where that is behind the window already.

        ``prompt``: tokens of the prompt. Raises ValueError for an owner that has tables.
        """
        if owner in self._tables:
            raise ValueError(f"owner {owner} already has block tables")
        shared, tables = [], []
        for number, (group, found) in enumerate(zip(self.groups, hit.blocks, strict=True)):
            dead = group.dead(hit.tokens)
            table = [NULL if index < dead else block for index, block in enumerate(found)]
            for index, block in enumerate(table):
                shared.append(GroupShared(number, block, index, block != NULL and self.pool.share(block)))
            tables.append(table)
        boundaries = (prompt - 1, hit.junction)
        self._tables[owner] = _Tables(tables, [len(t) for t in tables], boundaries, chains or Chains())
        return shared

    def append(self, owner: int, tokens: int) -> list[GroupTaken]:
        """Let an owner's tables grow to hold ``tokens`` tokens. Raises OutOfMemory, and then nothing has changed."""
        if self.cost(owner, tokens) > self.pool.free_blocks:
            raise OutOfMemory(f"{self.pool.free_blocks} free blocks do not hold {tokens} tokens of owner {owner}")
        taken = []
        for number, (group, table) in enumerate(zip(self.groups, self._tables[owner].blocks, strict=True)):
            for logical in range(len(table), group.blocks(tokens)):
                block = self.pool.take()
                table.append(block)
                taken.append(GroupTaken(number, block, logical, self.cache is not None and self.cache.evict(block)))
        return taken

    def register(self, owner: int, tokens: Sequence[int], written: int) -> list[GroupKept]:
        """Give keys to an owner's blocks that ``written`` of its ``tokens`` fill, in every group.

        A block that is passed over, because it is null or its group does not retain it, never gets a key later.
        """
        kept: list[GroupKept] = []
        if self.cache is None:
            return kept
        mine = self._tables[owner]
        align = self.kinds.align if len(self.groups) > 1 else 1
        for number, (group, table) in enumerate(zip(self.groups, mine.blocks, strict=True)):
            full = written // align * align // group.block_size
            if full <= mine.registered[number]:
                continue
            chain = mine.chains.of(tokens, group.block_size)
            for logical in range(mine.registered[number], full):
                block = table[logical]
                if block != NULL and self._retained.keeps(group, logical, mine.boundaries):
                    self.cache.register(block, _key(chain[logical], number))
                    kept.append(GroupKept(number, block, logical))
            mine.registered[number] = full
        self.changes += bool(kept)
        return kept

    def expire(self, owner: int, computed: int) -> list[GroupFreed]:
        """Let go of the blocks behind an owner's windows once it has computed so many tokens; null takes their place.

        From the window back to the first entry that is null already.
        """
        gone: list[GroupFreed] = []
        for number, (group, table) in enumerate(zip(self.groups, self._tables[owner].blocks, strict=True)):
            entries = []
            for logical in range(min(group.dead(computed), len(table)) - 1, -1, -1):
                if table[logical] == NULL:
                    break
                entries.append((logical, table[logical]))
                table[logical] = NULL
            gone += self._drop(number, entries)
        self.changes += bool(gone)
        return gone

    def free(self, owner: int) -> list[GroupFreed]:
        """Drop all of an owner's references, group by group, each table from its tail. Raises KeyError."""
        gone: list[GroupFreed] = []
        for number, table in enumerate(self._tables.pop(owner).blocks):
            entries = [(logical, block) for logical, block in enumerate(table) if block != NULL]
            gone += self._drop(number, entries[::-1])
        return gone

    def _drop(self, group: int, entries: Sequence[tuple[int, int]]) -> list[GroupFreed]:
        """One call of freeing: blocks without a key to the front of the queue, the others to its back, as they come.

        In front they arrive one by one, so the last of them first.
        """
        cache = self.cache
        plain = [entry for entry in reversed(entries) if cache is None or entry[1] not in cache]
        keyed = [entry for entry in entries if cache is not None and entry[1] in cache]
        gone = []
        for part, place in ((plain, Place.FRONT), (keyed, Place.BACK)):
            drops = self.pool.drop_all((block for _, block in part), place)
            gone += [GroupFreed(group, logical, freed) for (logical, _), freed in zip(part, drops, strict=True)]
        return gone


def _key(content: bytes, group: int) -> bytes:
    """The key of a block's content as a group's layers have it."""
    return content + group.to_bytes(4, "big")


def _of_all(cache: PrefixCache, content: bytes, numbers: Sequence[int]) -> list[int] | None:
    """A block of each of these groups with that content; None where one of them has none."""
    blocks = []
    for number in numbers:
        block = cache.find(_key(content, number))
        if block is None:
            return None
        blocks.append(block)
    return blocks
