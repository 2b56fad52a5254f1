"""What is open, in the session and in the address bar: for each page its scenario, step, lens, and what is followed.

A link carries a preset's name and, where the scenario differs from it, the scenario's code. Nonsense in a link is
answered with a sentence and the default, never with an empty page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from vizkv.link import from_code, to_code
from vizkv.messages import DEFAULT, Messages, messages
from vizkv.presets import Preset, list_presets
from vizkv.scenario import Scenario, ScenarioError
from vizkv.slots import ACCOUNTINGS, CATEGORIES, LENSES
from vizkv.trace import Trace
from vizkv.ui import classroom, offered
from vizkv.ui import session as sessions
from vizkv.ui.pages import FIRST, PAGES
from vizkv.ui.session import Session as Session
from vizkv.ui.session import session as session
from vizkv.views.payload import View, marked

_OPEN, _PAGE, _PROBLEM_TOLD = "vizkv", "vizkv.page", "vizkv.told"
COLOURS = ("state", "request")
_VIEW = ("step", "lens", "accounting", "colour", "focus", "request", "position", "lit", "lit_in", "mark")
FIELDS = ("preset", "s", *_VIEW)  # all that a link may carry, and what a page adds
BARS = ("whatif",)  # pages whose lens is not their player's alone
MAX_WORD = 1000  # characters of one of those
_MORE_ORDERS = 1000  # beyond what any player of the page has been told


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
    ordered: int = 0  # the player's command with which the next run is opened
    asked: bool = False  # whether a link, a beat or a lecturer says what to open
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
    return messages(session().language)


def enter(page: str) -> Open:
    """The page that is shown from now on, and its state.

    ``app.py`` says it, and the page itself too: a page's script can run without ``app.py``, under Streamlit's older
    kind of pages, which a folder of this name means to it until st.navigation has been called once.
    """
    before = st.session_state.get(_PAGE)
    st.session_state[_PAGE] = page
    offered.begin()
    state = current()
    if before in (None, page):
        return state
    if state.view is None:  # not open yet: the rest of the address is written once its run is known
        _into_the_address(sessions.words())
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
        pages[page] = _new(page) if pages else _from_words(page, st.query_params)
        if not st.session_state.get(_PROBLEM_TOLD):
            st.session_state[_PROBLEM_TOLD] = True
            pages[page].problem = pages[page].problem or session().problem
    pages[page].language = session().language
    return pages[page]


def _new(page: str) -> Open:
    first = next(iter(presets(page).values()))
    return Open(first, first.scenario, page, session().language)


def _from_words(page: str, words: Mapping[str, str]) -> Open:
    known = presets(page)
    state = _new(page)
    name = words.get("preset", state.preset.id)
    if name in known:
        state.preset, state.scenario = known[name], known[name].scenario
    else:
        state.problem = state.say(
            "problem.link", field="preset", value=name[:40], valid=state.say("narration.list").join(known)
        )
    if code := words.get("s"):
        try:
            state.scenario = from_code(code)
        except ScenarioError as error:
            state.problem = str(error)
    state.wanted = {k: words[k] for k in _VIEW if k in words}
    state.more = {k: words[k][:MAX_WORD] for k in PAGES[page].fields if k in words}
    state.asked = "preset" in words or "s" in words
    return state


def take(page: str, words: Mapping[str, str], play: bool = False) -> None:
    """Bring a page into the state in which these words of a link open it; nonsense is answered as in a link.

    It is shown by ``st.switch_page(link.page_file(page))``, or ``st.rerun()`` where it is shown already. The words of
    the session are left alone.
    """
    page = page if page in PAGES else FIRST
    pages: dict[str, Open] = st.session_state.setdefault(_OPEN, {})
    old = pages.get(page)
    new = pages[page] = _from_words(page, words)
    new.play = play
    if old is not None:  # widgets and player are told by what counts up that they have to take over
        new.edition, new.reported, new.good = old.edition + 1, old.reported, old.good
        new.ordered = max(old.ordered, old.sent.command if old.sent else 0) + _MORE_ORDERS
    for name in PAGES[page].remembers:
        st.session_state.pop(name, None)


def page_file(page: str) -> Path:
    """The script of a page, for st.switch_page."""
    return PAGES[page if page in PAGES else FIRST].file


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


class _Marks:
    """The slots that a link may point at: ``system.first-last``."""

    def __init__(self, slots: list[int]):
        self.slots = slots  # of each system

    def __contains__(self, text: str) -> bool:
        system, first, last = marked(text) or (len(self.slots), 0, 0)
        return system < len(self.slots) and first <= last < self.slots[system]

    def __getitem__(self, text: str) -> str:
        return text


def _allowed(name: str, view: View, trace: Trace) -> dict[str, Any] | _Numbers | _Marks:
    """What a link may say of a field -> its value."""
    if name == "mark":
        return _Marks([system.slots for system in trace.systems])
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


def _described(allowed: dict[str, Any] | _Numbers | _Marks) -> str:
    if isinstance(allowed, _Marks):
        return f"0.0-{allowed.slots[0] - 1} .. {len(allowed.slots) - 1}.0-{allowed.slots[-1] - 1}"
    if isinstance(allowed, _Numbers):
        return f"{allowed.low}..{allowed.most}"
    names = list(allowed)
    return " / ".join(names[:12]) + (" / …" if len(names) > 12 else "")


def words(state: Open) -> dict[str, str]:
    """All words of the link to what is shown: the page's, as far as it differs from its beginning, the session's."""
    view = state.view or View()
    found = {"preset": state.preset.id, "step": str(view.step), "lens": view.lens, "accounting": view.accounting}
    if state.changed:
        found["s"] = to_code(state.scenario)
    if view.colour != "state":
        found["colour"] = view.colour
    if view.focus >= 0:
        found["focus"] = str(view.focus)
    if 0 <= view.request < len(state.sequences):
        found["request"] = state.sequences[view.request]
    if view.position >= 0:
        found["position"] = str(view.position)
    if view.lit:
        found["lit"] = view.lit
    if view.lit and view.lit_in >= 0:
        found["lit_in"] = str(view.lit_in)
    if view.mark:
        found["mark"] = view.mark
    return found | state.more | sessions.words()


def write(state: Open) -> None:
    """Put the state into the address bar, and before the class whose lecturer this visitor is."""
    _into_the_address(words(state))
    tell_class(state)


def tell_class(state: Open) -> None:
    """What a lecturer's page shows is what his class is shown; where its player stands, his browser tells."""
    now = session()
    room = classroom.find(now.class_id) if now.lecturer else None
    if room is None:
        return
    own = {name: word for name, word in words(state).items() if name not in sessions.WORDS}
    by_player = {*_VIEW} - (set() if state.page not in BARS else {"lens", "accounting"})
    room.open(state.page, own, {name: word for name, word in own.items() if name not in by_player})


