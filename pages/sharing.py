"""Sharing: several texts on the same blocks, the copy before a write, and what it saves."""

import streamlit as st

from vizkv.ui import drawer, evidence, files, lesson, link, sharing, sharing_form, stage

state = link.enter("sharing")
with st.container(key="above"):
    sharing_form.show()
run = stage.run()
lesson.problem(state)
drawer.show()
stage.show(run, sharing.below)
lesson.about(state)
evidence.show(run.trace)
files.show(run.trace)
