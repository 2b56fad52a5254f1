"""Below the player: ledgers over time, the waste at the peak, the numbers beside them."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from vizkv.messages import messages
from vizkv.slots import Accounting, Lens
from vizkv.ui import link, plot, room
from vizkv.ui.runs import Run
from vizkv.views import charts, numbers
from vizkv.views.payload import View
from vizkv.views.series import Series

_KEPT = 64  # pairs of charts
_Look = tuple[Lens, Accounting, str, str]  # lens, accounting, theme, language


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _charts(key: str, look: _Look, _systems: list[Series]) -> tuple[go.Figure, go.Figure]:
    """Over time, and at the peak. To draw them is most of a page's run, and a whole class is shown the same ones."""
    lens, accounting, theme, language = look
    say = messages(language)
    over_time = charts.over_time(_systems, lens, accounting, theme, say)
    return over_time, charts.at_peak(_systems, lens, accounting, theme, say)


def show(run: Run, view: View) -> None:
    """Two charts and a table, in the lens and accounting of the player."""
    say, systems = link.current().say, run.series
    look = (view.lens, view.accounting, st.context.theme.type or "light", say.language)
    over_time, at_peak = _charts(run.key, look, systems)
    st.subheader(say("page.over-time"))
    st.caption(say("page.over-time.about"))
    plot.show(over_time, alt=say("chart.alt.over-time"), key="over-time")
    # a hall cannot move a table sideways: there its eleven columns have the page's whole width
    beside = st.container(key="peak-and-numbers")
    far = room.projector()
    left, right = (beside.container(), beside.container()) if far else beside.columns([5, 6], gap="large")
    with left:
        st.subheader(say("page.peak"))
        steps = say("narration.list").join(say("page.peak.step", system=s.name, step=s.peak) for s in systems)
        st.caption(say("page.peak.about", steps=steps))
        plot.show(at_peak, alt=say("chart.alt.peak"), key="at-peak")
    with right:
        st.subheader(say("page.numbers"))
        lens, accounting = say(f"lens.{view.lens}"), say(f"accounting.{view.accounting}")
        st.caption(say("page.numbers.about", slots=systems[0].slots, lens=lens, accounting=accounting))
        st.dataframe(numbers.table(systems, view.lens, view.accounting, say), hide_index=True)
