"""What is open, in the session and in the address bar: for each page its scenario, step, lens, and what is followed.

A link carries a preset's name and, where the scenario differs from it, the scenario's code. Nonsense in a link is
answered with a sentence and the default, never with an empty page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import streamlit as st

from vizkv.messages.catalogue import DEFAULT, Messages, messages
from vizkv.messages.sentence import shortened
from vizkv.scenario.presets import Preset, list_presets
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.trace.trace import Trace
from vizkv.ui import codes, store
from vizkv.ui import session as sessions
from vizkv.ui.export import offered
from vizkv.ui.frame import classroom
from vizkv.ui.pages import FIRST, PAGES
from vizkv.ui.player.channel import Channel
from vizkv.ui.session import Session as Session
from vizkv.ui.session import session as session
from vizkv.views import view as views
from vizkv.views.facts import own
from vizkv.views.view import Limits
from vizkv.views.view import View as View

_OPEN, _PAGE, _PROBLEM_TOLD = "vizkv", "vizkv.page", "vizkv.messages.sentence"
FIELDS = ("preset", "s", *views.FIELDS)  # all that a link may carry, and what a page adds
BARS = ("whatif",)  # pages whose lens is not their player's alone
LAB = "whatif"  # the section of pages that run many scenarios
MAX_WORD = 1000  # characters of one of those


@dataclass
class Open:
    """One page of a session."""

    preset: Preset
    scenario: Scenario
    page: str = FIRST
    language: str = DEFAULT
    player: Channel = field(default_factory=Channel)
    good: Scenario | None = None  # the last scenario that could be run
    problem: str = ""
    file: str = ""  # the name of the scenario's file, where one is open as it was sent
    saved: Trace | None = None  # a trace opened from a file
    saved_key: str = ""  # a digest of that file
    edition: int = 0  # goes up with each change of the scenario that widgets did not make themselves
    jump: bool = False  # whether the next run opens where ``view`` says, whatever the browser shows now
    play: bool = False  # whether it plays from its beginning
    asked: bool = False  # whether a link, a beat or a lecturer says what to open
    wanted: dict[str, str] = field(default_factory=dict)  # by the link
    picked: str = ""  # in the boxes of vizkv.ui.hardware
    more: dict[str, str] = field(default_factory=dict)  # a page's own words in the link, see Entry.fields

    @property
    def view(self) -> View | None:
        """What its player shows; None until the run is known: the preset then says where to begin."""
        return self.player.view

    @view.setter
    def view(self, view: View | None) -> None:
        self.player.view = view

    @property
    def say(self) -> Messages:
        """The catalogue of the session's language."""
        return messages(self.language)

    @property
    def changed(self) -> bool:
        """Whether the scenario differs from its preset."""
        return self.scenario != self.preset.scenario

    @property
    def own(self) -> bool:
        """Whether what is open is no example as it stands: what is said of one does not hold for it."""
        return self.changed or self.saved is not None

    @property
    def headline(self) -> str:
        """The example's question; of anything else its own name."""
        if self.is_example:
            return self.say(f"preset.{self.preset.id}.question")
        return own.headline(self.scenario, self.say)

    @property
    def is_example(self) -> bool:
        """Whether an example's question holds for what is open; a lab's does while only the lab's knobs are turned."""
        return not self.own or (PAGES[self.page].section == LAB and not self.renamed)

    @property
    def renamed(self) -> bool:
        """Whether the scenario is not even a changed example: it has another name."""
        return self.own and self.scenario.name != self.preset.scenario.name

    @property
    def file_name(self) -> str:
        """What files with the scenario are called, without an ending."""
        own_name = re.sub(r"[^\w]+", "-", self.scenario.name.lower()).strip("-")[:60] if self.renamed else ""
        return own_name or self.preset.id


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
    before = store.get(_PAGE)
    store.put(_PAGE, page)
    offered.begin()
    state = current()
    if before in (None, page):
        return state
    if state.view is None:  # not open yet: the rest of the address is written once its run is known
        _into_the_address(sessions.words())
        return state
    state.player.remount()
    write(state)
    return state


