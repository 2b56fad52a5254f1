"""Compare a recording of a server with our runs of the same workload. The file belongs to the visitor's session."""

from __future__ import annotations

import hashlib

import streamlit as st

from vizkv.limits import kept
from vizkv.messages.sentence import shortened
from vizkv.replay import server_log
from vizkv.replay.queues import Queues, queues
from vizkv.replay.server_log import Recording
from vizkv.scenario.schema import ScenarioError
from vizkv.ui.charts import plot
from vizkv.ui.link import Open
from vizkv.ui.whatif.runs import Job
from vizkv.views.charts.figure2 import recorded

CHART = "whatif-recorded"


@kept.cached(16 << 20, key=lambda digest, data, name: (digest, name))
def _read(digest: bytes, data: bytes, name: str) -> Recording:
    return server_log.parse(data, name)


def show(state: Open, job: Job) -> None:
    """Draw an uploader; for a file, draw its ticks over our lines, or show what is wrong with it."""
    say = state.say
    with st.expander(say("recorded.title"), icon=":material/compare_arrows:"):
        st.caption(say("recorded.about"))
        given = st.file_uploader(
            say("recorded.upload"), type=["csv", "log", "txt"], key="whatif-recording",
            max_upload_size=server_log.MAX_BYTES // 10**6,
        )  # fmt: skip
        if given is None:
            return
        data = given.getvalue()
        try:
            recording = _read(hashlib.sha256(data).digest(), data, shortened(given.name))
        except ScenarioError as error:
            st.warning(say.in_markdown.error(error))
            return
        runs = _runs(job)
        rows = [recorded.compared(name, run) for name, run in [(recording.name, recording.queues), *runs]]
        columns = recorded.table(rows, say)
        shown = zip(list(columns)[1:], ("%.2f", "%d", "%.1f"), strict=True)
        numeric = {title: st.column_config.NumberColumn(format=form) for title, form in shown}
        st.dataframe(columns, hide_index=True, column_config=numeric, height="content")
        figure = recorded.chart(runs, recording.name, recording.queues, st.context.theme.type or "light", say)
        plot.show(figure, alt=say("recorded.alt"), key=CHART)


def _runs(job: Job) -> list[tuple[str, Queues]]:
    return [
        (system.label, queues(lane.trace, lane.series))
        for lane, system in zip(job.lanes, job.scenario.systems, strict=True)
        if lane.trace is not None and lane.series is not None
    ]
