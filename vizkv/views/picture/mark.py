"""Marked slots in SVG: the same frame and plate that vizkv/player/mark.js draws on the canvas."""

from __future__ import annotations

import math

from vizkv.views.picture.look import Look
from vizkv.views.picture.strip import Strip
from vizkv.views.picture.svg import Sheet, measure, num
from vizkv.views.view import marked

WIDE = 22  # pixels: a slot of this width needs no plate


def point(strip: Strip, look: Look, word: str) -> None:
    """Draw the slots of a view's ``mark`` if they are in this strip's pool."""
    pointed = marked(word)
    if pointed and pointed[0] == strip.pool.index and pointed[1] <= pointed[2] < strip.slots:
        draw_mark(strip, look, *pointed[1:])


def draw_mark(strip: Strip, look: Look, first: int, last: int) -> None:
    """Draw a frame around slots of a drawn strip."""
    line = look.line(2)
    where = "inside" if strip.band else "around"  # not over the labels above a block
    strip.edges([(first, last + 1)], 2 * line, look.page, where)
    strip.edges([(first, last + 1)], line, look.text, where)
    x, y, w, h = strip.rect_of(first)
    if first == last and w < WIDE:
        _plate(strip, look, str(first), (x + w / 2, y, y + h))


def _plate(strip: Strip, look: Look, number: str, place: tuple[float, float, float]) -> None:
    """Draw a plate with the slot's number below it, or above it if there is no room, with a tip that points at it."""
    sheet: Sheet = strip.sheet
    middle, over, under = place
    size = 20 if look.projector else 15
    tip, high = round(size * 0.55), round(size * 1.35)
    wide = math.ceil(measure(number, size, 700) + 10)
    below = under + tip + high <= strip.high
    edge = under if below else over
    far = edge + (tip if below else -tip)
    left = max(0, min(strip.wide - wide, middle - wide / 2))
    top = far if below else far - high
    a, b = max(left, middle - tip * 0.7), min(left + wide, middle + tip * 0.7)
    points = f"M{num(middle)} {num(edge)}L{num(b)} {num(far)}H{num(a)}z"
    for stroke, thick in ((look.page, look.line(2)), (look.text, 0)):
        sheet.add(f'<path d="{points}" fill="{look.text}" stroke="{stroke}" stroke-width="{thick}"/>')
        sheet.rect(left, top, wide, high, look.text, stroke=stroke, stroke_width=thick, rx=3)
    sheet.text(left + wide / 2, top + high / 2, number, size, look.page, weight=700, anchor="middle")
