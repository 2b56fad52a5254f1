"""Convert the texts of an SVG picture to outlines, so that it looks the same in every program on every machine.

Each letter is defined once and then referenced. The words remain as labels of their lines and in the description.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr, unescape

from vizkv.fonts import glyphs
from vizkv.fonts.glyphs import Glyph
from vizkv.views.picture.svg import measure, num

_LINE = re.compile(r"<text ([^>]*)>([^<]*)</text>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_HEAD = re.compile(r"<svg\b[^>]*>(?:<title\b[^>]*>[^<]*</title>)?(?:<desc\b[^>]*>[^<]*</desc>)?")


def outlined(svg: str) -> str:
    """Return the picture with its texts as outlines.

    A line with a letter that no bundled face has remains text, fitted to the width that was measured for it.
    """
    used: dict[str, Glyph] = {}
    drawn = _LINE.sub(lambda found: _line(found, used), svg)
    if not used:
        return drawn
    defs = "".join(f'<path id="letter-{name}" d="{one.path}"/>' for name, one in used.items())
    drawn = _HEAD.sub(lambda found: f"{found[0]}<defs>{defs}</defs>", drawn, count=1)
    # xlink:href, because some slide and drawing programs do not support href
    return drawn.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1)


def _line(found: re.Match[str], used: dict[str, Glyph]) -> str:
    given, text = dict(_ATTRIBUTE.findall(found[1])), unescape(found[2])
    weight, size = int(given.get("font-weight", 400)), float(given["font-size"])
    bold, chinese = weight >= glyphs.BOLD, glyphs.is_chinese(text)
    letters = [glyphs.glyph(letter, bold, chinese) for letter in text]
    wide = measure(text, size, weight)
    if None in letters:
        return f'<text {found[1]} textLength="{num(wide)}" lengthAdjust="spacingAndGlyphs">{found[2]}</text>'
    uses, x = "", 0
    for one in letters:
        if one is not None and one.path:
            used.setdefault(one.name, one)
            place = f' x="{x}"' if x else ""
            uses += f'<use xlink:href="#letter-{one.name}"{place}/>'
        x += one.width if one is not None else 0
    place = given.get("transform") or f"translate({given['x']} {given['y']})"
    anchor = {"middle": x / 2, "end": x}.get(given.get("text-anchor", ""), 0)
    scale = round(size / 1000, 5)
    back = f" translate({num(-anchor)} 0)" if anchor else ""
    return (
        f'<g role="img" aria-label={quoteattr(text)} fill="{given["fill"]}" '
        f'transform="{place} scale({scale} {-scale}){back}">{uses}</g>'
    )
