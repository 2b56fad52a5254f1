"""Escape text from users and files for the markup language in which it is shown.

The name of a request, a token or a file name may contain markup. It is escaped once, where it is put into a marked-up
text, with the function for that language: :func:`markdown` for Streamlit (see also
:meth:`vizkv.messages.catalogue.Messages.in_markdown`), :func:`html` for HTML and SVG, :func:`plotly` for figures,
:func:`cell` for CSV files, which spreadsheets open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape as html  # noqa: F401

_JOINER = "\u2060"  # word joiner, of zero width: it separates characters that would be read as one mark
_INLINE = re.compile(
    r"(?P<slash>\\(?=[!-/:-@\[-`{-~]|$))"
    r"|(?P<mark>[`*$]|~(?!=(?:\s|$))|(?<!\w)_+|_+(?!\w)|!(?=\[)|\](?=[(\[:]|$)|<(?=[A-Za-z/!?])|&(?=[A-Za-z#])"
    # a directive of Streamlit, ":red[...]", but not an icon
    r"|:(?=[A-Za-z])(?![\w+-]*[:/]))"
    # ":material/...:", ":smile:", "https://", "www.", mail addresses and arrows: replaced after backslashes are gone
    r"|(?P<split>:(?=[\w+-]+[:/]|//)|\bwww(?=\.)|(?<=\w)(?=@\w)|(?<!\S)[<~>-](?=[>=-](?:\s|$)|->(?:\s|$)))"
)
_START = re.compile(r"([#>=]|[+-](?=[\s+-]|$)|\d{1,9}(?=[.)](?:\s|$)))")
_LINES = re.compile(r"\s*[\r\n]\s*")


class Markdown(str):
    """A text that is safe to show as Markdown: one of ours, or an escaped one."""

    __slots__ = ()

    def join(self, parts: Iterable[str], /) -> Markdown:
        """Join parts with this text; those that are not Markdown are escaped."""
        return Markdown(super().join(markdown(part) for part in parts))


def markdown(text: object) -> Markdown:
    """Escape a text so that Streamlit's Markdown shows it literally, in one line. Markdown is returned unchanged."""
    if isinstance(text, Markdown):
        return text
    line = _INLINE.sub(_escaped, _LINES.sub(" ", str(text)))
    if found := _START.match(line):
        # in Markdown a backslash before a digit is shown, so the mark after the number is escaped
        line = f"{found[0]}\\{line[found.end() :]}" if found[0][0].isdigit() else f"\\{line}"
    return Markdown(line)


def _escaped(found: re.Match[str]) -> str:
    it = found[0]
    if found.lastgroup != "split":
        return "".join(f"\\{letter}" for letter in it)
    return f"\\{it}{_JOINER}" if it in (":", "~", "<") else it + _JOINER


def plotly(text: object) -> str:
    """Escape a text so that Plotly shows it literally: it reads a subset of HTML, and ``%{...}`` in hover texts."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "%&#123;")


def cell(text: str) -> str:
    """Escape a text for a cell of a CSV file, so that no spreadsheet reads it as a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
