"""Requests with several sequences: computed together as far as they are equal, then each by itself (paper, 4.4, 4.5).

The first sequence of a group computes what all begin with. At the end of that step the others fork from it: their
block tables name the same blocks. From then on each writes for itself, and whoever writes into a block that others
refer to copies it first.
"""

from __future__ import annotations

from typing import NamedTuple

from vizkv.systems.base.line import FirstComeFirstServed
from vizkv.systems.base.request import Group, Sequence
from vizkv.systems.base.system import Limits
from vizkv.trace.events import Event, Kind


class Share(NamedTuple):
    """``tokens`` of a step for one sequence."""

    sequence: Sequence
    tokens: int


def shares(group: Group, budget: int) -> list[Share]:
    """What a group computes with ``budget`` tokens left in the step; nothing where there is not one for each member."""
    active = group.active
    if not group.forked:
        return [Share(active[0], min(group.shared - active[0].written, budget))]
    if len(active) == 1:
        return [Share(active[0], min(active[0].left, budget))]
    if budget < len(active):
        return []
    # beams sample in one step: none reads its last token before all can
    held_back = int(group.beam and sum(member.left for member in active) > budget)
    planned = []
    for behind, member in zip(range(len(active) - 1, -1, -1), active, strict=True):
        tokens = min(member.left - held_back, budget - behind)  # one token is kept for each of those behind
        if tokens > 0:
            planned.append(Share(member, tokens))
            budget -= tokens
    return planned


class Groups(FirstComeFirstServed):
    """The line and the running list where a place in the line may stand for several sequences."""

    def __init__(self, limits: Limits):
        super().__init__(limits)
        self._to_come = 0  # sequences that run as soon as their group forks

    def arrive(self, sequence: Sequence) -> list[Event]:
        """A group arrives as its first sequence: ARRIVED; or NEVER, and all of it is dropped."""
        group = sequence.group
        longest = max(group.members, key=lambda member: member.final_slots)
        if longest.final_slots > longest.max_len:
            return [Event(Kind.NEVER, sequence.index, longest.final_slots, longest.max_len, 0)]
        return super().arrive(sequence)

    def _places(self) -> int:
        return len(self.running) + self._to_come

    def _room(self) -> bool:
        if not self.waiting or self._budget <= 0:
            return False
        return self._places() + len(self.waiting[0].group.live) <= self._max_num_seqs

    def _admit(self) -> Sequence:
        """The head of the line joins the running list, and with it those of its group that have a table."""
        sequence = super()._admit()
        group = sequence.group
        if len(group.members) > 1:
            self.running += group.active[1:]
            self._to_come += len(group.live) - len(group.active)
        return sequence

    def _leave(self, group: Group, *, again: bool) -> None:
        """Take a preempted group off the running list. ``again``: it will be computed again, and fork again."""
        gone = group.active
        self._to_come -= len(group.live) - len(gone)
        self.running = [sequence for sequence in self.running if sequence not in gone]
        if again:
            group.forked = len(group.live) == 1

    def _branch(self, parents: dict[int, int], events: list[Event]) -> list[Sequence]:
        ended = []
        for sequence, _, _ in self.scheduled:
            ended.append(sequence)
            group = sequence.group
            if not group.forked and sequence.written == group.shared:
                others = group.live[1:]
                group.forked = True
                self._to_come -= len(others)
                at = self.running.index(sequence) + 1
                self.running[at:at] = others
                for other in others:
                    self._fork(sequence, other, events)
                ended += others
        if parents:
            by_index = {sequence.index: sequence for sequence in ended}
            for child, parent in parents.items():
                self._continue(by_index[parent], by_index[child], events)
        return ended

    def _continue(self, parent: Sequence, child: Sequence, events: list[Event]) -> None:
        """A beam is dropped, and its place taken by a second continuation of another."""
        self._release(child, events)
        child.tokens = list(parent.tokens)
        self._fork(parent, child, events)

    def _fork(self, parent: Sequence, child: Sequence, events: list[Event]) -> None:
        """Let ``child`` share all that ``parent`` has written."""
        raise NotImplementedError

    def _release(self, sequence: Sequence, events: list[Event]) -> None:
        """Let go of all that a sequence holds."""
        raise NotImplementedError
