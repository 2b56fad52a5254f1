"""The player's picture of a step as an SVG document, drawn without a browser: for slides, papers and worksheets.

:func:`picture` draws the whole: a row per system, legend, sentence, caption. The pools are drawn by
:mod:`vizkv.views.picture.strip` from the player's own payload, so that both show the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vizkv.messages.catalogue import Messages
from vizkv.trace.slots import CATEGORIES, Accounting, Code, Lens, word_of
from vizkv.trace.trace import Trace
from vizkv.views.picture import row as parts
from vizkv.views.picture.frame import Frame, Pool, frame
from vizkv.views.picture.look import Look
from vizkv.views.picture.mark import point
from vizkv.views.picture.row import Type
from vizkv.views.picture.strip import Scene, Strip
from vizkv.views.picture.svg import Sheet, wrap

NARROWEST = 960  # narrower pictures are drawn at this width and scaled down
_ROW = 5.75  # the least height of a row, as a multiple of the type's size


@dataclass(frozen=True)
class Style:
    """How a picture is drawn, independent of the step that it shows."""

    lens: Lens
    accounting: Accounting
    colour: str = "state"  # or "request"
    theme: str = "light"
    width: int = 1600
    legend: bool = True
    headline: str = ""
    caption: str = ""
    transparent: bool = False
    lit: str = ""
    lit_in: int = -1
    projector: bool = False
    sentence: bool = True  # whether it has the sentence of the step
    lines: int = 1  # lines reserved for the sentence
    mark: str = ""  # marked slots, see view.mark_of
    kept: frozenset[int] = frozenset()  # marks of free slots in the legend, also if none is in this step

    @property
    def type(self) -> Type:
        """The type scale for the width."""
        return Type(max(10.0, self.width * (0.0125 if self.projector else 0.0105)))


def picture(
    trace: Trace, step: int, *, lens: Lens, accounting: Accounting, say: Messages, colour: str = "state",
    theme: str = "light", width: int = 1600, legend: bool = True, caption: str = "", transparent: bool = False,
    request: int = -1, lit: str = "", lit_in: int = -1, projector: bool = False, headline: str = "", lead: int = -1,
    height: int = 0, mark: str = "",
) -> str:  # fmt: skip
    """Return the picture of all systems at a step, as SVG text.

    ``lead``: the leading system in a workload's run, whose steps are counted. ``request``: the followed sequence, whose
    slots are outlined. ``height``: the wanted height, reached as far as rows can be stretched; 0: that of a 16:9 slide.
    """
    style = Style(
        lens, accounting, colour, theme, width, legend, headline, caption, transparent, lit, lit_in, projector,
        mark=mark,
    )  # fmt: skip
    shown = frame(trace, step, say, lead=lead)
    return drawn(shown, style, say, request=request, height=height, lead=lead)


def drawn(shown: Frame, style: Style, say: Messages, *, request: int = -1, height: int = 0, lead: int = -1) -> str:
    """Return the picture of a frame, as SVG text."""
    asked = style.width
    style = replace(style, width=max(NARROWEST, asked))
    scale = asked / style.width
    sheet = Sheet()
    pad = style.type.u
    sheet.begin(pad, pad)
    wanted = height / scale if height else style.width * 9 / 16 + caption_height(style)
    inner = body(sheet, shown, replace(style, width=round(style.width - 2 * pad)), say, request, wanted - 2 * pad, lead)
    sheet.end()
    look = Look(sheet, style.theme, style.projector)
    return sheet.svg(
        style.width, round(inner + 2 * pad), title=title(shown, say, style.lens, style.headline, lead),
        description=description(shown, style, say), language="zh-Hans" if say.language == "zh" else say.language,
        background="" if style.transparent else look.page, scale=scale,
    )  # fmt: skip


@dataclass(frozen=True)
class Linked:
    """What block tables add to the pools: functions that draw over a system's strip, and the systems' own texts."""

    over: Callable[[Strip, int], None]
    texts: dict[int, Callable[[int, int], str]]
    copied: dict[int, frozenset[int]]


def head(sheet: Sheet, look: Look, shown: Sequence[Frame], style: Style, say: Messages) -> float:
    """Draw headline and legend. Returns the height, including the gap below."""
    t, y = style.type, 0.0
    for line in wrap(style.headline, style.width, 1.9 * t.u, 700, most=2) if style.headline else []:
        sheet.text(0, y + 1.1 * t.u, line, 1.9 * t.u, look.text, weight=700)
        y += 2.3 * t.u
    if style.legend:
        sheet.begin(0, round(y))
        how = say("picture.how", lens=say(f"lens.{style.lens}"), accounting=say(f"accounting.{style.accounting}"))
        kept = style.kept.union(*(pool.kept for one in shown for pool in one.pools))
        lit = style.lit if style.lit_in < 0 else ""
        y += (
            parts.legend(sheet, look, t, say, style.width, how, style.colour == "request", kept, lit, style.accounting)
            + 0.7 * t.u
        )
        sheet.end()
    return y


def body(
    sheet: Sheet, shown: Frame, style: Style, say: Messages, request: int = -1, height: float = 0, lead: int = -1,
    linked: Linked | None = None,
) -> float:  # fmt: skip
    """Draw everything inside the margins, ``style.width`` wide. Returns the height."""
    look, t = Look(sheet, style.theme, style.projector), style.type
    y = head(sheet, look, [shown], style, say)
    # the part below is measured on a separate sheet; the rows get the remaining height
    below = Sheet()
    below.defs = sheet.defs
    foot = _foot(below, look, shown, style, say, lead)
    room = (height - y - foot) / len(shown.pools) - 0.9 * t.u
    for pool in shown.pools:
        sheet.begin(0, round(y))
        y += row(sheet, look, shown, pool, style, say, room, request, linked) + 0.9 * t.u
        sheet.end()
    sheet.begin(0, round(y))
    sheet.parts += below.parts
    sheet.end()
    return y + foot


def _foot(sheet: Sheet, look: Look, shown: Frame, style: Style, say: Messages, lead: int) -> float:
    t, y = style.type, 0.0
    if style.sentence:
        y += parts.said(sheet, look, shown.overall[style.lens], where(shown, say, lead), t, style.width, style.lines)
    if style.caption:
        sheet.begin(0, round(y + 0.7 * t.u))
        y += parts.note(sheet, look, style.caption, t, style.width) + 0.7 * t.u
        sheet.end()
    return y


def caption_height(style: Style) -> float:
    """Return the height of the caption, which is added to the picture instead of making its rows thinner."""
    return parts.note(Sheet(), Look(Sheet()), style.caption, style.type, style.width) if style.caption else 0


def row(
    sheet: Sheet, look: Look, shown: Frame, pool: Pool, style: Style, say: Messages, room: float, request: int = -1,
    linked: Linked | None = None,
) -> float:  # fmt: skip
    """Draw the row of one system: its name, its strip, its ledger. Returns the height."""
    t = style.type
    lookup = shown.lookup(style.lens, style.accounting)
    parts.label(sheet, look, pool, shown, t, say)
    left = parts.label_height(pool, t)
    x, wide = round(t.side + t.gap), round(style.width - 2 * (t.side + t.gap))
    high = round(min(max(room, _ROW * t.u, left), _most(pool, wide, bool(linked))))
    sheet.begin(x, 0)
    strip = Strip(sheet, look, pool, wide, high, linked is not None)
    strip.draw(scene(shown, pool, style, lookup, linked))
    if linked:
        linked.over(strip, pool.index)
    if request >= 0:
        held = [(a, b) for a, b, owner in strip.pieces() if shown.header["requests"][owner]["index"] == request]
        strip.edges(held, look.line(2), look.text, "inside")
    point(strip, look, style.mark)
    sheet.end()
    sheet.begin(round(style.width - t.side), 0)
    right = parts.ledger(sheet, look, pool, shown, t, say, pool.totals(lookup), style.accounting)
    sheet.end()
    return max(left, high, right)


def scene(shown: Frame, pool: Pool, style: Style, lookup: list[int], linked: Linked | None = None) -> Scene:
    """Return how a pool is drawn in a style."""
    requests = shown.header["requests"]
    own = linked.texts.get(pool.index) if linked else None

    def text(owner: int, position: int) -> str:
        tokens = requests[owner]["tokens"]
        return tokens[position] if position < len(tokens) else ""

    lit = CATEGORIES.index(style.lit) if style.lit in CATEGORIES and style.lit_in in (-1, pool.index) else -1
    marks = pool.marks(lookup, style.colour == "request", shown.tones)
    framed = linked.copied.get(pool.index, frozenset()) if linked else frozenset()
    return Scene(marks, [r["id"] for r in requests], own or text, lit, lookup[Code.FREE], framed)


def _most(pool: Pool, wide: int, labels: bool = False) -> float:
    """Return the greatest useful height of a strip: 30 pixels for thin rows, about square for cells with text."""
    columns = min(pool.facts["columns"], pool.facts["slots"])
    rows, cell = -(-pool.facts["slots"] // columns), wide / columns
    most = rows * max(30, min(56, 2.1 * cell), 1.1 * cell)
    if not labels or not pool.facts["block_size"]:
        return most
    return rows * 24 + max(most, rows * min(90, 2.6 * cell) if rows <= 3 else 0)


def where(shown: Frame, say: Messages, lead: int = -1) -> str:
    """Return the number of the step, worded as in the player."""
    text = say("player.step", step=shown.step, last=shown.last)
    return say("player.moment", second=round(shown.second(lead), 1), step=text) if shown.timed else text


def title(shown: Frame, say: Messages, lens: Lens, headline: str = "", lead: int = -1) -> str:
    """Return the title of the picture. Under the online lens it does not give away the length of the run."""
    names = say("narration.list").join(pool.facts["name"] for pool in shown.pools)
    now = say("moment.step", step=shown.step) if lens == "online" else where(shown, say, lead)
    return say("picture.title", what=headline or names, where=now)


def description(shown: Frame, style: Style, say: Messages) -> str:
    """Return a description for screen readers: the shares and waiting requests of each system, and what happened."""
    lookup = shown.lookup(style.lens, style.accounting)
    told = [say("picture.how", lens=say(f"lens.{style.lens}"), accounting=say(f"accounting.{style.accounting}"))]
    for pool in shown.pools:
        shares = say("narration.list").join(
            say("player.share", count=count, category=say(f"player.category.{word_of(name, style.accounting)}"))
            for name, count in zip(CATEGORIES, pool.totals(lookup), strict=True)
        )
        line = say("player.canvas", system=pool.facts["name"], step=pool.step, shares=shares)
        told.append(line)
        if pool.waiting:
            told.append(pool.waiting)
        if pool.refusal:
            told.append(pool.refusal["text"])
    told.append(shown.overall[style.lens])
    return say("picture.join").join(text.rstrip(".。") for text in told if text) + say("picture.stop")
