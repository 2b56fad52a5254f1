"""The proof that caching changes nothing: every system samples the same tokens as a forward pass without a cache.

It runs the scenario again and compares the logits of every sampled token of every system with those of
:meth:`vizkv.model.llama.Llama.forward`, which uses neither slots nor blocks. Pages show the result as a lamp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vizkv.engine import engine
from vizkv.messages.sentence import told
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.trace.trace import Trace

if TYPE_CHECKING:
    from vizkv.model import LoadedModel
    from vizkv.model.reference import Seen

TOLERANCE = 1e-4  # largest accepted difference between two logits in float32


@dataclass(frozen=True)
class TokenProof:
    """The token sampled at ``position`` of sequence ``request``, and the one expected without a cache."""

    request: int
    position: int
    got: int
    expected: int
    got_text: str
    expected_text: str
    difference: float


@dataclass(frozen=True)
class SystemProof:
    """The result of the proof for one system."""

    name: str
    tokens: int  # sampled tokens compared
    same_tokens: bool  # whether they equal those of the trace, and of the systems whose logits are right
    difference: float  # largest absolute difference of any logit
    first_off: TokenProof | None = None  # the first token whose logits differ by more than the tolerance
    first_wrong: TokenProof | None = None  # the first token that is not the expected one

    @property
    def holds(self) -> bool:
        """Whether this system passes."""
        return self.same_tokens and self.difference < TOLERANCE


@dataclass(frozen=True)
class Proof:
    """The results of all systems."""

    systems: tuple[SystemProof, ...]

    @property
    def holds(self) -> bool:
        """Whether every system passes; the lamp is then green."""
        return bool(self.systems) and all(s.holds for s in self.systems)


def prove(
    scenario: Scenario, trace: Trace, model: LoadedModel, *, progress: engine.Progress | None = None,
    max_bytes: int = engine.MAX_POOL_BYTES,
) -> Proof:  # fmt: skip
    """Run ``scenario`` again and compare it with ``trace`` and with a pass without a cache.

    ``max_bytes``: the most memory for the pools, and for the logits. Raises ScenarioError, or engine.Cancelled.
    """
    from vizkv.model.reference import Reference

    prepared = engine.prepare(scenario, model)
    # the logits of every sampled token are kept until the end
    need = sum(p.sampled for p in prepared) * model.config.vocab_size * 4
    if need > max_bytes:
        raise ScenarioError(
            told(
                "The proof needs {gib:.1f} GiB for the logits of this run; valid are fewer or shorter requests.",
                gib=need / 2**30,
            )
        )
    longest = [max((s.tokens[i] for s in trace.systems), key=len) for i in range(len(prepared))]
    sequences = [[*p.prompt_ids, *t][: p.final_slots] for p, t in zip(prepared, longest, strict=True)]
    reference = Reference(model.model, sequences, [len(p.prompt_ids) for p in prepared])
    again = engine.run(scenario, model, observe=reference.compare, progress=progress, max_bytes=max_bytes)
    reference.settle()
    apart = [0.0] * len(trace.systems)
    for one in reference.seen:
        apart[one.system] = max(apart[one.system], one.difference)
    # the text that systems are compared with comes from those whose logits are right
    honest = [s for s, difference in zip(trace.systems, apart, strict=True) if difference < TOLERANCE] or trace.systems
    texts = [max((s.tokens[i] for s in honest), key=len) for i in range(len(prepared))]
    proofs = []
    for index, (recorded, repeated) in enumerate(zip(trace.systems, again.systems, strict=True)):
        # a request that a system could never run is compared only in the systems that ran it
        same = recorded.tokens == repeated.tokens and all(
            not mine or not text or mine == text for mine, text in zip(recorded.tokens, texts, strict=True)
        )
        seen = [s for s in reference.seen if s.system == index]
        off = [s for s in seen if not s.difference < TOLERANCE]
        found = [_token(s, prepared, repeated.tokens, scenario.seed, model) for s in off]
        proofs.append(
            SystemProof(
                name=recorded.name,
                tokens=len(seen),
                same_tokens=same,
                difference=apart[index],
                first_off=min(found, key=lambda t: t.position, default=None),
                first_wrong=min((t for t in found if t.got != t.expected), key=lambda t: t.position, default=None),
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
