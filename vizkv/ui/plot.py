"""A Plotly figure on a page: in words for whoever does not see it, and larger where it is shown on a projector."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from vizkv.ui import link, room
from vizkv.ui.offered import offer
from vizkv.ui.plot_words import config
from vizkv.views.afar import for_projector


def show(figure: go.Figure, *, alt: str, key: str, **more: Any) -> Any:
    """Draw; ``more`` as of ``st.plotly_chart``, whose answer is returned."""
    if room.projector():
        figure = for_projector(figure, st.context.theme.type or "light")
    offer(figure, alt, key)
    return st.plotly_chart(figure, theme=None, config=config(link.current().say), alt=alt, key=key, **more)
