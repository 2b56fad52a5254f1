"""What it costs to close the gaps of contiguous memory: slide everything together at a step, and count the bytes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vizkv.events import Kind
from vizkv.hardware import DEFAULT
from vizkv.replay import at
from vizkv.scenario import ScenarioError, to_dict
from vizkv.trace import SystemTrace, Trace
from vizkv.ui import by_hand, link, runs

OPT_13B = DEFAULT.bytes_per_token


def moved(system: SystemTrace, trace: Trace, step: int) -> tuple[int, int]:
    """(pieces, written slots) that changed their place at the beginning of a step: only what is written is copied."""
    if step >= system.steps:
        return 0, 0
    who = [event.request for event, _ in system.events(step) if event.kind == Kind.MOVED]
    if not who or not step:
        return len(who), 0
    live = at(system, trace.requests, step - 1).live
    return len(who), sum(live[index].written for index in who if index in live)


def show(run: runs.Run) -> None:
    """A button, and a table for each time that it was pressed."""
    state = link.current()
    say, trace = state.say, run.trace
    systems = [s for s in trace.systems if s.kind == "contiguous"]
    if not systems:
        return
    st.subheader(say("compact.title"))
    st.caption(say("compact.about", bytes=OPT_13B))
    with st.container(horizontal=True):
        st.button(
            say("compact.button"), key="compact", icon=":material/compress:", on_click=_compact, args=(trace.steps,)
        )
        steps = [a["step"] for a in to_dict(state.scenario).get("actions", []) if a["do"] == "compact"]
        if steps:
            st.button(say("hand.undo"), key="compact-undo", icon=":material/undo:", on_click=_undo)
    a_token = 0 if trace.model == "none" else runs.model(trace.model).config.bytes_per_token
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
