"""Follow one token: the K and V in its slot, and the attention that the newest token pays to it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vizkv.engine.engine import Peek
from vizkv.replay.following import Spot, paged, spot_of
from vizkv.scenario.schema import ScenarioError
from vizkv.trace.trace import Trace
from vizkv.ui import link
from vizkv.ui.charts import plot
from vizkv.ui.memory import lamp
from vizkv.ui.player import runs
from vizkv.ui.streamlit.place import Place
from vizkv.views.charts import heat
from vizkv.views.charts.heat import MEAN
from vizkv.views.payload.pack import View


def show(run: runs.Run, view: View) -> None:
    """Draw both pictures for the step and the token that are selected in the player."""
    state = link.current()
    say, trace, system = state.say, run.trace, paged(run.trace)
    st.subheader(say("heat.title"))
    if trace.model == "none" or system is None:
        st.info(say("proof.lengths"), icon=":material/lightbulb:")
        return
    step = min(view.step, trace.systems[system].steps - 1)
    spot = spot_of(trace, system, step, view.request, view.position)
    if spot is None:
        who = trace.requests[view.request].id if view.request >= 0 else None
        st.info(say.in_markdown("heat.gone", request=who) if who else say("heat.nobody"))
        return
    try:
        with st.spinner(say("heat.reading"), show_time=False):
            peek = runs.peek(state.scenario, step)
    except ScenarioError as error:  # the model of a saved trace is not installed here
        st.warning(say.in_markdown.error(error), icon=":material/error:")
        return
    theme = st.context.theme.type or "light"
    left, right = st.columns([6, 5], gap="large")
    with left:
        _vectors(trace, spot, peek, theme)
    with right:
        _attention(trace, spot, peek, theme)


def _vectors(trace: Trace, spot: Spot, peek: Peek, theme: str) -> None:
    say, facts = link.current().say, trace.requests[spot.request]
    p, size = spot.position, spot.size
    if p >= spot.known:
        st.info(say.in_markdown("heat.unwritten", request=facts.id, position=p, written=spot.written))
        return
    token = facts.pieces[p] if p < len(facts.pieces) else ""
    st.markdown(say.in_markdown("heat.token", request=facts.id, position=p, token=lamp.plain(token)))
    numbers = {"row": p // size, "offset": p % size, "block": spot.block, "slot": spot.slot}
    st.caption(say("heat.place", position=p, size=size, **numbers))
    kv = peek.slot(spot.system, spot.slot)
    if not np.isfinite(kv).all():
        st.warning(say("heat.never", slot=spot.slot), icon=":material/error:")
        return
    plot.show(heat.vectors(kv, theme, say), alt=say("chart.alt.vectors"), key="heat-kv")


def _attention(trace: Trace, spot: Spot, peek: Peek, theme: str) -> None:
    say, facts = link.current().say, trace.requests[spot.request]
    newest = facts.pieces[spot.written - 1] if spot.written <= len(facts.pieces) else ""
    st.markdown(
        say.in_markdown("heat.attention", request=facts.id, position=spot.written - 1, token=lamp.plain(newest))
    )
    layers, heads = peek.shape
    one, two = st.columns(2)
    layer = _choice(one, "layer", layers)
    head = _choice(two, "head", heads)
    weights = peek.attention(spot.system, spot.last, spot.written - 1, spot.table, spot.size)
    mean = heat.chosen(weights, layer, head)
    if not np.isfinite(mean).all():
        st.warning(say("heat.attention.never"), icon=":material/error:")
        return
    figure = heat.attention(mean, spot.table, spot.size, facts.pieces, theme, say)
    plot.show(figure, alt=say("chart.alt.attention"), key="heat-attention")


def _choice(place: Place, name: str, count: int) -> int:
    """Draw a choice between the layers or heads; return an index, or the value for the mean of all."""
    say = link.current().say

    def label(index: int) -> str:
        return say(f"heat.{name}.mean") if index == MEAN else say(f"heat.{name}.one", number=index + 1)

    title, options = say(f"heat.{name}"), range(MEAN, count)
    return place.selectbox(title, options, key=f"heat-{name}", format_func=label, label_visibility="collapsed")
