"""A sheet that SVG is drawn on: elements in order, definitions once, and how wide a text will about be."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

# the app's own face first, then whatever the reader's machine has
FONTS = "'Source Sans 3','Source Sans Pro','Source Sans','Liberation Sans',Arial,Helvetica,sans-serif"
# of a line with Chinese in it, all of it: the face that comes with vizkv, then what Chinese machines have
CHINESE = "'vizkv Sans SC','Noto Sans SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
MIDDLE = 0.35  # of the type's size from a line's middle down to its baseline
# thousandths of an em of the characters from space to tilde: in Arial, and in the face of a text with Chinese in it
_REGULAR = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
_REGULAR_CHINESE = (
    224, 323, 474, 555, 555, 921, 680, 278, 338, 338, 467, 555, 278, 347, 278, 392, 555, 555, 555, 555, 555, 555, 555,
    555, 555, 555, 278, 278, 555, 555, 555, 474, 946, 608, 657, 638, 688, 589, 552, 689, 728, 293, 535, 646, 543, 812,
    723, 742, 633, 742, 635, 596, 599, 721, 575, 878, 573, 531, 603, 338, 392, 338, 555, 559, 606, 563, 618, 510, 620,
    554, 325, 564, 607, 275, 275, 552, 284, 926, 610, 606, 620, 620, 388, 468, 377, 607, 521, 802, 498, 521, 475, 338,
    270, 338, 555,
)  # fmt: skip
_BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
)  # fmt: skip
_BOLD_CHINESE = (
    227, 370, 574, 590, 590, 963, 740, 325, 378, 378, 507, 590, 325, 370, 325, 387, 590, 590, 590, 590, 590, 590, 590,
    590, 590, 590, 325, 325, 590, 590, 590, 514, 1007, 641, 681, 656, 714, 615, 585, 717, 757, 330, 568, 686, 578, 853,
    749, 770, 667, 770, 682, 624, 625, 748, 619, 915, 627, 580, 613, 378, 387, 378, 590, 567, 626, 591, 644, 527, 644,
    581, 372, 597, 640, 304, 306, 604, 315, 964, 641, 626, 644, 644, 437, 495, 421, 637, 576, 863, 562, 574, 511, 378,
    296, 378, 590,
)  # fmt: skip
_OPENING, _CLOSING = "（“‘《【", "，。：；、？！）”’》】…,.:;!?)"


def num(value: float) -> str:
    """A coordinate: at most two places, no trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


def _letter(letter: str, widths: tuple[int, ...]) -> float:
    at = ord(letter) - 32
    if 0 <= at < 95:
        return widths[at] / 1000
    if unicodedata.combining(letter):
        return 0
    if letter in "…—→←↵⇥":
        return 1
    # letters of ambiguous width, as quotation marks are, take a whole em in the Chinese face
    wide = "WFA" if widths in (_REGULAR_CHINESE, _BOLD_CHINESE) else "WF"
    return 1.0 if unicodedata.east_asian_width(letter) in wide else 0.62


@lru_cache(1 << 15)
def measure(text: str, size: float, weight: int = 400) -> float:
    """About the width of a text, rather too wide than too narrow: who opens the file may have another face."""
    chinese = any(map(_wide, text))
    if weight >= 600:
        widths = _BOLD_CHINESE if chinese else _BOLD
    else:
        widths = _REGULAR_CHINESE if chinese else _REGULAR
    return sum(_letter(letter, widths) for letter in text) * size


def fit(text: str, width: float, size: float, weight: int = 400) -> str:
    """A text cut short so that it fits into a width."""
    if measure(text, size, weight) <= width:
        return text
    letters = list(text)
    while len(letters) > 1 and measure("".join(letters) + "…", size, weight) > width:
        letters.pop()
    return "".join(letters).rstrip() + "…"


def _pieces(text: str) -> Iterable[str]:
    """Where a line may break: after spaces and between Chinese characters, not before closing punctuation."""
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
    """A text in lines of a width; of more than ``most`` lines the last is cut short."""
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
    """Collects elements; :meth:`svg` makes the document. Units are CSS pixels."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.defs: dict[str, str] = {}

    def add(self, element: str) -> None:
        """One element as it is."""
        self.parts.append(element)

    def begin(self, x: float = 0, y: float = 0, **more: object) -> None:
        """Open a group at a place: what comes is measured from there, hatches too."""
        place = f' transform="translate({num(x)} {num(y)})"' if x or y else ""
        self.add(f"<g{place}{_attributes(more)}>")

    def end(self) -> None:
        """Close the group."""
        self.add("</g>")

    def rect(self, x: float, y: float, w: float, h: float, fill: str = "none", **more: object) -> None:
        """A rectangle."""
        if w > 0 and h > 0:
            self.add(
                f'<rect x="{num(x)}" y="{num(y)}" width="{num(w)}" height="{num(h)}" fill="{fill}"{_attributes(more)}/>'
            )

    def rects(self, boxes: Iterable[tuple[float, float, float, float]], fill: str, **more: object) -> None:
        """Many rectangles (x, y, width, height) of one fill, as one path."""
        path = "".join(f"M{num(x)} {num(y)}h{num(w)}v{num(h)}h{num(-w)}z" for x, y, w, h in boxes if w > 0 and h > 0)
        if path:
            self.add(f'<path d="{path}" fill="{fill}" shape-rendering="crispEdges"{_attributes(more)}/>')

    def text(
        self, x: float, y: float, text: str, size: float, fill: str, *, weight: int = 400, anchor: str = "start",
        most: float = 0,
    ) -> None:  # fmt: skip
        """A line whose middle is at ``y``; squeezed if it is wider than ``most``."""
        if not text:
            return
        wide = measure(text, size, weight)
        place = f'x="{num(x)}" y="{num(y + MIDDLE * size)}"'
        if most and wide > most:
            # librsvg puts a squeezed line where an unsqueezed one would begin: it begins where it is told to
            x, anchor = x - {"middle": most / 2, "end": most}.get(anchor, 0), "start"
            place = f'transform="translate({num(x)} {num(y + MIDDLE * size)}) scale({most / wide:.3f} 1)"'
        face = f' font-weight="{weight}"' if weight != 400 else ""
        face += f' font-family="{CHINESE}"' if any(map(_wide, text)) else ""
        side = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self.add(f'<text {place} font-size="{num(size)}" fill="{fill}"{face}{side}>{escape(text)}</text>')

    def svg(
        self, width: float, height: float, *, title: str = "", description: str = "", language: str = "en",
        background: str = "", scale: float = 1,
    ) -> str:  # fmt: skip
        """The document: what it is called and what it shows are read out by a screen reader."""
        named = ' aria-labelledby="title desc"' if title and description else ""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{num(width * scale)}" height="{num(height * scale)}" '
            f'viewBox="0 0 {num(width)} {num(height)}" role="img"{named} xml:lang={quoteattr(language)} '
            f'lang={quoteattr(language)} font-family="{FONTS}">'
        )
        told = f'<title id="title">{escape(title)}</title>' if title else ""
        told += f'<desc id="desc">{escape(description)}</desc>' if description else ""
        defs = f"<defs>{''.join(self.defs.values())}</defs>" if self.defs else ""
        page = f'<rect width="{num(width)}" height="{num(height)}" fill="{background}"/>' if background else ""
        return f"{head}{told}{defs}{page}{''.join(self.parts)}</svg>\n"


def _attributes(more: dict[str, object]) -> str:
    return "".join(f" {name.rstrip('_').replace('_', '-')}={quoteattr(str(value))}" for name, value in more.items())
