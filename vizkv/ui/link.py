"""What is open, in the session and in the address bar: scenario, step, lens, accounting, colouring.

A link carries a preset's name and, where the scenario differs from it, the scenario's code. Nonsense in a link is
answered with a sentence and the default, never with an empty page.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from vizkv.messages import Messages, messages
from vizkv.presets import Preset, list_presets
from vizkv.scenario import Scenario, ScenarioError, from_code, to_code
from vizkv.slots import ACCOUNTINGS, LENSES
from vizkv.trace import Trace
from vizkv.views.payload import View

_KEY = "vizkv"
COLOURS = ("state", "request")


@dataclass
class Open:
    """One session's state. ``view`` is None until the run is known: the preset then says where to begin."""

    preset: Preset
    scenario: Scenario
    language: str = "en"
    view: View | None = None
    problem: str = ""
    saved: Trace | None = None  # a trace opened from a file
    saved_key: str = ""  # a digest of that file
    edition: int = 0  # goes up with each change of the scenario that widgets did not make themselves
    wanted: dict[str, str] = field(default_factory=dict)

    @property
    def say(self) -> Messages:
        """The catalogue of the session's language."""
        return messages(self.language)

    @property
    def changed(self) -> bool:
        """Whether the scenario differs from its preset."""
        return self.scenario != self.preset.scenario


def presets() -> dict[str, Preset]:
    """All presets by id, in order."""
    return {p.id: p for p in list_presets()}


def current() -> Open:
    """The session's state; made from the link on the first call."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = _from_link()
    return st.session_state[_KEY]


def _from_link() -> Open:
    known = presets()
    query = st.query_params
    first = next(iter(known.values()))
    state = Open(first, first.scenario)
    name = query.get("preset", first.id)
    if name in known:
        state.preset, state.scenario = known[name], known[name].scenario
    else:
        state.problem = state.say("problem.link", field="preset", value=name[:40], valid=", ".join(known))
    if code := query.get("s"):
        try:
            state.scenario = from_code(code)
        except ScenarioError as error:
            state.problem = str(error)
    state.wanted = {k: query[k] for k in ("step", "lens", "accounting", "colour", "focus") if k in query}
    return state


def begin(state: Open, start: View, steps: int, systems: int) -> View:
    """The view to open a run with: the preset's, overridden by what the link asked for."""
    wanted, state.wanted = state.wanted, {}
    allowed: dict[str, tuple[str, ...]] = {"lens": LENSES, "accounting": ACCOUNTINGS, "colour": COLOURS}
    changes: dict[str, Any] = {}
    for name, value in wanted.items():
        if name in allowed:
            if value in allowed[name]:
                changes[name] = value
            else:
                valid = " / ".join(allowed[name])
                state.problem = state.say("problem.link", field=name, value=value[:40], valid=valid)
            continue
        low, most = (0, steps) if name == "step" else (-1, systems - 1)
        if value.lstrip("-").isdecimal() and len(value) < 12 and low <= int(value) <= most:
            changes[name] = int(value)
        else:
            valid = f"{low}..{most}"
            state.problem = state.say("problem.link", field=name, value=value[:40], valid=valid)
    return replace(start, **changes)


def write(state: Open) -> None:
    """Put the state into the address bar; only what differs from the preset's beginning."""
    view = state.view or View()
    query = {"preset": state.preset.id, "step": str(view.step), "lens": view.lens, "accounting": view.accounting}
    if state.changed:
        query["s"] = to_code(state.scenario)
    if view.colour != "state":
        query["colour"] = view.colour
    if view.focus >= 0:
        query["focus"] = str(view.focus)
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def change(scenario: Scenario, preset: Preset | None = None) -> None:
    """Open another scenario; the view starts anew with another preset and is kept otherwise."""
    state = current()
    state.problem, state.saved = "", None
    state.scenario = scenario
    if preset is not None:
        state.preset, state.view = preset, None
        state.edition += 1
