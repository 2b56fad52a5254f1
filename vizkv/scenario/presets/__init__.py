"""The worked examples: each a scenario file that ``vizkv run`` takes, and what of its run is shown first.

``index.toml`` gives the order, the first view and the moments to offer. The words (title, question, what to try, what
is scripted) are in the message catalogue under ``preset.<id>.*``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypedDict

from vizkv.scenario.schema import Scenario, load

FOLDER = Path(__file__).parent


class Written(TypedDict):
    """A moment named by what has been written: the first step after which ``request`` has ``written`` slots."""

    request: str
    written: int


Place = int | Written
"""A step's number, or what has been written by then (the engine's trace knows the step)."""


@dataclass(frozen=True)
class Preset:
    """An example of one page. ``step`` and ``moments`` are places in the run of the scenario's first system."""

    id: str
    scenario: Scenario
    page: str = "memory"
    step: Place = 0
    lens: Literal["online", "hindsight"] = "online"
    accounting: Literal["textbook", "paper"] = "textbook"
    moments: tuple[Place, ...] = ()


@cache
def list_presets() -> tuple[Preset, ...]:
    """All examples in the order in which they are offered; the first is what a visitor sees."""
    index: list[dict[str, Any]] = tomllib.loads((FOLDER / "index.toml").read_text(encoding="utf-8"))["preset"]
    return tuple(
        Preset(
            scenario=load(FOLDER / f"{entry['id']}.toml"),
            moments=tuple(entry.get("moments", ())),
            **{name: value for name, value in entry.items() if name != "moments"},
        )
        for entry in index
    )


def preset(name: str) -> Preset:
    """One example. Raises KeyError for a name that none has."""
    return {p.id: p for p in list_presets()}[name]
