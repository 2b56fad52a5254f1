"""The bars of the page "What if" as a Streamlit component: fed with what is computed, it tells what is turned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from vizkv.live import assets

KEY = "whatif-live"


@st.cache_resource
def _component() -> Any:
    """Registered once a server process: registering again would remount every open page."""
    html, css, js = assets()
    return st.components.v2.component("vizkv_live", html=html, css=css, js=js)


def show(data: dict[str, Any], hear: Callable[[], None]) -> None:
    """Draw. ``hear`` is called before the page runs again, when there are letters."""
    _component()(data=data, key=KEY, on_letters_change=hear)


def letters(after: int, key: str = KEY) -> list[dict[str, Any]]:
    """What the browser has told since letter ``after``, in order: {n, what, ...}."""
    told = st.session_state.get(key)
    given = told.get("letters") if told else None
    if not isinstance(given, list):
        return []
    sound = [letter for letter in given if isinstance(letter, dict) and isinstance(letter.get("n"), int)]
    return sorted((letter for letter in sound if letter["n"] > after), key=lambda letter: letter["n"])
