"""Access to a visitor's ``st.session_state``: no other module touches it.

Streamlit deletes a widget's key as soon as a run of the page has not drawn the widget, even while a change of that
widget is being sent. So nothing here raises for a missing key, and callbacks are made by :mod:`vizkv.ui.widgets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st


def get(key: str, default: Any = None) -> Any:
    """Return the value of a key, or the default."""
    return st.session_state.get(key, default)


def has(key: str) -> bool:
    """Return whether the key has a value."""
    return key in st.session_state


def put(key: str, value: Any) -> None:
    """Store a value. The key of a widget may only be set before the widget is drawn in this run."""
    st.session_state[key] = value


def first(key: str, value: Any) -> Any:
    """Return the value of a key; store and return ``value`` if the key has none."""
    return st.session_state.setdefault(key, value)


def take(key: str, default: Any = None) -> Any:
    """Remove a key and return its value, or the default."""
    return st.session_state.pop(key, default)


def told(key: str, name: str) -> Any:
    """Return the last value, of any JSON type, that a component's browser side sent under a name; None if none."""
    said = get(key)
    return said.get(name) if isinstance(said, Mapping) else None
