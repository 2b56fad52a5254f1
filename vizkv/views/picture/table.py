"""The picture of block tables: the panels of one paged system, and the pools of all systems with labelled blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from vizkv.messages.catalogue import Messages
from vizkv.trace.slots import Accounting, Lens
from vizkv.trace.trace import Trace
from vizkv.views.payload import ops
from vizkv.views.picture import panels as panels
from vizkv.views.picture import step as pictures
from vizkv.views.picture.books import Books, books, draw_blocks
from vizkv.views.picture.frame import frame
from vizkv.views.picture.look import Look
from vizkv.views.picture.panels import Desk
from vizkv.views.picture.step import Linked, Style
from vizkv.views.picture.strip import Strip
from vizkv.views.picture.svg import Sheet

PANELS = ("text", "logical", "table", "follow", "queue", "cpu")


def paged(trace: Trace) -> list[int]:
    """Return the systems whose block tables can be drawn."""
    return [i for i, system in enumerate(trace.systems) if system.block_size and ops.wanted(system)]


def table_picture(
    trace: Trace, step: int, *, lens: Lens, accounting: Accounting, say: Messages, colour: str = "state",
    theme: str = "light", width: int = 1600, legend: bool = True, caption: str = "", transparent: bool = False,
    request: int = -1, position: int = -1, focus: int = -1, lit: str = "", lit_in: int = -1, projector: bool = False,
    headline: str = "", lead: int = -1, mark: str = "", show: tuple[str, ...] = PANELS,
) -> str:  # fmt: skip
    """Return the picture as SVG text.

    ``request``: the followed sequence; -1 for the first with blocks. ``position``: its followed token. ``focus``: the
    system of the panels; -1 for the first with blocks. ``show``: which of PANELS. Raises ValueError if no system of the
    run has block tables that can be drawn.
    """
    known = paged(trace)
    if not known:
        raise ValueError(say("picture.table.none"))
    style = Style(
        lens, accounting, colour, theme, width, legend, headline, caption, transparent, lit, lit_in, projector,
        mark=mark,
    )  # fmt: skip
    scale = width / max(width, pictures.NARROWEST)
    style = replace(style, width=round(width / scale))
    shown = frame(trace, step, say, lead=lead, panels=("table",))
    system = focus if focus in known else known[0]
    kept = {index: books(trace, index, min(shown.pools[index].step, trace.systems[index].steps)) for index in known}
    sheet, t = Sheet(), style.type
    look, names = Look(sheet, style.theme, projector), [r.id for r in trace.requests]
    main = kept[system]
    who = request if 0 <= request < len(names) else next((w for w, table in main.tables.items() if table), -1)
    desk = Desk(sheet, look, t, say, main, names, who, position)
    pad = round(t.u)
    style = replace(style, width=round(style.width - 2 * pad))
    sheet.begin(pad, pad)
    y = pictures.head(sheet, look, [shown], style, say)
    y = _panels(desk, style.width, show, y)

    def over(strip: Strip, index: int) -> None:
        if index in kept:
            pin = _pin(kept[index], who, position)
            draw_blocks(strip, look, kept[index], names, say("player.null"), pin)

    linked = Linked(over, {i: one.text for i, one in kept.items()}, {i: one.copied for i, one in kept.items()})
    sheet.begin(0, round(y))
    rest = max((style.width + 2 * pad) * 9 / 16 - y - 2 * pad + pictures.caption_height(style), 1)
    plain = replace(style, headline="", legend=False)
    high = pictures.body(sheet, shown, plain, say, height=rest, lead=lead, linked=linked)
    sheet.end()
    sheet.end()
    told = [*_told(desk), pictures.description(shown, style, say)]
    return sheet.svg(
        style.width + 2 * pad, round(y + high + 2 * pad), title=pictures.title(shown, say, style.lens, headline, lead),
        description="\n".join(told), language="zh-Hans" if say.language == "zh" else say.language,
        background="" if transparent else look.page, scale=scale,
    )  # fmt: skip


def _panels(desk: Desk, width: float, show: tuple[str, ...], y: float) -> float:
    """Draw the panels, from the text down to the queue. Returns the y at which they end."""
    t, gap = desk.t, 2.2 * desk.t.u
    if "text" in show:
        y = _place(desk, 0, y, lambda: panels.text_panel(desk, width)) + 0.4 * t.u
    middle = [name for name in ("logical", "table") if name in show]
    if middle:
        tables = panels.shown_tables(desk) if "table" in show else []
        several = len(tables) > 1
        # a single table leaves half the width to the logical blocks; several take more
        share = 1.0 if middle == ["logical"] else 0.0 if middle == ["table"] else 0.34 if several else 0.5
        left, ends, x = width * share - (gap if share else 0) / 2, [y], 0.0
        if "logical" in show:
            ends.append(_place(desk, 0, y, lambda: panels.logical_panel(desk, left if share < 1 else width)))
            x = left + gap
        if tables:
            wide = (width - x - (len(tables) - 1) * gap * 0.7) / len(tables)
            for who in tables:
                ends.append(_place(desk, x, y, partial(panels.table_panel, desk, who, wide, several)))
                x += wide + gap * 0.7
        y = max(ends) + 0.6 * t.u
    for name, draw in (("follow", panels.follow_panel), ("queue", panels.queue_panel), ("cpu", panels.cpu_panel)):
        if name in show:
            end = _place(desk, 0, y, partial(draw, desk, width))
            y = end + (0.5 * t.u if end > y else 0)
    return y


def _place(desk: Desk, x: float, y: float, draw: Callable[[], float]) -> float:
    """Draw a panel at a point. Returns the y at which it ends."""
    desk.sheet.begin(round(x), round(y))
    high = draw()
    desk.sheet.end()
    return y + high


def _pin(kept: Books, who: int, position: int) -> tuple[int, int]:
    """Return (block, offset) of the followed token in a system; -1 if it has none."""
    block = kept.block_of(who, position) if who >= 0 and position >= 0 else -1
    return block, position % kept.size if block >= 0 else -1


def _told(desk: Desk) -> list[str]:
    """Return the block tables in words, for screen readers."""
    told = []
    for who in panels.shown_tables(desk):
        table = desk.kept.tables.get(who, [])
        blocks = desk.say("narration.list").join(str(block) for block in table)
        if table:
            told.append(desk.say("picture.table.of", request=desk.names[who], blocks=blocks))
    queue, free = desk.say("player.panel.queue"), desk.say("player.queue.free", count=len(desk.kept.queue))
    told.append(desk.say("narration.with", system=queue, sentence=free))
    return told
