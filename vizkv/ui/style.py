"""Page-wide style: one type scale, one grid, no wasted height above the first screen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st


def apply() -> None:
    """Put the style sheet on the page."""
    st.html(Path(__file__).with_name("style.css"))
