"""One sequence inside one system, the group that it may belong to, and what a step's plan is made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from vizkv.systems.base.tokens import Tokens
from vizkv.trace.events import Event


@dataclass(eq=False)
class Sequence:
    """One sequence of one request inside one system; the scheduler changes it as it goes.

    ``final_slots`` (L) = ``prompt_tokens`` (p) + sampled tokens - 1: the last sampled token's K/V is never written.
    """

    index: int  # in the trace
    prompt_tokens: int
    final_slots: int
    max_len: int  # at most so many slots; what Orca (Max) reserves
    tokens: Tokens  # known so far: the prompt, then what was sampled
    written: int = 0  # slots written = tokens computed
    start: int = -1  # contiguous: the first slot,
    estimate: int = 0  # the slots it is thought to need (E)
    held: int = 0  # and those it holds after rounding (R)
    block_table: list[int] = field(default_factory=list)  # paged; belongs to the memory, to be read only
    chain: list[bytes] = field(
        default_factory=list, repr=False
    )  # paged: prefix-cache keys of the full blocks of tokens

    group: Group = field(default_factory=lambda: Group([], 0), repr=False)  # of itself alone where none is given

    def __post_init__(self) -> None:
        if not self.group.members:
            self.group = Group([self], self.prompt_tokens)
        if self.final_slots < self.prompt_tokens:
            raise ValueError(
                f"sequence {self.index} has final_slots = {self.final_slots} below its prompt of {self.prompt_tokens}; "
                f"give at least {self.prompt_tokens}"
            )

    @property
    def left(self) -> int:
        """Known tokens that are not computed yet."""
        return len(self.tokens) - self.written

    @property
    def sampled_total(self) -> int:
        """Tokens it samples until it ends."""
        return self.final_slots - self.prompt_tokens + 1

    @property
    def finished(self) -> bool:
        """Whether it has all its output."""
        return len(self.tokens) > self.final_slots


@dataclass(eq=False)
class Group:
    """The sequences of one request: admitted, preempted and swapped together (the paper, section 4.5).

    The first live one computes the ``shared`` tokens that all begin with; then the others fork from it, and each goes
    on by itself. ``beam``: they sample together, for a step's survivors are chosen among the continuations of all.
    """

    members: list[Sequence]
    shared: int
    beam: bool = False
    forked: bool = True

    @property
    def live(self) -> list[Sequence]:
        """Those that have not finished."""
        if len(self.members) == 1:  # nearly all groups, and asked in every step
            return [] if self.members[0].finished else self.members
        return [member for member in self.members if not member.finished]

    @property
    def active(self) -> list[Sequence]:
        """Those that have a block table while the group runs: before the fork only the first."""
        return self.live if self.forked else self.live[:1]


class Plan(NamedTuple):
    """What one step runs, as (sequence, first position, number of tokens) in scheduling order; and what happened."""

    scheduled: list[tuple[Sequence, int, int]]
    events: list[Event]


class Refusal(NamedTuple):
    """Why the head of the line waits: it needs ``need`` slots, ``free`` are free, ``hole`` in the largest hole.

    ``hole_start``: that hole's first slot, -1 if there is none.
    """

    need: int
    free: int
    hole: int
    hole_start: int


class Scheduler(Protocol):
    """One system's rules. A step is: arrive (any number of times), schedule, complete."""

    running: list[Sequence]
    waiting: deque[Sequence]
    refused: Refusal | None
    """In this step: why the head of the line has no memory; None if it has, or nobody waits."""
    stranded: bool
    """In this step: whether the head waits although the free slots together would hold it."""
    scheduled: list[tuple[Sequence, int, int]]
    """The step's plan, as far as it has been made."""

    def arrive(self, sequence: Sequence) -> list[Event]:
        """Join the line: ARRIVED; or NEVER, and the sequence is dropped."""

    def schedule(self) -> Plan:
        """Decide the step. ``sequence.written`` already counts what is scheduled."""

    def complete(self, sampled: dict[int, int], parents: dict[int, int] | None = None) -> list[Event]:
        """End the step.

        ``sampled``: a token by index for every scheduled sequence with nothing left to compute, and for those that
        fork from it now. ``parents``: of each beam that is dropped, the index of the one that it continues instead.
        """

    def idle(self) -> bool:
        """Nothing runs and nothing waits."""

    # -- by hand (vizkv/engine/interventions.py): a kind that cannot do it has nothing to do --------------------------

    def free_queue(self) -> list[int]:
        """The free blocks in the order in which they will be handed out; empty where there are none."""

    def blocks(self) -> range:
        """The physical blocks that tables can name; empty where there are none."""

    def exchange(self, pairs: list[tuple[int, int]]) -> list[Event]:
        """Let pairs of physical blocks change places, one pair after another: EXCHANGED."""

    def compact(self) -> list[Event]:
        """Move all pieces together: MOVED."""

    # -- for a run that skips ahead (vizkv/engine/skipping.py): what will happen to a sequence, and when --------------

    before_preemption: Callable[[Group], None]
    """Called with a victim while it still has its slots."""

    def wait(self, position: int, *, first: bool = False) -> int | None:
        """How many steps a sequence that writes one token in each, the first at ``position``, may go unasked.

        0: the memory has to be asked in the step that writes ``position``. None: never. ``first``: what it wrote in
        the step before was a piece of its prompt.
        """

    def grow_one(self, sequence: Sequence, events: list[Event]) -> bool:
        """Take what the next token of a running sequence needs, preempting others; False if it had to go itself."""

    def awaited(self) -> Hashable | None:
        """What would make the refused head of the line need less, although nothing is given back; None: nothing."""

    def has_come(self, awaited: Hashable) -> bool:
        """Whether what :meth:`awaited` returned has happened since."""

    # -- and the parts that ``schedule`` consists of ------------------------------------------------------------------

    def begin(self, writing: int = 0) -> None:
        """Open a step in which ``writing`` tokens are spoken for by sequences that only write one each."""

    def go_on(self, position: int, events: list[Event]) -> bool:
        """Schedule the running sequences from a position of the list on; whether anybody may be admitted."""

    def admit(self, events: list[Event]) -> None:
        """Admit while the line, the memory, the budget and the places allow it; say why the head waits."""
