"""What is open, in the session and in the address bar: for each page its scenario, step, lens, and what is followed.

A link carries a preset's name and, where the scenario differs from it, the scenario's code. Nonsense in a link is
answered with a sentence and the default, never with an empty page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import streamlit as st

from vizkv.link import from_code, to_code
from vizkv.messages import DEFAULT, Messages, messages
from vizkv.presets import Preset, list_presets
from vizkv.scenario import Scenario, ScenarioError
from vizkv.slots import ACCOUNTINGS, CATEGORIES, LENSES
from vizkv.trace import Trace
from vizkv.ui.pages import FIRST, PAGES
from vizkv.views.payload import View

_OPEN, _PAGE = "vizkv", "vizkv.page"
COLOURS = ("state", "request")
_VIEW = ("step", "lens", "accounting", "colour", "focus", "request", "position", "lit", "lit_in")
FIELDS = ("preset", "s", *_VIEW)  # all that a link may carry, and what a page adds
MAX_WORD = 1000  # characters of one of those


@dataclass
class Open:
    """One page of a session. ``view`` is None until the run is known: the preset then says where to begin."""

    preset: Preset
    scenario: Scenario
    page: str = FIRST
    language: str = DEFAULT
    view: View | None = None  # what the browser shows, as far as it has told
    sent: View | None = None  # what it was told to open; the same until something else is opened
    stale: dict[str, Any] | None = None  # a report about what was open before
    reported: dict[str, Any] | None = None  # the browser's last report
    key: str = ""  # of the run that is shown
    good: Scenario | None = None  # the last scenario that could be run
    sequences: tuple[str, ...] = ()  # the ids of the run's sequences
    problem: str = ""
    saved: Trace | None = None  # a trace opened from a file
    saved_key: str = ""  # a digest of that file
    edition: int = 0  # goes up with each change of the scenario that widgets did not make themselves
    jump: bool = False  # whether the next run opens where ``view`` says, whatever the browser shows now
    play: bool = False  # whether it plays from its beginning
    wanted: dict[str, str] = field(default_factory=dict)  # by the link
    more: dict[str, str] = field(default_factory=dict)  # a page's own words in the link, see Entry.fields

    @property
    def say(self) -> Messages:
        """The catalogue of the session's language."""
        return messages(self.language)

    @property
    def changed(self) -> bool:
        """Whether the scenario differs from its preset."""
        return self.scenario != self.preset.scenario


def presets(page: str = FIRST) -> dict[str, Preset]:
    """A page's presets by id, in order; it opens with the first.

    A page that runs no scenario has none: it gets the first page's, so that its state is whole.
    """
    return {p.id: p for p in list_presets() if p.page == page} or presets()


def say() -> Messages:
    """The catalogue of the session's language, before any page is known."""
    return messages(DEFAULT)


def enter(page: str) -> Open:
    """The page that is shown from now on, and its state.

    ``app.py`` says it, and the page itself too: a page's script can run without ``app.py``, under Streamlit's older
    kind of pages, which a folder of this name means to it until st.navigation has been called once.
    """
    before = st.session_state.get(_PAGE)
    st.session_state[_PAGE] = page
    state = current()
    if before in (None, page):
        return state
    if state.view is None:  # not open yet: the address is written once its run is known
        for name in list(st.query_params):
            if name in FIELDS or any(name in entry.fields for entry in PAGES.values()):
                st.query_params.pop(name, None)
        return state
    # the player is mounted anew: it opens where it was left, and has reported nothing yet
    state.sent, state.stale, state.reported = state.view, None, None
    write(state)
    return state


def current() -> Open:
    """The state of the page that is shown. A session's first page is made from the link, others from their presets."""
    page = st.session_state.get(_PAGE, FIRST)
    pages: dict[str, Open] = st.session_state.setdefault(_OPEN, {})
    if page not in pages:
        pages[page] = _new(page) if pages else _from_link(page)
    return pages[page]


def _new(page: str) -> Open:
    first = next(iter(presets(page).values()))
    return Open(first, first.scenario, page)


def _from_link(page: str) -> Open:
    known, query = presets(page), st.query_params
    state = _new(page)
    name = query.get("preset", state.preset.id)
    if name in known:
        state.preset, state.scenario = known[name], known[name].scenario
    else:
        state.problem = state.say("problem.link", field="preset", value=name[:40], valid=", ".join(known))
    if code := query.get("s"):
        try:
            state.scenario = from_code(code)
        except ScenarioError as error:
            state.problem = str(error)
    state.wanted = {k: query[k] for k in _VIEW if k in query}
    state.more = {k: query[k][:MAX_WORD] for k in PAGES[page].fields if k in query}
    return state


def begin(state: Open, start: View, trace: Trace) -> View:
    """The view to open a run with: the preset's, overridden by what the link asked for."""
    wanted, state.wanted = state.wanted, {}
    view = start
    for name in _VIEW:  # the request before the position, which is one of that request's
        if name not in wanted:
            continue
        allowed = _allowed(name, view, trace)
        if wanted[name] in allowed:
            value: Any = allowed[wanted[name]]
            view = replace(view, **{name: value})
        else:
            state.problem = state.say(
                "problem.link", field=name, value=wanted[name][:40], valid=_described(allowed)
            )  # fmt: skip
    return view


