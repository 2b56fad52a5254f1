"""One file out of a run: every picture, chart, film, page and table goes through here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import unescape
from typing import TYPE_CHECKING

from vizkv.export import data, figures, html
from vizkv.export.charts.draw import WIDTH, chart
from vizkv.export.film import animation
from vizkv.export.page import Page, Part, Plot, page_picture
from vizkv.export.page import described as described_page
from vizkv.export.page import drawn as drawn_charts
from vizkv.export.render import (
    WIDE_4K,
    Cancelled,
    Progress,
    scale_to,
    svg_to_pdf,
    svg_to_png,
)
from vizkv.export.request import CHART, MIME, Wish, check, lead_of
from vizkv.export.story import storyboard
from vizkv.messages.catalogue import Messages
from vizkv.trace.trace import Trace
from vizkv.views.charts.projector import for_projector
from vizkv.views.payload import pack as payload
from vizkv.views.payload import window as windows
from vizkv.views.payload.pack import Moment, View
from vizkv.views.picture import table as picture_table
from vizkv.views.picture.caption import between, caption, these
from vizkv.views.picture.caption import title as called
from vizkv.views.picture.outlines import outlined
from vizkv.views.picture.step import NARROWEST, picture

if TYPE_CHECKING:
    import plotly.graph_objects as go

_PLAYER = 0.45  # of a page's width: as high the player's rows become where charts stand below
WHOLE = 4_000  # steps that one page holds; of a longer run it holds those around the step


@dataclass(frozen=True)
class Made:
    """A file; ``alt``: what is seen on it, for those who do not see it."""

    data: bytes
    mime: str
    alt: str = ""


def make(
    wish: Wish, trace: Trace, say: Messages, *, moments: Sequence[Moment] = (), panels: Sequence[str] = (),
    progress: Progress | None = None, title: str = "", plots: Sequence[Plot] | None = None,
) -> Made:  # fmt: skip
    """The file. Raises ExportError for what this run does not have, and Cancelled where ``progress`` returns True.

    ``moments``, ``panels``: of the page that an offline player or a page is drawn of; ``title``, ``plots``: the page's
    name and charts, without them the run's name and all charts of the run.
    """
    check(wish, trace, say)
    if wish.what.startswith(CHART):
        made = _chart(wish, trace, say)
    elif wish.what == "animation":
        made = Made(_film(wish, trace, say, progress), MIME[wish.format], _film_told(wish, trace, say))
    elif wish.what == "page":
        made = drawn(_whole_page(wish, trace, say, panels, title, plots), wish)
    elif wish.what in ("player", "table", "storyboard"):
        made = drawn(_svg(wish, trace, say, progress), wish)
    else:
        made = Made(_document(wish, trace, say, moments, panels), MIME[wish.format])
    if progress and progress(1, 1):
        raise Cancelled
    return made


def drawn(svg: str, wish: Wish) -> Made:
    """An SVG of ours in the format and size that is wished."""
    alt = described(svg)
    if wish.format == "svg":
        return Made(outlined(svg).encode(), MIME["svg"], alt)
    if wish.format == "pdf":
        return Made(svg_to_pdf(svg), MIME["pdf"], alt)
    scale = scale_to(svg) if wish.scale == "4k" else float(wish.scale)
    return Made(svg_to_png(svg, scale, clear=wish.transparent), MIME["png"], alt)


def described(svg: str) -> str:
    """The description that an SVG carries."""
    found = re.search(r"<desc[^>]*>(.*?)</desc>", svg, re.DOTALL)
    return unescape(found[1]) if found else ""


def chart_scale(scale: str, width: int = WIDTH) -> float:
    """Pixels of a PNG for one of a chart."""
    return WIDE_4K / width if scale == "4k" else float(scale)


def _caption(wish: Wish, trace: Trace, say: Messages) -> str:
    if not wish.caption:
        return ""
    steps = these(wish.steps, say) if wish.what == "storyboard" else ""
    if wish.what == "animation":
        steps = between(wish.first, wish.last, say)
    return caption(trace, wish.step, wish.lens, wish.accounting, say, steps)


def _chart(wish: Wish, trace: Trace, say: Messages) -> Made:
    name = wish.what.removeprefix(CHART)
    plot = Plot(_figure(name, wish, trace, say), say(f"chart.alt.{name}"), say(f"picture.chart.{name}"), wish.theme)
    return charted(plot, wish, _caption(wish, trace, say))


def charted(plot: Plot, wish: Wish, told: str) -> Made:
    """A chart as a file. ``told``: its caption."""
    given = chart(
        plot.figure, wish.format, scale=chart_scale(wish.scale), theme=wish.theme, transparent=wish.transparent,  # type: ignore[arg-type]
        legend=wish.legend, caption=told, alt=plot.alt, height=wish.height, title=plot.title, headline=wish.headline,
    )  # fmt: skip
    return Made(given, MIME[wish.format], plot.alt)


def _figure(name: str, wish: Wish, trace: Trace, say: Messages) -> go.Figure:
    figure = figures.figure(name, trace, wish.step, wish.lens, wish.accounting, wish.theme, say)
    return for_projector(figure, wish.theme) if wish.projector else figure


def _film(wish: Wish, trace: Trace, say: Messages, progress: Progress | None) -> bytes:
    return animation(
        trace, wish.first, wish.last, lens=wish.lens, accounting=wish.accounting, say=say, kind=wish.format,  # type: ignore[arg-type]
        rate=wish.rate, every=wish.every, colour=wish.colour, theme=wish.theme, width=min(wish.width, 1920),
        legend=wish.legend, caption=_caption(wish, trace, say), lit=wish.lit, lit_in=wish.lit_in,
        projector=wish.projector, headline=wish.headline, lead=lead_of(trace), mark=wish.mark,
        progress=progress,
    )  # fmt: skip


def _film_told(wish: Wish, trace: Trace, say: Messages) -> str:
    """A film in words: which steps, and what is seen at its end."""
    last = replace(wish, what="player", step=wish.last, caption=False)
    seen = described(_svg(last, trace, say, None))
    return say("picture.film.alt", what=wish.headline, first=wish.first, last=wish.last, seen=seen).strip()


def _svg(
    wish: Wish, trace: Trace, say: Messages, progress: Progress | None, show: tuple[str, ...] = picture_table.PANELS
) -> str:  # fmt: skip
    common = {
        "lens": wish.lens, "accounting": wish.accounting, "say": say, "colour": wish.colour, "theme": wish.theme,
        "width": wish.width, "legend": wish.legend, "caption": _caption(wish, trace, say), "headline": wish.headline,
        "transparent": wish.transparent, "lit": wish.lit, "lit_in": wish.lit_in, "projector": wish.projector,
        "lead": lead_of(trace), "mark": wish.mark,
    }  # fmt: skip
    if wish.what == "storyboard":
        return storyboard(trace, wish.steps or (wish.step,), progress=progress, **common)  # type: ignore[arg-type]
    if wish.what == "table":
        return picture_table.table_picture(
            trace, wish.step, request=wish.request, position=wish.position, focus=wish.focus,
            show=show, **common,  # type: ignore[arg-type]
        )  # fmt: skip
    return picture(trace, wish.step, request=wish.request, height=wish.height, **common)  # type: ignore[arg-type]


def alt_text(
    wish: Wish, trace: Trace, say: Messages, panels: Sequence[str] = (), title: str = "",
    plots: Sequence[Plot] | None = None,
) -> str:  # fmt: skip
    """What :func:`make` would give as ``alt`` of a player's, block table's or page's picture. Raises ExportError."""
    check(wish, trace, say)
    if wish.what != "page":
        return described(_svg(replace(wish, caption=False), trace, say, None))
    given = _plots(wish, trace, say) if plots is None else plots
    return described_page(_page_of(wish, trace, say, panels, title, [Part("", plot.alt) for plot in given]))