def current() -> Open:
    """The state of the page that is shown. A session's first page is made from the link, others from their presets."""
    page = store.get(_PAGE, FIRST)
    pages: dict[str, Open] = store.first(_OPEN, {})
    if page not in pages:
        pages[page] = _new(page) if pages else _from_words(page, st.query_params)
        if not store.get(_PROBLEM_TOLD):
            store.put(_PROBLEM_TOLD, True)
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
            "problem.link", field="preset", value=shortened(name, 40), valid=state.say("narration.list").join(known)
        )
    if code := words.get("s"):
        try:
            state.scenario = codes.scenario_of(code)
        except ScenarioError as error:
            state.problem = str(error)
    state.wanted = {k: words[k] for k in views.FIELDS if k in words}
    state.more = {k: words[k][:MAX_WORD] for k in PAGES[page].fields if k in words}
    state.asked = "preset" in words or "s" in words
    return state


def take(page: str, words: Mapping[str, str], play: bool = False) -> None:
    """Bring a page into the state in which these words of a link open it; nonsense is answered as in a link.

    It is shown by ``st.switch_page(link.page_file(page))``, or ``st.rerun()`` where it is shown already. The words of
    the session are left alone.
    """
    page = page if page in PAGES else FIRST
    pages: dict[str, Open] = store.first(_OPEN, {})
    old = pages.get(page)
    new = pages[page] = _from_words(page, words)
    new.play = play
    if old is not None:  # widgets and player are told by what counts up that they have to take over
        new.edition, new.player, new.good = old.edition + 1, old.player.replaced(), old.good
    for name in PAGES[page].remembers:
        store.take(name, None)


def page_file(page: str) -> Path:
    """The script of a page, for st.switch_page."""
    return PAGES[page if page in PAGES else FIRST].file


def begin(state: Open, start: View, limits: Limits) -> View:
    """Return the view to open a run with: ``start``, overridden by what the link asked for."""
    wanted, state.wanted = state.wanted, {}
    view, refused = views.parse(wanted, limits, start)
    for one in refused:
        state.problem = state.say("problem.link", field=one.field, value=shortened(one.value, 40), valid=one.valid)
    return view


def words(state: Open) -> dict[str, str]:
    """All words of the link to what is shown: the page's, as far as it differs from its beginning, the session's."""
    found = {"preset": state.preset.id} | views.words(state.view or View(), state.player.limits.requests)
    if state.changed:
        found["s"] = codes.word_of(state.scenario, state.file or f"{state.preset.id}.toml")
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
    by_player = {*views.FIELDS} - (set() if state.page not in BARS else {"lens", "accounting"})
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
    player = state.player
    player.order(replace(player.view or View(), step=min(step, player.limits.steps)), player.reported)


def change(scenario: Scenario, preset: Preset | None = None, step: int | None = None) -> None:
    """Open another scenario; the view starts anew with another preset, goes to ``step``, or is kept."""
    state = current()
    state.problem, state.saved, state.file = "", None, ""
    state.scenario = scenario
    if preset is not None:
        state.preset, state.view = preset, None
        state.edition += 1
    elif step is not None and state.view is not None:
        state.view, state.jump = replace(state.view, step=step), True


def follow(state: Open, key: str, start: View, trace: Trace) -> None:
    """If another run is open than before: where in it? The reader goes on where he stood, if it has that place."""
    player = state.player
    if player.view is not None and player.run == key:
        return
    anew, limits = player.view is None, Limits.of(trace)
    view = begin(state, start, limits) if player.view is None else views.kept(player.view, limits)
    if state.play:
        view = replace(view, step=0)
    # the reader may have gone on since the browser's last report: then the browser keeps the reader's step
    player.open(key, limits, view, player.reported, play=state.play, keep=not (anew or state.jump))
    state.play = state.jump = False


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
