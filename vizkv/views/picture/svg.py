"""A sheet for drawing SVG: elements in order, definitions once, and the measuring of texts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

from vizkv.fonts import glyphs

# the faces with which texts are measured come first, then fallbacks for letters that they lack
FONTS = "'vizkv Sans','Source Sans 3','Source Sans Pro','Source Sans','Liberation Sans',Arial,Helvetica,sans-serif"
# for a line that contains Chinese
CHINESE = "'vizkv Sans SC','Noto Sans SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
MIDDLE = 0.35  # from the middle of a line down to its baseline, as a share of the type's size
_OPENING, _CLOSING = "（“‘《【", "，。：；、？！）”’》】…,.:;!?)"


def num(value: float) -> str:
    """Return a coordinate as text: at most two decimals, no trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


@lru_cache(1 << 15)
def measure(text: str, size: float, weight: int = 400) -> float:
    """Return the width of a text in the face that it is drawn in."""
    bold, chinese = weight >= glyphs.BOLD, glyphs.is_chinese(text)
    return sum(glyphs.width(letter, bold, chinese) for letter in text) * size / 1000


def fit(text: str, width: float, size: float, weight: int = 400) -> str:
    """Return a text, cut short if it does not fit into a width."""
    if measure(text, size, weight) <= width:
        return text
    letters = list(text)
    while len(letters) > 1 and measure("".join(letters) + "…", size, weight) > width:
        letters.pop()
    return "".join(letters).rstrip() + "…"


def _pieces(text: str) -> Iterable[str]:
    """Split a text where a line may break: after spaces and between Chinese characters, not before punctuation."""
    piece = ""
    for letter in text:
        wide = unicodedata.east_asian_width(letter) in "WF"
        if piece and letter not in _CLOSING and piece[-1] not in _OPENING and (wide or _wide(piece[-1])):
            yield piece
            piece = ""
        piece += letter
        if letter == " ":
            yield piece
            piece = ""
    if piece:
        yield piece


def _wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def wrap(text: str, width: float, size: float, weight: int = 400, most: int = 0) -> list[str]:
    """Break a text into lines of a width; if there are more than ``most``, the last one is cut short."""
    lines = [""]
    for piece in _pieces(text):
        if lines[-1] and measure((lines[-1] + piece).rstrip(), size, weight) > width:
            lines.append("")
        lines[-1] += piece
    lines = [line.rstrip() for line in lines]
    if most and len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [fit(line, width, size, weight) for line in lines]


class Sheet:
    """Collects elements; :meth:`svg` returns the document. Units are CSS pixels."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.defs: dict[str, str] = {}

    def add(self, element: str) -> None:
        """Add an element, given as text."""
        self.parts.append(element)

    def begin(self, x: float = 0, y: float = 0, **more: object) -> None:
        """Open a group at a point, which becomes the origin of all that follows, patterns included."""
        place = f' transform="translate({num(x)} {num(y)})"' if x or y else ""
        self.add(f"<g{place}{_attributes(more)}>")

    def end(self) -> None:
        """Close the group."""
        self.add("</g>")

    def rect(self, x: float, y: float, w: float, h: float, fill: str = "none", **more: object) -> None:
        """Add a rectangle."""
        if w > 0 and h > 0:
            self.add(
                f'<rect x="{num(x)}" y="{num(y)}" width="{num(w)}" height="{num(h)}" fill="{fill}"{_attributes(more)}/>'
            )

    def rects(self, boxes: Iterable[tuple[float, float, float, float]], fill: str, **more: object) -> None:
        """Add many rectangles (x, y, width, height) with one fill, as one path."""
        path = "".join(f"M{num(x)} {num(y)}h{num(w)}v{num(h)}h{num(-w)}z" for x, y, w, h in boxes if w > 0 and h > 0)
        if path:
            self.add(f'<path d="{path}" fill="{fill}" shape-rendering="crispEdges"{_attributes(more)}/>')

    def text(
        self, x: float, y: float, text: str, size: float, fill: str, *, weight: int = 400, anchor: str = "start",
        most: float = 0,
    ) -> None:  # fmt: skip
        """Add a line of text whose middle is at ``y``; if it is wider than ``most``, it is squeezed."""
        if not text:
            return
        wide = measure(text, size, weight)
        place = f'x="{num(x)}" y="{num(y + MIDDLE * size)}"'
        if most and wide > most:
            # librsvg aligns a squeezed line by its unsqueezed width, so it is anchored at its beginning
            x, anchor = x - {"middle": most / 2, "end": most}.get(anchor, 0), "start"
            place = f'transform="translate({num(x)} {num(y + MIDDLE * size)}) scale({most / wide:.3f} 1)"'
        face = f' font-weight="{weight}"' if weight != 400 else ""
        face += f' font-family="{CHINESE}"' if glyphs.is_chinese(text) else ""
        side = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self.add(f'<text {place} font-size="{num(size)}" fill="{fill}"{face}{side}>{escape(text)}</text>')

    def svg(
        self, width: float, height: float, *, title: str = "", description: str = "", language: str = "en",
        background: str = "", scale: float = 1,
    ) -> str:  # fmt: skip
        """Return the SVG document, with a title and a description for screen readers."""
        named = ' aria-labelledby="title desc"' if title and description else ""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{num(width * scale)}" height="{num(height * scale)}" '
            f'viewBox="0 0 {num(width)} {num(height)}" role="img"{named} xml:lang={quoteattr(language)} '
            f'lang={quoteattr(language)} font-family="{FONTS}" style="font-kerning:none">'
        )
        told = f'<title id="title">{escape(title)}</title>' if title else ""
        told += f'<desc id="desc">{escape(description)}</desc>' if description else ""
        defs = f"<defs>{''.join(self.defs.values())}</defs>" if self.defs else ""
        page = f'<rect width="{num(width)}" height="{num(height)}" fill="{background}"/>' if background else ""
        return f"{head}{told}{defs}{page}{''.join(self.parts)}</svg>\n"


def _attributes(more: dict[str, object]) -> str:
    return "".join(f" {name.rstrip('_').replace('_', '-')}={quoteattr(str(value))}" for name, value in more.items())
