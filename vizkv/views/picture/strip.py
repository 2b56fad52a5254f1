"""A system's pool in SVG: the same rectangles in the same order as vizkv/player/strip.js; a browser test compares both.

A unit is a CSS pixel. Edges of slots are whole units, so that they are sharp and leave no seams.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from vizkv.trace.slots import Code
from vizkv.views.picture.frame import Pool
from vizkv.views.picture.look import FREE, USED, Look
from vizkv.views.picture.svg import Sheet, fit, measure

Box = tuple[float, float, float, float]

TEXT_WIDTH, TEXT_HEIGHT = 23, 16  # the smallest cell that has its token written in it
ROOM_FOR_NAME, ROOM_FOR_ALL = 24, 38  # the least height of a cell for the request's name, and also for the position
SQUEEZE = 0.72  # a token that would have to be narrower than this is cut short instead
FINE = 9  # rows less high than this have thin outlines also on a projector
MOST_LINE = 4  # thickest frame of a block: a thicker one would hide its number
LEAST = 6  # the narrowest piece that is outlined
RULER_GAP = 9  # ruler lines are thinned out until they are this far apart
LEAST_BAND, MOST_BAND, LEAST_CELL, LEAST_BLOCK = 12, 24, 14, 22  # sizes for the band of labels above a row of blocks


@dataclass(frozen=True)
class Scene:
    """How a pool is drawn. ``marks``: tone * 8 + mark of each slot. ``names``: of requests, by the pool's indices."""

    marks: np.ndarray
    names: list[str]
    text: Callable[[int, int], str]  # (owner, position) -> token
    lit: int = -1  # the category whose slots are highlighted
    free: int = FREE  # the category of free slots
    framed: frozenset[int] = frozenset()  # blocks that are copied: words must not touch their frames


def _round(value: float) -> int:
    return math.floor(value + 0.5)


def band_of(row_height: float, block_width: float) -> int:
    """Return the height of the band of labels above each row of blocks; 0 if there is no room for it."""
    band = max(LEAST_BAND, min(MOST_BAND, row_height * 0.32))
    return _round(band) if block_width >= LEAST_BLOCK and row_height - band >= LEAST_CELL else 0


