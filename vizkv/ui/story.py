"""Below the player: ledgers over time, the waste at the peak, the numbers beside them."""

from __future__ import annotations

import streamlit as st

from vizkv.ui import link, plot, room
from vizkv.ui.runs import Run
from vizkv.views import charts, numbers
from vizkv.views.payload import View


def show(run: Run, view: View) -> None:
    """Two charts and a table, in the lens and accounting of the player."""
    say, systems = link.current().say, run.series
    theme = st.context.theme.type or "light"
    st.subheader(say("page.over-time"))
    st.caption(say("page.over-time.about"))
    plot.show(
        charts.over_time(systems, view.lens, view.accounting, theme, say),
        alt=say("chart.alt.over-time"), key="over-time",
    )  # fmt: skip
    # a hall cannot move a table sideways: there its eleven columns have the page's whole width
    left, right = (st.container(), st.container()) if room.projector() else st.columns([5, 6], gap="large")
    with left:
        st.subheader(say("page.peak"))
        steps = say("narration.list").join(say("page.peak.step", system=s.name, step=s.peak) for s in systems)
        st.caption(say("page.peak.about", steps=steps))
        plot.show(
            charts.at_peak(systems, view.lens, view.accounting, theme, say), alt=say("chart.alt.peak"), key="at-peak"
        )
    with right:
        st.subheader(say("page.numbers"))
        lens, accounting = say(f"lens.{view.lens}"), say(f"accounting.{view.accounting}")
        st.caption(say("page.numbers.about", slots=systems[0].slots, lens=lens, accounting=accounting))
        st.dataframe(numbers.table(systems, view.lens, view.accounting, say), hide_index=True)
