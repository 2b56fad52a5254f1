"""The proof lamp: are the tokens of every system the same, and are its logits those of a cache-less forward pass?

It runs the scenario on screen once more and looks at the logits of every sampled token of every system. The yardstick
is :meth:`vizkv.model.llama.Llama.forward`, which knows neither slots nor blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vizkv import engine
from vizkv.scenario import Scenario
from vizkv.trace import Trace

if TYPE_CHECKING:
    from vizkv.model import LoadedModel

TOLERANCE = 1e-4  # largest difference between two logits in float32 (SPEC 6)


@dataclass(frozen=True)
class SystemProof:
    """One system's evidence."""

    name: str
    tokens: int  # sampled tokens looked at
    same_tokens: bool  # as the trace on screen, and as every other system
    difference: float  # largest absolute difference of any logit

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
    sequences = [(p.prompt_ids + list(t))[: p.final_slots] for p, t in zip(prepared, longest, strict=True)]
    reference = Reference(model.model, sequences, [len(p.prompt_ids) for p in prepared])
    again = engine.run(scenario, model, observe=reference.compare)
    proofs = []
    for index, (recorded, repeated) in enumerate(zip(trace.systems, again.systems, strict=True)):
        # a request that one system could never run is compared where it ran
        same = recorded.tokens == repeated.tokens and all(
            not mine or mine == whole for mine, whole in zip(recorded.tokens, longest, strict=True)
        )
        proofs.append(SystemProof(recorded.name, reference.count.get(index, 0), same, reference.worst.get(index, 0.0)))
    return Proof(tuple(proofs))
