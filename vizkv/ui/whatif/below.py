"""Below the bars: the ledger over time, the chosen moment, a table of the numbers, and why ours differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from vizkv.ui import widgets
from vizkv.ui.charts import plot
from vizkv.ui.export import offered
from vizkv.ui.link import Open
from vizkv.ui.streamlit import room
from vizkv.ui.whatif import player as whatif_player
from vizkv.ui.whatif import recorded
from vizkv.ui.whatif.runs import Job, Seeds
from vizkv.views.charts.figure2 import bars as figure2_bars
from vizkv.views.charts.figure2 import live as figure2
from vizkv.views.charts.figure2 import over_time as figure2_chart
from vizkv.views.charts.figure2.live import Told
from vizkv.views.charts.figure2.over_time import Line
from vizkv.views.charts.projector import for_projector

CHART = "whatif-over-time"


def show(
    state: Open,
    job: Job,
    ghost: Job | None,
    seeds: Seeds | None,
    moment: tuple[int, float, str] | None,
    pick: Callable[[int, float], None],
    on_lens: Callable[[], None],
) -> None:
    """Draw all of it once the run is done. ``on_lens``: see :func:`vizkv.ui.whatif.player.show`."""
    say = state.say
    if not job.done:
        st.caption(say("whatif.below.wait"))
        return
    _bars(state, job, seeds)
    _over_time(state, job, ghost, pick)
    if moment is not None:
        system, second, category = moment
        step = whatif_player.step_of(job, system, second, category)
        if step is not None:
            st.subheader(say("whatif.moment.title"))
            whatif_player.show(job, system, step, category, on_lens)
    _numbers(state, job, seeds)
    recorded.show(state, job)


def _lines(job: Job) -> list[Line | None]:
    return [
        None if lane.series is None or lane.trace is None else Line(system.label, lane.series, lane.trace.time_s)
        for lane, system in zip(job.lanes, job.scenario.systems, strict=True)
    ]


def _bars(state: Open, job: Job, seeds: Seeds | None) -> None:
    """Offer the bars as a chart for export: on the page the browser draws them."""
    say, view, theme = state.say, state.view, st.context.theme.type or "light"
    assert view is not None
    figure = figure2_bars.bars(_told(job, seeds), view.lens, view.accounting, theme, say)
    if room.projector():
        figure = for_projector(figure, theme)
    offered.offer(figure, say("chart.alt.bars"), "bars")


def _over_time(state: Open, job: Job, ghost: Job | None, pick: Callable[[int, float], None]) -> None:
    say, view, workload = state.say, state.view, job.scenario.workload
    assert view is not None and workload is not None
    lines = [line for line in _lines(job) if line is not None]
    before = _lines(ghost) if ghost is not None and ghost.scenario != job.scenario else []
    st.subheader(say("figure2.chart.title"))
    st.caption(say("figure2.chart.about", warmup=workload.warmup))
    figure = figure2_chart.over_time(
        lines, before, view.lens, view.accounting, st.context.theme.type or "light", say,
        duration=workload.duration, warmup=workload.warmup,
    )  # fmt: skip

    def chosen(points: list[Mapping[str, Any]]) -> None:
        found = figure2_chart.clicked(points, len(lines))
        if found is not None:
            pick(*found)

    select = widgets.picked(CHART, chosen)
    plot.show(figure, alt=say("chart.alt.seconds"), key=CHART, on_select=select, selection_mode="points")


def _told(job: Job, seeds: Seeds | None) -> list[Told]:
    fields = job.scenario.model_dump()
    found = []
    for index, (lane, system) in enumerate(zip(job.lanes, job.scenario.systems, strict=True)):
        assert lane.series is not None and lane.trace is not None
        ends = seeds.results[index] if seeds is not None and seeds.done else []
        one = figure2.told(lane.series, lane.trace.time_s, fields, index, [shares for shares, _ in ends])
        found.append(replace(one, name=system.label))
    return found


def _numbers(state: Open, job: Job, seeds: Seeds | None) -> None:
    say, told = state.say, _told(job, seeds)
    several = seeds is not None and seeds.done
    # with several seeds the table is too wide for a text beside it
    left, right = (st.container(), st.container()) if several else st.columns(2, gap="large")
    with left:
        st.subheader(say("figure2.why"))
        lines = figure2.why(told, job.requests.drawn, job.scenario.model_dump(), say.in_markdown)
        st.markdown("\n".join(f"- {line}" for line in lines))
    with right:
        st.subheader(say("figure2.numbers"))
        if not figure2.numbers(told):
            st.caption(say("figure2.numbers.none"))
            return
        columns = figure2.table(told, say)
        one = st.column_config.NumberColumn(format="%.1f")
        numeric = {name: one for name, values in columns.items() if not isinstance(values[0], str)}
        st.dataframe(columns, hide_index=True, column_config=numeric, height="content")
        st.caption(say("figure2.numbers.seeds" if several else "figure2.numbers.about"))
