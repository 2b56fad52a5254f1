"""What a browser of a class may say, parsed and bounded: nothing of it is believed before."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

MAX_MESSAGE = 2000  # characters of one message: a view with all its fields has 300
MAX_VALUE = 40  # characters of an answer
_LARGEST = 10**9
_NUMBERS = ("step", "focus", "request", "position", "lit_in")
_TEXTS = ("lens", "accounting", "colour", "lit", "mark")
_VOTER = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Asked:
    """One question of a beat. ``values``: what can be chosen; ``pick``: whether a click on a slot answers, too."""

    answer: str
    values: tuple[str, ...]
    pick: bool = False

    def takes(self, value: object) -> bool:
        """Return whether a value answers this question."""
        if not isinstance(value, str) or len(value) > MAX_VALUE:
            return False
        return value in self.values or (self.pick and value.isascii() and value.isdecimal() and len(value) < 9)


Outline = tuple[tuple[Asked, ...], ...]  # the questions of each beat


def outline_of(score: dict[str, Any], words: dict[str, Any]) -> Outline:
    """Return the outline of a show. ``words``: of any of its languages: the values are the same in all."""
    return tuple(
        tuple(
            Asked(facts["answer"], tuple(value for value, _ in text["choices"]), bool(facts["pick"]))
            for facts, text in zip(beat["questions"], told["questions"], strict=True)
        )
        for beat, told in zip(score["beats"], words["beats"], strict=True)
    )


@dataclass(frozen=True)
class Place:
    """Where the lecturer stands: beat and part of it, counted from 0, and what covers or accompanies the stage.

    ``join``: the code of the class fills the screen. ``shown``: the answers are on the stage, too. ``view``: where the
    lecturer moved the picture. ``by`` and ``k``: which window sent this, and its count of what it sent.
    """

    beat: int = 0
    part: int = 0
    black: bool = False
    join: bool = False
    shown: bool = False
    view: dict[str, Any] | None = None
    by: int = 0
    k: int = 0

    def within(self, outline: Outline) -> Place:
        """Return this place, or the nearest that the show has: a newer one may be shorter."""
        beat = min(self.beat, len(outline) - 1)
        part = min(self.part, parts(outline, beat) - 1) if beat == self.beat else 0
        return Place(beat, part, self.black, self.join, self.shown, self.view, self.by, self.k)


@dataclass(frozen=True)
class Hello:
    """A browser's first message. ``secret``: a lecturer's, or empty. ``voter``: a random name that a student keeps."""

    secret: str = ""
    voter: str = ""


@dataclass(frozen=True)
class Answer:
    """A student's answer to a question of a beat."""

    beat: int
    question: int
    value: str = field(default="")


def parts(outline: Outline, beat: int) -> int:
    """Return how many parts a beat has: each question and its answer, or one part without any."""
    return max(1, 2 * len(outline[beat]))


def asked(outline: Outline, place: Place) -> tuple[int, int] | None:
    """Return (beat, question) that is put and not answered yet at a place; None where none is."""
    if place.beat < len(outline) and outline[place.beat] and place.part % 2 == 0:
        return place.beat, place.part // 2
    return None


def shows(outline: Outline, place: Place) -> tuple[int, int] | None:
    """Return (beat, question) that a place asks or answers; None where there is none."""
    if not outline[place.beat]:
        return None
    return place.beat, min(place.part // 2, len(outline[place.beat]) - 1)


def read(text: object) -> dict[str, Any]:
    """Return a message as a dictionary; an empty one for anything that is no message."""
    if not isinstance(text, str) or len(text) > MAX_MESSAGE:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def hello(said: dict[str, Any]) -> Hello | None:
    """Return who a browser says it is; None where it says neither."""
    secret, voter = said.get("secret"), said.get("voter")
    if isinstance(secret, str) and secret:
        return Hello(secret=secret)
    if isinstance(voter, str) and _VOTER.fullmatch(voter):
        return Hello(voter=voter)
    return None


def _whole(value: object, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def place(said: object, outline: Outline) -> Place | None:
    """Return where a lecturer's window says that it stands; None if the show has no such place."""
    if not isinstance(said, dict):
        return None
    beat, part = said.get("beat"), said.get("part")
    if not _whole(beat, len(outline) - 1) or not _whole(part, parts(outline, beat) - 1):  # type: ignore[arg-type]
        return None
    black, join, shown = (said.get(name, False) for name in ("black", "join", "shown"))
    by, k = said.get("by", 0), said.get("k", 0)
    if (
        not all(isinstance(flag, bool) for flag in (black, join, shown))
        or not _whole(by, 2**32)
        or not _whole(k, _LARGEST)
    ):
        return None
    seen = said.get("view")
    found = view(seen)
    if seen is not None and found is None:
        return None
    return Place(beat, part, black, join, shown, found, by, k)  # type: ignore[arg-type]


def view(said: object) -> dict[str, Any] | None:
    """Return the view of a player, or None if it is malformed. Its numbers are bounded by the run in the browser."""
    if not isinstance(said, dict):
        return None
    numbers = {name: said.get(name) for name in _NUMBERS}
    texts = {name: said.get(name) for name in _TEXTS}
    if not all(type(number) is int and abs(number) < _LARGEST for number in numbers.values()):
        return None
    if not all(isinstance(text, str) and len(text) <= MAX_VALUE for text in texts.values()):
        return None
    return {**numbers, **texts}


def answer(said: object, outline: Outline) -> Answer | None:
    """Return a student's answer, or None if the show has no such question or the question no such answer."""
    if not isinstance(said, dict):
        return None
    beat, question, value = said.get("beat"), said.get("question"), said.get("value")
    if not _whole(beat, len(outline) - 1) or not _whole(question, len(outline[beat]) - 1):  # type: ignore[index]
        return None
    return Answer(beat, question, value) if outline[beat][question].takes(value) else None  # type: ignore[index,arg-type]
