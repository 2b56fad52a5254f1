"""Page-wide style sheets and the app's logo."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vizkv.messages.catalogue import Messages
from vizkv.ui.session import session

FOLDER = Path(__file__).parent


def apply(say: Messages) -> None:
    """Put the style sheets and the logo on the page, and a label on the drawer's handle."""
    st.html(FOLDER / "style.css")
    st.html(FOLDER / "frame.css")
    if session().class_id and not session().lecturer:  # a student's bar is wider: it names the class
        st.html("<style>:root { --vizkv-bar: var(--vizkv-bar-class); }</style>")
    st.html(f"<style>:root {{ --vizkv-drawer: '{say('drawer.title')}'; }}</style>")
    st.logo(FOLDER / "wordmark.svg", size="large")
