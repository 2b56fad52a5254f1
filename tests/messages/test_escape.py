"""A text from outside stands in Markdown, HTML and Plotly as it is. That Streamlit shows it so: tests/browser."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from vizkv.messages.catalogue import messages
from vizkv.messages.escape import Markdown, markdown, plotly

HOSTILE = (
    "![x](//host.example/p.png)", "[x](//host.example)", "<img src=//host.example/p.png>", "<http://host.example>",
    "$x^2$", "$$x$$", ":material/home:", ":red[x]", ":red-background[x]", ":smile:", ":streamlit:", ":help[x]",
    ":small[x]", "https://host.example", "www.host.example", "a@host.example", "**b**", "_i_", "__b__", "~~s~~", "`c`",
    "&lt;", "a\\*b",
    "# h", "> q", "- l", "+ l", "1. l", "2) l", "---", "===", "| a | b |", "[x]: //host.example/p.png", "![x][x]",
    "![x]",
    "[^1]", "a -> b", "a <= b", "a -- b", "]", "!", "\\", "x\ny", "</script>", "{x}", ":::a", "::a[b]{c}",
)  # fmt: skip
ORDINARY = (
    "Orca (Max)", "Multiple of 3, swap", "The field systems[0].block_size is 16384; valid is 1 to 4,096.",
    "external & others", "12:30", "max_num_seqs", "A 5 % share", "-5", "1.5", "E: x", "“Four score”", "a < b > c",
    "问：答",
)  # fmt: skip


def shown(text):
    """What a reader of CommonMark (with tables and strike-through) sees of a text; anything else than text fails."""
    reader = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])
    (opened, inline, closed) = reader.parse(text)
    assert (opened.type, closed.type) == ("paragraph_open", "paragraph_close"), text
    parts = []
    for token in inline.children:
        assert token.type in ("text", "text_special"), (token.type, text)
        parts.append(token.content)
    return "".join(parts)


def seen(text):
    return re.sub(r"\s+", " ", text.replace("\u2060", "")).strip()


@pytest.mark.parametrize("text", HOSTILE + ORDINARY)
def test_markdown_shows_a_text_as_it_stands(text):
    assert seen(shown(markdown(text))) == seen(text)
    assert seen(shown(f"Here {markdown(text)} is.")) == f"Here {seen(text)} is."


MARKS = st.text(st.sampled_from("ab1 \\`*_{}[]<>()#+-.!|~$:&@=/\n\"'^%,;?"), min_size=1, max_size=14)


@given(MARKS)
def test_markdown_shows_any_marks_as_they_stand(text):
    if not text.strip():
        return
    assert seen(shown(str(markdown(text.strip())))) == seen(text)


@given(MARKS)
def test_what_streamlit_looks_for_in_text_is_parted(text):
    """Icons, emoji and links are found in what is left of the marks, so a backslash does not keep them away."""
    left = shown(str(markdown(text.strip() or "a")))
    assert not re.search(r":[\w+-]+[:/]|https?://|www\.|\w@\w", left)


@pytest.mark.parametrize("text", ORDINARY[:5] + ORDINARY[6:])
def test_an_ordinary_text_is_left_as_it_is(text):
    assert markdown(text) == text


def test_what_is_markdown_already_is_not_escaped_again():
    assert markdown(Markdown("**b**")) == "**b**"
    assert Markdown(", ").join(["*a*", Markdown("*b*")]) == r"\*a\*, *b*"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sentence_in_markdown_keeps_its_own_marks_and_escapes_what_is_put_in(language):
    say = messages(language)
    made = say.in_markdown("compact.at", step=3)
    assert made == say("compact.at", step=3) and "**" in made
    made = say.in_markdown("heat.token", request="![x](y)", position=1, token=Markdown("`t`"))
    assert r"![x\](y)" in made and "`t`" in made and made.startswith("**")
    assert say.in_markdown.error(ValueError("*")) == r"\*"
    assert say.in_markdown.name("*a*, *b*") == r"\*a\*, \*b\*"
    assert say.in_markdown.in_markdown("compact.at", step=3) == say("compact.at", step=3)


@pytest.mark.parametrize("text", ["<b>x</b>", "a<br>b", "<a href='//h'>x</a>", "&lt;", "%{y}", "%{customdata[0]}"])
def test_plotly_finds_no_mark_in_a_text(text):
    made = plotly(text)
    assert "<" not in made and "%{" not in made
    assert made.replace("&lt;", "<").replace("&gt;", ">").replace("&#123;", "{").replace("&amp;", "&") == text
