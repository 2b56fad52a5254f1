"""The panels of the block table in a picture: text, logical blocks, block tables, arithmetic, free queue, CPU pool."""

from __future__ import annotations

from dataclasses import dataclass

from vizkv.messages.catalogue import Messages
from vizkv.views.picture.books import Books, tint
from vizkv.views.picture.look import CACHED, Look
from vizkv.views.picture.row import Type
from vizkv.views.picture.svg import Sheet, fit, measure

MOST_LINES = 3  # of the text
MOST_ROWS = 12  # of a table
MOST_TABLES = 4
MOST_CELLS = 64  # of a logical block; in larger ones a bar shows how full it is
_TAIL = 4  # of a long queue the last ones are shown too


@dataclass(frozen=True)
class Desk:
    """What all panels share: the sheet they are drawn on, and the system, sequence and token that they show."""

    sheet: Sheet
    look: Look
    t: Type
    say: Messages
    kept: Books
    names: list[str]
    who: int  # the followed sequence, -1 if none
    position: int  # the followed token of it, -1 if none

    @property
    def line(self) -> float:
        """The height of a row in a list."""
        return 1.6 * self.t.u

    def heading(self, x: float, y: float, text: str, more: str = "") -> None:
        """Draw the name of a panel."""
        self.sheet.text(x, y, text, self.t.u, self.look.text, weight=700)
        self.sheet.text(x + measure(text, self.t.u, 700) + 0.8 * self.t.u, y, more, self.t.u, self.look.quiet)

    def box(self, x: float, y: float, w: float, h: float, accent: bool = False) -> None:
        """Draw an outline; ``accent``: in the colour of the followed token."""
        ink, wide = (self.look.accent, 3) if accent else (self.look.quiet, 1)
        self.sheet.rect(x, y, w, h, stroke=ink, stroke_width=wide, rx=4)


def readable(text: str) -> str:
    """Return a token's text with line breaks and tabs made visible; "·" for an empty text."""
    return text.replace("\n", "↵").replace("\t", "⇥") if text else "·"


