"""Lecture mode: which beat is shown, which question is open, what the bar has told. ``app.py`` asks before each page.

A beat with questions is shown in parts: each question first as it is put, then with its answer. The words of the link
are the session's (``lecture``, ``beat``); what a beat opens is what a link with its words would open.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

import cachetools
import streamlit as st

from vizkv import lecture as scripts
from vizkv.lecture import Beat, Lecture
from vizkv.lecture.questions import Question, question
from vizkv.messages import Messages, messages
from vizkv.scenario import ScenarioError
from vizkv.ui import classroom, lecture_ahead, lecture_bar, link, runs
from vizkv.ui.session import LANGUAGES, session

OWN = "lecture"  # the name of the script that comes with the app
PAGE = "lecture"  # where one begins
_RUNNING = "vizkv.lecture"
_uploaded: cachetools.LRUCache[str, tuple[Lecture, str]] = cachetools.LRUCache(64)


@dataclass
class Running:
    """One visitor's walk through a script. ``part``: the question that is put or answered, from 0."""

    name: str
    part: int = 0
    open: bool = False  # whether that question waits for its answer
    given: dict[tuple[int, int], str] = field(default_factory=dict)  # (beat, part) -> answer; "": only shown
    right: int = 0
    asking: bool = True
    heard: int = 0
    started: int = 0
    warmed: bool = False


# ---- scripts ----


def keep(given: bytes) -> str:
    """Keep an uploaded script while the server runs; returns the name that links call it by. Raises ScenarioError."""
    script = scripts.read(given)
    name = "own-" + hashlib.sha256(given).hexdigest()[:12]
    _uploaded[name] = (script, given.decode("utf-8-sig"))
    return name


def find(name: str) -> Lecture | None:
    """A script by the name that it has in links."""
    if name == OWN:
        return scripts.default()
    return _uploaded[name][0] if name in _uploaded else None


def text_of(name: str) -> str:
    """A script as a file."""
    if name in _uploaded:
        return _uploaded[name][1]
    return (scripts.script.FOLDER / "lecture.toml").read_text(encoding="utf-8")


# ---- walking ----


def running() -> Running | None:
    """The walk under way; None outside of a lecture. A link that names a script begins one."""
    now = session()
    if not now.lecture:
        return None
    here: Running | None = st.session_state.get(_RUNNING)
    if here is None or here.name != now.lecture:
        here = _from_link(now)
        st.session_state[_RUNNING] = here
    return here


def _follows() -> bool:
    """Whether somebody else turns the beats: the lecturer of this visitor's class."""
    now = session()
    return bool(now.class_id) and not now.lecturer


def _from_link(now: Any) -> Running:
    if find(now.lecture) is None:
        say = link.say()
        link.current().problem = say("lecture.unknown", name=now.lecture)
        now.lecture = OWN
    script = find(now.lecture)
    assert script is not None
    now.beat = min(max(1, now.beat), len(script.beats))
    # a link says which beat, not whether its answer was shown: it is asked again
    return Running(now.lecture, open=bool(script.beats[now.beat - 1].ask))


def begin(name: str = OWN, beat: int = 1, asking: bool = True) -> str:
    """Open a beat of a script, from the page where one begins; returns the page to switch to."""
    now = session()
    now.lecture, now.beat = name, beat
    here = Running(name, asking=asking, started=int(time.time()), heard=_heard())
    st.session_state[_RUNNING] = here
    return _open(here, beat)


def _heard() -> int:
    before: Running | None = st.session_state.get(_RUNNING)
    return before.heard if before else 0


def leave() -> None:
    """The lecture ends; what it showed stays."""
    session().lecture = ""


def turn(page: str) -> None:
    """Take in what the bar has told; opens another page where the beat is on one. Before ``link.enter``."""
    here = running()
    if here is None or _follows():
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
    """One letter; the page that is shown after it."""
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
        return _open(here, max(1, now.beat - 1))
    if here.open and (asked := _question(here, beat)) is not None:
        return _answer(here, beat, asked, "")
    if here.asking and here.part + 1 < len(beat.ask):
        return _put(here, beat, here.part + 1)
    return _open(here, now.beat + 1) if now.beat < len(script.beats) else page


def _open(here: Running, number: int) -> str:
    """Show a beat: the first question that nobody has answered, or what it is about."""
    script, now = find(here.name), session()
    assert script is not None
    now.beat = number
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
    """The answer is shown; ``value`` is what was said, "" if nobody said anything."""
    here.open = False
    here.given[session().beat, here.part] = value
    here.right += value == asked.answer
    link.take(beat.page, asked.words)
    return beat.page


def _question(here: Running, beat: Beat, say: Messages | None = None) -> Question | None:
    """The question that is put or answered; None, with a sentence, where the run has no answer."""
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
    """The bar above a page, while a lecture is given; the navigation makes room for it."""
    here = running()
    script = find(here.name) if here is not None else None
    if here is None or script is None or _follows() or st.session_state.get("vizkv.page") == PAGE:
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
    """The class of this lecturer sees the question that he has put, each student in his own language."""
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
[data-testid="stHeader"], [data-testid="stSidebar"] { display: none; }
:root { --vizkv-above: var(--vizkv-lecture, 0px) !important; --vizkv-least: 28rem; --vizkv-headline: none; }
.st-key-lecture-bar { margin: 0.1rem 0 -0.8rem; }
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
    """What the browser is told of a question: its answer only once that is shown."""
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
