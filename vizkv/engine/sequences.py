"""Turn the requests of a scenario into sequences: prompts as token ids, lengths in slots, names, and forks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vizkv import workload
from vizkv.messages.sentence import told
from vizkv.scenario.requests import Piece, Request
from vizkv.scenario.schema import Scenario, ScenarioError, member_ids, resolve_lengths

if TYPE_CHECKING:
    from vizkv.model import LoadedModel

Make = Callable[[int], range]


@dataclass
class Prepared:
    """A sequence ready to run in every system. The sequences of one request share its first ``shared`` tokens."""

    id: str
    prompt_ids: Sequence[int]
    final_slots: int
    max_len: int
    arrival: float
    forced: list[int] | None = None  # sampled ids, if the scenario gives them
    group: int = 0  # index of the request
    member: int = 0
    members: int = 1
    shared: int = 0
    beam: bool = False
    parents: list[list[int]] | None = None  # scripted survivors of a beam search, by sampling step
    temperature: float = 0.0
    made_up: int = 0  # synthetic ids: without a model or given ids, made_up + q is sampled for position q

    @property
    def sampled(self) -> int:
        """Number of tokens to sample; the K/V of the last one is never written."""
        return self.final_slots - len(self.prompt_ids) + 1


def prepare(scenario: Scenario, model: LoadedModel | None) -> list[Prepared]:
    """Return all sequences of a scenario, in order. Raises ScenarioError if a prompt or a length is invalid."""
    made_up = _made_up_ids(scenario)
    if scenario.workload is not None:
        drawn = []
        for index, a in enumerate(workload.draw(scenario.workload, scenario)):
            own = made_up(a.prompt_tokens + a.output_tokens)
            drawn.append(
                Prepared(
                    a.id, _drawn_ids(a, index, own, model),
                    a.prompt_tokens + a.output_tokens - 1, scenario.max_model_len, a.time_s, group=index,
                    made_up=own.start,
                )
            )  # fmt: skip
        return drawn
    prepared: list[Prepared] = []
    for index, request in enumerate(scenario.requests):
        ids = _prompt_ids(request, request.id, index, model, made_up)
        _known(request.id, ids + _given(request), model)
        prepared += _sequences(scenario, request, index, ids, model, made_up)
    return prepared


def _drawn_ids(a: workload.Arrival, index: int, own: range, model: LoadedModel | None) -> Sequence[int]:
    """Return the prompt of a request of a workload: where its content has hashes, equal hashes give equal tokens.

    ``own``: ids that no other request has. For a model the ids are within its vocabulary.
    """
    if model is None:
        return workload.prompt_ids(a) if a.hash_ids else own[: a.prompt_tokens]
    if not a.hash_ids:
        return model.filler(a.prompt_tokens, index)
    size = model.config.vocab_size
    return [i % size for i in workload.prompt_ids(a)]


def _sequences(
    scenario: Scenario, request: Request, index: int, ids: list[int], model: LoadedModel | None,
    made_up: Make,
) -> list[Prepared]:  # fmt: skip
    """Return the sequences of one request: one, or one per branch, sample or beam. ``ids``: its prompt."""
    most = min(request.max_len or scenario.max_model_len, scenario.max_model_len)
    members = []
    for number, name in enumerate(member_ids(request)):
        piece: Piece = request
        prompt, forced = ids, request.output_token_ids
        if request.branches:
            piece = branch = request.branches[number]
            own = _prompt_ids(branch, branch.id, index, model, made_up)
            _known(branch.id, own + (branch.output_token_ids or []), model)
            prompt, forced = ids + own, branch.output_token_ids
        elif request.sample_token_ids is not None:
            forced = request.sample_token_ids[number]
        # the lengths of a branch count from its own prompt; final_slots is of the whole sequence
        sampled = resolve_lengths(len(prompt), piece)
        new = made_up(sampled)
        members.append(
            Prepared(
                id=name, prompt_ids=list(prompt), final_slots=len(prompt) + sampled - 1, max_len=most,
                arrival=request.arrival_step, forced=forced, group=index, member=number, members=request.members,
                shared=len(ids), beam=request.beam_width is not None, parents=request.beam_parents,
                temperature=request.temperature, made_up=new.start - len(prompt),
            )
        )  # fmt: skip
    return members


def _given(request: Request) -> list[int]:
    """Return the sampled ids that the scenario gives for a request."""
    rows = [request.output_token_ids or [], *(request.sample_token_ids or [])]
    return [i for row in rows for i in row]


def _made_up_ids(scenario: Scenario) -> Make:
    """Return a function that returns ``count`` new ids at each call, so that no two prompts share a prefix."""
    given = [i for r in scenario.requests for i in (r.prompt_token_ids or []) + _given(r)]
    given += [
        i
        for r in scenario.requests
        for b in r.branches
        for i in (b.prompt_token_ids or []) + (b.output_token_ids or [])
    ]
    # the ids of recorded prompts, which are derived from hashes of their content, are below 2**40
    state = {"next": max(given, default=0) + 1 if scenario.workload is None else 2**40}

    def make(count: int) -> range:
        first = state["next"]
        state["next"] += count
        return range(first, first + count)

    return make


def _prompt_ids(piece: Piece, name: str, index: int, model: LoadedModel | None, make: Make) -> list[int]:
    """Return the token ids of a prompt, given as ids, as text or as a length. Raises ScenarioError if it is empty."""
    if piece.prompt_token_ids is not None:
        ids = list(piece.prompt_token_ids)
    elif piece.prompt is not None:
        # without a model, count a word as one token
        ids = model.tokenizer.encode(piece.prompt) if model else list(make(max(1, len(piece.prompt.split()))))
    elif model:
        ids = model.filler(piece.prompt_tokens or 1, index)
    else:
        ids = list(make(piece.prompt_tokens or 1))
    if not ids:
        raise ScenarioError(
            told(
                "The prompt of request {name!r} has no token in this model's vocabulary; give at least one word.",
                name=name,
            )
        )
    return ids


def _known(name: str, ids: list[int], model: LoadedModel | None) -> None:
    """Check that the token ids are in the model's vocabulary. Raises ScenarioError."""
    if model:
        top = model.config.vocab_size
        wrong = next((i for i in ids if i >= top), None)
        if wrong is not None:
            raise ScenarioError(
                told(
                    "Request {name!r} has the token id {wrong}; model {model!r} knows ids 0..{last}.",
                    name=name,
                    wrong=wrong,
                    model=model.name,
                    last=top - 1,
                )
            )