def text_panel(desk: Desk, width: float) -> float:
    """Draw the text of the followed sequence, block by block. Returns the height."""
    sheet, look, t, kept = desk.sheet, desk.look, desk.t, desk.kept
    label, size = t.side + t.gap, 1.12 * t.u
    name = desk.names[desk.who] if desk.who >= 0 else ""
    desk.heading(0, 0.9 * t.u, desk.say("player.panel.text"), name)
    if desk.who < 0:
        sheet.text(label, 0.9 * t.u, desk.say("player.away.nobody"), t.u, look.quiet)
        return 1.9 * t.u
    written = kept.written.get(desk.who, 0)
    placed: list[tuple[int, int, float, float, str]] = []  # line, position, x, width, token
    line, x = 0, label
    for position in range(written):
        token = readable(kept.text(desk.who, position))
        wide = measure(token.strip() or token, size) + 0.34 * t.u
        first = position % kept.size == 0
        x += 0.45 * t.u if first and x > label else 0
        if x + wide > width:
            line, x = line + 1, label
        placed.append((line, position, x, wide, token.strip() or token))
        x += wide + 1
    hidden = max(0, line + 1 - MOST_LINES)
    for line, position, x, wide, token in placed:
        if line < hidden:
            continue
        y = (line - hidden) * 2.5 * t.u
        block = kept.block_of(desk.who, position)
        ink = look.request(1 + block % 10) if block >= 0 else look["border"]
        new = position >= kept.wrote_from.get(desk.who, 0)
        if block >= 0:
            sheet.rect(x, y, wide, 1.55 * t.u, tint(look, block))
        sheet.rect(x, y + 1.55 * t.u, wide, 3, ink)
        if position % kept.size == 0:
            sheet.rect(x - 2, y, 3, 1.55 * t.u + 3, ink)
            sheet.text(x, y + 2.08 * t.u, str(position // kept.size), 0.8 * t.u, look.quiet, weight=600)
        sheet.text(x + wide / 2, y + 0.8 * t.u, token, size, look.text, anchor="middle", weight=700 if new else 400)
        if position == desk.position:
            sheet.rect(x, y, wide, 1.55 * t.u + 3, stroke=look.accent, stroke_width=3)
    return ((placed[-1][0] - hidden + 1) * 2.5 if placed else 1.5) * t.u + 0.2 * t.u


def _rows(desk: Desk, who: int) -> list[int]:
    """Return the logical blocks to show: all, or those around the followed or the last written one."""
    count = max(len(desk.kept.tables.get(who, [])), len(desk.kept.cpu.get(who, [])))
    if count <= MOST_ROWS:
        return list(range(count))
    pinned = desk.position // desk.kept.size if desk.position >= 0 and who == desk.who else count - 1
    first = max(0, min(count - MOST_ROWS, pinned - MOST_ROWS // 2))
    return list(range(first, first + MOST_ROWS))


def logical_panel(desk: Desk, width: float) -> float:
    """Draw the logical blocks of the followed sequence with their tokens. Returns the height."""
    sheet, look, t, kept = desk.sheet, desk.look, desk.t, desk.kept
    if desk.who < 0:
        return 0
    desk.heading(0, 0.8 * t.u, desk.say("player.panel.logical"))
    y = 1.9 * t.u + desk.line  # level with the table's rows
    number = 2.2 * t.u
    cells = kept.size if kept.size <= MOST_CELLS else 1
    wide = (width - number) / cells
    for logical in _rows(desk, desk.who):
        table, filled = kept.tables.get(desk.who, []), kept.filled(desk.who, logical)
        block = table[logical] if logical < len(table) else -1
        high = desk.line - 4
        sheet.text(0, y + desk.line / 2, str(logical), t.u, look.quiet, weight=700)
        if block >= 0 and filled:
            sheet.rect(number, y + 2, (width - number) * filled / kept.size, high, tint(look, block))
        for offset in range(cells if cells > 1 else 0):
            if offset:
                colour, opacity = look.veils["cell"]
                sheet.rect(number + offset * wide, y + 2, 1, high, colour, fill_opacity=opacity)
            if offset >= filled or wide < 2.2 * t.u:
                continue
            position = logical * kept.size + offset
            new = position >= kept.wrote_from.get(desk.who, 0)
            token = fit(readable(kept.text(desk.who, position)).strip(), wide - 4, t.u, 700 if new else 400)
            sheet.text(
                number + (offset + 0.5) * wide, y + desk.line / 2, token, t.u, look.text, anchor="middle",
                weight=700 if new else 400,
            )  # fmt: skip
        here = desk.position >= 0 and desk.position // kept.size == logical
        desk.box(number, y + 2, width - number, high, accent=here)
        if here and cells > 1:
            sheet.rect(number + desk.position % kept.size * wide, y + 2, wide, high, stroke=look.accent, stroke_width=3)
        y += desk.line
    return y


def shown_tables(desk: Desk) -> list[int]:
    """Return the sequences whose block tables are shown: those that hold blocks, the followed one included."""
    live = [who for who in {**desk.kept.tables, **desk.kept.cpu} if desk.kept.tables.get(who) or desk.kept.cpu.get(who)]
    shown = live[:MOST_TABLES]
    if desk.who in live and desk.who not in shown:
        shown[-1] = desk.who
    return shown


def table_panel(desk: Desk, who: int, width: float, named: bool) -> float:
    """Draw one block table. Returns the height."""
    sheet, look, t, kept, say = desk.sheet, desk.look, desk.t, desk.kept, desk.say
    more = desk.names[who] if named and who >= 0 else ""
    desk.heading(0, 0.8 * t.u, say("player.panel.table"), more)
    y = 1.9 * t.u
    ends = [width * part for part in (0.22, 0.55, 0.8, 1.0)]
    for end, name in zip(ends, ("logical", "physical", "filled", "references"), strict=True):
        word = say(f"player.column.{name}")
        sheet.text(end - 0.3 * t.u, y + desk.line / 2, word, t.small, look.quiet, anchor="end", most=0.24 * width)
    y += desk.line
    sheet.rect(0, y - 1, width, 2, look.quiet)
    written, fresh = kept.written.get(who, 0), kept.wrote_from.get(who, 0)
    table, cpu = kept.tables.get(who, []), kept.cpu.get(who, [])
    for logical in _rows(desk, who):
        block = table[logical] if logical < len(table) else -1
        middle = y + desk.line / 2
        writing = fresh < written and fresh // kept.size <= logical <= (written - 1) // kept.size
        weight = 700 if writing else 400
        wrong = kept.wrong.get((who, logical), -1)
        if writing:
            sheet.rect(0, y, width, desk.line, look["panel"])
        words = [str(logical), "", say("player.filled", filled=kept.filled(who, logical), size=kept.size), ""]
        if block >= 0:
            words[3] = str(kept.references.get(block, ""))
            text = str(block) if wrong < 0 else str(wrong)
            wide = max(2.2 * t.u, measure(text, t.u, 700) + t.u)
            right = ends[1] - 0.3 * t.u
            sheet.rect(right - wide, y + 3, wide, desk.line - 6, tint(look, block if wrong < 0 else wrong), rx=4)
            ink = look.text if wrong < 0 else look.alarm
            sheet.text(right - wide / 2, middle, text, t.u, ink, weight=700, anchor="middle")
            if wrong >= 0:
                old = right - wide - 0.6 * t.u
                sheet.text(old, middle, str(block), t.u, look.quiet, anchor="end")
                sheet.rect(old - measure(str(block), t.u), middle, measure(str(block), t.u), 2, look.alarm)
        elif logical < len(cpu):
            words[1], words[2] = say("player.cpu.block", block=cpu[logical]), ""
        for end, word in zip(ends, words, strict=True):
            sheet.text(end - 0.3 * t.u, middle, word, t.u, look.text, weight=weight, anchor="end")
        sheet.rect(0, y + desk.line - 1, width, 1, look["border"])
        if who == desk.who and desk.position >= 0 and desk.position // kept.size == logical:
            sheet.rect(1, y + 1, width - 2, desk.line - 3, stroke=look.accent, stroke_width=3)
        y += desk.line
    return y


def follow_panel(desk: Desk, width: float) -> float:
    """Draw the arithmetic from the followed token to its slot. Returns the height; 0 if no token is followed."""
    sheet, look, t, kept, say = desk.sheet, desk.look, desk.t, desk.kept, desk.say
    block = kept.block_of(desk.who, desk.position)
    if desk.position < 0 or block < 0:
        return 0
    row, offset = divmod(desk.position, kept.size)
    read = kept.wrong.get((desk.who, row), block)
    n = {"position": str(desk.position), "size": str(kept.size), "row": str(row), "offset": str(offset)}
    n |= {"block": str(read), "right": str(block), "slot": str(read * kept.size + offset)}
    parts = [
        say("player.follow.position", **n), say("player.follow.row", **n), say("player.follow.offset", **n),
        say("player.follow.misread" if read != block else "player.follow.block", **n), say("player.follow.slot", **n),
    ]  # fmt: skip
    token = readable(kept.text(desk.who, desk.position))
    about = say("player.tip.token", request=desk.names[desk.who], position=n["position"], token=token)
    desk.heading(0, 0.8 * t.u, say("player.panel.follow"), about)
    x, y, high = 0.0, 1.7 * t.u, 1.8 * t.u
    for i, part in enumerate(parts):
        wide = measure(part, t.u, 700) + 1.2 * t.u
        arrow = 0 if i in (0, 2) else 1.7 * t.u
        if x and x + arrow + wide > width:
            x, y = 0.0, y + high + 0.4 * t.u
        if arrow:
            sheet.text(x + 0.85 * t.u, y + high / 2, "→", t.u, look.quiet, anchor="middle")
        sheet.rect(x + arrow, y, wide, high, look["panel"], stroke=look["border"], rx=6)
        sheet.text(x + arrow + wide / 2, y + high / 2, part, t.u, look.text, weight=700, anchor="middle")
        x += arrow + wide + 0.4 * t.u
    return y + high + 0.4 * t.u


def queue_panel(desk: Desk, width: float) -> float:
    """Draw the free queue, beginning with the block that is allocated next. Returns the height."""
    t, kept, say = desk.t, desk.kept, desk.say
    label = t.side + t.gap
    desk.heading(0, t.u, say("player.panel.queue"))
    at = measure(say("player.panel.queue"), t.u, 700) + 0.8 * t.u
    desk.sheet.text(at, t.u, say("player.queue.free", count=len(kept.queue)), t.u, desk.look.quiet, most=label - at - 6)
    digits = len(str(max(kept.queue, default=0)))
    wide = max(2.1, 1 + 0.62 * digits) * t.u
    x = label
    gone = kept.left[-3:]
    if gone:
        word = say("player.queue.taken")
        desk.sheet.text(x, t.u, word, t.u, desk.look.quiet)
        x += measure(word, t.u) + 0.5 * t.u
        for block in gone:
            _chip(desk, x, wide, block, dashed=True)
            x += wide + 4
    desk.sheet.text(x + 0.6 * t.u, t.u, "←", t.u, desk.look.quiet, anchor="middle")
    x += 1.4 * t.u
    room = int((width - x) / (wide + 4))
    hidden = max(0, len(kept.queue) - room)
    chips: list[int | None] = list(kept.queue)
    if hidden:
        more = -(-round(9 * t.u) // round(wide + 4))
        head = kept.queue[: max(0, room - _TAIL - more)]
        hidden = len(kept.queue) - len(head) - _TAIL
        chips = [*head, None, *kept.queue[-_TAIL:]]
    for chip in chips:
        if chip is None:
            desk.sheet.text(x + 4, t.u, say("player.queue.more", count=hidden), t.u, desk.look.quiet, most=8 * t.u)
            x += 9 * t.u
            continue
        _chip(desk, x, wide, chip)
        x += wide + 4
    return 2.1 * t.u


def _chip(desk: Desk, x: float, wide: float, block: int, dashed: bool = False) -> None:
    look, t = desk.look, desk.t
    high = 1.75 * t.u
    fills = look.paint(0, CACHED) if block in desk.kept.cached and not dashed else [look.page]
    more = {"stroke_dasharray": "4 3"} if dashed else {}
    came = block in desk.kept.came and not dashed
    desk.sheet.begin(round(x), round(0.1 * t.u))
    ink = look.accent if came else look.quiet if dashed else look.text
    for fill in fills:
        desk.sheet.rect(1, 1, wide - 2, high, fill, rx=5)
    desk.sheet.rect(1, 1, wide - 2, high, stroke=ink, stroke_width=3 if came else 1.5, rx=5, **more)
    word = look.quiet if dashed else look.text
    desk.sheet.text(wide / 2, 0.9 * t.u, str(block), t.u, word, weight=700, anchor="middle", most=wide - 4)
    if dashed:  # struck out
        half = min(wide - 4, measure(str(block), t.u, 700)) / 2
        desk.sheet.rect(wide / 2 - half, 0.9 * t.u - 0.5, 2 * half, 1, look.quiet)
    desk.sheet.end()


def cpu_panel(desk: Desk, width: float) -> float:
    """Draw the CPU pool and the owners of its blocks. Returns the height; 0 if there is no such pool."""
    kept, t, look, say = desk.kept, desk.t, desk.look, desk.say
    if not kept.cpu_blocks:
        return 0
    owners: dict[int, list[str]] = {}
    for who, blocks in kept.cpu.items():
        for block in blocks:
            owners.setdefault(block, []).append(desk.names[who])
    desk.heading(0, t.u, say("player.panel.cpu"))
    at = measure(say("player.panel.cpu"), t.u, 700) + 0.8 * t.u
    free = kept.cpu_blocks - len(owners)
    desk.sheet.text(at, t.u, say("player.queue.free", count=free), t.u, look.quiet, most=t.side + t.gap - at - 6)
    moved = {cpu for _, cpu in kept.swaps}
    x, y, high, small = t.side + t.gap, 0.1 * t.u, 1.75 * t.u, 0.8 * t.u
    for block in range(kept.cpu_blocks) if kept.cpu_blocks <= 64 else sorted(owners)[:64]:
        name, number = " ".join(owners.get(block, [])), str(block)
        words = measure(name, t.u, 700) + 0.3 * t.u if name else 0
        both = words + measure(number, small)
        wide = max(2.4 * t.u, both + 0.6 * t.u)
        if x + wide > width:
            x, y = t.side + t.gap, y + high + 4
        if block in moved:
            desk.sheet.rect(x, y, wide, high + 2, stroke=look.accent, stroke_width=2, rx=6)
        ink, fill = (look.text, look["panel"]) if name else (look.quiet, "none")
        more = {} if name else {"stroke_dasharray": "4 3"}
        desk.sheet.rect(x + 1, y + 1, wide - 2, high, fill, stroke=ink, rx=5, **more)
        start, middle = x + (wide - both) / 2, y + 0.95 * t.u
        desk.sheet.text(start, middle, name, t.u, look.text, weight=700)
        desk.sheet.text(start + words, middle, number, small, look.quiet)
        x += wide + 4
    return y + high + 0.4 * t.u
