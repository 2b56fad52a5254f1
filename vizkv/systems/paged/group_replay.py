"""What the events of a paged system with groups of layers do to its blocks: a table a group, and expired slots.

The ledger counts group slots: room for one token in the layers of one group. All blocks are as large as those of the
group whose blocks hold most tokens; what another group's block has beyond its own tokens is rounding.
"""

from __future__ import annotations

from typing import Any, ClassVar

from vizkv.systems.base.live import Live, Run, Span
from vizkv.systems.paged.group_table import windows_of
from vizkv.systems.paged.hits import NULL
from vizkv.systems.paged.replay import PagedReplay
from vizkv.trace.events import Event, Kind
from vizkv.trace.slots import Code
from vizkv.trace.trace import RequestFacts, SystemTrace


class GroupReplay(PagedReplay):
    """Each sequence has a table of blocks a group. ``block_table`` of a live one: all blocks that it holds."""

    expires: ClassVar[bool] = True
    requires: ClassVar[frozenset[str]] = frozenset({"block_size", "groups"})
    books: ClassVar[tuple[str, ...]] = (*PagedReplay.books, "spots", "contents")

    def __init__(self, system: SystemTrace, requests: tuple[RequestFacts, ...]):
        super().__init__(system, requests)
        self.windows = windows_of(system.detail["groups"], system.detail["block_size"])
        self.spots: dict[int, tuple[int, int]] = {}  # by block in use: the group, and the index in its tables
        self.contents: dict[int, tuple[int, int]] = {}  # by block with a key: the same of what lies in it

    @classmethod
    def counted(cls, rows: object) -> None:
        """Return None: what expires is counted by painting it."""

    def place(self, r: Live) -> dict[str, Any]:
        """The block tables, one a group; 0 is the null block."""
        return {"block_tables": [list(table) for table in r.block_tables]}

    def pool(self) -> dict[str, Any]:
        """The free queue, references, and every block that has a hash: of which group, and its index."""
        told = super().pool()
        return told | {"cached_blocks": {str(block): list(spot) for block, spot in sorted(self.contents.items())}}

    def released(self, who: int) -> list[Span]:
        """Return the blocks that nobody else holds."""
        held = {block for table in self.live[who].block_tables for block in table if block != NULL}
        return [self._span(block) for block in sorted(held) if block not in self.references]

    def _admitted(self, r: Live, event: Event) -> None:
        r.block_tables = [[] for _ in self.windows]

    def _happen(self, event: Event, late: bool) -> None:
        kind, who, a, b, c, d = event
        if kind == Kind.BLOCK:
            self._hand_out(self.live[who], a)
            self._enter(self.live[who], a, b, c)
            self._paint_physical(a)
        elif kind == Kind.SHARED:
            self._join(self.live[who], event)
        elif kind == Kind.REGISTERED:
            self.cached.add(a)
            self.contents[a] = c, b
        elif kind == Kind.EVICTED:
            self.cached.discard(a)
            del self.contents[a]
        elif kind == Kind.LEFT_BEHIND:
            r = self.live[who]
            table = r.block_tables[d]
            table[table.index(a)] = NULL
            r.block_table.remove(a)
            r.held -= self.system.block_size
            self._let_go(event, late)
        else:
            super()._happen(event, late)

    def _enter(self, r: Live, block: int, index: int, group: int) -> None:
        """A block joins a table; entries before it that no event names are null."""
        table = r.block_tables[group]
        table += [NULL] * (index - len(table))
        table.append(block)
        r.block_table.append(block)
        r.held += self.system.block_size
        r.estimate = r.held
        self.spots[block] = group, index

    def _join(self, r: Live, event: Event) -> None:
        _, _, block, index, was_free, group = event
        if was_free:
            del self.free_queue[block]
            self.references[block], self.holders[block] = 0, []
        self.references[block] += 1
        self.holders[block].append(r.index)
        self._enter(r, block, index, group)
        self._paint_physical(block)

    def _give_back(self, event: Event) -> None:
        if event.a not in self.references:
            self.spots.pop(event.a, None)
        super()._give_back(event)

    def _finish(self, r: Live) -> None:
        """What was held and never written turns out to be internal fragmentation."""
        self.finished.append(r.index)
        r.finished, r.written = True, r.final
        for table, group in zip(r.block_tables, self.windows, strict=True):
            if r.final % group.block_size:
                self._paint_physical(table[r.final // group.block_size])

    # -- slots --------------------------------------------------------------------------------------------------------

    def _slots(self, r: Live, position: int, count: int) -> list[Run]:
        """The slots that are written, and those that nothing reads any more because of that."""
        runs = []
        for table, group in zip(r.block_tables, self.windows, strict=True):
            size, end = group.block_size, position + count
            dead = range(group.dead_tokens(position) // size, -(-group.dead_tokens(end) // size))
            new = range(max(position // size, dead.stop), group.blocks(end))
            for index in [*dead, *new]:
                if index < len(table) and table[index] != NULL:
                    runs += self._block(table[index])
        return runs

    def _paint_physical(self, block: int) -> None:
        if self._blind:
            return
        if any(who in self.live for who in self.holders.get(block, ())):
            for run in self._block(block):
                self._paint(run)
        elif not self.holders.get(block):
            super()._paint_physical(block)

    def _block(self, block: int) -> list[Run]:
        """One block in use as its holders say: expired, written, to be written, never to be, no room for tokens.

        It is read as long as one of them reads it.
        """
        number, index = self.spots[block]
        group, width = self.windows[number], self.system.block_size
        size, position = group.block_size, index * group.block_size
        holders = [self.live[who] for who in self.holders[block] if who in self.live]
        dead = min(group.dead_tokens(r.written) for r in holders)
        ends = (dead, max(r.written for r in holders), max(r.final for r in holders))
        expired, written, will = (min(size, max(0, end - position)) for end in ends)
        expired = min(expired, written)
        rest = Code.REALISED if all(r.finished for r in holders) else Code.SURPLUS
        bounds = (0, expired, written, max(written, will), size, width)
        codes = (Code.EXPIRED, Code.USED, Code.PENDING, rest, Code.ROUNDING)
        owner = max(holders, key=lambda r: r.written).index
        return [
            Run(block * width + low, high - low, code, owner, position + low)
            for low, high, code in zip(bounds, bounds[1:], codes)
            if high > low
        ]
