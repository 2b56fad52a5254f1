"""What a student does to a memory by hand in the middle of a run: shuffle its blocks, break a table, compact pieces.

A shuffle and a compaction are done properly: the books follow, the tensors move, the text does not change. A broken
table is the one that the model is given, to read and to write through: the memory's own books stay right, as they would
after such a bug in a server.
"""

from __future__ import annotations

from collections.abc import Sequence as Ids

import numpy as np

from vizkv.events import Event, Kind
from vizkv.requests import Action
from vizkv.scenario import Scenario, ScenarioError
from vizkv.scheduling import ContiguousScheduler, PagedScheduler, Scheduler, Sequence
from vizkv.told import told


class Hands:
    """The actions of a scenario on one of its systems."""

    def __init__(self, scheduler: Scheduler, scenario: Scenario, names: Ids[str]):
        self.scheduler, self.seed, self.names = scheduler, scenario.seed, list(names)
        self._actions: dict[int, list[Action]] = {}
        for action in scenario.actions:
            self._actions.setdefault(action.step, []).append(action)
        self._wrong: dict[int, dict[int, int]] = {}  # sequence -> index in its table -> wrong block

    def act(self, step: int) -> list[Event]:
        """Do what is asked for at this step. Raises ScenarioError where it cannot be done."""
        if self._wrong:  # who was thrown out gets a new table, with nothing wrong about it
            running = {sequence.index for sequence in self.scheduler.running}
            self._wrong = {index: entries for index, entries in self._wrong.items() if index in running}
        events: list[Event] = []
        for number, action in enumerate(self._actions.pop(step, ())):
            if isinstance(self.scheduler, ContiguousScheduler):
                events += self.scheduler.compact() if action.do == "compact" else []
            elif isinstance(self.scheduler, PagedScheduler):
                if action.do == "shuffle":
                    events += self._shuffle(self.scheduler, (self.seed, step, number))
                if action.do == "repoint":
                    events.append(self._repoint(self.scheduler, action))
        return events

    def finish(self) -> None:
        """The run has ended. Raises ScenarioError where an entry was to be broken later."""
        late = [action for actions in self._actions.values() for action in actions if action.do == "repoint"]
        if late and isinstance(self.scheduler, PagedScheduler):
            raise _nothing_held(late[0])

    def table(self, sequence: Sequence) -> Ids[int]:
        """A sequence's block table as the model is told it."""
        wrong = self._wrong.get(sequence.index)
        if not wrong:
            return sequence.block_table
        return [wrong.get(index, block) for index, block in enumerate(sequence.block_table)]

    def _shuffle(self, scheduler: PagedScheduler, key: tuple[int, ...]) -> list[Event]:
        """Let all blocks change places at random, none staying where it was (Sattolo's algorithm)."""
        pool, rng = scheduler.memory.pool, np.random.default_rng(list(key))
        first = pool.num_blocks - pool.usable
        pairs = [(at, int(rng.integers(first, at))) for at in range(pool.num_blocks - 1, first, -1)]
        events = scheduler.exchange(pairs)
        for wrong in self._wrong.values():  # a wrong entry goes on naming what it named
            for a, b in pairs:
                wrong.update({i: {a: b, b: a}.get(block, block) for i, block in wrong.items()})
        return events

    def _repoint(self, scheduler: PagedScheduler, action: Action) -> Event:
        assert action.request is not None and action.index is not None and action.block is not None
        name, index, block = action.request, action.index, action.block
        sequence = next((s for s in scheduler.running if self.names[s.index] == name), None)
        if sequence is None or not sequence.block_table:
            raise _nothing_held(action)
        if index >= len(sequence.block_table):
            raise ScenarioError(
                told(
                    "At step {step} the block table of {name!r} has {count} entries; index = {index} is not one of "
                    "them: valid is 0 to {last}.",
                    step=action.step,
                    name=name,
                    count=len(sequence.block_table),
                    index=index,
                    last=len(sequence.block_table) - 1,
                )
            )
        blocks = scheduler.memory.pool.num_blocks
        if block >= blocks:
            raise ScenarioError(
                told("The action's block is {block}; valid is 0 to {last}.", block=block, last=blocks - 1)
            )
        self._wrong.setdefault(sequence.index, {})[index] = block
        return Event(Kind.REPOINTED, sequence.index, index, block, sequence.block_table[index])


def _nothing_held(action: Action) -> ScenarioError:
    return ScenarioError(
        told(
            "At step {step} {request!r} holds no blocks; choose a step at which it runs.",
            step=action.step,
            request=action.request,
        )
    )
