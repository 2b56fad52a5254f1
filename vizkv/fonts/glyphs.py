"""Widths and outlines of the letters of the bundled faces, in thousandths of an em.

A text that contains Chinese is set in the Chinese face, any other in the Latin one; a letter that the face lacks is
taken from the other. There is no kerning: the width of a line is the sum of the widths of its letters.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

from vizkv import fonts

BOLD = 600  # the lightest weight that is set in bold


@dataclass(frozen=True)
class Glyph:
    """One letter. ``path``: SVG path data, with y upwards from the baseline."""

    name: str
    width: int
    path: str


def is_chinese(text: str) -> bool:
    """Whether a text is set in the Chinese face."""
    return any(unicodedata.east_asian_width(letter) in "WF" for letter in text)


@cache
def glyph(letter: str, bold: bool, chinese: bool) -> Glyph | None:
    """Return a letter's outline; None if neither face has it. ``chinese``: prefer the Chinese face."""
    from fontTools.pens.svgPathPen import SVGPathPen

    for number in (1, 0) if chinese else (0, 1):
        glyphs, known = _face(number, bold)
        if ord(letter) in known:
            found, pen = glyphs[known[ord(letter)]], SVGPathPen(glyphs)
            found.draw(pen)
            return Glyph(f"{'lc'[number]}{'b' if bold else ''}{ord(letter):x}", found.width, pen.getCommands())
    return None


@cache
def width(letter: str, bold: bool, chinese: bool) -> int:
    """Return the width of a letter; an estimate if neither face has it. ``chinese``: prefer the Chinese face."""
    for number in (1, 0) if chinese else (0, 1):
        glyphs, known = _face(number, bold)
        if ord(letter) in known:
            return int(glyphs[known[ord(letter)]].width)
    if unicodedata.combining(letter):
        return 0
    return 1000 if unicodedata.east_asian_width(letter) in "WF" else 620


@cache
def _face(number: int, bold: bool) -> tuple[Any, dict[int, str]]:
    """Return the glyphs of the Latin (0) or the Chinese face (1), and their names by character code."""
    from fontTools.ttLib import TTFont

    face = TTFont((fonts.latin_files(), fonts.files())[number][bold], lazy=True)
    return face.getGlyphSet(), face.getBestCmap()
