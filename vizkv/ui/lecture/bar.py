"""The lecture bar as a Streamlit component: shows a beat, and sends what was pressed as numbered messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from vizkv.ui.whatif import component as live

KEY = "lecture-bar"
_HERE = Path(__file__)


@st.cache_resource
def _component() -> Any:
    """Return the component, registered once per server process: registering again would remount every open bar."""
    html, css, js = (_HERE.with_suffix(f".{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("vizkv_lecture", html=html, css=css, js=js)


def show(data: dict[str, Any]) -> None:
    """Draw the bar."""
    _component()(data=data, key=KEY, on_letters_change=lambda: None)


def letters(after: int) -> list[dict[str, Any]]:
    """Return the messages about what was pressed since message ``after``, in order: {n, what, beat, part, ...}."""
    return live.letters(after, KEY)
