"""The script of a lecture: one TOML file, a table a beat; each names exactly what is open while it is spoken about.

Every refusal is a :class:`~vizkv.scenario.ScenarioError`: one sentence that names the field, the value and what would
be valid. ``scripts/lecture.toml`` is the one that comes with the app, and says in its head how to write another.
"""

from __future__ import annotations

import tomllib
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from vizkv.limits.files import read_file
from vizkv.limits.limits import MAX_SCRIPT
from vizkv.limits.readers import TooMuch, parse_toml
from vizkv.messages.reasons import reason
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, listed, sentence, shorten
from vizkv.scenario.code import from_code, to_code
from vizkv.scenario.presets import Preset, list_presets, preset
from vizkv.scenario.requests import RequestId
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict, to_dict
from vizkv.systems.base.parts import Flag, Label, Part, Whole
from vizkv.trace.slots import Accounting, Lens
from vizkv.views.view import mark_of

FOLDER = Path(__file__).parent / "scripts"
MAX_BEATS = 60
WITHOUT_PRESETS = ("cost",)  # pages that run no scenario

Page = Literal["memory", "table", "sharing", "pressure", "paper", "cost", "whatif", "sweep", "cache"]
Category = Literal["used", "reserved", "internal", "external", "free"]
Step = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True), Whole]
Index = Annotated[int, Field(ge=0, le=31, strict=True), Whole]
Place = Annotated[int, Field(ge=0, le=4_194_303, strict=True), Whole]
Word = Annotated[str, Field(max_length=1000)]


class Texts(Part):
    """A text in both languages; whoever teaches in one of them writes that one."""

    en: str = Field(default="", max_length=4000)
    zh: str = Field(default="", max_length=4000)

    @model_validator(mode="after")
    def _said(self) -> Texts:
        if not (self.en or self.zh):
            raise ValueError(told("is empty; valid is a text, or a table with en, zh or both"))
        return self

    def of(self, language: str) -> str:
        """The text in a language, or in the other one where it has none in this."""
        return (self.zh or self.en) if language.startswith("zh") else (self.en or self.zh)


def _one_text(value: Any) -> Any:
    """A plain string is the text in every language."""
    return {"en": value, "zh": value} if isinstance(value, str) else value


Text = Annotated[Texts, BeforeValidator(_one_text)]


class Ask(Part):
    """A question before the beat's state is shown. Its answer is not written here: the trace gives it.

    ``step`` and ``lens`` are what is open while it is asked, the beat's own if left out.
    """

    kind: Literal[
        "colour", "count", "fits", "next-block", "next-slot", "block-of", "free-blocks", "hit", "victim",
    ]  # fmt: skip
    system: Index = 0
    request: RequestId = ""
    slot: Place | None = None
    position: Place | None = None
    category: Category | None = None
    step: Step | None = None
    lens: Lens | None = None
    at: Step | None = None
    finish: Flag = False

    @model_validator(mode="after")
    def _whole(self) -> Ask:
        needs = {
            "colour": ("slot",), "count": ("category",), "fits": ("request",), "next-block": ("request",),
            "next-slot": ("request",), "block-of": ("request", "position"), "hit": ("request",),
        }.get(self.kind, ())  # fmt: skip
        missing = [name for name in needs if getattr(self, name) in (None, "")]
        if missing:
            raise ValueError(
                told(
                    "is of kind {kind}, which needs {needs}; {missing} is missing",
                    kind=self.kind, needs=listed(list(needs)), missing=missing[0],
                )
            )  # fmt: skip
        if self.finish and not self.request:
            raise ValueError(told("has finish = true, which needs request: the one that finishes"))
        return self


