"""The player as a Streamlit component: fed once with a packed trace, it tells where it stands when it pauses."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vizkv.player import assets
from vizkv.ui import store


@st.cache_resource
def _component() -> Any:
    """Registered once a server process: registering again would remount every open player."""
    html, css, js = assets()
    return st.components.v2.component("vizkv_player", html=html, css=css, js=js)


def told(page: str) -> Any:
    """Return what the browser has reported last of a page's player, of any type: see vizkv.views.view.reported."""
    return store.told(f"player-{page}", "view")


def show(payload: bytes, page: str) -> Any:
    """Draw; return what the browser has reported last. Each page has its own player."""
    result = _component()(data=payload, key=f"player-{page}", on_view_change=lambda: None)
    return result.view
