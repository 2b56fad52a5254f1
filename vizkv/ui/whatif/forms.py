"""Beside the bars: choose another example, the workload form, the pool in bytes, and where a card's memory goes."""

from __future__ import annotations

import streamlit as st

from vizkv.ui import card, hardware, link, widgets
from vizkv.ui.workload import form as workload_form


def show() -> None:
    """Draw all forms, collapsed."""
    state = link.current()
    say, known = state.say, link.presets(state.page)

    def choose(name: str) -> None:
        link.change(known[name].scenario, known[name])

    key = widgets.shows("whatif-preset", state.preset.id)
    st.subheader(say("whatif.forms"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            say("drawer.preset"), list(known), key=key, on_change=widgets.changed(key, choose, known),
            format_func=lambda name: say(f"preset.{name}.title"), width=420,
        )  # fmt: skip
        st.button(
            say("drawer.reset"), key="whatif-reset", icon=":material/undo:", disabled=not state.changed,
            on_click=widgets.clicked(link.change, state.preset.scenario, state.preset),
        )  # fmt: skip
    with st.expander(say("whatif.workload"), icon=":material/stacked_line_chart:"):
        workload_form.show("whatif-workload")
    with st.expander(say("whatif.hardware"), icon=":material/memory:"):
        hardware.show("whatif-hardware")
    card.show("whatif-card")
