"""The knobs of the page "What if": what can be turned in a scenario, from where to where, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vizkv.messages import Messages
from vizkv.scenario import LENGTH_SETS, ContiguousSystem, PagedSystem, Scenario, ScenarioError, from_dict, to_dict
from vizkv.told import told
from vizkv.ui import workload_form
from vizkv.ui.drawer import PLACEMENTS

MIXED = "mixed"  # systems of one kind that do not agree
_VALUES: dict[str, tuple[float, ...]] = {
    "block_size": (8, 16, 32, 64, 128, 256),
    "rate": tuple(half / 2 for half in range(2, 17)),
    "max_model_len": tuple(range(512, 4097, 256)),
    "slots": (4096, 6144, 8192, 9728, 12_288, 15_728, 16_384, 20_480, 24_576, 32_768, 49_152, 65_536),
    "multiple": (1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
}
_SETS = tuple(name for name in LENGTH_SETS if name != "sharegpt_paper_filtered")  # it is "sharegpt" by its long name
NAMES = ("block_size", "rate", "max_model_len", "slots", "multiple", "placement", "lengths")


@dataclass(frozen=True)
class Knob:
    """One knob. ``index``: where it stands; ``home``: where it stands in the preset, -1 if it has no such value."""

    name: str
    values: tuple[Any, ...]
    index: int
    home: int

    @property
    def kind(self) -> str:
        """How it is drawn."""
        return "range" if self.name in _VALUES else "choice"


def value_of(scenario: Scenario, name: str) -> Any:
    """Where a knob stands; None if the scenario has nothing for it to turn."""
    contiguous = [s for s in scenario.systems if isinstance(s, ContiguousSystem)]
    paged = [s for s in scenario.systems if isinstance(s, PagedSystem)]
    if name == "block_size":
        return paged[0].block_size if paged else None
    if name == "multiple":
        return next((s.multiple for s in contiguous if s.reserve == "multiple"), None)
    if name == "placement":
        found = {s.placement for s in contiguous}
        return None if not found else found.pop() if len(found) == 1 else MIXED
    if name in ("rate", "lengths"):
        workload = scenario.workload
        if workload is None or (name == "rate" and workload.arrivals == "trace"):
            return None
        lengths = "sharegpt" if workload.lengths == "sharegpt_paper_filtered" else workload.lengths
        return workload.rate if name == "rate" else lengths
    return getattr(scenario, name)


def turned(scenario: Scenario, name: str, value: Any) -> Scenario:
    """The scenario with a knob turned. Raises ScenarioError."""
    if name not in NAMES or value_of(scenario, name) is None:
        raise ScenarioError(told("The knob {name!r} turns nothing in this scenario; valid is another one.", name=name))
    if name == "rate" and isinstance(value, int | float):
        return workload_form.changed(scenario, name, float(value))
    if name in ("lengths", "placement") and not isinstance(value, str):
        raise ScenarioError(told("The knob {name!r} was turned to {value!r}; valid is a name.", name=name, value=value))
    if name == "lengths":
        return workload_form.changed(scenario, name, value)
    data = to_dict(scenario)
    if name in ("slots", "max_model_len"):
        return from_dict(data | {name: value})
    for part, system in zip(data["systems"], scenario.systems, strict=True):
        paged = isinstance(system, PagedSystem)
        if name == "block_size" and paged:
            part.pop("free_order", None)  # it named blocks of another size
            part["block_size"] = value
        elif name == "placement" and not paged and value != MIXED:
            part["placement"] = value
        elif name == "multiple" and isinstance(system, ContiguousSystem) and system.reserve == "multiple":
            part["multiple"] = value
            part.pop("name", None)  # the name may say the old multiple
    return from_dict(data)


def knobs(scenario: Scenario, preset: Scenario) -> list[Knob]:
    """All that turn something; what the scenario and its preset hold is always among a knob's values."""
    found = []
    for name in NAMES:
        value, home = value_of(scenario, name), value_of(preset, name)
        if value is None:
            continue
        given = {"placement": PLACEMENTS, "lengths": _SETS}.get(name) or _VALUES[name]
        own = [v for v in (value, home) if v is not None]
        if name in _VALUES:
            values = tuple(sorted({*given, *own}))
        else:
            values = tuple(dict.fromkeys([*given, *own]))
        found.append(Knob(name, values, values.index(value), values.index(home) if home in values else -1))
    return found


def text(knob: Knob, value: Any, say: Messages) -> str:
    """A value as it is read."""
    if knob.name == "placement":
        return say("drawer.mixed") if value == MIXED else say(f"drawer.placement.{value}")
    if knob.name == "lengths":
        key = f"whatif.lengths.{value}"
        return say(key) if key in say else say("whatif.lengths.own")
    return say.number(value)


def drawn(scenario: Scenario, preset: Scenario, say: Messages) -> list[dict[str, Any]]:
    """As the browser is told."""
    return [
        {
            "name": knob.name, "label": say(f"whatif.knob.{knob.name}"), "kind": knob.kind, "values": list(knob.values),
            "texts": [text(knob, value, say) for value in knob.values], "index": knob.index, "home": knob.home,
        }
        for knob in knobs(scenario, preset)
    ]  # fmt: skip
