"""The player as a Streamlit component: fed once with a packed trace, it tells where it stands when it pauses."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vizkv.player import assets


@st.cache_resource
def _component() -> Any:
    """Registered once a server process: registering again would remount every open player."""
    html, css, js = assets()
    return st.components.v2.component("vizkv_player", html=html, css=css, js=js)


def told(page: str) -> dict[str, Any] | None:
    """What a page's player has reported so far; it is known before it is drawn."""
    state = st.session_state.get(f"player-{page}")
    return state.get("view") if state else None


def show(payload: bytes, page: str) -> dict[str, Any] | None:
    """Draw; returns the view {step, lens, ...} that the browser last reported, if any. Each page has its own player."""
    result = _component()(data=payload, key=f"player-{page}", on_view_change=lambda: None)
    return result.view
