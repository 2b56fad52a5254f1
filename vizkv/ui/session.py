"""A visitor's state that is common to all pages: language, projector mode, lecture, class. Every link carries it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import streamlit as st

from vizkv import __version__
from vizkv.messages.catalogue import DEFAULT, messages
from vizkv.messages.sentence import shortened
from vizkv.ui import store
from vizkv.ui.frame import classroom

LANGUAGES = ("en", "zh")  # one catalogue each, see vizkv/messages/
HTML_LANGUAGE = {"en": "en", "zh": "zh-Hans"}
WORDS = ("lang", "room", "v", "lecture", "beat", "class")  # names of the fields in a link
PROJECTOR = "projector"
_SESSION = "vizkv.session"
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,19}")
_NAME = re.compile(r"[0-9A-Za-z_-]{1,40}")


@dataclass
class Session:
    """The state of one visitor."""

    language: str = DEFAULT
    projector: bool = False
    type_px: int = 0  # size of the page's text on a projector as the browser reported it; 0: not reported yet
    lecture: str = ""  # name of the script; "": no lecture
    beat: int = 0  # number of the beat in the lecture, from 1
    class_id: str = ""  # "": not in a class
    lecturer: bool = False  # whether this visitor leads the class: the token was correct
    problem: str = ""  # the error about an invalid word in the link, shown as the page's first sentence
    notice: str = ""  # information about the link that is not an error


def session() -> Session:
    """Return this visitor's session, made from the link; the language defaults to the browser's."""
    known: Session | None = store.get(_SESSION)
    if known is None:
        known = _from_link()
        store.put(_SESSION, known)
    return known


def _from_link() -> Session:
    query, new = st.query_params, Session()
    asked = query.get("lang")
    new.language = asked if asked in LANGUAGES else _of_browser()
    say = messages(new.language)

    def refuse(field: str, valid: str) -> None:
        new.problem = say("problem.link", field=field, value=shortened(query[field], 40), valid=valid)

    if asked is not None and asked not in LANGUAGES:
        refuse("lang", " / ".join(LANGUAGES))
    new.projector = query.get("room") == PROJECTOR
    if query.get("room", PROJECTOR) != PROJECTOR:
        refuse("room", PROJECTOR)
    if _NAME.fullmatch(query.get("lecture", "")):
        new.lecture = query["lecture"]
        beat = query.get("beat", "1")
        new.beat = int(beat) if beat.isdecimal() and len(beat) < 5 else 1
    if "class" in query:
        _join(new, query["class"])
    made = query.get("v", __version__)
    if made != __version__:
        if _VERSION.fullmatch(made):
            new.notice = say("link.version", made=made, here=__version__)
        else:
            refuse("v", __version__)
    return new


def _join(new: Session, name: str) -> None:
    """Join a class as a student; show a sentence if there is no such class."""
    room = classroom.find(name)
    if room is None:
        new.problem = messages(new.language)("class.none", name=shortened(name, 40))
    else:
        new.class_id = room.id


def claim(secret: str) -> str:
    """Become the lecturer of this visitor's class with the secret that the browser tab kept: token, or key from a link.

    Returns a sentence if the secret is refused; the visitor has then left the class, and the sentence stays on screen.
    """
    now = session()
    if now.lecturer or not now.class_id:
        return ""
    say, room = messages(now.language), classroom.find(now.class_id)
    now.lecturer = room is not None and room.admit(secret)
    if now.lecturer:
        return ""
    name, now.class_id = now.class_id, ""
    return say("class.none", name=name) if room is None else say("class.token")


def _of_browser() -> str:
    """Return the browser's language if there is a catalogue for it, else the default language."""
    wanted = (st.context.locale or "").lower()
    return next((name for name in LANGUAGES if wanted.split("-")[0].split("_")[0] == name), DEFAULT)


def words() -> dict[str, str]:
    """Return the session's fields of a link."""
    now = session()
    found = {"lang": now.language, "v": __version__}
    if now.projector:
        found["room"] = PROJECTOR
    if now.lecture:
        found |= {"lecture": now.lecture, "beat": str(now.beat)}
    if now.class_id:
        found["class"] = now.class_id
    return found
