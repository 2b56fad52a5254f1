"""The bookkeeping of a paged system at a step, drawn over its pool in a picture as vizkv/player/blocks.js does.

Above each block stand its number, its holders and its reference count. Outlines mark blocks that are followed, copied
or read wrongly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vizkv.replay import Replay, at
from vizkv.trace.events import Kind
from vizkv.trace.trace import Trace
from vizkv.views.picture.look import TONES, Look, mix
from vizkv.views.picture.strip import MOST_LINE, Strip
from vizkv.views.picture.svg import fit, measure

_DROP = 11  # pixels by which the arrow head of a copy reaches into a block from above
_BOW = 0.12  # height of an arc as a share of the cell's, so that it stays above the words


@dataclass(frozen=True)
class Books:
    """Block tables, reference counts and queues; sequences are indices in the trace."""

    size: int
    tables: dict[int, list[int]]
    written: dict[int, int]
    wrote_from: dict[int, int]  # first position that this step wrote
    references: dict[int, int]
    queue: list[int]
    left: list[int]  # blocks that left the free queue in this step
    came: set[int]  # blocks that joined the free queue in this step
    cached: set[int]
    cpu: dict[int, list[int]]
    cpu_blocks: int
    wrong: dict[tuple[int, int], int]
    copies: list[tuple[int, int, int]]  # from, to, sequence
    swaps: list[tuple[int, int]]  # (block, CPU block) that were swapped out or in
    null_block: bool
    replay: Replay

    def text(self, who: int, position: int) -> str:
        """Return the text of a token that this system has written."""
        return self.replay.piece(who, position)

    @property
    def copied(self) -> frozenset[int]:
        """Blocks that this step copies from or to."""
        return frozenset(block for source, target, _ in self.copies for block in (source, target))

    def filled(self, who: int, logical: int) -> int:
        """Return the number of written slots in a logical block."""
        return max(0, min(self.size, self.written.get(who, 0) - logical * self.size))

    def block_of(self, who: int, position: int) -> int:
        """Return the physical block of a written token; -1 if there is none."""
        table = self.tables.get(who, [])
        logical = position // self.size
        return table[logical] if 0 <= position < self.written.get(who, 0) and logical < len(table) else -1


def books(trace: Trace, index: int, step: int) -> Books:
    """Return the bookkeeping of one system at a step."""
    system = trace.systems[index]
    now = at(system, trace.requests, step)
    before = list(at(system, trace.requests, step - 1).free_queue) if step else list(now.free_queue)
    queue = list(now.free_queue)
    exchanged = any(e.kind == Kind.EXCHANGED for e in now.events)  # then blocks changed places in the queue only
    return Books(
        size=system.block_size,
        tables={who: list(live.block_table) for who, live in now.live.items()},
        written={who: live.written for who, live in now.live.items()},
        wrote_from={who: live.written - now.scheduled.get(who, 0) for who, live in now.live.items()},
        references=dict(now.references),
        queue=queue,
        left=[] if exchanged else [b for b in before if b not in now.free_queue],
        came=set() if exchanged else set(queue) - set(before),
        cached=set(now.cached),
        cpu={who: list(blocks) for who, blocks in now.swapped.items()},
        cpu_blocks=system.slots // system.block_size if system.detail.get("recovery") == "swap" else 0,
        wrong={key: block for key, block in now.repointed.items() if key[0] in now.live},
        copies=[(e.a, e.b, e.request) for e in now.events if e.kind == Kind.COPIED],
        swaps=[
            (e.a, e.b) if e.kind == Kind.SWAPPED_OUT else (e.b, e.a)
            for e in now.events
            if e.kind in (Kind.SWAPPED_OUT, Kind.SWAPPED_IN) and e.d
        ],
        null_block=bool(system.detail.get("null_block")),
        replay=now,
    )  # fmt: skip


def tint(look: Look, block: int) -> str:
    """Return the tint of a block, which depends on its number only."""
    return mix(look.request(1 + block % TONES), look.page, 0.45 if look.dark else 0.3)


def draw_blocks(strip: Strip, look: Look, kept: Books, names: list[str], null: str, pin: tuple[int, int]) -> None:
    """Draw labels and outlines over a drawn strip. ``pin``: (block, offset) of the followed token, -1 for none."""
    if strip.band:
        _labels(strip, look, kept, names, null)
    for heads in (False, True):  # arrow heads last, so that no arc hides one
        for source, target, _ in kept.copies:
            _copied(strip, look, source, target, heads)
    for block, _ in kept.swaps:
        _frame(strip, block, look.accent, 2, dashed=True)
    for block in kept.wrong.values():
        _frame(strip, block, look.alarm, 3, dashed=True)
    block, offset = pin
    if block < 0:
        return
    _frame(strip, block, look.accent, 3 if offset < 0 else 1)
    if offset >= 0:
        slot = block * kept.size + offset
        strip.edges([(slot, slot + 1)], look.line(4), look.page, "around")
        strip.edges([(slot, slot + 1)], look.line(3), look.accent, "around")


def _box(strip: Strip, block: int) -> tuple[float, float, float, float]:
    """Return the box of a block, its label included."""
    row, column = divmod(block * strip.size, strip.columns)
    left, right = strip.x[column], strip.x[min(strip.columns, column + strip.size)]
    top = strip.y[row] - strip.band
    return left, top, right - left, strip.bottom[row] - top


def _frame(strip: Strip, block: int, colour: str, line: float, dashed: bool = False) -> None:
    x, y, w, h = _box(strip, block)
    line = min(MOST_LINE, strip.look.line(line))
    more = {"stroke_dasharray": f"{3 * line} {2 * line}"} if dashed else {}
    strip.sheet.rect(
        x + line / 2, y + line / 2, w - line, h - line, stroke=colour, stroke_width=line, **more
    )  # fmt: skip


def _way(strip: Strip, source: int, target: int) -> tuple[str, float, float, float]:
    """Return (path up to its last point, x and y of the tip, angle there) of the arrow of a copy.

    Within a row it is an arc; between rows it follows the edges of blocks and arrives from above, to cover no words.
    """
    (left, top, w, h), (left2, top2, w2, _) = _box(strip, source), _box(strip, target)
    x1, x2 = left + w / 2, left2 + w2 / 2
    if top == top2:
        y = top + strip.band + 4
        cx, cy = (x1 + x2) / 2, y + (h - strip.band) * _BOW
        return f"M{x1:.1f} {y:.1f}Q{cx:.1f} {cy:.1f} ", x2, y, math.atan2(y - cy, x2 - cx)
    out, into = top + h if top2 > top else top, max(top2, 1)
    side = left2 if x1 < x2 else left2 + w2  # the nearer edge of the target
    corners = [(x1, out), *([] if out == into else [(side, out), (side, into)]), (x2, into)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
    return f"M{path}L", x2, into + _DROP, math.pi / 2


def _copied(strip: Strip, look: Look, source: int, target: int, heads: bool) -> None:
    """Draw the source (dashed) and the target of a copy, and the arrow between them."""
    if not heads:
        _frame(strip, source, look.text, 3, dashed=True)
        _frame(strip, target, look.text, 3)
    path, x, y, angle = _way(strip, source, target)
    head = 8
    # first a rim in the page's colour, to be visible on slots of any colour
    for wide, ink, rim in ((5, look.page, 2), (2, look.text, 0)):
        if not heads:
            end = f"{x - math.cos(angle) * head:.1f} {y - math.sin(angle) * head:.1f}"
            strip.sheet.add(
                f'<path d="{path}{end}" fill="none" stroke="{ink}" stroke-linejoin="round" '
                f'stroke-width="{min(2 * MOST_LINE, look.line(wide))}"/>'
            )
            continue
        tip = [(x + math.cos(angle) * rim, y + math.sin(angle) * rim)] + [
            (x - math.cos(angle + turn) * (head * 1.4 + rim), y - math.sin(angle + turn) * (head * 1.4 + rim))
            for turn in (-0.45, 0.45)
        ]
        points = " ".join(f"{px:.1f},{py:.1f}" for px, py in tip)
        strip.sheet.add(f'<polygon points="{points}" fill="{ink}"/>')


def _labels(strip: Strip, look: Look, kept: Books, names: list[str], null: str) -> None:
    band = strip.band
    size = max(11, min(17, band * 0.8))
    inset = 8 if look.projector else 4  # the outline, which is thicker on a projector, must not touch the label
    held: dict[int, list[str]] = {}
    for who, table in kept.tables.items():
        for block in table:
            held.setdefault(block, []).append(names[who])
    for block in range(strip.slots // kept.size):
        left, top, width, _ = _box(strip, block)
        owners = held.get(block)
        if owners:
            strip.sheet.rect(left + 1, top, width - 2, band - 1, tint(look, block))
        middle = top + (band - 1) / 2
        number = null if block == 0 and kept.null_block else str(block)
        ink = look.text if owners else look.quiet
        strip.sheet.text(left + inset, middle, number, size, ink, weight=700, most=width - inset - 2)
        start = left + inset + 6 + measure(number, size, 700)
        badge, right = kept.references.get(block, 0), left + width - 2
        if badge > 1:
            text = f"×{badge}"
            wide = math.ceil(measure(text, size, 700)) + 8
            strip.sheet.rect(right - wide, top + 1, wide, band - 3, look.text, rx=4)
            strip.sheet.text(right - wide / 2, middle, text, size, look.page, weight=700, anchor="middle")
            right -= wide + 4
        if owners and right - 1 - start >= 8:
            room = right - 1 - start
            text = fit(" ".join(owners), room, size * 0.92, 500)
            strip.sheet.text(start, middle, text, size * 0.92, look.text, weight=500, most=room)
