"""The paper, replayed: its figures, and vLLM's walk-through of the prefix cache, through the ordinary code."""

import streamlit as st

from vizkv.ui import drawer, evidence, files, lesson, link, paper, stage

state = link.enter("paper")
with st.container(key="above"):
    paper.choose()
run = stage.run()
lesson.problem(state)
drawer.show()
stage.show(run, paper.below)
paper.notes()
evidence.show(run.trace)
files.show(run.trace)
