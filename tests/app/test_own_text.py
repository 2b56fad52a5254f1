"""The prompt box of the page "Block table": whatever is typed into it gets an answer or one sentence."""

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from tests.app.visitor import link_of, opened, player, rested, warnings
from vizkv.messages.catalogue import messages
from vizkv.model import load_model
from vizkv.model.tokenizer import Tokenizer
from vizkv.scenario.schema import ScenarioError
from vizkv.ui import link
from vizkv.ui.table import own_text
from vizkv.ui.table.own_text import POOLS, Wish, scenario_of, wish_of

ANSWERED = {
    "one letter": "a",
    "one space before": " the",
    "Chinese": "内存去了哪里？",
    "Arabic": "أين تذهب الذاكرة؟",
    "Hindi": "स्मृति कहाँ जाती है",
    "emoji": "🙂🙂👩‍👩‍👧‍👦",
    "zero width": "\u200b\u200d\ufeff",
    "control characters": "a\x00b\x07\x1b[31m",
    "lines": "Roses are red,\nViolets are\r\nblue\t.",
    "right to left override": "abc\u202edef",
    "markdown": "**bold** [x](y) $a_b$ `c` | <b>html</b> &amp; :smile: \\",
    "the end of a text": "<|endoftext|>",
    "combining": "e\u0301\u0301\u0301\u0301",
    "not yet a character": "\ufffd\uffff\U0010ffff",
}


@pytest.fixture(scope="module")
def tokenizer():
    return load_model("tiny").tokenizer


@pytest.fixture
def page():
    return opened("table")


def typed(app, text):
    app.text_input[0].set_value(text)
    return rested(app.button[0].click())


@pytest.mark.parametrize("text", ANSWERED.values(), ids=list(ANSWERED))
def test_text_of_any_kind_is_answered(page, tokenizer, text):
    app = typed(page, text)
    assert not warnings(app)
    view, header, _ = player(app)
    count = len(tokenizer.encode(text))
    assert header["requests"][0]["prompt_tokens"] == count
    assert (view["step"], view["play"]) == (0, True)
    assert len(app.success) == 1  # and what the model wrote is what it writes without any cache
    assert len(app.get("plotly_chart")) == 2


@pytest.mark.parametrize("text", list(ANSWERED.values()), ids=list(ANSWERED))
def test_a_link_reproduces_the_text(page, text):
    again = opened("table", **link_of(typed(page, text)))
    assert not warnings(again)
    assert again.text_input[0].value == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (" \t \u3000 ", "empty"),
        ("word " * 101, "tokens; beside"),
        ("内存去了哪里？" * 40, "tokens; beside"),
        ("x" * 2001, "2,001 characters"),
        ("😀" * 100_000, "100,000 characters"),
    ],
    ids=["empty", "spaces", "long", "long Chinese", "too many characters", "far too many"],
)
def test_what_cannot_be_answered_gets_one_sentence_and_the_picture_stays(page, text, says):
    before = player(page)[0]["trace"]
    app = typed(page, text)
    assert len(warnings(app)) == 1 and says in warnings(app)[0]
    assert player(app)[0]["trace"] == before
    assert app.text_input[0].value == text  # to be shortened
    assert not warnings(typed(app, "Now it is short enough"))


def test_the_sentence_says_how_many_tokens_fit(tokenizer):
    wish = Wish("a b c d e f g h i j k l m n o p q r s t u v w x y z " * 3, tokens=40, block_size=16)
    with pytest.raises(ScenarioError, match=r"has (\d+) tokens; .* and the neighbour, (\d+) fit") as refused:
        scenario_of(wish, tokenizer, messages())
    fit = int(str(refused.value).split("neighbour, ")[1].split(" fit")[0])
    ids = tokenizer.encode(wish.prompt)
    assert scenario_of(Wish(tokenizer.decode(ids[:fit]), 40, 16), tokenizer, messages()).slots == POOLS[-1]
    with pytest.raises(ScenarioError):
        scenario_of(Wish(tokenizer.decode(ids[: fit + 1]), 40, 16), tokenizer, messages())


@pytest.mark.parametrize("size", own_text.BLOCK_SIZES)
@pytest.mark.parametrize("tokens", [1, 24, 64])
@pytest.mark.parametrize("neighbour", [True, False])
def test_every_setting_gives_a_pool_that_holds_both_texts_and_can_be_read(tokenizer, size, tokens, neighbour):
    wish = Wish("Four score and seven", tokens, size, neighbour)
    if neighbour and tokens == 64 and size == 16:
        wish = Wish("Four", tokens, size, neighbour)
    scenario = scenario_of(wish, tokenizer, messages())
    assert 32 <= scenario.slots <= 128 and scenario.slots % size == 0
    assert wish_of(scenario) == wish


def test_the_page_opens_with_what_its_box_would_make(tokenizer):
    preset = link.presets("table")[own_text.PRESET]
    assert scenario_of(wish_of(preset.scenario), tokenizer, messages()) == preset.scenario


def test_the_settings_are_followed_and_the_reader_stays(page):
    app = page
    app = rested(app.slider[0].set_value(10))
    _, header, _ = player(app)
    assert header["requests"][0]["final_slots"] == 7 + 10 - 1
    app = rested(app.toggle[0].set_value(False))
    view, header, _ = player(app)
    assert [r["id"] for r in header["requests"]] == ["A"]
    assert view["keep"] and not view["play"]


def test_a_setting_that_does_not_fit_goes_back(page):
    app = typed(page, "word " * 60)
    assert not warnings(app)
    app = rested(app.slider[0].set_value(64))
    assert len(warnings(app)) == 1 and "tokens; beside" in warnings(app)[0]
    assert app.slider[0].value == 24


def test_a_text_of_which_a_model_knows_nothing_is_a_sentence():
    backend = Backend(WordLevel({"[UNK]": 0, "the": 1, "best": 2}, unk_token="[UNK]"))
    backend.pre_tokenizer = Whitespace()
    with pytest.raises(ScenarioError, match="knows no character"):
        scenario_of(Wish("内存 去了"), Tokenizer(backend), messages())
    assert scenario_of(Wish("内存 the"), Tokenizer(backend), messages()).requests[0].prompt == "内存 the"
