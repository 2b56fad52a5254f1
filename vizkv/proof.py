"""The proof lamp: are the tokens of every system the same, and are its logits those of a cache-less forward pass?

It runs the scenario on screen once more and looks at the logits of every sampled token of every system. The yardstick
is :meth:`vizkv.model.llama.Llama.forward`, which knows neither slots nor blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vizkv import engine
from vizkv.scenario import Scenario
from vizkv.trace import Trace

if TYPE_CHECKING:
    from vizkv.model import LoadedModel
    from vizkv.model.reference import Seen

TOLERANCE = 1e-4  # largest difference between two logits in float32 (SPEC 6)


@dataclass(frozen=True)
class TokenProof:
    """A sampled token: what came at ``position`` of sequence ``request``, and what would have come without a cache."""

    request: int
    position: int
    got: int
    expected: int
    got_text: str
    expected_text: str
    difference: float


@dataclass(frozen=True)
class SystemProof:
    """One system's evidence."""

    name: str
    tokens: int  # sampled tokens looked at
    same_tokens: bool  # as the trace on screen, and as the systems whose logits are right
    difference: float  # largest absolute difference of any logit
    first_off: TokenProof | None = None  # the first whose logits are off
    first_wrong: TokenProof | None = None  # the first that is another token

    @property
    def holds(self) -> bool:
        """Whether this system passes."""
        return self.same_tokens and self.difference < TOLERANCE


@dataclass(frozen=True)
class Proof:
    """The lamp: green if every system passes."""

    systems: tuple[SystemProof, ...]

    @property
    def holds(self) -> bool:
        """Whether the lamp is green."""
        return bool(self.systems) and all(s.holds for s in self.systems)


def prove(scenario: Scenario, trace: Trace, model: LoadedModel) -> Proof:
    """Compute the evidence for the run that ``trace`` recorded."""
    from vizkv.model.reference import Reference

    prepared = engine.prepare(scenario, model)
    longest = [max((s.tokens[i] for s in trace.systems), key=len) for i in range(len(prepared))]
    sequences = [[*p.prompt_ids, *t][: p.final_slots] for p, t in zip(prepared, longest, strict=True)]
    reference = Reference(model.model, sequences, [len(p.prompt_ids) for p in prepared])
    again = engine.run(scenario, model, observe=reference.compare)
    reference.settle()
    apart = [0.0] * len(trace.systems)
    for one in reference.seen:
        apart[one.system] = max(apart[one.system], one.difference)
    # where one system went wrong, the others' text is not to be measured by its
    honest = [s for s, difference in zip(trace.systems, apart, strict=True) if difference < TOLERANCE] or trace.systems
    texts = [max((s.tokens[i] for s in honest), key=len) for i in range(len(prepared))]
    proofs = []
    for index, (recorded, repeated) in enumerate(zip(trace.systems, again.systems, strict=True)):
        # a request that one system could never run is compared where it ran
        same = recorded.tokens == repeated.tokens and all(
            not mine or not text or mine == text for mine, text in zip(recorded.tokens, texts, strict=True)
        )
        seen = [s for s in reference.seen if s.system == index]
        off = [s for s in seen if not s.difference < TOLERANCE]
        told = [_token(s, prepared, repeated.tokens, scenario.seed, model) for s in off]
        proofs.append(
            SystemProof(
                name=recorded.name,
                tokens=len(seen),
                same_tokens=same,
                difference=apart[index],
                first_off=min(told, key=lambda t: t.position, default=None),
                first_wrong=min((t for t in told if t.got != t.expected), key=lambda t: t.position, default=None),
            )
        )
    return Proof(tuple(proofs))


def _token(
    seen: Seen, prepared: list[engine.Prepared], tokens: Sequence[Sequence[int]], seed: int, model: LoadedModel
) -> TokenProof:
    from vizkv.model.sampling import draw

    p = prepared[seen.request]
    number = seen.position + 1 - len(p.prompt_ids)
    got = tokens[seen.request][number]
    expected = got
    if p.forced is None and not p.beam:
        expected = draw(seen.expected, p.temperature, (seed, p.group, p.member, number))
    piece = model.tokenizer.piece
    return TokenProof(seen.request, seen.position + 1, got, expected, piece(got), piece(expected), seen.difference)
