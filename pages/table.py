"""Block table: one token from its place in the text through the block table to its slot, and to its K and V."""

import streamlit as st

from vizkv.ui import drawer, files, lesson, link, own_text, stage, table

state = link.enter("table")
with st.container(key="above"):
    own_text.show()
run = stage.run()
lesson.problem(state)
drawer.show()
stage.show(run, table.below)
lesson.about(state)
files.show(run.trace)
