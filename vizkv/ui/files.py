"""Scenarios and traces as files: save what is on screen, open what was saved."""

from __future__ import annotations

import hashlib

import streamlit as st

from vizkv import scenario as scenarios
from vizkv import trace as traces
from vizkv.replay import checked
from vizkv.scenario import ScenarioError
from vizkv.told import told
from vizkv.trace import Trace, TraceError
from vizkv.ui import export, link, pages, runs

MAX_SCENARIO = 2 * 2**20


def show(trace: Trace) -> None:
    """Two downloads and an upload."""
    state = link.current()
    say = state.say
    st.subheader(say("drawer.files"))
    left, right = st.columns(2)
    name = state.preset.id
    left.download_button(
        say("drawer.files.scenario"), scenarios.to_toml(state.scenario), f"{name}.toml", "application/toml",
        icon=":material/download:", width="stretch",
    )  # fmt: skip
    right.download_button(
        say("drawer.files.trace"), lambda: traces.save(trace), f"{name}.vizkv", "application/octet-stream",
        icon=":material/download:", width="stretch",
    )  # fmt: skip
    # a new edition empties the uploader: one file is opened once
    st.file_uploader(say("drawer.files.open"), key=f"open-{state.edition}", on_change=_open)
    export.show(trace)


def _open() -> None:
    state = link.current()
    file = st.session_state[f"open-{state.edition}"]
    if file is None:
        return
    state.problem = ""
    try:
        open_file(file.name, file.getvalue())
    except (ScenarioError, TraceError) as error:
        state.problem = state.say("problem.kept", problem=str(error))
    state.edition += 1


def open_file(name: str, data: bytes) -> None:
    """Open a scenario or a trace. Raises ScenarioError or TraceError."""
    state = link.current()
    if data[:2] == b"PK" or name.endswith(".vizkv"):
        trace, key = checked(traces.load(data)), hashlib.sha256(data).hexdigest()
        scenario = scenarios.from_dict(trace.scenario)
        if (slots := max(system.slots for system in trace.systems)) > runs.MAX_SLOTS:
            raise ScenarioError(state.say("problem.slots", slots=slots, most=runs.MAX_SLOTS))
        try:  # what is drawn of it, now and not when the page is under way: a file may be damaged in any way
            _ = runs.Run(trace, key, state.preset, state.language, pages.PAGES[state.page].panels).packed
        except Exception:
            raise TraceError(told("The file is not a vizkv trace, or its contents are damaged.")) from None
        link.change(scenario)
        state.saved, state.saved_key, state.view = trace, key, None
        return
    if b"\0" in data[:1000]:  # a picture, say: the trace is named too
        raise ScenarioError(state.say("problem.file.type", name=name[:80]))
    link.change(scenarios.from_bytes(data, name[:80], MAX_SCENARIO))
    state.view = None
