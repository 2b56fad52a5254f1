"""A page for the browser tests of the panels: a preset with the panels that its link names, in the real component.

The buttons send what Python may send: a command for the trace that is open, and another trace that keeps the place.
"""

from dataclasses import replace

import streamlit as st

from tests.browser.panels_runs import OWN
from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.model import load_model
from vizkv.scenario import schema as scenario
from vizkv.scenario.presets import list_presets
from vizkv.ui.player import component as player
from vizkv.views.payload import pack as payload
from vizkv.views.payload.pack import View

ALL = "text,logical,table,follow,queue,cpu"


@st.cache_resource
def packed(preset: str, panels: str, headline: str) -> bytes:
    asked = (
        scenario.from_dict(OWN[preset]) if preset in OWN else next(p for p in list_presets() if p.id == preset).scenario
    )
    model = None if asked.model == "none" else load_model(asked.model)
    return payload.pack(engine.run(asked, model), messages(), headline, (), [p for p in panels.split(",") if p])


st.set_page_config(layout="wide")
# as the app's own style: the player has the whole first screen
st.html("<style>[data-testid=stMainBlockContainer] { padding: 3.75rem clamp(1rem, 3.3vw, 4rem) 1rem; }</style>")
query = st.query_params
sent = st.session_state.setdefault("sent", View(step=int(query.get("step", 0))))
edition = st.session_state.setdefault("edition", 0)
reported = player.show(
    payload.open_at(
        packed(query.get("preset", "tiny-blocks"), query.get("panels", ALL), f"Edition {edition}"),
        st.session_state["sent"],
    ),
    "panels",
)
if st.button("Go to step 9"):
    st.session_state["sent"] = replace(sent, step=9, request=1, position=2, command=sent.command + 1)
    st.rerun()
if st.button("Another trace, same place"):
    st.session_state["edition"] += 1
    st.session_state["sent"] = replace(sent, step=0, keep=True)
    st.rerun()
st.text(f"reported: {reported}")
