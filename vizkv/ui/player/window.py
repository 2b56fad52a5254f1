"""A player of its own for one run, below what the page is about: a window of the run, and the next one on request."""

from __future__ import annotations

import streamlit as st

from vizkv.trace.trace import Trace
from vizkv.ui import link, store
from vizkv.ui.guard import guarded
from vizkv.ui.player import component as player
from vizkv.ui.player import runs
from vizkv.ui.player.channel import Channel
from vizkv.views.payload import pack as payload
from vizkv.views.payload import window as windows
from vizkv.views.view import Limits, View


@st.fragment
@guarded
def show(name: str, key: str, trace: Trace, step: int) -> None:
    """The run around a step. ``name``: of this player, one of its page's. ``key``: equal keys, equal traces.

    A fragment: what the browser reports reruns this part alone.
    """
    channel: Channel = store.first(f"window.{name}", Channel())
    report = player.told(name)
    if channel.run != key:
        channel.open(key, Limits.of(trace), View(step=step, lens="hindsight", accounting="paper"), report)
    else:
        channel.hear(report)
    assert channel.view is not None and channel.sent is not None
    window = channel.around(channel.view.step, lambda around: windows.around(trace, around))
    assert window is not None
    language = link.current().language
    channel.translate(language)
    player.show(payload.open_at(runs.packed(key, trace, window, language), channel.sent), name)
