"""The page "What paging costs": a button, what it measures on this machine while it measures, and how."""

from __future__ import annotations

import threading
from typing import Any

import streamlit as st

from vizkv.ui import drawing, link, offered, plot, runs
from vizkv.views import cost as views

MODEL = "tiny"  # whose sizes are measured; the K and V are random numbers
_KEY = "cost.measured"
_ALONE = threading.Lock()  # two measurements at a time would measure each other

# what differs between the two, as it stands in vizkv/model/pool.py
SLICE = ("self.pool.tensor[:, :, self.start : self.start + self.end]",)
LOOK_UP = (
    "self.block_table[: -(-self.end // self.block_size)]",
    "torch.index_select(self._by_block[layer], 1, self._blocks, out=self._gathered)",
    "self._gathered.view(1, 2, -1, heads, width)[:, :, :end]",
)


def show() -> None:
    """The page from top to bottom."""
    say = link.current().say
    theme = st.context.theme.type or "light"
    # in one row: what is measured must fit below it on a small projector
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(say("cost.question"), width="stretch")
        pressed = st.button(say("cost.button"), key="cost-measure", icon=":material/timer:", type="primary")
    place = st.empty()
    if pressed:
        st.session_state[_KEY] = []
        _measure(st.session_state[_KEY], place, theme)
    measured = st.session_state.get(_KEY, [])
    if measured:
        with place.container():
            _result(measured, theme)
    else:
        with place.container():
            drawing.show(views.picture(theme, say), "cost-picture")
    _code()
    st.subheader(say("cost.how.title"))
    st.markdown(say("cost.how", model=MODEL))
    if measured:
        st.subheader(say("cost.table.title"))
        st.caption(say("cost.table.about"))
        table, number = views.table(measured, say), st.column_config.NumberColumn(format="localized")
        st.dataframe(table, hide_index=True, column_config=dict.fromkeys(table, number))


def _measure(measured: list[Any], place: Any, theme: str) -> None:
    """One pair after the other; the chart grows with each block size. Another click ends it: Streamlit raises here."""
    from vizkv.model.cost import BLOCK_SIZES, LENGTHS, measure

    say, total = link.current().say, len(BLOCK_SIZES) * len(LENGTHS)
    config = runs.model(MODEL).config
    if _ALONE.locked():
        place.info(say("cost.waiting"), icon=":material/hourglass:")
    with _ALONE:
        for cost in measure(config):
            measured.append(cost)
            if len(measured) % len(LENGTHS) == 0 and len(measured) < total:
                with place.container():
                    _result(measured, theme, say("cost.running", done=len(measured), total=total))


def _result(measured: list[Any], theme: str, running: str = "") -> None:
    from vizkv.model.cost import BLOCK_SIZES, threads

    say = link.current().say
    sentence = running or views.sentence(measured, threads(), say)
    st.markdown(sentence)
    offered.tell(sentence)
    # a key for each state: the charts that grow are all on the page of one run of its script
    plot.show(
        views.chart(measured, BLOCK_SIZES, theme, say), alt=say("chart.alt.cost"),
        key=f"cost-{len(measured)}-{bool(running)}",
    )  # fmt: skip


def _code() -> None:
    say = link.current().say
    st.subheader(say("cost.code.title"))
    left, right = st.columns([4, 6], gap="large")
    with left:
        st.markdown(say("cost.code.slice"))
        st.code("\n".join(SLICE), language="python", wrap_lines=True)
    with right:
        st.markdown(say("cost.code.table"))
        st.code("\n".join(LOOK_UP), language="python", wrap_lines=True)
