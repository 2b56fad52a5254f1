"""Compile a script into a show: beats with their exhibits, questions and texts, each payload once."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vizkv import __version__
from vizkv.exhibit.exhibit import Exhibit
from vizkv.exhibit.player import opened
from vizkv.lecture import Beat, Lecture
from vizkv.lecture.questions import Question, question
from vizkv.messages.catalogue import Messages, messages
from vizkv.show import beats, prose
from vizkv.views.facts.moments import start_of
from vizkv.views.view import Limits, parse

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Show:
    """A compiled lecture. ``score``: what is the same in all languages; ``words``: the rest, by language.

    ``payloads``: by digest.
    """

    score: dict[str, Any]
    words: dict[str, dict[str, Any]]
    payloads: dict[str, bytes]

    @property
    def titles(self) -> dict[str, str]:
        """The lecture's title by language."""
        return {language: told["title"] for language, told in self.words.items()}


def compiled(lecture: Lecture, languages: Sequence[str], progress: Progress = lambda done, total: None) -> Show:
    """Run everything that a script shows. Raises ScenarioError."""
    says = [messages(language) for language in languages]
    total, done = sum(beats.work(beat) for beat in lecture.beats), 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    score: list[dict[str, Any]] = []
    words: dict[str, dict[str, Any]] = {
        say.language: {
            "lang": say.html, "title": lecture.text("title", say.language), "say": say.group("show."),
            "exhibits": {}, "beats": [],
        }
        for say in says
    }  # fmt: skip
    payloads: dict[str, bytes] = {}
    for number, beat in enumerate(lecture.beats):
        made = beats.exhibit(beat, says, tick)
        payloads[made.digest] = made.payload
        key = _key(made)
        for say in says:
            words[say.language]["exhibits"][key] = made.words[say.language].inner
        score.append(_beat(beat, made, key, says[0]))
        for say in says:
            words[say.language]["beats"].append(_told(lecture, number, made, say))
        tick()
    whole = {"vizkv": __version__, "languages": list(languages), "beats": score}
    name = hashlib.sha256(json.dumps([whole, words], sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]
    return Show(whole | {"id": name}, words, payloads)


def _key(made: Exhibit) -> str:
    """Return the name of an exhibit's words: two beats of one run have the same."""
    told = json.dumps({language: words.inner for language, words in made.words.items()}, sort_keys=True)
    return hashlib.sha256((made.digest + told).encode()).hexdigest()[:16]


def _views(beat: Beat, words: dict[str, str]) -> dict[str, Any]:
    """Return the view that a beat's words open in its run."""
    assert beat.scenario is not None and beat.example is not None
    trace = beats.run(beat.scenario)
    view, _ = parse(words, Limits.of(trace), start_of(trace, beat.example))
    return opened(view)


def _beat(beat: Beat, made: Exhibit, key: str, say: Messages) -> dict[str, Any]:
    return {
        "kind": made.kind, "payload": made.digest, "words": key, "view": made.view, "app": beats.address(beat),
        "minutes": beat.minutes, "questions": [_question(beat, n, say) for n in range(len(beat.ask))],
    }  # fmt: skip


def _asked(beat: Beat, number: int, say: Messages) -> Question:
    assert beat.scenario is not None
    return question(beat, number, beats.run(beat.scenario), say)


def _question(beat: Beat, number: int, say: Messages) -> dict[str, Any]:
    """Return what of a question is the same in all languages. ``veil``: the picture would show the colour asked for."""
    found = _asked(beat, number, say)
    before, after = _views(beat, beat.asking(number)), _views(beat, found.words)
    same = all(before[name] == after[name] for name in ("step", "lens", "accounting"))
    return {
        "answer": found.answer, "view": before, "reveal": after, "system": found.system, "pick": found.pick,
        "size": found.size, "veil": same and beat.ask[number].kind == "colour",
    }  # fmt: skip


def _told(lecture: Lecture, number: int, made: Exhibit, say: Messages) -> dict[str, Any]:
    beat, words = lecture.beats[number], made.words[say.language]
    title, notes, text = (lecture.text(field, say.language, number + 1) for field in ("title", "notes", "text"))
    asked = [_asked(beat, n, say) for n in range(len(beat.ask))]

    def opens(link: dict[str, str]) -> str:
        return json.dumps(_views(beat, beat.words() | {"mark": "", "lit": ""} | link) if made.kind == "player" else {})

    return {
        "title": title, "notes": prose.html(notes, opens), "text": prose.html(text, opens),
        "alt": words.alt, "caption": words.caption,
        "questions": [
            {"text": one.text, "told": one.told, "choices": [[c.value, c.label] for c in one.choices]} for one in asked
        ],
    }  # fmt: skip


def packed(words: dict[str, Any]) -> bytes:
    """Return the words of one language as a file."""
    return zlib.compress(json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode(), 9)
