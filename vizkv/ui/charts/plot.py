"""A Plotly figure on a page, with alt text; larger on a projector, narrower on a phone."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from vizkv.ui import link
from vizkv.ui.charts.words import config
from vizkv.ui.export.offered import offer
from vizkv.ui.streamlit import room
from vizkv.views.charts.phone import for_phone
from vizkv.views.charts.projector import for_projector


def show(figure: go.Figure, *, alt: str, key: str, **more: Any) -> Any:
    """Draw the figure and return the result of ``st.plotly_chart``, which gets ``more`` as its arguments."""
    near, theme = figure, st.context.theme.type or "light"
    if room.projector():
        figure = for_projector(near, theme)
    offer(figure, alt, key)  # before it is adapted to this screen: an exported file does not depend on it
    if room.projector() and room.larger() > 1:
        figure = for_projector(near, theme, room.larger())
    if room.phone():
        figure = for_phone(figure)
    return st.plotly_chart(figure, theme=None, config=config(link.current().say), alt=alt, key=key, **more)
