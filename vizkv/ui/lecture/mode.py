"""Lecture mode: the beat that is shown, the question that is open, the bar's messages. ``app.py`` runs it first.

A beat with questions is shown in parts: each question is first put, then answered. The words of the link are the
session's (``lecture``, ``beat``). A beat opens a page exactly as a link with its words would.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from vizkv import lecture as scripts
from vizkv.lecture import Beat, Lecture
from vizkv.lecture.questions import Question, question
from vizkv.lecture.rehearsal import rehearse
from vizkv.limits import kept
from vizkv.messages.catalogue import Messages, messages
from vizkv.messages.sentence import told
from vizkv.scenario.schema import ScenarioError
from vizkv.ui import link, outside, store
from vizkv.ui.frame import classroom
from vizkv.ui.lecture import ahead as lecture_ahead
from vizkv.ui.lecture import bar as lecture_bar
from vizkv.ui.player import runs
from vizkv.ui.session import LANGUAGES, session

OWN = "lecture"  # name of the script that comes with the app
PAGE = "lecture"  # the page on which a lecture begins
_RUNNING = "vizkv.lecture"
_uploaded = kept.Cache(64 << 20)
_lock = threading.Lock()  # protects the cache, which reading changes too


@dataclass
class Running:
    """One visitor's progress through a script. ``part``: index of the question that is put or answered, from 0."""

    name: str
    part: int = 0
    open: bool = False  # whether that question has not been answered yet
    given: dict[tuple[int, int], str] = field(default_factory=dict)  # (beat, part) -> answer; "": only shown
    right: int = 0
    asking: bool = True
    heard: int = 0
    started: int = 0
    warmed: bool = False


# ---- scripts ----


def keep(given: bytes) -> str:
    """Rehearse an uploaded script, keep it while the server runs, return its name for links. Raises ScenarioError."""
    script = scripts.read(given)
    for number, beat in enumerate(script.beats):
        try:
            if beat.scenario is not None:
                outside.accept(beat.scenario)
        except ScenarioError as error:
            raise ScenarioError(
                told(
                    "The table {where} has a scenario that cannot be run ({error}).",
                    where=f"beats[{number}]",
                    error=error,
                )
            ) from None
    rehearse(script, runs.trace, link.say())
    name = "own-" + hashlib.sha256(given).hexdigest()[:32]
    with _lock:
        _uploaded[name] = (script, given.decode("utf-8-sig"))
    return name


def _kept(name: str) -> tuple[Lecture, str] | None:
    with _lock:
        return _uploaded.get(name)


def find(name: str) -> Lecture | None:
    """Return the script with this name in links, or None."""
    if name == OWN:
        return scripts.default()
    found = _kept(name)
    return found[0] if found is not None else None


def text_of(name: str) -> str:
    """Return a script as the text of its file."""
    found = _kept(name)
    if found is not None:
        return found[1]
    return (scripts.script.FOLDER / "lecture.toml").read_text(encoding="utf-8")


# ---- walking ----


def running() -> Running | None:
    """Return the lecture in progress, or None. A link that names a script begins one."""
    now = session()
    if not now.lecture:
        return None
    here: Running | None = store.get(_RUNNING)
    if here is None or here.name != now.lecture:
        here = _from_link(now)
        store.put(_RUNNING, here)
    return here


def _follows() -> bool:
    """Return whether the lecturer of this visitor's class turns the beats."""
    now = session()
    return bool(now.class_id) and not now.lecturer


def _from_link(now: Any) -> Running:
    script = find(now.lecture)
    if script is None:
        now.lecture, script = _unknown(now.lecture), scripts.default()
    now.beat = min(max(1, now.beat), len(script.beats))
    # a link names the beat but not whether its question was answered, so it is put again
    return Running(now.lecture, open=bool(script.beats[now.beat - 1].ask))


def begin(name: str = OWN, beat: int = 1, asking: bool = True) -> str:
    """Open a beat of a script from the page "Lecture", and return the page to switch to."""
    now, script = session(), find(name)
    if script is None:
        name, beat, script = _unknown(name), 1, scripts.default()
    now.lecture, now.beat = name, beat
    here = Running(name, asking=asking, started=int(time.time()), heard=_heard())
    store.put(_RUNNING, here)
    return _open(here, script, beat)


def _unknown(name: str) -> str:
    """Say that the server does not have a script (any more), and return the name of the script that it always has."""
    session().notice = link.say()("lecture.unknown", name=name)  # in the session: the next page is not known yet
    return OWN


def _heard() -> int:
    before: Running | None = store.get(_RUNNING)
    return before.heard if before else 0


def leave() -> None:
    """End the lecture; the page that it opened stays open."""
    session().lecture = ""


def turn(page: str) -> None:
    """Process the bar's messages, and switch to the page of the new beat. Call it before ``link.enter``."""
    here = running()
    if here is None or _follows():
        return
    if find(here.name) is None:
        _unknown(here.name)
        leave()
        return
    wanted = page
    for letter in lecture_bar.letters(here.heard):
        here.heard = letter["n"]
        wanted = _take(here, letter, wanted)
        if not session().lecture:
            return
    if wanted != page:
        st.switch_page(link.page_file(wanted))


def _take(here: Running, letter: dict[str, Any], page: str) -> str:
    """Process one message and return the page to show after it."""
    now, what = session(), letter.get("what")
    script = find(here.name)
    if script is None or what == "leave":
        leave()
        return page
    beat = script.beats[now.beat - 1]
    if what in ("answer", "pick") and here.open and (letter.get("beat"), letter.get("part")) == (now.beat, here.part):
        asked = _question(here, beat)
        if asked is None:
            return page
        value = str(letter.get("value", ""))[:40]
        if what == "pick":
            value = asked.clicked(_number(letter.get("system")), _number(letter.get("slot")))
        return _answer(here, beat, asked, value) if value else page
    if what == "go":
        return _go(here, script, beat, page, 1 if letter.get("by") == 1 else -1)
    return page


