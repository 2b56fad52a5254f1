"""Scenarios and traces as files: save the current one, open a saved one."""

from __future__ import annotations

import hashlib
from typing import Any

import streamlit as st

from vizkv.limits import limits
from vizkv.messages.sentence import told
from vizkv.replay.opening import opened
from vizkv.scenario import schema as scenarios
from vizkv.scenario.schema import ScenarioError
from vizkv.trace import trace as traces
from vizkv.trace.trace import Trace, TraceError
from vizkv.ui import link, outside, pages, widgets
from vizkv.ui.export import page as export
from vizkv.ui.player import runs


def show(trace: Trace) -> None:
    """Draw two download buttons and an uploader."""
    state = link.current()
    say = state.say
    st.subheader(say("drawer.files"))
    left, right = st.columns(2)
    name = state.file_name
    left.download_button(
        say("drawer.files.scenario"), scenarios.to_toml(state.scenario), f"{name}.toml", "application/toml",
        icon=":material/download:", width="stretch",
    )  # fmt: skip
    right.download_button(
        say("drawer.files.trace"), lambda: traces.save(trace), f"{name}.vizkv", "application/octet-stream",
        icon=":material/download:", width="stretch",
    )  # fmt: skip
    # a new edition empties the uploader: a file is opened once
    key = f"open-{state.edition}"
    st.file_uploader(
        say("drawer.files.open"), key=key, on_change=widgets.changed(key, _open),
        max_upload_size=limits.PAGE.packed >> 20,
    )  # fmt: skip
    export.show(trace)


def _open(file: Any) -> None:
    state = link.current()
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
        trace, scenario = opened(traces.load(data, limits.PAGE), limits.PAGE)
        key = hashlib.sha256(data).hexdigest()
        try:  # draw it once now, where an error can be caught: any part of the file may be damaged
            _ = runs.Run(trace, key, state.preset, state.language, pages.panels(state.page, trace)).packed
        except Exception:
            raise TraceError(told("The file is not a vizkv trace, or its contents are damaged.")) from None
        link.change(scenario)
        state.saved, state.saved_key, state.view = trace, key, None
        return
    if b"\0" in data[:1000]:  # a binary file, such as a picture: the error mentions traces too
        raise ScenarioError(state.say("problem.file.type", name=name[:80]))
    opened_scenario = outside.accept(scenarios.from_bytes(data, name[:80], limits.MAX_SCENARIO_UPLOAD))
    example = next((one for one in link.presets(state.page).values() if one.scenario == opened_scenario), None)
    link.change(opened_scenario, example)
    state.view, state.file = None, name
