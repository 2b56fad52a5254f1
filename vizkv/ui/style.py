"""Page-wide style: one type scale, one grid, no wasted height above the first screen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).parent


def apply() -> None:
    """Put the style sheet and the name on the page."""
    st.html(FOLDER / "style.css")
    st.logo(FOLDER / "wordmark.svg", size="large")
