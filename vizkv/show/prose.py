"""The reader's text of a beat: paragraphs with a few marks, and links that move the picture beside them.

``**bold**``, ``*slanted*``, `` `code` `` and ``[words](step=100&lens=hindsight)``, whose words are those of a link.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from urllib.parse import parse_qsl

from vizkv.messages.sentence import told
from vizkv.messages.validation import shorten
from vizkv.scenario.schema import ScenarioError

_MARKS = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*(.+?)\*"), r"<em>\1</em>"),
    (re.compile(r"`(.+?)`"), r"<code>\1</code>"),
)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]*)\)")
Opens = Callable[[dict[str, str]], str]


def html(text: str, opens: Opens) -> str:
    """Return a text as HTML. ``opens``: the JSON of the view that a link's words mean; it raises ScenarioError."""

    def link(found: re.Match[str]) -> str:
        words = dict(parse_qsl(found[2].replace("&amp;", "&")))
        if not words:
            raise ScenarioError(
                told("The text has a link to {link}; valid is one such as step=100&lens=hindsight.",
                     link=repr(shorten(found[2])))
            )  # fmt: skip
        view = escape(opens(words), quote=True)
        return f'<button type="button" class="goes" data-view="{view}">{found[1]}</button>'

    parts = [part.strip() for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    return "".join(f"<p>{_LINK.sub(link, _marked(escape(part, quote=False)))}</p>" for part in parts)


def _marked(text: str) -> str:
    for pattern, becomes in _MARKS:
        text = pattern.sub(becomes, text)
    return " ".join(text.split("\n"))
