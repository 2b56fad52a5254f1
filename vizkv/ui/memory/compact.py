"""The cost of compacting contiguous memory: move all pieces together at a step, and count the bytes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vizkv.replay import at
from vizkv.scenario.hardware import DEFAULT
from vizkv.scenario.schema import ScenarioError, to_dict
from vizkv.systems import registry
from vizkv.trace.events import Kind
from vizkv.trace.trace import SystemTrace, Trace
from vizkv.ui import link, widgets
from vizkv.ui.player import runs
from vizkv.ui.table import by_hand

OPT_13B = DEFAULT.bytes_per_token


def moved(system: SystemTrace, trace: Trace, step: int) -> tuple[int, int]:
    """Return (pieces, written slots) that move at the beginning of a step: only written slots are copied."""
    if step >= system.steps:
        return 0, 0
    who = [event.request for event, _ in system.events(step) if event.kind == Kind.MOVED]
    if not who or not step:
        return len(who), 0
    live = at(system, trace.requests, step - 1).live
    return len(who), sum(live[index].written for index in who if index in live)


def show(run: runs.Run) -> None:
    """Draw the button, and a table with a row for each time that it was pressed."""
    state = link.current()
    say, trace = state.say, run.trace
    systems = [s for s in trace.systems if registry.schema(s).can_compact]
    if not systems:
        return
    st.subheader(say("compact.title"))
    st.caption(say("compact.about", bytes=OPT_13B))
    with st.container(horizontal=True):
        st.button(
            say("compact.button"), key="compact", icon=":material/compress:",
            on_click=widgets.clicked(_compact, trace.steps),
        )  # fmt: skip
        steps = [a["step"] for a in to_dict(state.scenario).get("actions", []) if a["do"] == "compact"]
        if steps:
            st.button(say("hand.undo"), key="compact-undo", icon=":material/undo:", on_click=widgets.clicked(_undo))
    a_token = runs.bytes_per_token(trace)
    for step in steps:
        pieces, slots = zip(*(moved(s, trace, step) for s in systems), strict=True)
        st.markdown(say("compact.at", step=step))
        columns: dict[str, list[Any]] = {say("compact.system"): [say.name(s.name) for s in systems]}
        numbers = {say("compact.pieces"): list(pieces), say("compact.slots"): list(slots)}
        if a_token:
            numbers[say("compact.bytes", model=trace.model)] = [n * a_token for n in slots]
        numbers[say("compact.bytes", model="OPT-13B")] = [n * OPT_13B for n in slots]
        number = st.column_config.NumberColumn(format="localized")
        st.dataframe(columns | numbers, hide_index=True, column_config=dict.fromkeys(numbers, number))


def _compact(steps: int) -> None:
    state = link.current()
    step = (state.view.step if state.view else 0) + 1
    if step >= steps:
        state.problem = state.say("compact.late")
        return
    try:
        link.change(by_hand.with_actions(state.scenario, {"step": step, "do": "compact"}), step=step)
    except ScenarioError as error:
        state.problem = state.say("problem.kept", problem=str(error))


def _undo() -> None:
    link.change(by_hand.without_actions(link.current().scenario, 1))
