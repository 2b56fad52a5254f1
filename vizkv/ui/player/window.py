"""A player of its own for one run, below what the page is about: a window of the run, and the next one on request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from vizkv.trace.trace import Trace
from vizkv.ui import link, store
from vizkv.ui.guard import guarded
from vizkv.ui.player import component as player
from vizkv.ui.player import runs
from vizkv.views.payload import pack as payload
from vizkv.views.payload import window as windows
from vizkv.views.payload.window import Window
from vizkv.views.view import Limits, View, plays, reported


@dataclass
class _Shown:
    run: str  # the key of the run
    view: View
    sent: View
    window: Window
    stale: Any  # the browser's last word about another run
    language: str  # in which the browser has the run


@st.fragment
@guarded
def show(name: str, key: str, trace: Trace, step: int) -> None:
    """The run around a step. ``name``: of this player, one of its page's. ``key``: equal keys, equal traces.

    A fragment: what the browser reports reruns this part alone.
    """
    shown, language = store.get(f"window.{name}"), link.current().language
    report = player.told(name)
    if shown is None or shown.run != key:
        view = View(step=step, lens="hindsight", accounting="paper")
        shown = _Shown(key, view, view, windows.around(trace, step), report, language)
        store.put(f"window.{name}", shown)
    elif report != shown.stale and (now := reported(report, Limits.of(trace))) is not None:
        shown.stale, shown.view = None, now
        if now.step not in shown.window:
            shown.window = windows.around(trace, now.step)
            shown.sent = replace(now, play=plays(report))
    if shown.language != language:  # another trace to the browser: the reader keeps the place
        shown.language, shown.sent = language, replace(shown.view, keep=True)
    packed = runs.packed(key, trace, shown.window, language)
    player.show(payload.open_at(packed, shown.sent), name)
