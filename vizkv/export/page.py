"""A page as one picture: its question, the player or block table at a step, and its charts below.

Each part is an SVG of its own, nested as it is: vectors stay vectors, and nothing is drawn a second time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vizkv.export.charts.draw import chart
from vizkv.messages.catalogue import Messages
from vizkv.views.picture.look import Look
from vizkv.views.picture.row import Type, note
from vizkv.views.picture.step import NARROWEST
from vizkv.views.picture.svg import Sheet, num, wrap

if TYPE_CHECKING:
    import plotly.graph_objects as go

_TYPE, _FAR_TYPE = 0.0105, 0.0125  # of the width, as vizkv.views.picture.step has it
_GAP = 1.6  # of the type: between two charts
_BESIDE = 3  # plots in one chart that are legible in half a page
_SCALE, _LARGE = 0.8, 1.2  # of a chart: its type is then as large as the player's, or as large as that of a slide
_ID = re.compile(r'(\sid=")([^"]+)"')
_USED = re.compile(r'(url\(#|href="#)')
_STYLE = re.compile(r"<style\b[^>]*>.*?</style>", re.DOTALL)
_TOLD = re.compile(r"<(title|desc|metadata)\b[^>]*>.*?</\1>", re.DOTALL)
_SVG = re.compile(r"<svg\b[^>]*>", re.DOTALL)
_BOX = re.compile(r'\sviewBox="([^"]+)"')
_FONT = re.compile(r'\sfont-family="[^"]*"')
_SPACE = re.compile(r"\sxmlns:\w+=\"[^\"]*\"")
_MARKS = re.compile(r"\*\*?|`|^#+ ", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """One picture of the page. ``svg``: a document of its own; ``alt``: what is seen on it."""

    svg: str
    alt: str = ""
    title: str = ""
    whole: bool = True  # as wide as the page


@dataclass(frozen=True)
class Page:
    """What a page says and shows. ``main``: the player or the block table, as wide as the page."""

    title: str
    question: str = ""
    main: Part | None = None
    sentence: str = ""  # where no player says what happened
    charts: Sequence[Part] = ()
    caption: str = ""


@dataclass(frozen=True)
class Plot:
    """One chart of the page, as Plotly has it. ``theme``: of the page that it was made for."""

    figure: go.Figure
    alt: str
    title: str
    theme: str = "light"


def drawn(
    plots: Sequence[Plot], width: int, *, legend: bool = True, transparent: bool = False, large: bool = False
) -> list[Part]:  # fmt: skip
    """The charts of a page of that width, each as wide in its own pixels as its place allows.

    ``large``: each in a row of its own and in larger type, for a page that has nothing else.
    """
    parts, wide = [], max(width, NARROWEST)
    for plot, whole in zip(plots, _whole([large or _broad(plot.figure) for plot in plots]), strict=True):
        svg = chart(
            plot.figure, "svg", theme=plot.theme, transparent=transparent, legend=legend,
            width=round(_column(wide, whole) / (_LARGE if large else _SCALE)),
        )  # fmt: skip
        parts.append(Part(svg.decode(), plot.alt, plot.title, whole))
    return parts


def _broad(figure: go.Figure) -> bool:
    """Whether it has more plots side by side than fit into half a page."""
    return len({getattr(trace, "xaxis", None) for trace in figure.data}) > _BESIDE


def _whole(broad: list[bool]) -> list[bool]:
    """Which charts take a row: those that need it, and those that have nobody beside them."""
    whole, at = [], 0
    while at < len(broad):
        pair = not broad[at] and at + 1 < len(broad) and not broad[at + 1]
        whole += [False, False] if pair else [True]
        at += 2 if pair else 1
    return whole


def _column(wide: float, whole: bool) -> float:
    u = wide * _TYPE
    return wide - 2 * u if whole else (wide - 2 * u - _GAP * u) / 2


def page_picture(
    page: Page, say: Messages, *, theme: str = "light", width: int = 1600, transparent: bool = False,
    projector: bool = False,
) -> str:  # fmt: skip
    """As SVG text. ``width``: in CSS pixels; ``page.main`` and what :func:`drawn` made are drawn for it."""
    wide = max(width, NARROWEST)
    sheet, t = Sheet(), Type(max(10.0, wide * (_FAR_TYPE if projector else _TYPE)))
    look, pad = Look(sheet, theme, projector), round(t.u)
    y = _head(sheet, look, page, t, pad, wide - 2 * pad)
    if page.main is not None:
        y += _nested(sheet, page.main.svg, "main", 0, y, wide)
    y = _charts(sheet, look, page.charts, t, y, wide)
    if page.caption:
        sheet.begin(pad, round(y))
        y += note(sheet, look, page.caption, t, wide - 2 * pad) + 0.6 * t.u
        sheet.end()
    return sheet.svg(
        wide, round(y + 0.4 * t.u), title=page.title, description=described(page),
        language="zh-Hans" if say.language == "zh" else say.language, background="" if transparent else look.page,
        scale=width / wide,
    )  # fmt: skip


def described(page: Page) -> str:
    """The page in words: its question, what the player shows, each chart, and what was run."""
    told = [page.question, plain(page.sentence), page.main.alt if page.main else "", *(c.alt for c in page.charts)]
    return "\n".join(text for text in (*told, page.caption) if text)


def plain(text: str) -> str:
    """A sentence without the marks of bold, slanted and code."""
    return _MARKS.sub("", text)


def _head(sheet: Sheet, look: Look, page: Page, t: Type, pad: int, wide: float) -> float:
    """The page's name, its question and its sentence. Returns where they end."""
    y = float(pad)
    sheet.begin(pad, 0)
    if page.question:
        sheet.text(0, y + 0.6 * t.u, page.title, 1.1 * t.u, look.quiet, weight=600)
        y += 1.7 * t.u
    for line in wrap(page.question or page.title, wide, 1.9 * t.u, 700, most=2):
        sheet.text(0, y + 1.1 * t.u, line, 1.9 * t.u, look.text, weight=700)
        y += 2.3 * t.u
    for line in wrap(plain(page.sentence), wide, 1.17 * t.u, most=6) if page.sentence else []:
        sheet.text(0, y + 0.9 * t.u, line, 1.17 * t.u, look.text)
        y += 1.6 * t.u
    sheet.end()
    return y + (0.6 * t.u if page.sentence else 0)


