"""Every sentence comes from the catalogue, and the catalogue holds no sentence that nobody says."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from vizkv.messages.catalogue import FOLDER, LANGUAGES, messages
from vizkv.scenario.presets import list_presets
from vizkv.ui.charts.words import config


def written(language: str) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """Key -> (whether it has plural forms, its forms), as the file has it."""
    with open(FOLDER / f"{language}.po", "rb") as file:
        found = [m for m in read_po(file, locale=language) if m.id and not m.context]
    return {
        m.id if isinstance(m.id, str) else m.id[0]: (
            not isinstance(m.id, str), (m.string,) if isinstance(m.string, str) else tuple(m.string),
        )
        for m in found
    }  # fmt: skip


ROOT = Path(__file__).parents[2]
CATALOGUES = {language: written(language) for language in LANGUAGES}
SOURCES = [*sorted((ROOT / "vizkv").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py")), ROOT / "app.py"]


def placeholders(*texts: str) -> set[str]:
    """The names in braces."""
    return {name for text in texts for name in re.findall(r"\{(\w+)(?::[^}]*)?\}", text)}


def keys_said() -> tuple[set[str], list[re.Pattern[str]]]:
    """Literal keys of say(...) calls, and patterns for those built with f-strings."""
    literal: set[str] = set()
    patterns: list[re.Pattern[str]] = []

    def take(node: ast.expr) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            literal.add(node.value)
        elif isinstance(node, ast.IfExp):
            take(node.body)
            take(node.orelse)
        elif isinstance(node, ast.JoinedStr):
            parts = (re.escape(p.value) if isinstance(p, ast.Constant) else "[^ ]+" for p in node.values)
            patterns.append(re.compile("".join(parts)))

    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.func if isinstance(node.func, ast.Call) else node.func  # say(...), link.say()(...)
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                if name in ("say", "in_markdown", "md") and node.args:
                    take(node.args[0])
                elif name == "group" and node.args and isinstance(getattr(node.args[0], "value", None), str):
                    patterns.append(re.compile(re.escape(node.args[0].value) + ".+"))
            elif isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "key" for t in node.targets):
                take(node.value)  # key = "a" if ... else "b"; say(key)
    return literal, patterns


LITERAL, PATTERNS = keys_said()


def test_every_literal_key_is_in_the_catalogue():
    known = set(messages().keys())
    missing = {k for k in LITERAL if re.fullmatch(r"[a-z]+(\.[a-z0-9_-]+)+", k)} - known
    assert not missing


def test_no_message_is_unused():
    unused = [k for k in messages().keys() if k not in LITERAL and not any(p.fullmatch(k) for p in PATTERNS)]
    assert not unused


def test_every_language_has_its_file_and_every_file_its_language():
    assert {file.stem for file in FOLDER.glob("*.po")} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_stands_twice_in_a_catalogue(language):
    ids = re.findall(
        r'^(msgctxt "[^"]+"\n)?msgid "(.+)"$', (FOLDER / f"{language}.po").read_text("utf-8"), re.MULTILINE
    )
    assert [name for name, count in Counter(ids).items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_the_keys_of_the_english_one_and_no_others(language):
    assert CATALOGUES[language].keys() == CATALOGUES["en"].keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_of_a_message_is_written(language):
    count = len(Locale.parse(language).plural_form.tags) + 1
    for key, (plural, forms) in CATALOGUES[language].items():
        assert plural == CATALOGUES["en"][key][0], key
        assert len(forms) == (count if plural else 1), key
        assert all(forms), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_has_the_placeholders_of_the_english_one(language):
    for key, (_, forms) in CATALOGUES[language].items():
        assert placeholders(*forms) == placeholders(*CATALOGUES["en"][key][1]), key


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_a_message_is_not_left_in_english(language):
    same = {k for k, (_, forms) in CATALOGUES[language].items() if forms == CATALOGUES["en"][k][1]}
    left = {k: CATALOGUES["en"][k][1][0] for k in same}
    # a name, a formula, a unit or a number is the same in every language; a sentence is not
    assert {k: t for k, t in left.items() if len(re.findall(r"[a-z]{3,}", re.sub(r"\{\w+\}|`[^`]*`", "", t))) > 3} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_written_as_the_language_does(language):
    say = messages(language)
    assert say.number(16384) == format_decimal(16384, locale=say.locale) == "16,384"
    assert say.percent(0.485) == format_percent(0.485, locale=say.locale)
    assert say("narration.finished.clean", request="A", slots=2048).count("2,048") == 1


def test_plural_forms_follow_the_count():
    say = messages()
    assert say("narration.waits", who="B", n=1) == "B waits"
    assert say("narration.waits", who="B, C", n=2) == "B, C wait"


def test_chinese_has_one_form_for_every_count():
    say = messages("zh")
    assert say.html == "zh-Hans"
    assert say("narration.waits", who="B", n=1) == say("narration.waits", who="B", n=2)


@pytest.mark.parametrize("preset", list_presets(), ids=lambda p: p.id)
def test_every_preset_has_a_title_a_question_and_something_to_try(preset):
    for part in ("title", "question", "try"):
        assert f"preset.{preset.id}.{part}" in messages()


def test_plotly_is_told_the_language_with_its_words_and_its_numbers():
    assert config(messages()) == {"displayModeBar": False}
    chinese = config(messages("zh"))
    found = chinese["locales"][chinese["locale"]]
    assert found["format"] == {"decimal": ".", "thousands": ",", "grouping": [3]}
    assert all(re.search("[\u4e00-\u9fff]", text) for text in found["dictionary"].values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_bold_words_end_where_markdown_ends_them(language):
    # "**...。**word" stays as it is written: Markdown ends bold words at a letter, or where a space follows
    wrong = [
        f"{key}: {words[-8:]}**{after[:1]}"
        for key, (_, forms) in CATALOGUES[language].items()
        for text in forms
        for words, after in zip(text.split("**")[1::2], text.split("**")[2::2], strict=False)
        if words and not words[-1].isalnum() and words[-1] != "}" and after[:1].isalnum()
    ]
    assert not wrong
