"""Every sentence comes from the catalogue, and the catalogue holds no sentence that nobody says."""

import ast
import re
from pathlib import Path

import pytest

from vizkv.messages import FOLDER, Messages, messages
from vizkv.presets import list_presets

ROOT = Path(__file__).parents[2]
SOURCES = [*sorted((ROOT / "vizkv").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py")), ROOT / "app.py"]


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
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name == "say" and node.args:
                    take(node.args[0])
                elif name == "group":
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


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.po")), ids=lambda f: f.stem)
def test_a_catalogue_has_every_key_and_placeholder_of_the_english_one(file):
    english, other = messages(), Messages(file.stem)
    assert other.keys() == english.keys()
    for key in english.keys():
        ours, theirs = (set(re.findall(r"\{(\w+)\}", form)) for m in (english, other) for form in m._forms[key][-1:])
        assert ours == theirs, key


def test_numbers_are_written_as_the_language_does():
    assert messages().number(16384) == "16,384"
    assert messages()("narration.finished.clean", request="A", slots=2048).count("2,048") == 1


def test_plural_forms_follow_the_count():
    say = messages()
    assert say("narration.waits", who="B", n=1) == "B waits"
    assert say("narration.waits", who="B, C", n=2) == "B, C wait"


@pytest.mark.parametrize("preset", list_presets(), ids=lambda p: p.id)
def test_every_preset_has_a_title_a_question_and_something_to_try(preset):
    for part in ("title", "question", "try"):
        assert f"preset.{preset.id}.{part}" in messages()
