"""The part of a page below the player: ledgers over time, the waste at the peak, and the numbers as a table."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from vizkv.limits import kept
from vizkv.messages.catalogue import messages
from vizkv.replay.averages import window_of
from vizkv.trace.slots import Accounting, Lens
from vizkv.ui import link
from vizkv.ui.charts import plot
from vizkv.ui.player.runs import Run
from vizkv.ui.streamlit import room
from vizkv.views.charts import ledgers as charts
from vizkv.views.charts.series import Series
from vizkv.views.facts import numbers
from vizkv.views.payload.pack import View

_CHARTS = 64 << 20  # cache size in bytes for pairs of charts
_Look = tuple[Lens, Accounting, str, str]  # lens, accounting, theme, language


@kept.cached(_CHARTS, key=lambda key, look, systems: (key, look))
def _charts(key: str, look: _Look, systems: list[Series]) -> tuple[go.Figure, go.Figure]:
    """Return the charts over time and at the peak. They are most of a page's work, and a whole class needs the same."""
    lens, accounting, theme, language = look
    say = messages(language)
    over_time = charts.over_time(systems, lens, accounting, theme, say)
    return over_time, charts.at_peak(systems, lens, accounting, theme, say)


def show(run: Run, view: View) -> None:
    """Draw two charts and a table in the player's lens and accounting."""
    say, systems = link.current().say, run.series
    look = (view.lens, view.accounting, st.context.theme.type or "light", say.language)
    over_time, at_peak = _charts(run.key, look, systems)
    st.subheader(say("page.over-time"))
    st.caption(say("page.over-time.about"))
    plot.show(over_time, alt=say("chart.alt.over-time"), key="over-time")
    # a lecture hall cannot scroll a table: there its eleven columns get the whole width of the page
    beside = st.container(key="peak-and-numbers")
    far = room.projector()
    left, right = (beside.container(), beside.container()) if far else beside.columns([5, 6], gap="large")
    with left:
        st.subheader(say("page.peak"))
        st.caption(say("page.peak.about"))
        plot.show(at_peak, alt=say("chart.alt.peak"), key="at-peak")
    with right:
        st.subheader(say("page.numbers"))
        lens, accounting = say(f"lens.{view.lens}"), say(f"accounting.{view.accounting}")
        facts = {"slots": systems[0].slots, "lens": lens, "accounting": accounting}
        if window := window_of(run.trace.scenario):
            st.caption(say("page.numbers.about.window", first=window[0], last=window[1], **facts))
        else:
            st.caption(say("page.numbers.about", **facts))
        st.dataframe(numbers.table(run.trace, systems, view.lens, view.accounting, say), hide_index=True)
