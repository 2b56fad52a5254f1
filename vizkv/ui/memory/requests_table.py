"""The requests as an editable table."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from vizkv.messages.catalogue import Messages
from vizkv.scenario.schema import ScenarioError, from_dict, to_dict
from vizkv.ui import link

_FIELDS = ("id", "prompt", "prompt_tokens", "output_tokens", "final_slots", "arrival_step")
_NUMBERS = _FIELDS[2:]


def _rows(scenario: Any) -> pd.DataFrame:
    rows = [{name: getattr(r, name) for name in _FIELDS} for r in scenario.requests]
    frame = pd.DataFrame(rows, columns=list(_FIELDS))
    for name in _NUMBERS:
        frame[name] = frame[name].astype("Int64")
    for name in ("id", "prompt"):
        frame[name] = frame[name].astype("string")
    return frame


def merged(frame: pd.DataFrame, scenario: Any, say: Messages) -> list[dict[str, Any]]:
    """Return the table's rows as requests; fields that it does not show are kept by name. Raises ScenarioError."""
    hidden = {
        r.id: r.model_dump(exclude=set(_FIELDS), exclude_none=True, exclude_defaults=True) for r in scenario.requests
    }
    requests = []
    for number, row in enumerate(frame.to_dict("records"), 1):
        given: dict[str, Any] = {}
        for name, value in row.items():
            if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)) or value == "":
                continue
            if name in _NUMBERS:
                if int(value) != value:
                    raise ScenarioError(
                        say("problem.row", row=number, field=name, value=str(value), valid=say("problem.whole"))
                    )
                given[name] = int(value)
            else:
                given[name] = str(value)
        if not given or set(given) <= {"arrival_step"}:
            continue  # an empty row
        kept = dict(hidden.get(given.get("id", ""), {}))
        if {"prompt", "prompt_tokens"} & set(given):
            kept.pop("prompt_token_ids", None)
        if {"output_tokens", "final_slots"} & set(given):
            kept.pop("output_token_ids", None)
        requests.append(kept | given)
    return requests


def show() -> None:
    """Draw the table and its button."""
    state = link.current()
    say, scenario = state.say, state.scenario
    st.subheader(say("drawer.requests"))
    st.caption(say("drawer.requests.about"))
    number = st.column_config.NumberColumn
    with st.form(f"requests-form-{state.edition}", border=False):
        frame = st.data_editor(
            _rows(scenario),
            key=f"requests-{state.edition}",
            num_rows="dynamic",
            hide_index=True,
            column_config={
                "id": st.column_config.TextColumn(say("drawer.requests.id"), max_chars=20, width="small"),
                "prompt": st.column_config.TextColumn(say("drawer.requests.prompt"), width="large"),
                **{n: number(say(f"drawer.requests.{n}"), step=1, width=150) for n in _NUMBERS},
            },
        )
        if st.form_submit_button(say("drawer.requests.apply"), type="primary"):
            try:
                data = to_dict(scenario) | {"requests": merged(frame, scenario, say)}
                link.change(from_dict(data))
            except ScenarioError as error:
                state.problem = say("problem.kept", problem=str(error))
            else:
                state.edition += 1
            st.rerun()
