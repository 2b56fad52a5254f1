"""The drawer with example, sizes, policies and model. Each change makes a new scenario, or an error sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from vizkv.scenario.schema import Scenario, ScenarioError, from_dict, to_dict
from vizkv.systems import registry
from vizkv.ui import link, widgets
from vizkv.ui.player.runs import MAX_SLOTS
from vizkv.views.systems.base import Knob
from vizkv.views.systems.registry import words

MIXED = "mixed"
MAX_LENGTH = 131_072
_ORDER = ("steps", "number", "choice")  # the order of the systems' controls


def _common(values: list[Any]) -> Any:
    """Return the value that all systems share, or MIXED."""
    return values[0] if len(set(values)) == 1 else MIXED


def offered(scenario: Scenario) -> list[tuple[Knob, list[Any]]]:
    """Return the fields of the systems that can be changed, each once, with its values in the systems."""
    found: dict[str, tuple[Knob, list[Any]]] = {}
    for kind in registry.KINDS:  # a fixed order, independent of the order of the systems
        for knob in words(kind).knobs:
            values = [getattr(s, knob.name) for s in scenario.systems if knob.name in s.knobs()]
            if values:
                found.setdefault(knob.name, (knob, values))
    return sorted(found.values(), key=lambda pair: _ORDER.index(pair[0].how))


def changed(scenario: Scenario, name: str, value: Any) -> Scenario:
    """Return the scenario with one control's value set. Raises ScenarioError."""
    data = to_dict(scenario)
    if name == "model":
        data["requests"] = [_without_ids(r) for r in data.get("requests", [])]
    if name == "block_size":  # interventions on a block table name blocks of the previous size
        data["actions"] = [a for a in data.get("actions", []) if a["do"] != "repoint"]
    if name in ("slots", "max_model_len", "model"):
        data[name] = value
    for part, system in zip(data["systems"], scenario.systems, strict=True):
        if name in system.knobs() and value != MIXED:
            system.change(part, name, value)
    return from_dict(data)


def _without_ids(request: dict[str, Any]) -> dict[str, Any]:
    """Drop scripted token ids but keep their number: the ids belong to another model's vocabulary."""
    request = dict(request)
    if ids := request.pop("prompt_token_ids", None):
        request["prompt_tokens"] = len(ids)
    ids = request.pop("output_token_ids", None)
    if ids and "final_slots" not in request:
        request["output_tokens"] = len(ids)
    return request


def _set(name: str, value: Any) -> None:
    """Open the scenario with a widget's new value; keep the current one and show why if it is invalid."""
    state = link.current()
    if value is None:  # the field was emptied
        return
    try:
        link.change(changed(state.scenario, name, value))
    except ScenarioError as error:
        state.problem = state.say("problem.kept", problem=str(error))


def _number(name: str, value: int, most: int, step: int, tip: str | None = None, least: int = 1) -> None:
    say, value = link.current().say, min(value, most)
    key = widgets.shows(f"drawer-{name}", value)
    st.number_input(
        say(f"drawer.{name}"), least, most, value, step, key=key, on_change=widgets.changed(key, partial(_set, name)),
        help=tip,
    )  # fmt: skip


def _choice(make: Callable[..., Any], name: str, value: Any, choices: list[Any], **options: Any) -> None:
    key = widgets.shows(f"drawer-{name}", value)
    change = widgets.changed(key, partial(_set, name), choices)
    make(link.current().say(f"drawer.{name}"), choices, key=key, on_change=change, **options)


def show() -> None:
    """Draw the drawer; nothing in a lecture, where the beats choose."""
    state = link.current()
    if link.session().lecture:
        return
    say, scenario = state.say, state.scenario
    with st.sidebar:
        st.header(say("drawer.title"))
        _example(state)
        _number("slots", scenario.slots, MAX_SLOTS, 256, say("drawer.slots.help", most=MAX_SLOTS))
        _number("max_model_len", scenario.max_model_len, MAX_LENGTH, 256, say("drawer.max_model_len.help"))
        for knob, values in offered(scenario):
            _knob(knob, values)
        _model(scenario)


def _knob(knob: Knob, values: list[Any]) -> None:
    """Draw one control of the systems. A slider or number shows the first system's value."""
    first, low, high = values[0], knob.values[0], knob.values[-1]
    if knob.how == "steps":
        _choice(st.select_slider, knob.name, first, sorted({*knob.values, first}))
    elif knob.how == "number":
        _number(knob.name, first, high, 1, least=low)
    else:
        common = _common(values)
        own = [] if common == MIXED or common in knob.values else [common]
        _policy(knob.name, sorted([*knob.values, *own]) if own else knob.values, common)


def _policy(name: str, options: Any, value: Any) -> None:
    say = link.current().say
    shown = [*([MIXED] if value == MIXED else []), *options]

    def label(option: Any) -> str:
        if option == MIXED:
            return say("drawer.mixed")
        return say.number(option) if isinstance(option, int) else say(f"drawer.{name}.{option}")

    _choice(st.selectbox, name, value, shown, format_func=label)


def _model(scenario: Scenario) -> None:
    from vizkv.model import available_models

    say = link.current().say
    names = [m.name for m in available_models() if m.installed]
    options = list(dict.fromkeys([*names, "none", scenario.model]))

    def label(name: str) -> str:
        key = f"drawer.model.{name}"
        return say(key) if key in say else name

    _choice(st.selectbox, "model", scenario.model, options, format_func=label)


def _example(state: link.Open) -> None:
    say, known = state.say, link.presets(state.page)
    key = widgets.shows("drawer-preset", state.preset.id)

    def choose(name: str) -> None:
        link.change(known[name].scenario, known[name])

    st.selectbox(
        say("drawer.preset"), list(known), key=key, format_func=lambda name: say(f"preset.{name}.title"),
        on_change=widgets.changed(key, choose, known),
    )  # fmt: skip
    if state.changed or state.saved:
        st.button(
            say("drawer.reset"), key="drawer-reset", icon=":material/undo:",
            on_click=widgets.clicked(link.change, state.preset.scenario, state.preset),
        )  # fmt: skip
