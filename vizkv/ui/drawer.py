"""The controls that stand aside: example, sizes, policies, model. Each change makes a new scenario, or a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from vizkv.scenario import ContiguousSystem, PagedSystem, Scenario, ScenarioError, from_dict, to_dict
from vizkv.ui import link
from vizkv.ui.runs import MAX_SLOTS

PLACEMENTS = ("buddy", "first-fit", "best-fit", "ideal")
BATCHINGS = ("iteration", "static")
MIXED = "mixed"
MAX_LENGTH = 131_072
BLOCK_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def _contiguous(scenario: Scenario) -> list[ContiguousSystem]:
    return [s for s in scenario.systems if isinstance(s, ContiguousSystem)]


def _paged(scenario: Scenario) -> list[PagedSystem]:
    return [s for s in scenario.systems if isinstance(s, PagedSystem)]


def _common(values: list[Any]) -> Any:
    """The value that all systems share, or MIXED."""
    return values[0] if len(set(values)) == 1 else MIXED


def changed(scenario: Scenario, name: str, value: Any) -> Scenario:
    """The scenario with one control's value put in. Raises ScenarioError."""
    data = to_dict(scenario)
    if name == "model":
        data["requests"] = [_without_ids(r) for r in data.get("requests", [])]
    if name == "block_size":  # a table broken by hand named blocks of another size
        data["actions"] = [a for a in data.get("actions", []) if a["do"] != "repoint"]
    if name in ("slots", "max_model_len", "model"):
        data[name] = value
    for part, system in zip(data["systems"], scenario.systems, strict=True):
        contiguous = isinstance(system, ContiguousSystem)
        if name == "block_size" and not contiguous:
            part.pop("free_order", None)  # it named blocks of another size
            part["block_size"] = value
        elif name == "multiple" and isinstance(system, ContiguousSystem) and system.reserve == "multiple":
            part["multiple"] = value
            part.pop("name", None)  # the name may say the old multiple
        elif name in ("placement", "unit", "batching") and contiguous and value != MIXED:
            part[name] = value
    return from_dict(data)


def _without_ids(request: dict[str, Any]) -> dict[str, Any]:
    """Scripted token ids are another model's words: what is kept of them is how many they are."""
    request = dict(request)
    if ids := request.pop("prompt_token_ids", None):
        request["prompt_tokens"] = len(ids)
    ids = request.pop("output_token_ids", None)
    if ids and "final_slots" not in request:
        request["output_tokens"] = len(ids)
    return request


def _on_change(name: str) -> None:
    """A widget moved: try the new scenario; keep the old one and say why if it is none."""
    state = link.current()
    value = st.session_state.get(_key(name))  # a widget of an earlier edition may still tell of itself
    if value is None:
        return
    try:
        link.change(changed(state.scenario, name, value))
    except ScenarioError as error:
        state.problem = state.say("problem.kept", problem=str(error))
        state.edition += 1  # the widget goes back to what is shown


def _key(name: str) -> str:
    # a new edition gives new widgets: they start from the scenario again
    return f"drawer-{name}-{link.current().edition}"


def _widget(make: Callable[..., Any], name: str, *arguments: Any, **options: Any) -> None:
    say = link.current().say
    make(
        say(f"drawer.{name}"), *arguments, key=_key(name), on_change=_on_change, args=(name,),
        **options,
    )  # fmt: skip


def show() -> None:
    """Everything in the drawer; a lecture has its beats instead."""
    state = link.current()
    if link.session().lecture:
        return
    say, scenario = state.say, state.scenario
    with st.sidebar:
        st.header(say("drawer.title"))
        _example(state)
        _widget(
            st.number_input, "slots", min_value=1, max_value=MAX_SLOTS, value=min(scenario.slots, MAX_SLOTS), step=256,
            help=say("drawer.slots.help", most=MAX_SLOTS),
        )  # fmt: skip
        _widget(
            st.number_input, "max_model_len", min_value=1, max_value=MAX_LENGTH,
            value=min(scenario.max_model_len, MAX_LENGTH), step=256, help=say("drawer.max_model_len.help"),
        )  # fmt: skip
        if paged := _paged(scenario):
            size = paged[0].block_size
            _widget(st.select_slider, "block_size", sorted({*BLOCK_SIZES, size}), value=size)
        contiguous = _contiguous(scenario)
        multiples = [s.multiple for s in contiguous if s.reserve == "multiple"]
        if multiples:
            _widget(st.number_input, "multiple", min_value=1, max_value=4096, value=multiples[0], step=1)
        if contiguous:
            _choice("placement", PLACEMENTS, _common([s.placement for s in contiguous]))
            unit = _common([s.unit for s in contiguous])
            units = sorted({1, 2, 4, 8, 16, 32, 64} | ({unit} - {MIXED}))
            _choice("unit", units, unit)
            _choice("batching", BATCHINGS, _common([s.batching for s in contiguous]))
        _model(scenario)


def _choice(name: str, options: Any, value: Any) -> None:
    say = link.current().say
    shown = [*([MIXED] if value == MIXED else []), *options]

    def label(option: Any) -> str:
        if option == MIXED:
            return say("drawer.mixed")
        return say.number(option) if isinstance(option, int) else say(f"drawer.{name}.{option}")

    _widget(st.selectbox, name, shown, index=shown.index(value), format_func=label)


def _model(scenario: Scenario) -> None:
    from vizkv.model import available_models

    say = link.current().say
    names = [m.name for m in available_models() if m.installed]
    options = list(dict.fromkeys([*names, "none", scenario.model]))

    def label(name: str) -> str:
        key = f"drawer.model.{name}"
        return say(key) if key in say else name

    _widget(st.selectbox, "model", options, index=options.index(scenario.model), format_func=label)


def _example(state: link.Open) -> None:
    say, known = state.say, link.presets(state.page)
    names = list(known)

    def choose() -> None:
        preset = known[st.session_state[_key("preset")]]
        link.change(preset.scenario, preset)

    st.selectbox(
        say("drawer.preset"), names, index=names.index(state.preset.id), key=_key("preset"),
        format_func=lambda name: say(f"preset.{name}.title"), on_change=choose,
    )  # fmt: skip
    if state.changed or state.saved:
        st.button(
            say("drawer.reset"), key="drawer-reset", icon=":material/undo:",
            on_click=lambda: link.change(state.preset.scenario, state.preset),
        )  # fmt: skip
