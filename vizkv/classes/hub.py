"""The classes of this server: where each stands, and what its students answered. No sockets, no HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from vizkv.classes import kept, protocol
from vizkv.classes.protocol import Outline, Place
from vizkv.messages.sentence import told

MAX_CLASSES = 64  # at a time
MAX_STUDENTS = 3000  # browsers of a class at a time
MAX_LECTURERS = 12  # windows and devices of a lecturer
MAX_VOTERS = 5000  # different students who answer in a class
IDLE_S = 12 * 3600.0  # a class without any connection for so long may make room for a new one
TALLY_S = 0.25  # counts are told at most so often
LETTERS = "bcdfhkmnprtwxyz"  # no two look alike from the last row, and without vowels they make no words
LENGTH = 6
_SECRET_BYTES = 18


class FullError(ValueError):
    """The server holds as many classes as it may; the message is one sentence."""


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


@dataclass
class Class:
    """One class. ``lock``: the digest of the lecturer's secret. ``n`` counts the lecturer's places.

    ``far``: the furthest (beat, part) that was shown: a student on their own comes no further. ``answers``: of a
    question, the last value of each voter. ``shown``: how many students were there when a question was put.
    """

    code: str
    show: str
    outline: Outline
    lock: str
    place: Place = field(default_factory=Place)
    n: int = 0
    far: tuple[int, int] = (0, 0)
    answers: dict[tuple[int, int], dict[str, str]] = field(default_factory=dict)
    shown: dict[tuple[int, int], int] = field(default_factory=dict)
    over: bool = False
    students: int = 0  # connected now
    lecturers: int = 0
    seen: float = field(default_factory=time.monotonic)
    version: int = 0  # counts everything that is told
    news: asyncio.Event = field(default_factory=asyncio.Event)
    _texts: dict[bool, tuple[int, str]] = field(default_factory=dict)
    _later: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self.log = kept.Log(self.code)

    # -- state ---------------------------------------------------------------------------------------------------------

    def is_lecturer(self, secret: str) -> bool:
        """Return whether the secret is the lecturer's."""
        return hmac.compare_digest(self.lock, _digest(secret))

    @property
    def idle(self) -> bool:
        """Return whether the class has been without a connection for so long that it may go."""
        return not self.students and not self.lecturers and time.monotonic() - self.seen > IDLE_S

    def move(self, place: Place) -> None:
        """Take a new place, write it down, then tell everybody."""
        self.place, self.n = place, self.n + 1
        self.far = max(self.far, (place.beat, place.part))
        self._count_shown()
        self._keep({"place": asdict(place), "n": self.n})
        self.tell()

    def _count_shown(self) -> None:
        at = protocol.asked(self.outline, self.place)
        if at and self.students > self.shown.get(at, 0):
            self.shown[at] = self.students
            self._keep({"shown": [*at, self.students]})

    def answer(self, voter: str, given: protocol.Answer) -> bool:
        """Take an answer to the question that is put now; return whether it was taken."""
        at = (given.beat, given.question)
        if protocol.asked(self.outline, self.place) != at:
            return False
        known = self.answers.setdefault(at, {})
        if known.get(voter) == given.value:
            return True
        if voter not in known and len(known) >= MAX_VOTERS:
            return False
        known[voter] = given.value
        self._count_shown()
        self._keep({"answer": [*at, voter, given.value]})
        self.tell_soon()
        return True

    def given(self, voter: str) -> str | None:
        """Return what a student answered to the question at this place."""
        at = protocol.shows(self.outline, self.place)
        return self.answers.get(at, {}).get(voter) if at else None

    def tally(self, at: tuple[int, int]) -> Counter[str]:
        """Return how often each value was given."""
        return Counter(self.answers.get(at, {}).values())

    # -- the file ------------------------------------------------------------------------------------------------------

    def _keep(self, entry: dict[str, Any]) -> None:
        if self.log.lines > kept.REWRITE_LINES + MAX_VOTERS:
            self.log.rewrite(self.entries())
        else:
            self.log.append(entry)

    def entries(self) -> list[dict[str, Any]]:
        """Return all that has to be written down."""
        outline = [[[one.answer, list(one.values), one.pick] for one in beat] for beat in self.outline]
        return [
            {"show": self.show, "lock": self.lock, "outline": outline},
            {"place": asdict(self.place), "n": self.n, "far": list(self.far)},
            *({"shown": [*at, count]} for at, count in self.shown.items()),
            *({"answer": [*at, voter, value]} for at, all in self.answers.items() for voter, value in all.items()),
        ]

    @classmethod
    def of(cls, code: str) -> Class | None:
        """Return the class that a file describes; None if it describes none. What in it cannot be is passed over."""
        entries = kept.Log(code).read()
        try:
            head = entries[0]
            outline = tuple(
                tuple(protocol.Asked(str(a), tuple(map(str, values)), bool(pick)) for a, values, pick in beat)
                for beat in head["outline"]
            )
            found = cls(code, str(head["show"]), outline, str(head["lock"]))
        except (IndexError, KeyError, TypeError, ValueError):
            return None
        if not outline:
            return None
        found.log.lines = len(entries)
        for entry in entries[1:]:
            found._replay(entry)
        return found

    def _replay(self, entry: dict[str, Any]) -> None:
        place, n = protocol.place(entry.get("place"), self.outline), entry.get("n")
        if place and type(n) is int:
            self.place, self.n = place, max(self.n, n)
            far = entry.get("far")
            if isinstance(far, list) and len(far) == 2 and all(type(one) is int for one in far):
                self.far = max(self.far, (far[0], far[1]))
            self.far = max(self.far, (place.beat, place.part))
        for kind in ("answer", "shown"):
            words = entry.get(kind)
            if not isinstance(words, list) or len(words) != (4 if kind == "answer" else 3):
                continue
            if kind == "shown" and all(type(one) is int for one in words):
                self.shown[words[0], words[1]] = words[2]
            elif kind == "answer" and isinstance(words[2], str):
                said = {"beat": words[0], "question": words[1], "value": words[3]}
                if given := protocol.answer(said, self.outline):
                    self.answers.setdefault((given.beat, given.question), {})[words[2]] = given.value

    def adopt(self, outline: Outline) -> None:
        """Go on with a show that was compiled anew: the place and the answers stay as far as it has them."""
        if outline == self.outline:
            return
        self.outline = outline
        self.place = self.place.within(outline)
        self.far = max((one for one in [self.far] if one[0] < len(outline)), default=(self.place.beat, self.place.part))
        self.answers = {
            (beat, q): kept_
            for (beat, q), values in self.answers.items()
            if beat < len(outline) and q < len(outline[beat])
            if (kept_ := {voter: value for voter, value in values.items() if outline[beat][q].takes(value)})
        }
        self.n += 1
        self.log.rewrite(self.entries())
        self.tell()

    # -- what is told --------------------------------------------------------------------------------------------------

    def tell(self) -> None:
        """Wake everybody who listens. Call it in the server's event loop only."""
        self.version += 1
        before, self.news = self.news, asyncio.Event()
        before.set()

    def tell_soon(self) -> None:
        """Tell of counts, which may come by the thousand, a few times a second."""
        if self._later is not None:
            return
        try:
            self._later = asyncio.get_running_loop().call_later(TALLY_S, self._tell_counts)
        except RuntimeError:  # no event loop: nobody listens
            return

    def _tell_counts(self) -> None:
        self._later = None
        self.tell()

    def message(self, lecturer: bool) -> str:
        """Return what a lecturer or a student is told now; made once for all of them."""
        version, text = self._texts.get(lecturer, (-1, ""))
        if version != self.version:
            text = json.dumps(self._message(lecturer), separators=(",", ":"))
            self._texts[lecturer] = (self.version, text)
        return text

    def _message(self, lecturer: bool) -> dict[str, Any]:
        found: dict[str, Any] = {"n": self.n, "place": asdict(self.place), "far": self.far}
        at = protocol.shows(self.outline, self.place)
        if at and (lecturer or self.place.shown):
            found["tally"] = {
                "at": at,
                "by": dict(self.tally(at).most_common(200)),
                "all": len(self.answers.get(at, {})),
            }
        if lecturer:
            found |= {"students": self.students, "kept": self.log.works}
        return found


