"""The parts around a strip in a picture: name, waiting requests, used share, ledger, legend, sentence and caption."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vizkv.messages.catalogue import Messages
from vizkv.trace.slots import CATEGORIES, Accounting, word_of
from vizkv.views.picture.frame import Frame, Pool
from vizkv.views.picture.look import EXTERNAL, FREE, INTERNAL, MARKS, OTHERS, RESERVED, USED, Look
from vizkv.views.picture.svg import Sheet, fit, measure, wrap

NUMBERS = ("reserved", "internal", "external", "free")


@dataclass(frozen=True)
class Type:
    """One type scale, as the player's style sheet has it: all lengths are multiples of ``u``."""

    u: float

    @property
    def small(self) -> float:
        """Size of the type of numbers and notes."""
        return max(10.0, 0.86 * self.u)

    @property
    def side(self) -> float:
        """Width of the columns to the left and right of the strips."""
        return 12.8 * self.u

    @property
    def gap(self) -> float:
        """Distance between the columns."""
        return 1.5 * self.u


def _names(pool: Pool, t: Type) -> tuple[list[str], list[str]]:
    """Return the lines of a system's name, and those of its policy."""
    name = wrap(pool.facts["name"], t.side, 1.28 * t.u, 700, most=2)
    first, comma, rest = pool.facts["name"].partition("，")
    if len(name) == 2 and rest and fit(rest, t.side, 1.28 * t.u, 700) == rest:
        name = [fit(first + comma, t.side, 1.28 * t.u, 700), rest]  # not in the middle of a Chinese word
    return name, wrap(pool.facts["subtitle"], t.side, 0.94 * t.u, most=2)


def label_height(pool: Pool, t: Type) -> float:
    """Return the height that a label needs at most in any step, so that nothing moves when a request begins to wait."""
    name, subtitle = _names(pool, t)
    return (1.47 * len(name) + 1.13 * len(subtitle)) * t.u + 3.62 * t.small


def label(sheet: Sheet, look: Look, pool: Pool, frame: Frame, t: Type, say: Messages) -> None:
    """Draw a system's name, its policy, the waiting requests, and the largest hole beside the slots needed."""
    y = 0.0
    name, subtitle = _names(pool, t)
    for line in name:
        sheet.text(0, y + 0.75 * t.u, line, 1.28 * t.u, look.text, weight=700)
        y += 1.47 * t.u
    for line in subtitle:
        sheet.text(0, y + 0.57 * t.u, line, 0.94 * t.u, look.quiet)
        y += 1.13 * t.u
    if pool.waiting:
        sheet.text(0, y + 0.65 * t.small, pool.waiting, t.small, look.alarm, most=t.side + 1.2 * t.u)
        y += 1.3 * t.small
    if pool.refusal:
        _pair(sheet, look, pool, frame, t, say, y)


def _pair(sheet: Sheet, look: Look, pool: Pool, frame: Frame, t: Type, say: Messages, y: float) -> None:
    """Draw the largest hole and the slots needed as two bars of the same scale."""
    refusal, paged = pool.refusal or {}, bool(pool.facts["block_size"])
    # if slots need not be contiguous (paging), all free slots count
    room, need = refusal["free" if paged else "hole"], refusal["need"]
    who = frame.header["requests"][refusal["request"]]["id"]
    wide, most, high = 4.6 * t.u, max(room, need, 1), 0.62 * t.small
    words = (
        say("player.refusal.free", slots=room) if paged else say("player.refusal.hole", slots=room),
        say("player.refusal.need", request=who, slots=need),
    )
    for part, text, full in ((room, words[0], False), (need, words[1], True)):
        bar, line = wide * part / most, 1.16 * t.small
        if full:
            sheet.rect(0, y + (line - high) / 2, bar, high, look.alarm)
        elif bar > 2:
            sheet.rect(1, y + (line - high) / 2 + 1, bar - 2, high - 2, stroke=look.alarm, stroke_width=2)
        at = wide + 0.5 * t.small
        sheet.text(at, y + line / 2, text, t.small, look.quiet, most=t.side + 1.2 * t.u - at)
        y += line