class _Numbers:
    """The numbers from low to most, as they may be written in a link."""

    def __init__(self, low: int, most: int):
        self.low, self.most = low, most

    def __contains__(self, text: str) -> bool:
        return text.lstrip("-").isdecimal() and len(text) < 12 and self.low <= int(text) <= self.most

    def __getitem__(self, text: str) -> int:
        return int(text)


def _allowed(name: str, view: View, trace: Trace) -> dict[str, Any] | _Numbers:
    """What a link may say of a field -> its value."""
    words: dict[str, tuple[str, ...]] = {
        "lens": LENSES, "accounting": ACCOUNTINGS, "colour": COLOURS, "lit": CATEGORIES,
    }  # fmt: skip
    if name in words:
        return dict(zip(words[name], words[name], strict=True))
    if name == "request":
        return {r.id: index for index, r in enumerate(trace.requests)}
    if name == "position":
        followed = trace.requests if view.request < 0 else trace.requests[view.request : view.request + 1]
        return _Numbers(0, max((r.final_slots for r in followed), default=1) - 1)
    return _Numbers(0, trace.steps) if name == "step" else _Numbers(-1, len(trace.systems) - 1)


def _described(allowed: dict[str, Any] | _Numbers) -> str:
    if isinstance(allowed, _Numbers):
        return f"{allowed.low}..{allowed.most}"
    names = list(allowed)
    return " / ".join(names[:12]) + (" / …" if len(names) > 12 else "")


def write(state: Open) -> None:
    """Put the state into the address bar; only what differs from the preset's beginning."""
    view = state.view or View()
    query = {"preset": state.preset.id, "step": str(view.step), "lens": view.lens, "accounting": view.accounting}
    if state.changed:
        query["s"] = to_code(state.scenario)
    if view.colour != "state":
        query["colour"] = view.colour
    if view.focus >= 0:
        query["focus"] = str(view.focus)
    if 0 <= view.request < len(state.sequences):
        query["request"] = state.sequences[view.request]
    if view.position >= 0:
        query["position"] = str(view.position)
    if view.lit:
        query["lit"] = view.lit
    if view.lit and view.lit_in >= 0:
        query["lit_in"] = str(view.lit_in)
    query |= state.more
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def go(step: int) -> None:
    """Let the player open a step of the run that it shows."""
    state = current()
    view = replace(state.view or View(), step=step)
    state.view, state.stale = view, state.reported
    state.sent = replace(view, command=(state.sent.command if state.sent else 0) + 1, play=False)


def change(scenario: Scenario, preset: Preset | None = None, step: int | None = None) -> None:
    """Open another scenario; the view starts anew with another preset, goes to ``step``, or is kept."""
    state = current()
    state.problem, state.saved = "", None
    state.scenario = scenario
    if preset is not None:
        state.preset, state.view = preset, None
        state.edition += 1
    elif step is not None and state.view is not None:
        state.view, state.jump = replace(state.view, step=step), True


def follow(state: Open, key: str, start: View, trace: Trace) -> None:
    """If another run is open than before: where in it? The reader goes on where he stood, if it has that place."""
    if state.view is not None and state.key == key:
        return
    anew = state.view is None
    view = begin(state, start, trace) if state.view is None else _kept(state.view, trace)
    if state.play:
        view = replace(view, step=0)
    # the browser may have gone on since it last told where it is: what it knows better, it keeps
    state.sent = replace(view, play=state.play, keep=not (anew or state.jump))
    state.view, state.stale, state.play, state.jump = view, state.reported, False, False
    state.key, state.sequences = key, tuple(r.id for r in trace.requests)


def _kept(view: View, trace: Trace) -> View:
    request = view.request if view.request < len(trace.requests) else -1
    position = view.position if request < 0 or view.position < trace.requests[request].final_slots else -1
    focus = view.focus if view.focus < len(trace.systems) else -1
    lit_in = view.lit_in if view.lit_in < len(trace.systems) else -1
    step = min(view.step, trace.steps)
    return replace(view, step=step, request=request, position=position, focus=focus, lit_in=lit_in)


def hear(state: Open, report: dict[str, Any] | None) -> None:
    """Take in what the browser reports. Its last word about another run is kept by Streamlit, and means nothing."""
    if not report or report == state.stale:
        return
    state.reported, state.stale = report, None
    known = {f.name for f in fields(View)} - {"play", "keep", "command", "reveal"}  # those are orders
    state.view = View(**{name: value for name, value in report.items() if name in known})


def open_wish(make: Callable[[], Scenario], preset: Preset, *, anew: bool) -> None:
    """Open what a form asks for, or keep what is shown and say why not.

    ``anew``: from its beginning, and playing; else where the reader stands.
    """
    state = current()
    try:
        scenario = make()
    except ScenarioError as error:
        state.problem = state.say("problem.kept", problem=str(error))
        if not anew:
            state.edition += 1  # the settings go back to what is shown; a text stays, to be shortened
        return
    if anew or state.preset != preset:
        change(scenario, preset)
        state.play = anew
    else:
        change(scenario)
