"""The copy-on-write events of a run: which sequences share a block, what is copied, and who reads which block then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

from vizkv.messages.catalogue import Messages
from vizkv.replay import Replay, walk
from vizkv.trace.events import Event, Kind
from vizkv.trace.trace import Trace


@dataclass(frozen=True)
class Copy:
    """A copy-on-write: ``who``, one of ``readers``, is about to write into ``source`` and gets ``block`` instead."""

    step: int
    who: str  # id
    readers: tuple[str, ...]  # ids
    logical: int  # index in the block table
    source: int
    block: int
    pieces: tuple[str, ...]  # texts of the slots that are copied
    written: tuple[str, ...]  # texts that ``who`` writes after them in this step
    size: int  # slots per block

    @property
    def others(self) -> tuple[str, ...]:
        """The sequences that still read the old block."""
        return tuple(name for name in self.readers if name != self.who)


class _Books:
    """Block tables and texts in the middle of a step; at its end, where the replay stands, beams may have changed."""

    def __init__(self, replay: Replay):
        self.replay = replay
        self.tables: dict[int, list[int]] = {}
        self.ids: dict[int, dict[int, int]] = {}  # by sequence and position: ids of the written tokens

    def piece(self, who: int, position: int) -> str:
        """Return the current text of a token of a sequence."""
        words, token = self.replay.system.vocabulary, self.ids.get(who, {}).get(position)
        if words and token is not None:
            return words.get(token, "")
        pieces = self.replay.requests[who].pieces
        return pieces[position] if position < len(pieces) else ""

    def follow(self, event: Event) -> None:
        """Apply one event."""
        kind, who, a, b, c, _ = event
        if kind == Kind.WRITTEN:
            self.ids.setdefault(who, {})[a + b - 1] = c
        elif kind in (Kind.BLOCK, Kind.SHARED):
            self.tables.setdefault(who, []).append(a)
        elif kind == Kind.SWAPPED_IN:
            self.tables.setdefault(who, []).append(b)
        elif kind == Kind.FORKED:
            self.tables[who] = list(self.tables.get(a, ()))
            self.ids[who] = dict(self.ids.get(a, {}))
        elif kind == Kind.COPIED:
            self.tables[who][c] = b
        elif kind == Kind.FREED_BLOCK and who in self.tables:
            self.tables[who] = [block for block in self.tables[who] if block != a]
        elif kind == Kind.EXCHANGED:
            other = {a: b, b: a}
            for table in self.tables.values():
                table[:] = [other.get(block, block) for block in table]


def copies(trace: Trace, system: int) -> list[Copy]:
    """Return all copies of a system, in order."""
    found: list[Copy] = []
    books: _Books | None = None
    for replay in walk(trace.systems[system], trace.requests):
        books = books or _Books(replay)
        fresh: list[Copy] = []
        for event in replay.events:
            if event.kind == Kind.COPIED:
                fresh.append(_copy(books, event))
            books.follow(event)
            if event.kind == Kind.WRITTEN:
                fresh = [_written(copy, books, event) for copy in fresh]
        found += fresh
    return found


def _copy(books: _Books, event: Event) -> Copy:
    replay, who = books.replay, event.request
    first = event.c * replay.system.block_size
    return Copy(
        step=replay.step,
        who=replay.requests[who].id,
        readers=tuple(replay.requests[i].id for i, table in books.tables.items() if event.a in table),
        logical=event.c,
        source=event.a,
        block=event.b,
        pieces=tuple(books.piece(who, position) for position in range(first, first + event.d)),
        written=(),
        size=replay.system.block_size,
    )


def _written(copy: Copy, books: _Books, event: Event) -> Copy:
    """Return the copy with the texts that its sequence then writes into the new block."""
    if books.replay.requests[event.request].id != copy.who:
        return copy
    end = min(event.a + event.b, (copy.logical + 1) * copy.size)
    return replace(copy, written=tuple(books.piece(event.request, position) for position in range(event.a, end)))


# -- three pictures ----------------------------------------------------------------------------------------------------


def picture(copy: Copy, bytes_per_token: dict[str, int], say: Messages) -> str:
    """Return the states before, during and after a copy as HTML. ``bytes_per_token``: by name of a model."""
    old = _block(copy.source, copy.pieces, (), copy.size, len(copy.readers), say)
    source = _block(copy.source, copy.pieces, (), copy.size, len(copy.readers), say, counted=False)
    target = _block(copy.block, copy.pieces, (), copy.size, 1, say, counted=False)
    mine = _block(copy.block, copy.pieces, copy.written, copy.size, 1, say)
    rest = _block(copy.source, copy.pieces, (), copy.size, len(copy.others), say)
    slots = len(copy.pieces)
    sizes = say("narration.list").join(
        say("sharing.copy.bytes", bytes=slots * each, model=escape(model)) for model, each in bytes_per_token.items()
    )
    arrow = f"<p class='vzs-arrow'>↓ <b>{say('sharing.copy.slots', n=slots, slots=slots)}</b><br>{sizes}</p>"
    parts = (
        (say("sharing.copy.before"), _row(copy.readers, copy.logical, old, say)),
        (say("sharing.copy.copy"), source + arrow + target),
        (say("sharing.copy.after"),
         _row((copy.who,), copy.logical, mine, say) + _row(copy.others, copy.logical, rest, say)),
    )  # fmt: skip
    return "<div class='vzs-copy'>" + "".join(f"<section><h4>{t}</h4>{body}</section>" for t, body in parts) + "</div>"


def _row(names: tuple[str, ...], logical: int, block: str, say: Messages) -> str:
    who = "".join(f"<b>{escape(name)}</b>" for name in names)
    entry = say("sharing.copy.row", logical=logical)
    return f"<div class='vzs-row'><p class='vzs-names'>{who}<span>{entry}</span></p>{block}</div>"


def _block(
    block: int, pieces: tuple[str, ...], written: tuple[str, ...], size: int, readers: int, say: Messages,
    counted: bool = True,
) -> str:  # fmt: skip
    cells = [f"<i>{escape(p) or '·'}</i>" for p in pieces] + [f"<i class='vzs-new'>{escape(p)}</i>" for p in written]
    cells += ["<i class='vzs-empty'></i>"] * (size - len(cells))
    badge = f"<em>{say('sharing.copy.references', n=readers)}</em>" if counted else ""
    name = say("sharing.copy.block", block=block)
    return f"<div class='vzs-block'><p><b>{name}</b>{badge}</p><div class='vzs-cells'>{''.join(cells)}</div></div>"
