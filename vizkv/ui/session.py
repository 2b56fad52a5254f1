"""What holds for a visitor on all pages: language, room, lecture, class. Its words stand in every link."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from vizkv import __version__
from vizkv.messages import DEFAULT, messages
from vizkv.ui import classroom

LANGUAGES = ("en", "zh")  # a catalogue each, see vizkv/messages/
HTML_LANGUAGE = {"en": "en", "zh": "zh-Hans"}
WORDS = ("lang", "room", "v", "lecture", "beat", "class")  # in a link
PROJECTOR = "projector"
_SESSION = "vizkv.session"
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,19}")
_NAME = re.compile(r"[0-9A-Za-z_-]{1,40}")


@dataclass
class Session:
    """One visitor."""

    language: str = DEFAULT
    projector: bool = False
    type_px: int = 0  # of the page's words on a projector, as the browser has them; 0: it has not said
    lecture: str = ""  # the script's name; "": no lecture
    beat: int = 0  # of the lecture, from 1
    class_id: str = ""  # "": in no class
    lecturer: bool = False  # whether the class follows this visitor: the token was right
    problem: str = ""  # a word of the link that is none; the page's first sentence says it
    notice: str = ""  # what is good to know about the link


def session() -> Session:
    """This visitor's; made from the link, and where that is silent from the browser's language."""
    known: Session | None = st.session_state.get(_SESSION)
    if known is None:
        known = st.session_state[_SESSION] = _from_link()
    return known


def _from_link() -> Session:
    query, new = st.query_params, Session()
    asked = query.get("lang")
    new.language = asked if asked in LANGUAGES else _of_browser()
    say = messages(new.language)

    def refuse(field: str, valid: str) -> None:
        new.problem = say("problem.link", field=field, value=query[field][:40], valid=valid)

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
        _join(new, query["class"], query.get("token", ""), refuse)
    made = query.get("v", __version__)
    if made != __version__:
        if _VERSION.fullmatch(made):
            new.notice = say("link.version", made=made, here=__version__)
        else:
            refuse("v", __version__)
    return new


def _join(new: Session, name: str, token: str, refuse: Callable[[str, str], None]) -> None:
    """Take part in a class, as its lecturer with the right token. Else a sentence: in no case is it a silent no."""
    say, room = messages(new.language), classroom.find(name)
    if room is None:
        new.problem = say("class.none", name=name[:40])
        return
    if token and not room.is_lecturer(token):  # nor does it follow: the sentence stays until somebody has read it
        new.problem = say("class.token")
        return
    new.class_id, new.lecturer = room.id, bool(token)


def claim(token: str) -> None:
    """Be the lecturer again, with the token that this visitor's browser has kept."""
    now = session()
    room = classroom.find(now.class_id)
    now.lecturer = now.lecturer or (room is not None and bool(token) and room.is_lecturer(token))


def _of_browser() -> str:
    """The browser's language, if it is one of ours."""
    wanted = (st.context.locale or "").lower()
    return next((name for name in LANGUAGES if wanted.split("-")[0].split("_")[0] == name), DEFAULT)


def words() -> dict[str, str]:
    """The session's words in a link."""
    now = session()
    found = {"lang": now.language, "v": __version__}
    if now.projector:
        found["room"] = PROJECTOR
    if now.lecture:
        found |= {"lecture": now.lecture, "beat": str(now.beat)}
    if now.class_id:
        found["class"] = now.class_id
    return found