def _into_the_address(query: dict[str, str]) -> None:
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def url(state: Open) -> str:
    """The link to what is shown now, for somebody else: in nobody's class, and at nobody's beat."""
    query = {name: word for name, word in words(state).items() if name not in ("class", "lecture", "beat")}
    return f"{base()}{'' if state.page == FIRST else state.page}?{urlencode(query)}"


def base() -> str:
    """The address of the app as this visitor's browser knows it, with a slash at its end."""
    here = urlsplit(st.context.url or "http://localhost:8501")
    folder = st.get_option("server.baseUrlPath").strip("/")
    return f"{here.scheme}://{here.netloc}/{folder + '/' if folder else ''}"


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
    state.sent = replace(view, play=state.play, keep=not (anew or state.jump), command=state.ordered)
    state.view, state.stale, state.play, state.jump = view, state.reported, False, False
    state.key, state.sequences = key, tuple(r.id for r in trace.requests)


def _kept(view: View, trace: Trace) -> View:
    request = view.request if view.request < len(trace.requests) else -1
    position = view.position if request < 0 or view.position < trace.requests[request].final_slots else -1
    focus = view.focus if view.focus < len(trace.systems) else -1
    lit_in = view.lit_in if view.lit_in < len(trace.systems) else -1
    step = min(view.step, trace.steps)
    mark = view.mark if view.mark in _allowed("mark", view, trace) else ""
    return replace(view, step=step, request=request, position=position, focus=focus, lit_in=lit_in, mark=mark)


def hear(state: Open, report: dict[str, Any] | None) -> None:
    """Take in what the browser reports. Its last word about another run is kept by Streamlit, and means nothing."""
    if not report or report == state.stale:
        return
    state.reported, state.stale = report, None
    known = {f.name for f in fields(View)} - {"play", "keep", "command", "reveal", "intro"}  # those are orders
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
