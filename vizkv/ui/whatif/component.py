"""The bars of the page "What if" as a Streamlit component: fed with what is computed, it tells what is turned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from vizkv.live import assets
from vizkv.ui import store

KEY = "whatif-live"
MOST = 64  # letters that are read at once; a browser repeats its last 8
_LATEST = 2**53 - 1  # the largest number of a letter: a browser counts them from its clock


@st.cache_resource
def _component() -> Any:
    """Registered once a server process: registering again would remount every open page."""
    html, css, js = assets()
    return st.components.v2.component("vizkv_live", html=html, css=css, js=js)


def show(data: dict[str, Any], hear: Callable[[], None]) -> None:
    """Draw. ``hear`` is called before the page runs again, when there are letters."""
    _component()(data=data, key=KEY, on_letters_change=hear)


def letters(after: int, key: str = KEY) -> list[dict[str, Any]]:
    """Return what the browser has told since letter ``after``, in order: {n, what, ...}; only ``n`` is checked."""
    given = store.told(key, "letters")
    if not isinstance(given, list):
        return []
    sound = [letter for letter in given[-MOST:] if isinstance(letter, dict) and type(letter.get("n")) is int]
    return sorted((one for one in sound if after < one["n"] <= _LATEST), key=lambda one: one["n"])