class Strip:
    """Lays out a pool's slots in a box of ``width`` x ``height``, and draws them."""

    def __init__(self, sheet: Sheet, look: Look, pool: Pool, width: int, height: int, labels: bool = False) -> None:
        self.sheet, self.look, self.pool = sheet, look, pool
        self.slots, self.size = pool.facts["slots"], pool.facts["block_size"]
        self.columns = min(pool.facts["columns"], self.slots)
        self.rows = -(-self.slots // self.columns)
        self.wide, self.high = width, height
        self.x = [_round(c * width / self.columns) for c in range(self.columns + 1)]
        self.cell_width = width / self.columns
        self.band = band_of(height / self.rows, self.cell_width * self.size) if labels and self.size else 0
        self.y = [_round(r * height / self.rows) + self.band for r in range(self.rows)]
        self.bottom = [_round((r + 1) * height / self.rows) for r in range(self.rows)]
        self.cell_height = height / self.rows - self.band
        self.with_text = self.cell_width >= TEXT_WIDTH and self.cell_height >= TEXT_HEIGHT

    def rect_of(self, slot: int) -> Box:
        """Return the rectangle of a slot."""
        row, column = divmod(slot, self.columns)
        x, y = self.x[column], self.y[row]
        return x, y, self.x[column + 1] - x, self.bottom[row] - y

    def draw(self, scene: Scene) -> None:
        """Draw the whole pool."""
        self.fill(scene)
        if self.with_text:
            self.borders()
        else:
            self.ruler()
        pieces = self.pieces()
        self.outlines(pieces)
        if self.with_text:
            self.tokens(scene)
        if not self.band:
            self.chips(pieces, scene.names)
        hole = self.pool.hole
        if hole and hole[1] > 0:
            start, end = hole[0], hole[0] + hole[1]
            self.edges([(start, end)], self.look.line(3), self.look.page, "inside")
            self.edges([(start, end)], self.look.line(2), self.look.alarm, "inside")

    # -- areas --------------------------------------------------------------------------------------------------------

    def fill(self, scene: Scene) -> None:
        """Fill the slots: equal neighbours in a row together, and one element for all slots of a style."""
        styles: dict[int, list[Box]] = {}
        veil: list[Box] = []
        for row in range(self.rows):
            marks = scene.marks[row * self.columns : (row + 1) * self.columns]
            edges = [0, *(np.flatnonzero(np.diff(marks)) + 1).tolist(), len(marks)]
            top, high = self.y[row], self.bottom[row] - self.y[row]
            for start, end in zip(edges, edges[1:], strict=False):
                mark = int(marks[start])
                box = (self.x[start], top, self.x[end] - self.x[start], high)
                styles.setdefault(mark, []).append(box)
                category = mark & 7 if mark & 7 < FREE else scene.free
                if 0 <= scene.lit != category:
                    veil.append(box)
        for mark, boxes in sorted(styles.items()):
            for fill in self.look.paint(mark >> 3, mark & 7):
                self.sheet.rects(boxes, fill)
        self.sheet.rects(veil, self.look.page, fill_opacity="0.8")

    def ruler(self) -> None:
        """Draw a thin line every ``unit`` slots, at the same addresses in every row."""
        unit = self.pool.facts["unit"]
        while unit * self.cell_width < RULER_GAP and unit < self.columns:
            unit *= 2
        colour, opacity = self.look.veils["ruler"]
        rest = self.slots % self.columns
        lines = []
        for column in range(unit, self.columns, unit):
            low = self.y[-1] - self.band if rest and column > rest else self.high
            lines.append((self.x[column], 0, 1, low))
        self.sheet.rects(lines, colour, fill_opacity=opacity)

    def borders(self) -> None:
        """Draw the outlines of cells, with gaps between blocks."""
        colour, opacity = self.look.veils["cell"]
        lines: list[Box] = []
        gaps: list[Box] = []
        for slot in range(self.slots):
            x, y, w, h = self.rect_of(slot)
            lines += [(x, y, w, 1), (x, y + 1, 1, h - 1)]
            if self.size and slot % self.pool.facts["unit"] == 0 and slot % self.columns:
                gaps.append((x - 1, y, 3, h))
        self.sheet.rects(lines, colour, fill_opacity=opacity)
        self.sheet.rects(gaps, self.look.page)

    # -- who holds what -----------------------------------------------------------------------------------------------

    def pieces(self) -> list[tuple[int, int, int]]:
        """Return (start, end, owner) of every stretch of slots that one request holds."""
        owners = self.pool.owners
        cuts = np.flatnonzero(np.diff(owners)) + 1
        if self.band:  # labels separate the rows
            cuts = np.union1d(cuts, np.arange(self.size, self.slots, self.size))
        edges = [0, *cuts.tolist(), self.slots]
        return [(a, b, int(owners[a])) for a, b in zip(edges, edges[1:], strict=False) if owners[a] >= 0]

    def outlines(self, pieces: Iterable[tuple[int, int, int]]) -> None:
        """Draw outlines of the pieces that are wide enough; narrower ones would be hidden by their outline."""
        least = max(1, LEAST / self.cell_width)
        far = self.look.projector
        thick = (2 if far else 1) if self.cell_height < FINE else self.look.line(1)
        self.edges([(a, b) for a, b, _ in pieces if b - a >= least], thick, self.look.outline, "shared")

    def edges(self, spans: Iterable[tuple[int, int]], thick: int, colour: str, where: str) -> None:
        """Draw outlines of slots start..end-1: "inside" or "around" them, or "shared" with their neighbours."""
        boxes: list[Box] = []
        for start, end in spans:
            self._edge(boxes, start, end, thick, where)
        self.sheet.rects(boxes, colour)

    def _edge(self, boxes: list[Box], start: int, end: int, thick: int, where: str) -> None:
        x, y, low, columns = self.x, self.y, self.bottom, self.columns
        (top, left), (bottom, right) = divmod(start, columns), divmod(end - 1, columns)
        right += 1
        out = thick if where == "around" else 0
        back = 0 if where == "shared" else thick - out  # how far lines at the right and bottom are moved inwards

        def across(first: int, last: int, edge: float, below: bool) -> None:
            if last > first:
                line = min(edge - back, self.high - thick) if below else max(0, edge - out)
                boxes.append((x[first] - out, line, x[last] - x[first] + 2 * out + (0 if back else thick), thick))

        def down(column: int, first: int, last: int, after: bool) -> None:
            if last > first:
                line = min(x[column] - back, self.wide - thick) if after else max(0, x[column] - out)
                boxes.append((line, y[first], thick, low[last - 1] - y[first]))

        one = top == bottom
        across(left, right if one else columns, y[top], False)
        across(left if one else 0, right, low[bottom], True)
        down(left, top, top + 1, False)
        down(right, bottom, bottom + 1, True)
        if one:
            return
        # the corners where the first row begins late and the last row ends early
        across(0, min(left, right) if bottom == top + 1 else left, y[top + 1], False)
        across(max(left, right) if bottom == top + 1 else right, columns, y[bottom], True)
        down(0, top + 1, bottom + 1, False)
        down(columns, top, bottom, True)

    # -- words --------------------------------------------------------------------------------------------------------

    def _place_of(self, start: int, end: int) -> Box:
        """Return the widest rectangle in a piece, for its name."""
        x, y, low, columns = self.x, self.y, self.bottom, self.columns
        (top, left), (bottom, right) = divmod(start, columns), divmod(end - 1, columns)
        right += 1
        if top == bottom:
            return x[left], y[top], x[right] - x[left], low[top] - y[top]
        if bottom == top + 1 and right > left and x[right] - x[left] > 40:
            return x[left], y[top], x[right] - x[left], low[bottom] - y[top]
        first, last = (top if left == 0 else top + 1), (bottom + 1 if right == columns else bottom)
        if last > first:
            return 0, y[first], x[columns], low[last - 1] - y[first]
        # of two rows that do not overlap, the longer one
        if columns - left >= right:
            return x[left], y[top], x[columns] - x[left], low[top] - y[top]
        return 0, y[bottom], x[right], low[bottom] - y[bottom]

    def chip_boxes(
        self, pieces: Iterable[tuple[int, int, int]], names: list[str]
    ) -> tuple[float, list[tuple[Box, str]]]:
        """Return the size of the type, and a box for each request's name that fits without hiding another."""
        small, large = (15, 20) if self.look.projector else (10, 14)
        size = min(13, max(9, self.cell_height * 0.3)) if self.with_text else min(large, max(small, self.high * 0.13))
        if self.with_text and self.cell_height < ROOM_FOR_NAME:
            return size, []
        height = _round(size + 3)
        inset = (2 if self.cell_height < ROOM_FOR_ALL else 3) if self.with_text else 4
        taken: list[tuple[Box, str]] = []
        for start, end, owner in pieces:
            left, top, width, high = self._place_of(start, end)
            if high < height * 0.7:
                continue
            wide = max(height, math.ceil(measure(names[owner], size, 700) + 7))
            if wide + 4 > width and not self.with_text:
                continue
            up = _round(top + (high - height) / 2) if high < max(height + 4, 2.2 * height) else top + 4
            x, y = left + inset, top + inset if self.with_text else up
            y, w = max(0, min(y, self.high - height)), min(wide, width - 2 * inset)
            while _taken(taken, (x, y, w, height)) and x + 2 * wide < left + width:
                x += wide + 3
            if not _taken(taken, (x, y, w, height)):
                taken.append(((x, y, w, height), names[owner]))
        return size, taken

    def chips(self, pieces: Iterable[tuple[int, int, int]], names: list[str]) -> None:
        """Draw each request's name on its slots, on a plate that is legible on any colour."""
        size, boxes = self.chip_boxes(pieces, names)
        line = self.look.line(1)
        for (x, y, w, h), name in boxes:
            box = x + line / 2, y + line / 2, w - line, h - line
            self.sheet.rect(*box, self.look.page, stroke=self.look.text, stroke_width=line, rx=3)
            self.sheet.text(x + w / 2, y + h / 2, name, size, self.look.text, weight=700, anchor="middle", most=w - 2)

    def tokens(self, scene: Scene) -> None:
        """Draw the token of each written slot, and the position of each held slot."""
        size = max(11, min(20, self.cell_height * 0.34, self.cell_width * 0.3))
        small = max(9, size * 0.62)
        room = self.cell_height >= ROOM_FOR_ALL
        named = self.band == 0 and self.cell_height >= ROOM_FOR_NAME
        middle = (0.56 if named else 0.46) if room else (0.7 if named else 0.53)
        codes, owners, positions = (
            column.tolist() for column in (self.pool.codes, self.pool.owners, self.pool.positions)
        )
        for slot in range(self.slots):
            if positions[slot] < 0:
                continue
            x, y, w, h = self.rect_of(slot)
            tone, mark = divmod(int(scene.marks[slot]), 8)
            ink = self.look.on(tone, mark)
            if codes[slot] == Code.USED:
                left, right = self.framed(slot, scene)
                free, center = w - 3 - left - right, x + (w + left - right) / 2
                text = fit(scene.text(owners[slot], positions[slot]).strip(), (w - 3) / SQUEEZE, size, 600)
                self.sheet.text(center, y + h * middle, text, size, ink, weight=600, anchor="middle", most=free)
            if not room:
                continue
            label = str(positions[slot])
            if mark != USED:  # a plain patch makes the number legible on a hatch
                wide = measure(label, small, 500) + 4
                self.sheet.rect(x + w - 1 - wide, y + h - 3 - small, wide, small + 1, self.look.base(tone, mark))
            self.sheet.text(x + w - 4, y + h - 3 - small / 2, label, small, ink, weight=500, anchor="end")

    def framed(self, slot: int, scene: Scene) -> tuple[float, float]:
        """Return the pixels at the left and right of a slot that the frame of a copied block takes."""
        if not scene.framed or slot // self.size not in scene.framed:
            return 0, 0
        offset, line = slot % self.size, max(0, min(MOST_LINE, self.look.line(3)) - 1)
        return line if offset == 0 else 0, line if offset == self.size - 1 else 0


def _taken(taken: list[tuple[Box, str]], box: Box) -> bool:
    x, y, w, h = box
    return any(x < a + c and a < x + w and y < b + d and b < y + h for (a, b, c, d), _ in taken)
