"""The knobs of the page "What if": which fields of a scenario they set, their range, and the changed scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.scenario.schema import LENGTH_SETS, Scenario, ScenarioError, from_dict, to_dict
from vizkv.systems import registry
from vizkv.ui.memory.drawer import offered
from vizkv.ui.workload import form as workload_form
from vizkv.views.systems.registry import words

MIXED = "mixed"  # value of a knob whose systems of one kind have different values
_VALUES: dict[str, tuple[float, ...]] = {
    "block_size": (8, 16, 32, 64, 128, 256),
    "rate": tuple(half / 2 for half in range(2, 17)),
    "max_model_len": tuple(range(512, 4097, 256)),
    "slots": (4096, 6144, 8192, 9728, 12_288, 15_728, 16_384, 20_480, 24_576, 32_768, 49_152, 65_536),
    "multiple": (1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
}
_SETS = tuple(name for name in LENGTH_SETS if name != "sharegpt_paper_filtered")  # the long name of "sharegpt"
_SIZES = {knob.name: knob.values for kind in registry.KINDS for knob in words(kind).knobs if knob.how == "steps"}
SYSTEMS = (*_SIZES, "multiple", "placement")  # knobs that set a field of the systems
_NUMBERS = _SIZES | _VALUES
NAMES = (*_SIZES, "rate", "max_model_len", "slots", "multiple", "placement", "lengths")


@dataclass(frozen=True)
class Knob:
    """One knob. ``index``: of its current value; ``home``: of the preset's value, -1 if it is not among the values."""

    name: str
    values: tuple[Any, ...]
    index: int
    home: int

    @property
    def kind(self) -> str:
        """Return how the knob is drawn."""
        return "range" if self.name in _NUMBERS else "choice"


def value_of(scenario: Scenario, name: str) -> Any:
    """Return a knob's current value, or None if the scenario has no field for it."""
    if name in SYSTEMS:
        values = [getattr(s, name) for s in scenario.systems if name in s.knobs()]
        if name in _NUMBERS:
            return values[0] if values else None
        return None if not values else values[0] if len(set(values)) == 1 else MIXED
    if name in ("rate", "lengths"):
        workload = scenario.workload
        if workload is None or (name == "rate" and workload.arrivals == "trace"):
            return None
        lengths = "sharegpt" if workload.lengths == "sharegpt_paper_filtered" else workload.lengths
        return workload.rate if name == "rate" else lengths
    return getattr(scenario, name)


def turned(scenario: Scenario, name: str, value: Any) -> Scenario:
    """Return the scenario with a knob set to a value. Raises ScenarioError."""
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
        if name in system.knobs() and value != MIXED:
            system.change(part, name, value)
    return from_dict(data)


def _words(name: str, scenario: Scenario) -> tuple[str, ...]:
    """Return the words among which a knob chooses."""
    if name == "lengths":
        return _SETS
    return next(knob.values for knob, _ in offered(scenario) if knob.name == name)


def knobs(scenario: Scenario, preset: Scenario) -> list[Knob]:
    """Return all knobs that apply; the values of the scenario and of its preset are always among a knob's values."""
    found = []
    for name in NAMES:
        value, home = value_of(scenario, name), value_of(preset, name)
        if value is None:
            continue
        given = _NUMBERS.get(name) or _words(name, scenario)
        own = [v for v in (value, home) if v is not None]
        if name in _NUMBERS:
            values = tuple(sorted({*given, *own}))
        else:
            values = tuple(dict.fromkeys([*given, *own]))
        found.append(Knob(name, values, values.index(value), values.index(home) if home in values else -1))
    return found


def text(knob: Knob, value: Any, say: Messages) -> str:
    """Return a value as text for the reader."""
    if knob.name == "placement":
        return say("drawer.mixed") if value == MIXED else say(f"drawer.placement.{value}")
    if knob.name == "lengths":
        key = f"whatif.lengths.{value}"
        return say(key) if key in say else say("whatif.lengths.own")
    return say.number(value)


def drawn(scenario: Scenario, preset: Scenario, say: Messages) -> list[dict[str, Any]]:
    """Return the knobs as data for the browser."""
    return [
        {
            "name": knob.name, "label": say(f"whatif.knob.{knob.name}"), "kind": knob.kind, "values": list(knob.values),
            "texts": [text(knob, value, say) for value in knob.values], "index": knob.index, "home": knob.home,
        }
        for knob in knobs(scenario, preset)
    ]  # fmt: skip
