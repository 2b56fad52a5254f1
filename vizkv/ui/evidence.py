"""The proof lamp on a page, and the text that the model wrote."""

from __future__ import annotations

import streamlit as st

from vizkv.proof import TOLERANCE
from vizkv.scenario import ScenarioError
from vizkv.trace import Trace
from vizkv.ui import link, runs


def show(trace: Trace) -> None:
    """Lamp, button, rows; below them the text."""
    state = link.current()
    say, scenario = state.say, state.scenario
    st.subheader(say("proof.title"))
    if scenario.model == "none":
        st.info(say("proof.lengths"), icon=":material/lightbulb:")
        return
    st.caption(say("proof.about"))
    _lamp(trace)
    with st.expander(say("proof.text")):
        for request in trace.requests:
            prompt, written = request.pieces[: request.prompt_tokens], request.pieces[request.prompt_tokens :]
            st.caption(
                say("proof.text.request", request=request.id, prompt=request.prompt_tokens, sampled=len(written))
            )
            # as plain text: a prompt is the student's own and may contain any mark
            st.text("".join(prompt) + "".join(written))


@st.fragment
def _lamp(trace: Trace) -> None:
    state = link.current()
    say = state.say
    code = runs.code_of(state.scenario)
    wanted = st.session_state.setdefault("proved", set())
    if st.button(say("proof.button"), key="prove", icon=":material/verified:", type="primary"):
        wanted.add(code)
    if code not in wanted:
        st.markdown(f":gray[:material/lightbulb: {say('proof.open')}]")
        return
    try:
        with st.spinner(say("proof.running")):
            proof = runs.proof(state.scenario, trace)
    except ScenarioError as error:  # a saved trace whose model is not here
        st.warning(say.error(error), icon=":material/error:")
        return
    worst = max(s.difference for s in proof.systems)
    if proof.holds:
        text = say("proof.holds", difference=say.scientific(worst), tolerance=say.scientific(TOLERANCE, 0))
        st.success(text, icon=":material/lightbulb:")
    else:
        st.error(say("proof.fails"), icon=":material/lightbulb:")
    st.dataframe(
        {
            say("proof.system"): [say.name(s.name) for s in proof.systems],
            say("proof.tokens"): [s.tokens for s in proof.systems],
            say("proof.same"): [say("proof.yes" if s.same_tokens else "proof.no") for s in proof.systems],
            say("proof.difference"): [say.scientific(s.difference, 2) for s in proof.systems],
        },
        hide_index=True,
    )
