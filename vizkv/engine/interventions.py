"""Interventions by hand in the middle of a run: shuffle the blocks, break a block table, compact a contiguous pool.

A shuffle and a compaction are correct: the bookkeeping follows, the tensors move, the text does not change. An entry is
broken only in the block table that the model reads and writes through; the memory manager's own bookkeeping stays
correct, as with such a bug in a server.
"""

from __future__ import annotations

from collections.abc import Sequence as Ids

import numpy as np

from vizkv.messages.sentence import told
from vizkv.scenario.requests import Action
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.systems.base.request import Scheduler, Sequence
from vizkv.trace.events import Event, Kind


class Interventions:
    """The actions of a scenario, applied to one of its systems. ``names``: ids of the sequences, by index."""

    def __init__(self, scheduler: Scheduler, scenario: Scenario, names: Ids[str]):
        self.scheduler, self.seed, self.names = scheduler, scenario.seed, list(names)
        self._actions: dict[int, list[Action]] = {}
        for action in scenario.actions:
            self._actions.setdefault(action.step, []).append(action)
        self._wrong: dict[int, dict[int, int]] = {}  # sequence -> index in its block table -> wrong block

    def act(self, step: int) -> list[Event]:
        """Apply the actions of a step and return their events. Raises ScenarioError if one is impossible."""
        if self._wrong:  # a preempted sequence later gets a new, correct block table
            running = {sequence.index for sequence in self.scheduler.running}
            self._wrong = {index: entries for index, entries in self._wrong.items() if index in running}
        events: list[Event] = []
        for number, action in enumerate(self._actions.pop(step, ())):
            if action.do == "compact":
                events += self.scheduler.compact()
            elif action.do == "shuffle":
                events += self._shuffle((self.seed, step, number))
            elif self.scheduler.blocks():
                events.append(self._repoint(action))
        return events

    def finish(self) -> None:
        """Check after the last step that no action is left. Raises ScenarioError if one would break an entry later."""
        late = [action for actions in self._actions.values() for action in actions if action.do == "repoint"]
        if late and self.scheduler.blocks():
            raise _nothing_held(late[0])

    def table(self, sequence: Sequence) -> Ids[int]:
        """Return the block table of a sequence as the model gets it, broken entries included."""
        wrong = self._wrong.get(sequence.index)
        if not wrong:
            return sequence.block_table
        return [wrong.get(index, block) for index, block in enumerate(sequence.block_table)]

    def _shuffle(self, key: tuple[int, ...]) -> list[Event]:
        """Permute all blocks at random so that none stays in place (Sattolo's algorithm)."""
        blocks, rng = self.scheduler.blocks(), np.random.default_rng(list(key))
        pairs = [(at, int(rng.integers(blocks.start, at))) for at in reversed(blocks[1:])]
        events = self.scheduler.exchange(pairs)
        for wrong in self._wrong.values():  # a wrong entry follows its block to the new place
            for a, b in pairs:
                wrong.update({i: {a: b, b: a}.get(block, block) for i, block in wrong.items()})
        return events

    def _repoint(self, action: Action) -> Event:
        """Break one entry of a block table. Raises ScenarioError if there is no such entry or block."""
        assert action.request is not None and action.index is not None and action.block is not None
        name, index, block = action.request, action.index, action.block
        sequence = next((s for s in self.scheduler.running if self.names[s.index] == name), None)
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
        blocks = self.scheduler.blocks().stop
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
