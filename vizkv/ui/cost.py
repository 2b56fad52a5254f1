"""The page "What paging costs": measures on this machine, draws while it measures, and explains the method."""

from __future__ import annotations

import threading
from typing import Any

import streamlit as st

from vizkv.ui import link, store
from vizkv.ui.charts import plot
from vizkv.ui.export import offered
from vizkv.ui.memory import drawing
from vizkv.ui.player import runs
from vizkv.views.charts import cost as views

MODEL = "tiny"  # the model whose sizes are used; the K and V are random numbers
_KEY = "cost.measured"
_ALONE = threading.Lock()  # two simultaneous measurements would disturb each other

# the line that differs between the two variants, copied from vizkv/model/pool.py
SLICE = ("self.pool.tensor[:, :, self.start : self.start + self.end]",)
LOOK_UP = (
    "self.block_table[: -(-self.end // self.block_size)]",
    "torch.index_select(self._by_block[layer], 1, self._blocks, out=self._gathered)",
    "self._gathered.view(1, 2, -1, heads, width)[:, :, :end]",
)


def show() -> None:
    """Draw the page."""
    say = link.current().say
    theme = st.context.theme.type or "light"
    # one row, so that the chart below still fits on a small projector
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(say("cost.question"), width="stretch")
        pressed = st.button(say("cost.button"), key="cost-measure", icon=":material/timer:", type="primary")
    place = st.empty()
    if pressed:
        store.put(_KEY, [])
        _measure(store.get(_KEY), place, theme)
    measured = store.get(_KEY, [])
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
    """Measure block size after block size and redraw the chart after each. Streamlit interrupts it on any click."""
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
    # one key for each state: the growing charts are all on the page within one script run
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
