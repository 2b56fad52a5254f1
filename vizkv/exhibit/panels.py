"""What the player shows of a run besides its rows, by the page that the run belongs to."""

from __future__ import annotations

from vizkv.systems import registry
from vizkv.trace.trace import Trace

PANELS: dict[str, tuple[str, ...]] = {
    "table": ("text", "logical", "table", "queue", "follow"),
    "sharing": ("tree", "text", "table", "queue"),
    "pressure": ("queue", "cpu"),
    "paper": ("text", "logical", "table", "queue", "tree", "cpu"),
}


def panels(page: str, trace: Trace) -> tuple[str, ...]:
    """Return the panels of a run on a page; where a system has ranges of addresses, these too."""
    ranges = any(registry.schema(system).has_ranges for system in trace.systems)
    return (*PANELS.get(page, ()), *(["ranges"] if ranges else []))
