"""A counted word has the form of its count, in every message and for every count."""

import re

import pytest

from vizkv.messages.catalogue import messages

SAY = messages()
NOUNS = [
    "slot",
    "token",
    "block",
    "step",
    "byte",
    "character",
    "request",
    "system",
    "run",
    "pair",
    "beam",
    "line",
    "text",
    "measurement",
    "slide",
    "beat",
    "sequence",
    "point",
    "layer",
    "card",
    "seed",
    "iteration",
    "number",
    "head",
    "bit",
    "time",
    "thread",
    "question",
    "reference",
    "piece",
    "copy",
    "continuation",
]
# what follows a number and ends in s without being a plural
SINGULAR = "is was has as its ms fits reads does"
MORE = r"(?:(?:written|prompt|more|sampled|output|recorded|cached|KV) )?"
ONE = re.compile(rf"(?<![.,\d])1\**\s{MORE}(?!(?:{SINGULAR.replace(' ', '|')})\b)(?:[a-z]+s|are|were|have)\b")
# "{layers} layer × {heads} KV head": a formula is no sentence, but its words are counted too
OTHER = re.compile(rf"(?<![.,\d])[02]\**\s(?:{MORE}(?:{'|'.join(NOUNS)})|is|was|has)\b")
# placeholders that name something and do not count it: "at step 2 slot 2 is"
NAMES = [
    "system",
    "request",
    "who",
    "parent",
    "others",
    "victim",
    "needy",
    "running",
    "model",
    "name",
    "path",
    "what",
    "category",
    "word",
    "words",
    "other",
    "block",
    "step",
    "slot",
    "page",
    "range",
    "position",
    "size",
    "row",
    "index",
    "source",
    "location",
    "beat",
    "second",
    "field",
]
# the browser fills these, and knows no forms
RAW = ("player.", "live.", "lecture.bar.", "share.told.", "class.told.")


def fields(key: str) -> set[str]:
    """The placeholders of a message."""
    return {name for form in SAY._forms[key] for name in re.findall(r"\{(\w+)", form)}


def said(key: str, n: int) -> str:
    """The message with every count that it has at ``n``."""
    return SAY(key, **{name: "X" if name in NAMES else n for name in {*fields(key), "n"}})


COUNTED = [key for key in SAY.keys() if fields(key) and not key.startswith(RAW)]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_every_message_agrees_with_its_count(n):
    wrong = ONE if n == 1 else OTHER
    texts = {key: said(key, n) for key in COUNTED}
    assert {key: text for key, text in texts.items() if wrong.search(text)} == {}


def test_what_the_browser_fills_counts_no_word():
    raw = [key for key in SAY.keys() if key.startswith(RAW)]
    assert [key for key in raw if any("|" in form for form in SAY._forms[key])] == []
    # of one step a second the player has a message of its own: player.speed.one
    assert [key for key in raw if ONE.search(said(key, 1))] == ["player.speed.rate"]


@pytest.mark.parametrize(
    ("n", "text"), [(0, "0 slots"), (1, "1 slot"), (2, "2 slots"), (1.0, "1 slot"), (1.5, "1.5 slots")]
)
def test_a_number_brings_the_form_of_its_word(n, text):
    assert f"The pool has {text}." in f"The pool has {SAY('pressure.sizes.pool', slots=n)}."


def test_a_number_that_is_written_already_is_more_than_one():
    assert SAY("cache.says.doubling", points="1.0").startswith("Doubling the pool brings 1.0 points")


def test_chinese_has_one_form_for_every_count():
    assert messages("zh")("pressure.sizes.pool", slots=1) == messages("zh")("pressure.sizes.pool", slots=2).replace(
        "2", "1"
    )
