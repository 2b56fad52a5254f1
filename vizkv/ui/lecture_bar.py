"""The lecture bar as a Streamlit component: it shows a beat, and tells in letters what was pressed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from vizkv.ui import live

KEY = "lecture-bar"
_HERE = Path(__file__)


@st.cache_resource
def _component() -> Any:
    """Registered once a server process: registering again would remount every open bar."""
    html, css, js = (_HERE.with_suffix(f".{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("vizkv_lecture", html=html, css=css, js=js)


def show(data: dict[str, Any]) -> None:
    """Draw."""
    _component()(data=data, key=KEY, on_letters_change=lambda: None)


def letters(after: int) -> list[dict[str, Any]]:
    """What was pressed since letter ``after``, in order: {n, what, beat, part, ...}."""
    return live.letters(after, KEY)
