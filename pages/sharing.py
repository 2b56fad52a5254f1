"""Sharing: several texts on the same blocks, copy-on-write, and the memory that it saves."""

import streamlit as st

from vizkv.ui import link
from vizkv.ui.memory import drawer, evidence, files, lesson
from vizkv.ui.player import stage
from vizkv.ui.sharing import form as sharing_form
from vizkv.ui.sharing import page as sharing

state = link.enter("sharing")
with st.container(key="above"):
    sharing_form.show()
run = stage.run()
lesson.problem(state)
drawer.show()
stage.show(run, sharing.below)
lesson.about(state, run)
evidence.show(run)
files.show(run.trace)
