"""A page for the browser tests of the workload form: the form and nothing else."""

import streamlit as st

from vizkv.scenario.schema import from_dict
from vizkv.ui import link
from vizkv.ui.memory import lesson
from vizkv.ui.streamlit import style
from vizkv.ui.workload import form as workload_form

st.set_page_config(layout="wide")
style.apply(link.say())
state = link.current()
if "begun" not in st.session_state:
    st.session_state["begun"] = True
    link.change(from_dict({"systems": [{"kind": "paged"}], "model": "none", "workload": {"duration": 60.0}}))
lesson.problem(state)
workload_form.show("form")
