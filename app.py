"""vizkv: navigation over the pages."""

import streamlit as st

from vizkv.ui import link, style

state = link.current()
st.set_page_config(page_title=state.say("app.title"), layout="wide", initial_sidebar_state="collapsed")
style.apply(state.say)
page = st.navigation(
    [st.Page("pages/memory.py", title=state.say("page.memory.title"), url_path="memory", default=True)],
    position="top",
)
page.run()