def _charts(sheet: Sheet, look: Look, charts: Sequence[Part], t: Type, y: float, wide: int) -> float:
    """Each below its title, two in a row where both are narrow. Returns where they end."""
    x = margin = wide * _TYPE
    lowest = y
    for number, one in enumerate(charts, 1):
        across = _column(wide, one.whole)
        if one.whole or x + across > wide:
            x, y = margin, lowest
        top = y + 0.4 * t.u
        for line in wrap(one.title, across, 1.28 * t.u, 700, most=2) if one.title else []:
            sheet.text(x, top + 0.9 * t.u, line, 1.28 * t.u, look.text, weight=700)
            top += 1.7 * t.u
        lowest = max(lowest, top + _nested(sheet, one.svg, f"chart{number}", x, top, across) + 0.6 * t.u)
        x += across + _GAP * margin
    return lowest


def _nested(sheet: Sheet, svg: str, name: str, x: float, y: float, wide: float) -> float:
    """A document inside this one, with names of its own. Returns its height at that width."""
    begin = _SVG.search(svg)
    box = _BOX.search(begin[0]) if begin else None
    if begin is None or box is None:
        raise ValueError("the SVG does not say what it shows")
    _, _, across, up = (float(part) for part in box[1].split())
    high = wide * up / across
    inside = svg[begin.end() : svg.rindex("</svg>")]
    # matplotlib's style sheet would hold for the whole picture: here it is said of this part only
    pen = ' stroke-linejoin="round" stroke-linecap="butt"' if _STYLE.search(inside) else ""
    inside = _TOLD.sub("", _STYLE.sub("", inside))
    inside = _USED.sub(rf"\g<1>{name}-", _ID.sub(rf'\g<1>{name}-\2"', inside))
    kept = "".join(found[0] for field in (_SPACE, _FONT) for found in field.finditer(begin[0]))
    sheet.add(
        f'<svg x="{num(x)}" y="{num(y)}" width="{num(wide)}" height="{num(high)}" viewBox="{box[1]}"'
        f"{kept}{pen}>{inside}</svg>"
    )
    return high