class Beat(Part):
    """One state of the app, and what is said about it."""

    title: Text
    notes: Text | None = None
    text: Text | None = None
    minutes: Annotated[float, Field(ge=0, le=600)] = 3
    page: Page
    preset: Label = ""
    change: dict[str, Any] = Field(default_factory=dict)
    s: str = Field(default="", max_length=65_536)
    step: Step | None = None
    lens: Lens | None = None
    accounting: Accounting | None = None
    colour: Literal["state", "request"] | None = None
    focus: Index | None = None
    request: RequestId = ""
    position: Place | None = None
    lit: Category | None = None
    lit_in: Index | None = None
    mark: Annotated[str, Field(max_length=40)] = ""
    more: dict[str, Word] = Field(default_factory=dict)
    ask: list[Ask] = Field(default_factory=list, max_length=5)

    @model_validator(mode="after")
    def _holds(self) -> Beat:
        known = {p.id: p for p in list_presets() if p.page == self.page}
        if self.page in WITHOUT_PRESETS:
            if self.preset or self.change or self.s:
                raise ValueError(
                    told("has a scenario, but the page {page} runs none; valid is a beat without one", page=self.page)
                )
        elif self.preset not in known:
            raise ValueError(
                told(
                    "has preset = {preset}; valid on the page {page} is {valid}",
                    preset=shorten(self.preset), page=self.page, valid=either(list(known)),
                )
            )  # fmt: skip
        if self.change and self.s:
            raise ValueError(told("has both change and s; valid is one of them"))
        if self.ask and not (self.preset and known[self.preset].scenario.requests):
            raise ValueError(
                told("has questions, but nothing that is run step by step; valid is a preset with requests")
            )
        try:
            _ = self.scenario
        except ScenarioError as error:
            why = told("has a scenario that cannot be run ({error})", error=error)
            raise ValueError(why) from None
        return self

    @property
    def example(self) -> Preset | None:
        """The preset that it begins with; None on a page that runs no scenario."""
        return preset(self.preset) if self.preset else None

    @cached_property
    def scenario(self) -> Scenario | None:
        """What is run: the preset's scenario with the changes."""
        if self.example is None:
            return None
        if self.s:
            return from_code(self.s)
        if not self.change:
            return self.example.scenario
        whole = to_dict(self.example.scenario)
        for name, value in self.change.items():
            both = isinstance(value, dict) and isinstance(whole.get(name), dict)
            whole[name] = whole[name] | value if both else value
        return from_dict(whole)

    def words(self) -> dict[str, str]:
        """The state as the words of a link: what ``vizkv.ui.link.take`` opens."""
        found: dict[str, str] = {"preset": self.preset} if self.preset else {}
        if self.example is not None and self.scenario is not None and self.scenario != self.example.scenario:
            found["s"] = to_code(self.scenario)
        for name in ("step", "lens", "accounting", "colour", "focus", "request", "position", "lit", "lit_in", "mark"):
            if (value := getattr(self, name)) not in (None, ""):
                found[name] = str(value)
        return found | self.more

    def asking(self, number: int) -> dict[str, str]:
        """The words of the state in which a question is put."""
        ask = self.ask[number]
        found = {k: v for k, v in self.words().items() if k not in ("lit", "lit_in", "position", "mark")}
        if ask.kind == "colour" and ask.slot is not None:  # everybody has to see which one is meant
            found["mark"] = mark_of(ask.system, ask.slot, ask.slot)
        return found | {n: str(v) for n in ("step", "lens") if (v := getattr(ask, n)) is not None}


class Lecture(Part):
    """A script."""

    title: Text
    beats: list[Beat] = Field(min_length=1, max_length=MAX_BEATS)

    def text(self, field: str, language: str, beat: int = 0) -> str:
        """``title``, ``notes`` or ``text`` of a beat (from 1), or of the lecture itself (0); "" where there is none."""
        found: Texts | None = getattr(self.beats[beat - 1] if beat else self, field, None)
        return found.of(language) if found is not None else ""


def read(source: str | bytes | Path) -> Lecture:
    """A script from its text, its bytes or its file. Raises ScenarioError."""
    if isinstance(source, Path):
        try:
            source = read_file(source, MAX_SCRIPT)
        except OSError as error:
            raise ScenarioError(told("The file {path!r} cannot be read: {why}.", path=str(source), why=error)) from None
        except ValueError:
            raise ScenarioError(
                told("The file name {path!r} is not one that a file can have.", path=str(source))
            ) from None
    if len(source) > MAX_SCRIPT:
        raise ScenarioError(
            told("The script is larger than {most} bytes; valid is at most that many.", most=MAX_SCRIPT)
        )
    if isinstance(source, bytes):
        try:
            source = source.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ScenarioError(told("The file is not text; a script is a TOML file in UTF-8.")) from None
    source = source.replace("\r\n", "\n")
    try:
        data = parse_toml(source)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(told("The file is not valid TOML: {error}.", error=reason(error))) from None
    except TooMuch as error:
        raise ScenarioError(str(error)) from None
    except (RecursionError, ValueError):
        raise ScenarioError(told("The file is not a script: a list or a number in it has no end.")) from None
    try:
        return Lecture.model_validate(data)
    except ValidationError as error:
        raise ScenarioError(sentence(error, Lecture)) from None


@cache
def default() -> Lecture:
    """The lecture that comes with the app."""
    return read(FOLDER / "lecture.toml")
