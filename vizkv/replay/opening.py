"""Check a trace that was loaded from a file: its events are consistent and belong to its scenario."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from vizkv.limits.limits import COMMAND_LINE, TraceLimits
from vizkv.messages.sentence import told
from vizkv.replay import checked
from vizkv.scenario.schema import Scenario, from_dict, member_ids
from vizkv.systems.base.system import System
from vizkv.trace.trace import SystemTrace, Trace, TraceError


def opened(trace: Trace, limits: TraceLimits = COMMAND_LINE) -> tuple[Trace, Scenario]:
    """Return the trace and its scenario, after replaying all of its events.

    Raises ScenarioError if the scenario in the file is invalid; TraceError if the rest of the file does not belong to
    that scenario, its events contradict each other, or replaying them takes longer than ``limits`` allow.
    """
    scenario = from_dict(trace.scenario)
    _match(trace, scenario)
    return checked(trace, limits.seconds), scenario


def _match(trace: Trace, scenario: Scenario) -> None:
    """Refuse a file whose parts belong to different scenarios: pages use indices of one part for another."""
    ids = [(name, index) for index, request in enumerate(scenario.requests) for name in member_ids(request)]
    held = {
        told("model"): trace.model == scenario.model,
        told("systems"): len(trace.systems) == len(scenario.systems)
        and all(_same(system, wanted, scenario) for system, wanted in zip(trace.systems, scenario.systems)),
        told("requests"): scenario.workload is not None or [(r.id, r.group) for r in trace.requests] == ids,
    }
    for what, holds in held.items():
        if not holds:
            raise TraceError(
                told("The {what} of the trace and of the scenario in it differ: the file is damaged.", what=what)
            )


def _same(system: SystemTrace, wanted: System, scenario: Scenario) -> bool:
    """Whether a system of the trace is the ``wanted`` one of the scenario; its name may differ."""
    if (system.kind, system.slots, system.block_size) != (wanted.kind, wanted.pool(scenario.slots), wanted.block):
        return False
    kept: dict[str, Any] = {"name": wanted.name}
    elsewhere = {"free_order"} & set(type(wanted).model_fields)  # a trace stores it outside ``detail``
    kept |= {name: getattr(wanted, name) for name in elsewhere}
    try:
        return type(wanted).model_validate(system.detail | kept) == wanted
    except ValidationError:
        return False
