"""The proof lamp on a page, and the text that the model wrote."""

from __future__ import annotations

import streamlit as st

from vizkv.engine.proof import TOLERANCE
from vizkv.scenario.schema import ScenarioError
from vizkv.ui import link, store
from vizkv.ui.guard import guarded
from vizkv.ui.player import runs


def show(run: runs.Run) -> None:
    """Draw the lamp, its button and rows; below them the text."""
    state = link.current()
    say, trace = state.say, run.trace
    st.subheader(say("proof.title"))
    if trace.model == "none":
        st.info(say("proof.lengths"), icon=":material/lightbulb:")
        return
    st.caption(say("proof.about"))
    _lamp(run)
    with st.expander(say("proof.text")):
        for request in trace.requests:
            prompt, written = request.pieces[: request.prompt_tokens], request.pieces[request.prompt_tokens :]
            st.caption(
                say.in_markdown(
                    "proof.text.request", request=request.id, prompt=request.prompt_tokens, sampled=len(written)
                )
            )
            # as plain text: a student's prompt may contain any markup
            st.text("".join(prompt) + "".join(written))


@st.fragment
@guarded
def _lamp(run: runs.Run) -> None:
    state = link.current()
    say = state.say
    wanted = store.first("proved", set())
    if st.button(say("proof.button"), key="prove", icon=":material/verified:", type="primary"):
        wanted.add(run.key)
    if run.key not in wanted:
        st.markdown(f":gray[:material/lightbulb: {say('proof.open')}]")
        return
    try:
        with st.spinner(say("proof.running")):
            proof = runs.proof(run)
    except ScenarioError as error:  # the model of a saved trace is not installed here
        st.warning(say.in_markdown.error(error), icon=":material/error:")
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
