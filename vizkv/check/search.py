"""Search for a workload on which a system breaks a rule, or decides differently from a reference; shrink it.

The rules: every answer of the system is one that it may give (vizkv/systems/own), every slot has one state and one
owner at every step (the replay refuses anything else), nothing leaks, and a refusal changes nothing.
"""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vizkv.check.cases import cases, scenario_of
from vizkv.engine import engine
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, shorten
from vizkv.replay import checked
from vizkv.replay.walking import walk
from vizkv.scenario.schema import ScenarioError, from_dict
from vizkv.systems import registry
from vizkv.systems.own.calls import OwnSystemError
from vizkv.trace.trace import Trace, TraceError

MOST_STEPS = 400  # of one run: the workloads end within 200
EXAMPLES = 3_000  # workloads that are tried
PLACEMENTS = ("first-fit", "best-fit", "buddy", "ideal")
BLOCKS = ("paged",)


class Broken(Exception):
    """A workload on which a rule is broken. ``step``: -1 where the run does not get to its end."""

    def __init__(self, sentence: str, step: int, scenario: dict[str, Any]):
        super().__init__(sentence)
        self.sentence, self.step, self.scenario = sentence, step, scenario


class _Enough(BaseException):
    """The time is over. No Exception: hypothesis would take it for a failure of the system."""


@dataclass(frozen=True)
class Result:
    """What a search found. ``broken``: the smallest counterexample, or None."""

    kind: str
    against: str
    seed: int
    examples: int
    seconds: float
    broken: Broken | None


def references(kind: str) -> tuple[str, ...]:
    """Return the systems that a kind can be compared with."""
    return BLOCKS if registry.KINDS[kind].schema.has_block_table else PLACEMENTS


def chosen(kinds: Sequence[str], against: str) -> list[str]:
    """Return for each kind what it is compared with: ``against``, or "none" where only the others can be.

    Raises ScenarioError where none of them can.
    """
    found = [against if against in references(kind) else "none" for kind in kinds]
    if against != "none" and against not in found:
        valid = either([*dict.fromkeys(name for kind in kinds for name in references(kind)), "none"])
        raise ScenarioError(
            told("The option --against is {value}; valid is {valid}.", value=shorten(against), valid=valid)
        )
    return found


def _reference(against: str) -> dict[str, Any] | None:
    """Return the table of the system to compare with; None for "none"."""
    if against == "none":
        return None
    if against in BLOCKS:
        return {"kind": "paged", "name": against, "prefix_caching": False}
    return {"kind": "contiguous", "name": against, "placement": against, "unit": 1}


def examine(case: dict[str, Any], kind: str, other: dict[str, Any] | None) -> None:
    """Run a workload. Raises Broken where the system breaks a rule or differs from ``other``."""
    table = scenario_of(case, [{"kind": kind}, *([other] if other else [])])
    try:
        trace = engine.run(from_dict(table), plain=True, max_steps=MOST_STEPS)
        checked(trace)
    except (OwnSystemError, TraceError) as error:
        raise Broken(str(error), -1, table) from error
    except ScenarioError as error:  # more steps than any of these workloads can take
        raise Broken(told("The run does not end: {why}", why=error), -1, table) from error
    if other is not None:
        _compare(trace, table)


def _compare(trace: Trace, table: dict[str, Any]) -> None:
    """Raises Broken at the first step in which the two systems of a trace decide differently."""
    mine, theirs = (list(_decisions(trace, i)) for i in (0, 1))
    own, name = trace.systems[0].name, trace.systems[1].name
    for step in range(max(len(mine), len(theirs))):
        a, b = (said[step] if step < len(said) else told("nothing: it is done") for said in (mine, theirs))
        if a != b:
            sentence = told(
                "In step {step} {own} has {a}; {name} has {b}.", step=step, own=own, a=a, name=name, b=b
            )  # fmt: skip
            raise Broken(sentence, min(step, trace.systems[0].steps - 1), table)


def _decisions(trace: Trace, index: int) -> Any:
    """Yield in words, for each step, who runs with how many slots, where that matters, and who waits."""
    system = trace.systems[index]
    ids = [request.id for request in trace.requests]
    for replay in walk(system, trace.requests):
        running = [f"{ids[r.index]}: {r.held}" + ("" if system.block_size else f" @ {r.start}") for r in replay.running]
        yield f"[{', '.join(running)}] + [{', '.join(ids[i] for i in replay.waiting)}]"


def search(kind: str, against: str, seed: int, seconds: float) -> Result:
    """Try workloads for ``seconds`` at most. The same seed tries the same ones, as far as the time allows."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    other = _reference(against)
    began, tried = time.monotonic(), 0
    smallest: Broken | None = None

    @seeded(seed)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(cases(blocks=registry.KINDS[kind].schema.has_block_table))
    def attempt(case: dict[str, Any]) -> None:
        nonlocal tried, smallest
        if time.monotonic() - began > seconds:
            raise _Enough
        tried += 1
        try:
            examine(copy.deepcopy(case), kind, other)
        except Broken as broken:
            if smallest is None or _size(broken) <= _size(smallest):
                smallest = broken
            raise

    with contextlib.suppress(Broken, _Enough):
        attempt()
    return Result(kind, against, seed, tried, time.monotonic() - began, smallest)


def _size(broken: Broken) -> tuple[int, int, int]:
    """Return how large a counterexample is: requests, tokens, slots."""
    requests = broken.scenario["requests"]
    tokens = sum(request["prompt_tokens"] + request["output_tokens"] for request in requests)
    return len(requests), tokens, broken.scenario["slots"]
