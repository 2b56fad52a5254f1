"""Texts about a user's own run, one that is not an example: its name, its moments, and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vizkv.messages.catalogue import Messages
from vizkv.replay.ledgers import Series
from vizkv.scenario.presets import list_presets
from vizkv.scenario.schema import Scenario
from vizkv.trace.events import Kind
from vizkv.trace.slots import CATEGORIES
from vizkv.trace.trace import RequestFacts, SystemTrace, Trace
from vizkv.views.payload import window as windows
from vizkv.views.payload.pack import Moment

MOST_NAMES = 6  # of requests in a sentence


def headline(scenario: Scenario, say: Messages) -> str:
    """Return the headline of a scenario: its name, that it is a changed example, or, without a name, its size."""
    if not scenario.name:
        return say("own.unnamed", systems=len(scenario.systems), slots=scenario.slots)
    examples = [one for one in list_presets() if one.scenario.name == scenario.name]
    if not examples:
        return scenario.name
    name = say(f"preset.{examples[0].id}.title")
    return name if any(one.scenario == scenario for one in examples) else say("own.changed", name=name)


def moments(trace: Trace, systems: Sequence[Series], say: Messages) -> list[Moment]:
    """Return the moments of the first wait, the first preemption, and the step with the most slots held.

    In a workload, where each system has its own clock, only the system with the most steps is considered.
    """
    lead = windows.longest(trace) if trace.scenario.get("workload") else -1
    watched = [lead] if lead >= 0 else range(len(trace.systems))
    found: list[tuple[int, str]] = []
    for key, first in (("waits", _first_wait), ("preempted", _first_preemption)):
        if seen := [one for index in watched if (one := first(trace.systems[index]))]:
            step, who = min(seen)
            found.append((step, say(f"moment.{key}", request=trace.requests[who].id)))
    fullest = systems[max(lead, 0)]
    if fullest.steps:
        found.append((fullest.peak, say("moment.fullest", system=say.name(fullest.name))))
    labels: dict[int, str] = {}
    for step, label in sorted(found, key=lambda one: one[0]):
        labels.setdefault(step, label)
    return [Moment(label, step) for step, label in labels.items()]


def story(trace: Trace, systems: Sequence[Series], say: Messages) -> list[str]:
    """Return a summary of the run for each system, as Markdown without the systems' names."""
    return [
        say.sentences(*_peak(series, say), *_waits(system, trace.requests, say), *_losses(series, say))
        for system, series in zip(trace.systems, systems, strict=True)
    ]


def _peak(series: Series, say: Messages) -> list[str]:
    if not series.steps:
        return [say("own.nothing")]
    shares = dict(zip(CATEGORIES, series.shares("hindsight", "textbook")[series.peak] / series.slots, strict=True))
    percent = {name: say.percent(float(share)) for name, share in shares.items()}
    return [say("own.peak", step=series.peak, **percent)]


@dataclass(frozen=True)
class Waits:
    """Requests that waited, in order of arrival, the step since when, and the number of steps until admission."""

    requests: list[int]
    since: list[int]
    steps: list[int]


def waits(system: SystemTrace) -> Waits:
    """Return the requests that waited in a system; one that was never admitted waited until the end."""
    step_of = np.repeat(np.arange(system.steps), np.diff(system.offsets))

    def first(kind: Kind) -> dict[int, int]:
        rows = np.flatnonzero(system.kinds == kind)[::-1]
        return dict(zip(system.values[rows, 0].tolist(), step_of[rows].tolist(), strict=True))

    arrived, admitted, never = first(Kind.ARRIVED), first(Kind.ADMITTED), first(Kind.NEVER)
    waited = {who: admitted.get(who, system.steps) - step for who, step in arrived.items() if who not in never}
    found = [who for who in sorted(waited, key=lambda who: (arrived[who], who)) if waited[who] > 0]
    return Waits(found, [arrived[who] for who in found], [waited[who] for who in found])


def _waits(system: SystemTrace, requests: Sequence[RequestFacts], say: Messages) -> list[str]:
    found = waits(system)
    if not found.requests:
        return [say("own.nobody")]
    longest = int(np.argmax(found.steps))
    names = _names([requests[who].id for who in found.requests], say)
    most = {"request": requests[found.requests[longest]].id, "steps": found.steps[longest]}
    return [say("own.waits", n=len(found.requests), names=names, **most)]


def _names(names: Sequence[str], say: Messages) -> str:
    shown = say("narration.list").join(names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return say("own.more", names=shown, n=more) if more > 0 else shown


def _losses(series: Series, say: Messages) -> list[str]:
    found = [say("own.preemptions", n=series.preemptions)] if series.preemptions else []
    return found + ([say("own.never", n=series.never)] if series.never else [])


def _first_wait(system: SystemTrace) -> tuple[int, int] | None:
    """Return (step, request) of the first request that is not admitted when it arrives; None if there is none."""
    found = waits(system)
    return (found.since[0], found.requests[0]) if found.requests else None


def _first_preemption(system: SystemTrace) -> tuple[int, int] | None:
    """Return (step, request) of the first preemption; None if there is none."""
    rows = np.flatnonzero(system.kinds == Kind.PREEMPTED)
    if not len(rows):
        return None
    return int(np.searchsorted(system.offsets, rows[0], "right")) - 1, int(system.values[rows[0], 0])
