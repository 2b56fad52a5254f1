"""Choose the next token of each sequence of one system: the model's choice, or the token that the scenario gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vizkv.engine.sequences import Prepared
from vizkv.systems.base.request import Group
from vizkv.systems.base.request import Sequence as Running

if TYPE_CHECKING:
    from vizkv.model import Tensor

Row = Callable[[], "Tensor"]
"""Returns the logits [V] of a scheduled sequence; called only if the most probable token is not enough."""


class Chooser:
    """Chooses the tokens of one system; keeps those sampled so far and the scores of its beams."""

    def __init__(self, prepared: Sequence[Prepared], seed: int):
        self.prepared, self.seed = prepared, seed
        self.sampled: list[list[int]] = [[] for _ in prepared]
        self._scores: dict[int, float] = {}

    def choose(self, ending: Sequence[tuple[Running, int, Row | None]]) -> tuple[dict[int, int], dict[int, int]]:
        """Return (token by sequence index, parent by index of each beam that is replaced) for a step.

        ``ending``: the sequences that sample in this step, each with its most probable token and its logits; without a
        model the logits are None, and ids are synthetic.
        """
        tokens: dict[int, int] = {}
        parents: dict[int, int] = {}
        beams: dict[int, list[tuple[Running, Row | None]]] = {}
        for sequence, best, row in ending:
            group = sequence.group
            if self.prepared[sequence.index].beam:
                beams.setdefault(self.prepared[sequence.index].group, []).append((sequence, row))
                continue
            for member in [sequence] if group.forked else group.live:
                tokens[member.index] = self._one(member.index, best, row)
        for rows in beams.values():
            self._beams(rows, tokens, parents)
        for child, parent in parents.items():
            self.sampled[child] = list(self.sampled[parent])
        for index, token in tokens.items():
            self.sampled[index].append(token)
        return tokens, parents

    def _one(self, index: int, best: int, row: Row | None) -> int:
        p, done = self.prepared[index], len(self.sampled[index])
        if p.forced is not None and done < len(p.forced):
            return p.forced[done]
        if row is None:
            return self._made_up(index)
        if not p.temperature:
            return best
        from vizkv.model.sampling import draw

        return draw(row(), p.temperature, (self.seed, p.group, p.member, done))

    def _made_up(self, index: int) -> int:
        p = self.prepared[index]
        return p.made_up + len(p.prompt_ids) + len(self.sampled[index])

    def _beams(self, rows: list[tuple[Running, Row | None]], tokens: dict[int, int], parents: dict[int, int]) -> None:
        """Choose the tokens of one request's beam search; adds to ``tokens`` and ``parents``."""
        group: Group = rows[0][0].group
        indices = [member.index for member in (group.live if group.forked else group.active)]
        members = [member.index for member in group.live]
        facts = self.prepared[members[0]]
        step = len(self.sampled[members[0]])
        script = facts.parents[step] if facts.parents and step < len(facts.parents) and group.forked else None
        logits = {sequence.index: row for sequence, row in rows}
        if logits[indices[0]] is None:
            # without a model there is nothing to rank: each beam continues, unless the scenario gives the survivors
            going_on = script or range(len(members))
            chosen = [(parent, self._made_up(index), 0.0) for parent, index in zip(going_on, members, strict=True)]
            if not group.forked:
                chosen = [(0, token, score) for _, token, score in chosen]
        else:
            chosen = self._ranked(indices, logits, len(members), script)
        self._settle(members, chosen, tokens, parents, forked=group.forked)

    def _ranked(
        self, indices: list[int], rows: dict[int, Row | None], width: int, script: list[int] | None
    ) -> list[tuple[int, int, float]]:
        from vizkv.model import sampling

        given = [row() for index in indices if (row := rows[index]) is not None]
        scores = [self._scores.get(index, 0.0) for index in indices]
        if script is not None:
            return [(s.parent, s.token, s.score) for s in sampling.scripted(given, scores, script)]
        return [(s.parent, s.token, s.score) for s in sampling.survivors(given, scores, width)]

    def _settle(
        self, members: list[int], chosen: Sequence[tuple[int, int, float]], tokens: dict[int, int],
        parents: dict[int, int], *, forked: bool,
    ) -> None:  # fmt: skip
        """Assign the chosen continuations to the sequences of a beam search.

        The first continuation of a beam keeps its sequence; each further one takes the sequence of a dropped beam.
        """
        if not forked:  # all sequences fork from the first in this step: no beam is dropped
            for index, (_, token, score) in zip(members, chosen, strict=True):
                tokens[index], self._scores[index] = token, score
            return
        going_on = {parent for parent, _, _ in chosen}
        places = [place for place in range(len(members)) if place not in going_on]
        taken: set[int] = set()
        scores = {}
        for parent, token, score in chosen:
            place = parent
            if parent in taken:
                place = places.pop(0)
                parents[members[place]] = members[parent]
            taken.add(place)
            tokens[members[place]], scores[members[place]] = token, score
        self._scores |= scores
