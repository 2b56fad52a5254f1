"""A Plotly figure on a page: in words for whoever does not see it, larger on a projector, narrower on a phone."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from vizkv.ui import link, room
from vizkv.ui.offered import offer
from vizkv.ui.plot_words import config
from vizkv.views.afar import for_projector
from vizkv.views.handheld import for_phone


def show(figure: go.Figure, *, alt: str, key: str, **more: Any) -> Any:
    """Draw; ``more`` as of ``st.plotly_chart``, whose answer is returned."""
    near, theme = figure, st.context.theme.type or "light"
    if room.projector():
        figure = for_projector(near, theme)
    offer(figure, alt, key)  # a file's type does not depend on this screen
    if room.projector() and room.larger() > 1:
        figure = for_projector(near, theme, room.larger())
    if room.phone():
        figure = for_phone(figure)
    return st.plotly_chart(figure, theme=None, config=config(link.current().say), alt=alt, key=key, **more)
