"""A player of its own for one run, below what the page is about: a window of the run, and the next one on request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from vizkv.trace import Trace
from vizkv.ui import link, player, runs
from vizkv.views import payload
from vizkv.views import window as windows
from vizkv.views.payload import View
from vizkv.views.window import Window

_ORDERS = ("play", "keep", "command", "reveal")


@dataclass
class _Shown:
    run: str  # the key of the run
    view: View
    sent: View
    window: Window
    stale: dict[str, Any] | None  # the browser's last word about another run


@st.fragment
def show(name: str, key: str, trace: Trace, step: int) -> None:
    """The run around a step. ``name``: of this player, one of its page's. ``key``: equal keys, equal traces.

    A fragment: what the browser reports reruns this part alone.
    """
    shown = st.session_state.get(f"window.{name}")
    report = player.told(name)
    if shown is None or shown.run != key:
        view = View(step=step, lens="hindsight", accounting="paper")
        shown = _Shown(key, view, view, windows.around(trace, step), report)
        st.session_state[f"window.{name}"] = shown
    elif report and report != shown.stale:
        shown.stale = None
        shown.view = View(**{field: value for field, value in report.items() if field not in _ORDERS})
        if shown.view.step not in shown.window:
            shown.window = windows.around(trace, shown.view.step)
            shown.sent = replace(shown.view, play=bool(report.get("play")))
    packed = runs.packed(key, trace, shown.window, link.current().language)
    player.show(payload.open_at(packed, shown.sent), name)
