"""Beam search as a tree: every candidate that was kept for a step, its parent, and the candidates that were dropped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from vizkv.messages.catalogue import Messages
from vizkv.replay import walk
from vizkv.trace.events import Kind
from vizkv.trace.trace import Trace
from vizkv.views.picture.palette import PALETTE

_WIDE, _HIGH = 116, 46  # pixels from one candidate to the next
_BOX_WIDE, _BOX_HIGH = 90, 34  # pixels of its box
_LONGEST = 10  # characters of a token in a box


@dataclass(frozen=True)
class Candidate:
    """One beam at one sampled token. ``parent``: the place, one token earlier, that it continues; -1 the prompt."""

    place: int
    token: str
    parent: int
    step: int  # in which it is written
    alive: bool  # whether a beam at the end descends from it


@dataclass(frozen=True)
class Tree:
    """The candidates of one request, ``columns`` [sampled tokens that are written][beams], and its final beams."""

    prompt: str
    columns: tuple[tuple[Candidate, ...], ...]
    names: tuple[str, ...]
    last: tuple[int, ...]  # by final beam: the place in the last column that it continues


def tree(trace: Trace, system: int) -> Tree | None:
    """Return the tree of the first request with several beams; None if there is none, or none of it was written."""
    beams = {i for i, r in enumerate(trace.scenario.get("requests", ())) if (r.get("beam_width") or 0) > 1}
    group = next((r.group for r in trace.requests if r.group in beams), None)
    if group is None:
        return None
    members = [i for i, r in enumerate(trace.requests) if r.group == group]
    prompt = trace.requests[members[0]].prompt_tokens
    tokens: dict[int, dict[int, tuple[str, int]]] = {}  # sampled token -> place -> text, step
    parents: dict[int, dict[int, int]] = {}
    for replay in walk(trace.systems[system], trace.requests):
        newest = -1  # sampled tokens that were known before this step
        for event in replay.events:
            if event.request not in members:
                continue
            place = members.index(event.request)
            if event.kind == Kind.WRITTEN:
                newest = event.a + event.b - prompt
                if newest > 0:
                    # not the text at the end of the step: by then a dropped beam has the text of its successor
                    words = replay.system.vocabulary
                    text = words.get(event.c, "") if words else replay.piece(event.request, event.a + event.b - 1)
                    tokens.setdefault(newest - 1, {})[place] = (text, replay.step)
            elif event.kind == Kind.FORKED and newest > 0:
                parents.setdefault(newest, {})[place] = members.index(event.a)
    count = len(tokens)
    if not count:
        return None
    last = tuple(parents.get(count, {}).get(p, p) for p in range(len(members)))
    columns, alive = [], set(last)
    for column in range(count - 1, -1, -1):
        from_ = {p: parents.get(column, {}).get(p, p) if column else -1 for p in range(len(members))}
        columns.append(
            tuple(Candidate(p, *_first(tokens[column], p, from_[p]), alive=p in alive) for p in range(len(members)))
        )
        alive = {from_[p] for p in alive}
    return Tree(
        "".join(trace.requests[members[0]].pieces[:prompt]), tuple(reversed(columns)),
        tuple(trace.requests[i].id for i in members), last,
    )  # fmt: skip


def _first(column: dict[int, tuple[str, int]], place: int, parent: int) -> tuple[str, int, int]:
    text, step = column[place]
    return text, parent, step


def picture(found: Tree, step: int, theme: str, say: Messages) -> str:
    """Return the tree from left to right as HTML: dropped candidates dashed, the column of ``step`` tinted."""
    places = len(found.names)
    wide, high = _WIDE * (len(found.columns) + 2), _HIGH * places
    root = (places - 1) / 2
    parts = [_box(0, root, say("sharing.tree.prompt"), "vzs-root", found.prompt)]
    for index, column in enumerate(found.columns, 1):
        if column[0].step == step:
            parts.insert(0, f"<i class='vzs-now' style='left: {_WIDE * index - 6}px; width: {_WIDE - 2}px'></i>")
        for c in column:
            kind = "vzs-alive" if c.alive else "vzs-dropped"
            parts.append(_line(index, root if c.parent < 0 else c.parent, c.place, kind))
            parts.append(_box(index, c.place, c.token, kind, c.token))
    for place, (name, parent) in enumerate(zip(found.names, found.last, strict=True)):
        parts.append(_line(len(found.columns) + 1, parent, place, "vzs-alive"))
        parts.append(_box(len(found.columns) + 1, place, name, "vzs-name", name))
    label, ink = escape(say("sharing.tree.label", n=places)), PALETTE[theme]["used"]
    size = f"width: {wide}px; height: {high}px; --vzs-ink: {ink}"
    # no SVG: Streamlit removes it from HTML
    return (
        f"<div class='vzs-tree' tabindex='0' role='img' aria-label='{label}'><div style='{size}'>"
        + "".join(parts) + "</div></div>"
    )  # fmt: skip


def _middle(place: float) -> float:
    return _HIGH * (place + 0.5)


def _line(column: int, start: float, end: float, kind: str) -> str:
    """Return a line from a candidate to its continuation in ``column``, as a thin rotated box."""
    across, down = _WIDE - _BOX_WIDE, _middle(end) - _middle(start)
    left, angle = _WIDE * (column - 1) + _BOX_WIDE, math.degrees(math.atan2(down, across))
    place = f"left: {left}px; top: {_middle(start):g}px; width: {math.hypot(across, down):.1f}px"
    return f"<i class='vzs-line {kind}' style='{place}; transform: rotate({angle:.2f}deg)'></i>"


def _box(column: int, place: float, text: str, kind: str, full: str) -> str:
    shown = (text.strip() or "␣") if text else "·"
    shown = shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
    where = f"left: {_WIDE * column}px; top: {_middle(place) - _BOX_HIGH / 2:g}px"
    return f"<b class='vzs-beam {kind}' style='{where}' title='{escape(full)}'>{escape(shown)}</b>"