def ledger(
    sheet: Sheet, look: Look, pool: Pool, frame: Frame, t: Type, say: Messages, totals: Sequence[int],
    accounting: Accounting = "textbook",
) -> float:  # fmt: skip
    """Draw the used share, and the five shares as a bar and as numbers. Returns the height."""
    share, what = say.percent(totals[USED] / pool.facts["slots"]), say("player.short.used")
    size, ink = 1.72 * t.u, look["used"]
    if pool.over:
        share, what, size, ink = pool.facts["ended"]["word"], pool.facts["ended"]["after"], 1.3 * t.u, look.text
    sheet.text(0, 0.87 * t.u, share, size, ink, weight=700)
    at = measure(share, size, 700) + 0.6 * t.u
    sheet.text(at, 1.05 * t.u, what, t.u, look.quiet)
    if frame.timed:
        sheet.text(t.side, 1.05 * t.u, say("player.own", step=pool.step), t.small, look.quiet, anchor="end")
    top, high = round(1.85 * t.u), round(0.95 * t.u)
    x = 0.0
    for mark, count in enumerate(totals):
        light = pool.free if mark == EXTERNAL and accounting == "paper" else 0
        for shown, part in ((mark, count - light), (OTHERS, light)):
            wide = t.side * part / pool.facts["slots"]
            for fill in look.paint(0, shown) if part else ():
                sheet.rect(x, top, wide, high, fill)
            x += wide
    sheet.rect(0, top, t.side, high, stroke=look["border"], stroke_width=2 if look.projector else 1)
    cells = [
        (
            CATEGORIES.index(name),
            f" {say(f'player.short.{word_of(name, accounting)}')}",
            say.number(totals[CATEGORIES.index(name)]),
        )
        for name in NUMBERS
    ]
    column, size = (t.side - 0.6 * t.u) / 2, t.small
    longest = max(measure(value, size, 600) + measure(word, size) for _, word, value in cells)
    size *= min(1, column / longest)
    y = top + high + 0.35 * t.u
    for place, (mark, word, value) in enumerate(cells):
        x = (place % 2) * (column + 0.6 * t.u)
        line = y + (place // 2 + 0.5) * 1.3 * t.small
        none = totals[mark] == 0
        sheet.text(x, line, value, size, look.quiet if none else look.text, weight=400 if none else 600)
        sheet.text(x + measure(value, size, 400 if none else 600) + 0.28 * size, line, word.strip(), size, look.quiet)
    return y + 2.6 * t.small


def swatch(
    sheet: Sheet,
    look: Look,
    mark: int,
    x: float,
    y: float,
    size: float,
    by_request: bool,
    accounting: Accounting = "textbook",
) -> None:
    """Draw a square in the style of a category; half of it as free slots if the paper counts these as external."""
    sheet.begin(round(x), round(y))
    size = round(size)
    if by_request and mark == USED:
        for third in range(3):
            sheet.rect(third * size / 3, 0, size / 3, size, look.request(third + 1))
    else:
        for fill in look.plain(mark) if by_request and mark in (RESERVED, INTERNAL) else look.paint(0, mark):
            sheet.rect(0, 0, size, size, fill)
    if mark == EXTERNAL and accounting == "paper":
        for fill in look.paint(0, OTHERS):
            sheet.rect(size / 2, 0, size / 2, size, fill)
    colour, opacity = look.veils["edge"]
    sheet.rect(0.5, 0.5, size - 1, size - 1, stroke=colour, stroke_opacity=opacity)
    sheet.end()


def legend(
    sheet: Sheet, look: Look, t: Type, say: Messages, width: float, how: str, by_request: bool,
    kept: Collection[int] = (), lit: str = "", accounting: Accounting = "textbook",
) -> float:  # fmt: skip
    """Draw the legend of the hatches, with the category ``lit`` underlined. Returns the height.

    ``how``: the name of the accounting and lens. ``kept``: marks of free slots to explain besides the categories.
    """
    marks = [*range(FREE + 1)]
    marks += sorted(kept)
    words = [say(f"player.category.{word_of(name, accounting)}") for name in MARKS]
    x, y, line = 0.0, 0.0, 1.75 * t.u
    for mark in marks:
        wide = 1.65 * t.u + measure(words[mark], t.u)
        if x and x + wide > width:
            x, y = 0.0, y + line
        swatch(sheet, look, mark, x, y + 0.27 * t.u, 1.2 * t.u, by_request, accounting)
        sheet.text(x + 1.65 * t.u, y + line / 2, words[mark], t.u, look.text)
        if mark < len(CATEGORIES) and CATEGORIES[mark] == lit:
            sheet.rect(x + 1.65 * t.u, y + line / 2 + 0.64 * t.u, wide - 1.65 * t.u, 2, look.text)
        x += wide + 1.15 * t.u
    if x + measure(how, t.u) > width:
        y += line
    sheet.text(width, y + line / 2, fit(how, width, t.u), t.u, look.quiet, anchor="end")
    return y + line


def said_lines(text: str, where: str, t: Type, width: float) -> list[str]:
    """Return the sentence of a step in lines that leave room for the step's number."""
    right = measure(where, 1.06 * t.u, 600) + 1.6 * t.u
    return wrap(text, width - 2.4 * t.u - right, 1.17 * t.u, 500, most=4)


def said(sheet: Sheet, look: Look, text: str, where: str, t: Type, width: float, least: int = 1) -> float:
    """Draw the sentence of a step and the step's number, ``least`` lines high at least. Returns the height."""
    lines = said_lines(text, where, t, width)
    high = (max(least, len(lines)) * 1.5 + 0.9) * t.u
    sheet.rect(0, 0, width, high, look["panel"], rx=round(0.55 * t.u))
    for i, line in enumerate(lines):
        sheet.text(
            1.2 * t.u, high / 2 + (i - (len(lines) - 1) / 2) * 1.5 * t.u, line, 1.17 * t.u, look.text, weight=500
        )
    sheet.text(width - 1.2 * t.u, high / 2, where, 1.06 * t.u, look.text, weight=600, anchor="end")
    return high


def note(sheet: Sheet, look: Look, text: str, t: Type, width: float) -> float:
    """Draw the caption below a picture. Returns the height."""
    y = 0.0
    for line in (piece for paragraph in text.splitlines() for piece in wrap(paragraph, width, t.small)):
        sheet.text(0, y + 0.7 * t.small, line, t.small, look.quiet)
        y += 1.35 * t.small
    return y