def _number(value: Any) -> int:
    return value if isinstance(value, int) else -1


def _go(here: Running, script: Lecture, beat: Beat, page: str, by: int) -> str:
    now = session()
    if by < 0:
        return _open(here, script, max(1, now.beat - 1))
    if here.open and (asked := _question(here, beat)) is not None:
        return _answer(here, beat, asked, "")
    if here.asking and here.part + 1 < len(beat.ask):
        return _put(here, beat, here.part + 1)
    return _open(here, script, now.beat + 1) if now.beat < len(script.beats) else page


def _open(here: Running, script: Lecture, number: int) -> str:
    """Show a beat: its first question that was not answered yet, or the beat itself, and return its page."""
    session().beat = number
    beat = script.beats[number - 1]
    waiting = [part for part in range(len(beat.ask)) if (number, part) not in here.given]
    if here.asking and waiting:
        return _put(here, beat, waiting[0])
    here.part, here.open = max(0, len(beat.ask) - 1), False
    link.take(beat.page, beat.words())
    return beat.page


def _put(here: Running, beat: Beat, part: int) -> str:
    here.part, here.open = part, True
    link.take(beat.page, beat.asking(part))
    return beat.page


def _answer(here: Running, beat: Beat, asked: Question, value: str) -> str:
    """Show the answer of a question; ``value`` is the visitor's answer, "" if there was none. Returns the page."""
    here.open = False
    here.given[session().beat, here.part] = value
    here.right += value == asked.answer
    link.take(beat.page, asked.words)
    return beat.page


def _question(here: Running, beat: Beat, say: Messages | None = None) -> Question | None:
    """Return the question that is put or answered; None, with a sentence, if the run cannot answer it."""
    if not here.asking or not beat.ask or beat.scenario is None:
        return None
    try:
        return question(beat, here.part, runs.trace(beat.scenario), say or link.say())
    except ScenarioError as error:
        here.open = False
        here.given[session().beat, here.part] = ""
        link.current().problem = link.say().error(error)
        return None


# ---- the bar ----


def bar() -> None:
    """Draw the bar above a page during a lecture; the navigation leaves space for it."""
    here = running()
    script = find(here.name) if here is not None else None
    if here is None or script is None or _follows() or store.get("vizkv.page") == PAGE:
        _ask_class(None)
        return
    now, say = session(), link.say()
    beat = script.beats[now.beat - 1]
    if not here.warmed:
        here.warmed = True
        lecture_ahead.begin(script, now.beat, now.language)
    st.html(_STYLE)
    lecture_bar.show(_data(here, script, beat, now.beat, say))
    _ask_class(here)


def _ask_class(here: Running | None) -> None:
    """Show the class the question that its lecturer has put, in each student's language."""
    now = session()
    room = classroom.find(now.class_id) if now.lecturer else None
    if room is None:
        return
    script = find(here.name) if here is not None else None
    if here is None or script is None:
        room.ask(None)
        return
    beat, put = script.beats[now.beat - 1], {}
    for language in LANGUAGES:
        asked = _question(here, beat, messages(language))
        if asked is None:
            return room.ask(None)
        put[language] = {k: v for k, v in _told(here, now.beat, asked).items() if k in _FOR_CLASS}
    return room.ask({"number": f"{here.name}.{now.beat}.{here.part}", **put})


_FOR_CLASS = ("open", "text", "choices", "answer", "told")
_STYLE = """<style>
:root { --vizkv-above: var(--vizkv-lecture, 0px) !important; --vizkv-least: 28rem; --vizkv-headline: none; }
@media (max-height: 800px) and (min-width: 701px) { /* open notes take the place of the step's sentence */
  :root[data-vizkv-notes] { --vizkv-said: none; --vizkv-panels-least: 26rem; }
}
</style>"""


def _data(here: Running, script: Lecture, beat: Beat, number: int, say: Messages) -> dict[str, Any]:
    language, last = say.language, len(script.beats)
    asked = _question(here, beat)
    then = script.text("title", language, number + 1) if number < last else ""
    texts = say.group("lecture.bar.")
    return {
        "lang": language,
        "beat": number,
        "part": here.part,
        "last": last,
        "heard": here.heard,
        "started": here.started,
        "dark": (st.context.theme.type or "light") == "dark",
        "where": say("lecture.bar.where", beat=number, last=last),
        "title": beat.title.of(language),
        "notes": script.text("notes", language, number).strip(),
        "then": say("lecture.bar.then", title=then) if then else say("lecture.bar.end"),
        "score": _score(here, say),
        "texts": {name: text for name, text in texts.items() if "{" not in text},
        "question": _told(here, number, asked) if asked else None,
    }


def _score(here: Running, say: Messages) -> str:
    answered = sum(bool(value) for value in here.given.values())
    return say("lecture.bar.score", right=here.right, asked=answered) if answered else ""


def _told(here: Running, number: int, asked: Question) -> dict[str, Any]:
    """Return what the browser gets of a question: its answer only once it is shown."""
    facts: dict[str, Any] = {
        "open": here.open,
        "text": asked.text,
        "pick": asked.pick,
        "choices": [{"value": choice.value, "label": choice.label} for choice in asked.choices],
    }
    if not here.open:
        given = here.given.get((number, here.part), "")
        known = {choice.value for choice in asked.choices}
        facts |= {"answer": asked.answer, "given": given, "told": asked.told, "other": given not in known}
    return facts | {"key": "" if here.open else asked.told}
