"""A memory of blocks whose manager is four methods: can_allocate, allocate, append, free."""

from __future__ import annotations

from typing import Any, ClassVar

from vizkv.messages.sentence import told
from vizkv.systems.base.line import FirstComeFirstServed
from vizkv.systems.base.parts import Count
from vizkv.systems.base.request import Plan, Refusal, Sequence
from vizkv.systems.base.system import Limits, System
from vizkv.systems.own.calls import ask, refuse
from vizkv.trace.events import Event, Kind


class BlockManager:
    """Base class of a block manager: override its four methods. A new object is made for every run.

    ``kind``: the word for it in a scenario; without one the class name, ``MyBlocks`` as ``my-blocks``. Requests are
    numbers; blocks count from 0. Requests share no blocks.
    """

    kind: ClassVar[str] = ""

    def __init__(self, blocks: int, block_size: int):
        """Begin with ``blocks`` free blocks of ``block_size`` slots."""
        self.blocks, self.block_size = blocks, block_size

    def can_allocate(self, request: int, tokens: int) -> bool:
        """Return whether a new request with ``tokens`` known tokens fits now; change nothing."""
        raise NotImplementedError

    def allocate(self, request: int, tokens: int) -> list[int]:
        """Give a new request the blocks for its first ``tokens`` tokens, and return them in the order of its text.

        It is called only where :meth:`can_allocate` has just returned True. A long prompt is written in several steps:
        ``tokens`` are those of the first one, and more blocks are asked for by :meth:`append`.
        """
        raise NotImplementedError

    def append(self, request: int) -> int | None:
        """Give a running request whose blocks are full one more, and return it; None if none is free.

        None changes nothing. After it the request that was admitted last is preempted, and the question is put again.
        """
        raise NotImplementedError

    def free(self, request: int) -> None:
        """Take back all blocks of a request that has ended or was preempted."""
        raise NotImplementedError


class OwnBlockSystem(System):
    """The table of such a system in a scenario."""

    kind: str
    block_size: Count = 16

    has_block_table: ClassVar[bool] = True
    can_preempt: ClassVar[bool] = True
    noun: ClassVar[str] = told("a system of blocks")

    @property
    def details(self) -> str:
        """What tells two systems of this kind apart."""
        return told("blocks of {size}", size=self.block_size)

    @property
    def block(self) -> int:
        """Slots of a block."""
        return self.block_size

    def knobs(self) -> tuple[str, ...]:
        """The fields that a page may change."""
        return ("block_size",)

    def check(self, where: str, slots: int) -> None:
        """Raise ValueError where the pool does not hold one block."""
        if self.block_size > slots:
            raise ValueError(
                told(
                    "The field {where}.block_size is {block_size}; valid is 1 to {slots}, the pool's slots",
                    where=where, block_size=self.block_size, slots=slots,
                )
            )  # fmt: skip


