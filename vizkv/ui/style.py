"""Page-wide style: one type scale, one grid, no wasted height above the first screen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vizkv.messages import Messages
from vizkv.ui.session import session

FOLDER = Path(__file__).parent


def apply(say: Messages) -> None:
    """Put the style sheet and the name on the page; the drawer's handle gets a word."""
    st.html(FOLDER / "style.css")
    st.html(FOLDER / "frame.css")
    if session().class_id and not session().lecturer:  # the bar tells of it
        st.html("<style>:root { --vizkv-bar: var(--vizkv-bar-class); }</style>")
    st.html(f"<style>:root {{ --vizkv-drawer: '{say('drawer.title')}'; }}</style>")
    st.logo(FOLDER / "wordmark.svg", size="large")
