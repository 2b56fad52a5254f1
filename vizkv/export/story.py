"""A storyboard: chosen steps of one run as a numbered strip, each with what is said of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from vizkv.export.render import Cancelled, ExportError, Progress
from vizkv.messages.catalogue import Messages
from vizkv.trace.slots import Accounting, Lens
from vizkv.trace.trace import Trace
from vizkv.views.picture import row as parts
from vizkv.views.picture import step as pictures
from vizkv.views.picture.frame import Frame, frame
from vizkv.views.picture.look import USED, Look
from vizkv.views.picture.mark import point
from vizkv.views.picture.row import Type
from vizkv.views.picture.step import Style
from vizkv.views.picture.strip import SQUEEZE, Strip
from vizkv.views.picture.svg import Sheet, fit, measure, wrap

MOST = 24  # steps: more is a film


def columns(count: int) -> int:
    """Pictures side by side."""
    return count if count <= 3 else 2 if count == 4 else 3 if count <= 9 else 4


def storyboard(
    trace: Trace, steps: Sequence[int], *, lens: Lens, accounting: Accounting, say: Messages, colour: str = "state",
    theme: str = "light", width: int = 1600, legend: bool = True, caption: str = "", transparent: bool = False,
    lit: str = "", lit_in: int = -1, projector: bool = False, headline: str = "", lead: int = -1, mark: str = "",
    titles: Sequence[str] = (), across: int = 0, progress: Progress | None = None,
) -> str:  # fmt: skip
    """The strip as SVG text. ``titles``: of the steps, in place of what the player says; ``across``: side by side."""
    if not 1 <= len(steps) <= MOST:
        raise ExportError(say("picture.story.count", most=MOST, steps=len(steps)))
    style = Style(
        lens, accounting, colour, theme, width, legend, headline, caption, transparent, lit, lit_in, projector,
        mark=mark,
    )  # fmt: skip
    shown: list[Frame] = []
    for step in steps:
        if progress and progress(len(shown), len(steps)):
            raise Cancelled
        shown.append(frame(trace, step, say, lead=lead))
    sheet, scale = Sheet(), width / max(width, pictures.NARROWEST)
    style = replace(style, width=round(width / scale))
    t = style.type
    pad = round(t.u)
    sheet.begin(pad, pad)
    high = _board(sheet, shown, style, say, across or columns(len(shown)), titles, lead, style.width - 2 * pad)
    sheet.end()
    told = [f"{i}. {pictures.description(one, style, say)}" for i, one in enumerate(shown, 1)]
    svg = sheet.svg(
        style.width, round(high + 2 * pad), title=pictures.title(shown[0], say, style.lens, headline, lead),
        description="\n".join(told), language="zh-Hans" if say.language == "zh" else say.language,
        background="" if transparent else Look(Sheet(), theme, projector).page, scale=scale,
    )  # fmt: skip
    if progress and progress(len(steps), len(steps)):
        raise Cancelled
    return svg


def _board(
    sheet: Sheet, shown: list[Frame], style: Style, say: Messages, across: int, titles: Sequence[str], lead: int,
    width: float,
) -> float:  # fmt: skip
    look, t = Look(sheet, style.theme, style.projector), style.type
    y = pictures.head(sheet, look, shown, replace(style, width=round(width)), say) + 0.2 * t.u
    gap = 1.6 * t.u
    wide = round((width - (across - 1) * gap) / across)
    for first in range(0, len(shown), across):
        tallest = 0.0
        for place, one in enumerate(shown[first : first + across]):
            number = first + place
            sheet.begin(round(place * (wide + gap)), round(y))
            text = titles[number] if number < len(titles) and titles[number] else one.overall[style.lens]
            tallest = max(tallest, _cell(sheet, look, one, replace(style, width=wide), say, number + 1, text, lead, t))
            sheet.end()
        y += tallest + 1.4 * t.u
    y -= 1.4 * t.u
    if style.caption:
        sheet.begin(0, round(y + t.u))
        y += parts.note(sheet, look, style.caption, t, width) + t.u
        sheet.end()
    return y


def _cell(
    sheet: Sheet, look: Look, shown: Frame, style: Style, say: Messages, number: int, text: str, lead: int, t: Type
) -> float:  # fmt: skip
    """One step: its number, its pools below each other, and what is said. Returns the height."""
    size = 0.85 * t.u
    sheet.add(f'<circle cx="{size:.1f}" cy="{size:.1f}" r="{size:.1f}" fill="{look.text}"/>')
    sheet.text(size, size, say.number(number), t.u, look.page, weight=700, anchor="middle", most=1.4 * size)
    sheet.text(2.4 * size, size, pictures.where(shown, say, lead), 1.06 * t.u, look.text, weight=600)
    y = 2.6 * size
    lookup = shown.lookup(style.lens, style.accounting)
    for pool in shown.pools:
        used = say.percent(pool.totals(lookup)[USED] / pool.facts["slots"])
        ended = pool.facts["ended"]
        right = f"{ended['word']} {ended['after']}" if pool.over else f"{used} {say('player.short.used')}"
        room = style.width - measure(right, t.u) - t.u
        name = fit(pool.facts["name"], room, t.u, 600)
        sheet.text(0, y + 0.65 * t.u, name, t.u, look.text, weight=600)
        at = measure(name, t.u, 600) + 0.8 * t.u
        if pool.waiting and room - at > 4 * t.u:
            waiting = fit(pool.waiting, (room - at) / SQUEEZE, t.small)
            sheet.text(at, y + 0.65 * t.u, waiting, t.small, look.alarm, most=room - at)
        sheet.text(style.width, y + 0.65 * t.u, right, t.u, look.quiet, anchor="end")
        y = round(y + 1.4 * t.u)
        sheet.begin(0, y)
        high = _height(pool.facts, style.width, t)
        strip = Strip(sheet, look, pool, style.width, high)
        strip.draw(pictures.scene(shown, pool, style, lookup))
        point(strip, look, style.mark)
        sheet.end()
        y += high + 0.55 * t.u
    y += 0.35 * t.u
    for line in wrap(text, style.width, t.u, most=6):
        sheet.text(0, y + 0.7 * t.u, line, t.u, look.text)
        y += 1.35 * t.u
    return y


def _height(facts: dict[str, int], width: float, t: Type) -> int:
    """Of a strip: cells with tokens are about square, others as high as a row of the player at least."""
    rows = math.ceil(facts["slots"] / min(facts["columns"], facts["slots"]))
    cell = width / min(facts["columns"], facts["slots"])
    return round(max(4.6 * t.u, rows * min(56, max(5.0, 1.1 * cell))))
