"""From a number to its slots: the step behind a part of a bar, or behind a moment of the chart, in the player."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from vizkv.limits import kept
from vizkv.messages.escape import Markdown
from vizkv.replay.averages import span
from vizkv.trace.slots import CATEGORIES, word_of
from vizkv.trace.trace import Trace
from vizkv.ui import link, store
from vizkv.ui.guard import guarded
from vizkv.ui.player import component as player
from vizkv.ui.player import runs
from vizkv.ui.player.channel import Channel
from vizkv.ui.whatif.runs import Job
from vizkv.views.charts.figure2 import live as figure2
from vizkv.views.payload import pack as payload
from vizkv.views.payload import window as windows
from vizkv.views.view import Limits, View

_SHOWN, _PLAYER = "vizkv.whatif.shown", "whatif"
_TRACES = 256 << 20  # bytes of runs put together for the player


@dataclass
class Shown:
    """What the player below the bars shows to one visitor."""

    at: tuple[int, int, str]  # what was asked for: system, step, category
    player: Channel


@kept.cached(_TRACES, key=lambda run: run.key)
def _trace(run: Job) -> Trace:
    return run.trace()


def step_of(run: Job, system: int, second: float, category: str) -> int | None:
    """The step that stands for a number: at ``second``; of a bar's part the one that is most like its mean.

    None where the system's run is not over or has no steps.
    """
    lane = run.lanes[system]
    told, trace, workload = lane.series, lane.trace, lane.workload
    if told is None or trace is None or not told.steps:
        return None
    last = told.steps - 1
    if not category or second < workload.warmup:
        return min(last, int(np.searchsorted(trace.time_s, second, "left")))
    first, end = span(trace.time_s, (workload.warmup, second))
    shares = told.shares(figure2.LENS, figure2.ACCOUNTING)[first:end, CATEGORIES.index(category)]
    return first + int(np.argmin(np.abs(shares - shares.mean())))


def show(run: Job, system: int, step: int, category: str, on_lens: Callable[[], None]) -> None:
    """Show all systems at the second of a step of one of them, with the slots of ``category`` lit, if any.

    ``on_lens`` is called when the reader has switched lens or accounting in this player.
    """
    if not run.done:
        return
    shown = _opened(run, system, step, category)
    _player(run, shown.at[0], on_lens)


def _opened(run: Job, system: int, step: int, category: str) -> Shown:
    """The session's; opened anew where another number was clicked, or another run came."""
    state, known = link.current(), store.get(_SHOWN)
    page = state.view or View()
    at = (system, step, category)
    if known is not None and state.player.sent is not None:  # the page was left and is entered again, see link.enter
        known.player.remount()
        state.player.sent = None
    if known is None or known.player.run != run.key or known.at != at:
        if known is None and 0 < page.step < _trace(run).systems[system].steps:
            step, category = page.step, page.lit  # a link says where in it the reader stood
        # the step of every system at that second; the one that was asked for leads
        view = View(step, page.lens, page.accounting, focus=system, lit=category)
        channel, clicked = Channel(command=state.player.command), known is None or known.at != at
        channel.open(run.key, Limits.of(_trace(run), system), view, player.told(_PLAYER), reveal=clicked)
        known = Shown(at, channel)
        store.put(_SHOWN, known)
    elif (now := known.player.view) and (page.lens, page.accounting) != (now.lens, now.accounting):  # beside the bars
        known.player.order(replace(now, lens=page.lens, accounting=page.accounting), player.told(_PLAYER))
    return known


@st.fragment
@guarded
def _player(run: Job, system: int, on_lens: Callable[[], None]) -> None:
    """What the browser reports reruns this part alone."""
    state, shown = link.current(), store.get(_SHOWN)
    if shown is None or not run.done:
        return
    trace, channel = _trace(run), shown.player
    channel.hear(player.told(_PLAYER))
    view = channel.view or View()
    window = channel.around(view.step, lambda step: windows.around(trace, step, shown.at[0]))
    channel.translate(state.language)
    about, close = st.columns([12, 1], vertical_alignment="center")
    with about:
        st.markdown(_words(run, system, view))
    with close:
        if st.button(state.say("whatif.close"), key="whatif-close", width="stretch"):
            _close(state)
    packed = runs.packed(run.key, trace, window, state.language)
    player.show(payload.open_at(packed, channel.sent or view), _PLAYER)
    _tell(state, view, on_lens)


def _tell(state: link.Open, view: View, on_lens: Callable[[], None]) -> None:
    """The page's lens is that of the player; its link says where in the run the reader stands."""
    page = state.view or View()
    state.view = replace(page, step=view.step, lit=view.lit, lens=view.lens, accounting=view.accounting)
    link.write(state)
    if (page.lens, page.accounting) != (view.lens, view.accounting):
        on_lens()
        st.rerun()


def _close(state: link.Open) -> None:
    store.take(_SHOWN, None)
    state.more.pop("at", None)
    state.view = replace(state.view or View(), step=0, lit="")
    st.rerun()


def _words(run: Job, system: int, view: View) -> str:
    """The ledger of a system at the step in a sentence, with what is lit in bold."""
    say, lane = link.current().say.in_markdown, run.lanes[system]
    told, trace = lane.series, lane.trace
    assert told is not None and trace is not None
    step = min(view.step, told.steps - 1)
    shares = told.shares(view.lens, view.accounting)[step]
    parts = []
    for name, slots in zip(CATEGORIES, shares.tolist(), strict=True):
        text = say(
            "whatif.moment.part",
            category=say(f"category.{word_of(name, view.accounting)}"),
            slots=slots,
            share=round(slots / told.slots * 100, 1),
        )
        parts.append(Markdown(f":blue[**{text}**]") if name == view.lit else text)
    return say(
        "whatif.moment", system=run.scenario.systems[system].label, step=step, steps=told.steps,
        second=round(float(trace.time_s[step]), 1), n=int(told.batched[step]),
        ledger=say("whatif.list").join(parts),
    )  # fmt: skip
