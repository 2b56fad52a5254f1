"""Beside the bars: another example, the workload in full, and what the pool is in bytes."""

from __future__ import annotations

import streamlit as st

from vizkv.ui import hardware, link, workload_form


def show() -> None:
    """All three, folded."""
    state = link.current()
    say, known = state.say, link.presets(state.page)
    names = list(known)

    def choose() -> None:
        preset = known[st.session_state[key]]
        link.change(preset.scenario, preset)

    key = f"whatif-preset-{state.edition}"
    st.subheader(say("whatif.forms"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            say("drawer.preset"), names, index=names.index(state.preset.id), key=key, on_change=choose,
            format_func=lambda name: say(f"preset.{name}.title"), width=420,
        )  # fmt: skip
        st.button(
            say("drawer.reset"), key="whatif-reset", icon=":material/undo:", disabled=not state.changed,
            on_click=lambda: link.change(state.preset.scenario, state.preset),
        )  # fmt: skip
    with st.expander(say("whatif.workload"), icon=":material/stacked_line_chart:"):
        workload_form.show("whatif-workload")
    with st.expander(say("whatif.hardware"), icon=":material/memory:"):
        hardware.show("whatif-hardware")