def _whole_page(
    wish: Wish, trace: Trace, say: Messages, panels: Sequence[str], title: str, plots: Sequence[Plot] | None
) -> str:  # fmt: skip
    given = _plots(wish, trace, say) if plots is None else plots
    charts = drawn_charts(given, wish.width, legend=wish.legend, transparent=wish.transparent)
    return page_picture(
        _page_of(wish, trace, say, panels, title, charts), say, theme=wish.theme, width=wish.width,
        transparent=wish.transparent, projector=wish.projector,
    )  # fmt: skip


def _page_of(
    wish: Wish, trace: Trace, say: Messages, panels: Sequence[str], title: str, charts: Sequence[Part]
) -> Page:  # fmt: skip
    """The question, the player with the block table where the page has one, the charts, the caption."""
    table = bool(picture_table.paged(trace)) and any(name in picture_table.PANELS for name in panels)
    inner = replace(
        wish, what="table" if table else "player", caption=False, headline="", transparent=True,
        height=round(max(wish.width, NARROWEST) * _PLAYER),
    )  # fmt: skip
    main = _svg(inner, trace, say, None, tuple(name for name in picture_table.PANELS if name in panels))
    name = title or called(trace.scenario.get("name"), say) or say("export.title")
    return Page(
        name, wish.headline, Part(main, described(main)), charts=charts, caption=_caption(wish, trace, say)
    )  # fmt: skip


def _plots(wish: Wish, trace: Trace, say: Messages) -> list[Plot]:
    """All charts of the run."""
    return [
        Plot(
            _figure(name, wish, trace, say), say(f"chart.alt.{name}"), say(f"picture.chart.{name}"), wish.theme,
        )
        for name in figures.names(trace)
    ]  # fmt: skip


def _document(
    wish: Wish, trace: Trace, say: Messages, moments: Sequence[Moment], panels: Sequence[str]
) -> bytes:  # fmt: skip
    if wish.what == "ledger":
        return data.ledger_csv(trace, wish.lens, wish.accounting, wish.first, wish.last)
    if wish.what == "scenario":
        return data.scenario_toml(trace)
    if wish.what == "trace":
        return data.trace_file(trace)
    return _page(wish, trace, say, moments, panels)


def _page(wish: Wish, trace: Trace, say: Messages, moments: Sequence[Moment], panels: Sequence[str]) -> bytes:
    lead = lead_of(trace)
    total = windows.total(trace, lead)
    part = None if lead < 0 and total <= WHOLE else windows.around(trace, wish.step, lead, WHOLE // 2)
    title = wish.headline or called(trace.scenario.get("name"), say) or say("export.title")
    packed = payload.pack(trace, say, title, moments, panels, part)
    view = View(
        step=wish.step, lens=wish.lens, accounting=wish.accounting, colour=wish.colour, focus=wish.focus,
        request=wish.request, position=wish.position, lit=wish.lit, lit_in=wish.lit_in,
        mark=wish.mark,
    )  # fmt: skip
    told = caption(trace, wish.step, wish.lens, wish.accounting, say) if wish.caption else ""
    return html.player_page(
        packed, view, say, title=title, caption=told, theme=wish.theme, projector=wish.projector
    )  # fmt: skip


def whole(wish: Wish, trace: Trace) -> Wish:
    """The wish with the whole run, where it names no part of it."""
    return replace(wish, first=0, last=windows.total(trace, lead_of(trace)) - 1)
