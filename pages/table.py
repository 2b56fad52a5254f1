"""Block table: one token, from its position in the text through the block table to its slot, K and V."""

import streamlit as st

from vizkv.ui import link
from vizkv.ui.memory import drawer, files, lesson
from vizkv.ui.player import stage
from vizkv.ui.table import own_text
from vizkv.ui.table import page as table

state = link.enter("table")
with st.container(key="above"):
    own_text.show()
run = stage.run()
lesson.problem(state)
drawer.show()
stage.show(run, table.below)
lesson.about(state, run)
files.show(run.trace)
