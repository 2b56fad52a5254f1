"""The paper, replayed: its figures, and vLLM's walk-through of the prefix cache, run by the ordinary code."""

import streamlit as st

from vizkv.ui import link, paper
from vizkv.ui.memory import drawer, evidence, files, lesson
from vizkv.ui.player import stage

state = link.enter("paper")
with st.container(key="above"):
    paper.choose()
run = stage.run()
lesson.problem(state)
drawer.show()
stage.show(run, paper.below)
paper.notes()
evidence.show(run)
files.show(run.trace)