class Hub:
    """All classes of a server process. Those on disk are read when they are asked for."""

    def __init__(self) -> None:
        self.classes: dict[str, Class] = {}
        self._read = False

    def _open(self) -> None:
        if self._read:
            return
        self._read = True
        for code in kept.codes():
            if len(self.classes) < MAX_CLASSES and (found := Class.of(code)):
                self.classes[code] = found

    def begin(self, show: str, outline: Outline) -> tuple[Class, str]:
        """Return a new class and the lecturer's secret. Raises FullError; a class that is used never goes for it."""
        self._open()
        if len(self.classes) >= MAX_CLASSES:
            for code in [code for code, one in self.classes.items() if one.idle]:
                self.end(code)
        if len(self.classes) >= MAX_CLASSES:
            raise FullError(
                told(
                    "There are {most} classes, as many as this server holds; valid is to begin yours when one of them "
                    "has ended. One without lecturer and students makes room after {hours:g} hours.",
                    most=MAX_CLASSES,
                    hours=IDLE_S / 3600,
                )
            )
        code = next(code for code in iter(_code, "") if code not in self.classes)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        new = self.classes[code] = Class(code, show, outline, _digest(secret))
        new.log.rewrite(new.entries())
        return new, secret

    def find(self, code: str) -> Class | None:
        """Return the class of that code, or None if there is none."""
        self._open()
        found = self.classes.get(code.lower())
        if found:
            found.seen = time.monotonic()
        return found

    def end(self, code: str) -> None:
        """End a class: whoever is connected is told, and its file is deleted."""
        found = self.classes.pop(code, None)
        if found:
            found.over = True
            found.log.delete()
            found.tell()


def _code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