class Watched:
    """The blocks that a manager has handed out, and to whom. Every answer of the manager is checked against them."""

    def __init__(self, own: BlockManager, blocks: int, size: int):
        self.own, self.blocks, self.block_size = own, blocks, size
        self.tables: dict[int, list[int]] = {}
        self._free = dict.fromkeys(range(blocks))
        self._name = type(own).__name__

    @property
    def free_blocks(self) -> list[int]:
        """Blocks that no request holds, in the order in which they were given back."""
        return list(self._free)

    def blocks_for(self, tokens: int) -> int:
        """Blocks that hold so many tokens."""
        return -(-tokens // self.block_size)

    def can_allocate(self, who: int, tokens: int) -> bool:
        """Whether the manager takes a new request. Raises OwnSystemError where it never would."""
        given = ask(self.own.can_allocate, who, tokens)
        method, what = f"{self._name}.can_allocate", f"request {who}, {tokens} tokens, free blocks {self.free_blocks}"
        if not isinstance(given, bool):
            refuse(method, what, given, told("True or False"))
        if given and self.blocks_for(tokens) > len(self._free):
            refuse(method, what, given, told("False: too few blocks are free"))
        if not given and not self.tables and self.blocks_for(tokens) <= self.blocks:
            refuse(method, what, given, told("True: no request holds a block, and nothing would ever change"))
        return given

    def allocate(self, who: int, tokens: int) -> list[int]:
        """Give a new request its blocks."""
        given = ask(self.own.allocate, who, tokens)
        method, what = f"{self._name}.allocate", f"request {who}, {tokens} tokens, free blocks {self.free_blocks}"
        need = self.blocks_for(tokens)
        if not isinstance(given, list | tuple) or len(given) != need:
            refuse(method, what, given, told("a list of blocks, {n} of them", n=need))
        if not all(type(block) is int and block in self._free for block in given) or len(set(given)) != need:
            refuse(method, what, given, told("different blocks that are free"))
        for block in given:
            del self._free[block]
        self.tables[who] = list(given)
        return self.tables[who]

    def append(self, who: int) -> int | None:
        """Give a request one more block, or None."""
        given = ask(self.own.append, who)
        method, what = f"{self._name}.append", f"request {who}, free blocks {self.free_blocks}"
        if given is None:
            if self._free:
                refuse(method, what, given, told("a block, because {n} of them can be had", n=len(self._free)))
            return None
        if type(given) is not int or given not in self._free:
            refuse(method, what, given, told("a block that is free, or None"))
        del self._free[given]
        self.tables[who].append(given)
        return given

    def free(self, who: int) -> list[int]:
        """Take a request's blocks back, and return them."""
        ask(self.own.free, who)
        blocks = self.tables.pop(who)
        self._free |= dict.fromkeys(blocks)
        return blocks


class BlockScheduler(FirstComeFirstServed):
    """First come, first served; where a block is missing, the last of the running list is preempted, as in vLLM."""

    def __init__(self, system: OwnBlockSystem, limits: Limits, own: BlockManager):
        super().__init__(limits)
        self.system = system
        self.memory = Watched(own, limits.slots // system.block_size, system.block_size)

    def schedule(self) -> Plan:
        """Running sequences first, in order; then, if nobody was preempted, admissions while the budget lasts."""
        self.begin()
        events: list[Event] = []
        if self.go_on(0, events):
            self.admit(events)
        return Plan(self.scheduled, events)

    def go_on(self, position: int, events: list[Event]) -> bool:
        """Give each running sequence its tokens, preempting from the end; whether nobody had to be."""
        preempted = False
        while position < len(self.running) and self._budget:
            sequence, before = self.running[position], len(self.running)
            count = min(sequence.left, self._budget)
            if not self._grow(sequence, count, events):
                return False
            preempted = preempted or len(self.running) < before
            self._write(sequence, count, events)
            position += 1
        return not preempted

    def admit(self, events: list[Event]) -> None:
        """Admit while the line, the manager, the budget and the places allow it; say why the head waits."""
        while self._room():
            sequence, memory = self.waiting[0], self.memory
            known = len(sequence.tokens)
            if not memory.can_allocate(sequence.index, known):
                self._wait_for(sequence, memory.blocks_for(known), events)
                return
            self._admit()
            count = min(sequence.left, self._budget)
            sequence.block_table = memory.allocate(sequence.index, count)
            held = len(sequence.block_table) * memory.block_size
            events.append(Event(Kind.ADMITTED, sequence.index, -1, held, held))
            events += [Event(Kind.BLOCK, sequence.index, b, i) for i, b in enumerate(sequence.block_table)]
            self._write(sequence, count, events)

    def _wait_for(self, sequence: Sequence, blocks: int, events: list[Event]) -> None:
        """Note why the head of the line waits."""
        free, size = self.memory.free_blocks, self.memory.block_size
        room = len(free) * size
        self._refuse(sequence, Refusal(blocks * size, room, room, free[0] * size if free else -1), events)

    def _grow(self, sequence: Sequence, count: int, events: list[Event]) -> bool:
        """Take the blocks for ``count`` more tokens, preempting from the end; False if it had to go itself."""
        memory = self.memory
        need = memory.blocks_for(sequence.written + count)
        while len(sequence.block_table) < need:
            block = memory.append(sequence.index)
            if block is not None:
                events.append(Event(Kind.BLOCK, sequence.index, block, len(sequence.block_table) - 1))
                continue
            missing = need - len(sequence.block_table)
            events.append(Event(Kind.SHORT, sequence.index, missing, len(memory.free_blocks)))
            victim = self.running[-1]
            self.before_preemption(victim.group)
            events.append(Event(Kind.PREEMPTED, victim.index, victim.written))
            self._release(victim, events)
            victim.written = 0
            self.waiting.appendleft(victim)
            if victim is sequence:
                return False
        return True

    def _release(self, sequence: Sequence, events: list[Event]) -> None:
        """Give back the blocks of a sequence, which leaves the running list."""
        gone = self.memory.free(sequence.index)
        events += [Event(Kind.FREED_BLOCK, sequence.index, block, 0, 0) for block in gone]
        sequence.block_table = []
        self.running.remove(sequence)

    def _need_and_limit(self, sequence: Sequence) -> tuple[int, int]:
        return sequence.final_slots, self.memory.blocks * self.memory.block_size

    def _finish(self, sequence: Sequence, events: list[Event]) -> None:
        self._release(sequence, events)

    # -- for a run that skips ahead -----------------------------------------------------------------------------------

    def free_queue(self) -> list[int]:
        """The free blocks; which of them is next, only the manager knows."""
        return self.memory.free_blocks

    def blocks(self) -> range:
        """All blocks of the pool."""
        return range(self.memory.blocks)

    def wait(self, position: int, *, first: bool = False) -> int:
        """Until its last block is full."""
        return -position % self.memory.block_size

    def grow_one(self, sequence: Sequence, events: list[Event]) -> bool:
        """Take the block of the next token; False if the sequence had to go itself."""
        return self._grow(sequence, 1, events)


def scheduler(own: type[BlockManager]) -> Any:
    """Return what makes a scheduler with a new manager of that class."""

    def made(system: OwnBlockSystem, limits: Limits) -> BlockScheduler:
        blocks = limits.slots // system.block_size
        return BlockScheduler(system, limits, ask(own, blocks, system.block_size))

    return made


__all__ = ["BlockManager", "BlockScheduler", "OwnBlockSystem", "Watched", "scheduler"]
