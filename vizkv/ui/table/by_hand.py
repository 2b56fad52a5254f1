"""Interventions: shuffle the blocks, break a block table, undo it; the proof lamp shows the effect at once."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vizkv.messages.catalogue import Messages
from vizkv.replay import Replay, at, following
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict, to_dict
from vizkv.ui import link
from vizkv.ui.memory import lamp
from vizkv.ui.player import runs
from vizkv.views.payload.pack import View

SWAP, ONE = "swap", "one"


def with_actions(scenario: Scenario, *actions: dict[str, Any]) -> Scenario:
    """Return the scenario with additional interventions. Raises ScenarioError."""
    data = to_dict(scenario)
    return from_dict(data | {"actions": [*data.get("actions", []), *actions]})


def without_actions(scenario: Scenario, last: int) -> Scenario:
    """Return the scenario without its last ``last`` interventions."""
    data = to_dict(scenario)
    return from_dict(data | {"actions": data.get("actions", [])[:-last]})


def _do(step: int, *actions: dict[str, Any]) -> None:
    """Add interventions at the beginning of a step, and go to that step."""
    state = link.current()
    try:
        link.change(with_actions(state.scenario, *({"step": step} | action for action in actions)), step=step)
    except ScenarioError as error:
        state.problem = state.say("problem.kept", problem=str(error))
    st.rerun()


def _undo(last: int) -> None:
    link.change(without_actions(link.current().scenario, last))
    st.rerun()


def show(run: runs.Run, view: View) -> None:
    """Draw the buttons on the left, the lamp and the text on the right."""
    state = link.current()
    say, system = state.say, following.paged(run.trace)
    st.subheader(say("hand.title"))
    if run.trace.model == "none" or system is None:
        st.info(say("proof.lengths"), icon=":material/lightbulb:")
        return
    hands, light = st.columns([5, 6], gap="large")
    with light:
        lamp.show(run, system)
    facts = run.trace.systems[system]
    step = view.step + 1  # an intervention takes place before its step
    with hands:
        if step < facts.steps:
            _tools(at(facts, run.trace.requests, view.step), step, say)
        else:
            st.info(say("hand.late"))
        _done(state)


def _tools(replay: Replay, step: int, say: Messages) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button(say("hand.shuffle"), key="hand-shuffle", icon=":material/shuffle:", type="primary"):
            _do(step, {"do": "shuffle"})
        st.caption(say("hand.when", step=step))
    tables = {
        replay.requests[who].id: following.read_table(replay, who)
        for who, live in replay.live.items()
        if not live.finished and live.block_table
    }
    if not tables:
        return
    with st.container(border=True):
        st.markdown(say("hand.break"))
        kinds = {SWAP: say("hand.swap"), ONE: say("hand.one")}
        kind = st.radio(
            say("hand.break"), kinds, key="hand-kind", format_func=kinds.__getitem__, horizontal=True,
            label_visibility="collapsed",
        )  # fmt: skip
        who = next(iter(tables))
        columns = st.columns([2, 3, 3, 3] if len(tables) > 1 else [3, 3, 3], vertical_alignment="bottom")
        if len(tables) > 1:
            who = columns[0].selectbox(say("hand.request"), tables, key="hand-request")
            columns = columns[1:]
        if kind == ONE:
            _one(who, tables[who], replay, step, columns, say)
        else:
            _swap(who, tables[who], step, columns, say)


def _row(table: list[int], say: Messages) -> Any:
    return lambda row: say("hand.row.block", row=row, block=table[row])


def _swap(who: str, table: list[int], step: int, columns: Any, say: Messages) -> None:
    rows = range(len(table))
    first = columns[0].selectbox(say("hand.row"), rows, key="hand-first", format_func=_row(table, say))
    second = columns[1].selectbox(
        say("hand.row.other"), rows, index=min(1, len(table) - 1), key="hand-second", format_func=_row(table, say)
    )
    same = first == second
    if columns[2].button(say("hand.swap.do"), key="hand-swap", width="stretch", disabled=same):
        _do(
            step,
            {"do": "repoint", "request": who, "index": first, "block": table[second]},
            {"do": "repoint", "request": who, "index": second, "block": table[first]},
        )


def _one(who: str, table: list[int], replay: Replay, step: int, columns: Any, say: Messages) -> None:
    row = columns[0].selectbox(say("hand.row"), range(len(table)), key="hand-first", format_func=_row(table, say))
    first = int(bool(replay.system.detail.get("null_block")))
    blocks = [b for b in range(first, replay.system.slots // replay.system.block_size) if b != table[row]]
    if not blocks:
        return
    block = columns[1].selectbox(say("hand.block"), blocks, key="hand-block")
    if columns[2].button(say("hand.one.do"), key="hand-one", width="stretch"):
        _do(step, {"do": "repoint", "request": who, "index": row, "block": block})


def _done(state: link.Open) -> None:
    """List the interventions, newest last, with a button that undoes them."""
    say, actions = state.say, to_dict(state.scenario).get("actions", [])
    if not actions:
        st.caption(say("hand.about"))
        return
    lines = []
    for action in actions:
        if action["do"] == "repoint":
            lines.append(
                say.in_markdown(
                    "hand.done.repoint",
                    step=action["step"],
                    request=action["request"],
                    row=action["index"],
                    block=action["block"],
                )
            )
        else:
            lines.append(say.in_markdown(f"hand.done.{action['do']}", step=action["step"]))
    st.caption("  \n".join(lines[-6:]))
    last = _together(actions)
    with st.container(horizontal=True):
        if st.button(say("hand.undo"), key="hand-undo", icon=":material/undo:"):
            _undo(last)
        if len(actions) > last and st.button(say("hand.undo.all"), key="hand-undo-all"):
            _undo(len(actions))


def _together(actions: list[dict[str, Any]]) -> int:
    """Return how many of the last interventions were one click: a swap consists of two."""
    if len(actions) < 2:
        return 1
    one, two = actions[-2:]
    same = (
        all(a["do"] == "repoint" for a in (one, two))
        and one["step"] == two["step"]
        and one["request"] == two["request"]
    )
    return 2 if same and one["index"] != two["index"] else 1
