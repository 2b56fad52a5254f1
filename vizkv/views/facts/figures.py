"""The numbers that the paper's figures print, compared with those of a run at the same step.

The printed numbers are from the figures (for the prefix cache, from vLLM's design document); those of the run come from
the replay of its trace. A changed scenario gives other numbers, or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from vizkv.messages.catalogue import Messages
from vizkv.replay import Live, Replay, walk
from vizkv.trace.events import Kind
from vizkv.trace.trace import Trace

What = Literal[
    "entry", "content", "table", "references", "copied", "freed", "taken", "given", "hit", "queue", "shared",
    "slots", "unused", "text",
]  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """A number, or a row of numbers, that a figure prints.

    ``of``: its subject: a sequence, (sequence, logical block), a block, or two sequences. ``differs``: the run is known
    to differ, and the page says why.
    """

    step: int
    what: What
    printed: Any
    of: Any = None
    differs: bool = False


class Row(NamedTuple):
    """A claim and the value of the run, both formatted. ``agrees``: whether the values are equal, not the texts."""

    step: int
    label: str
    printed: str
    here: str
    agrees: bool
    differs: bool


def _walk_through(times: tuple[int, ...], otherwise: bool) -> tuple[Claim, ...]:
    """Return the claims of vLLM's design document on prefix caching.

    ``times``: the steps of its times 1, 3, 4, 6 and 7. ``otherwise``: the run follows vLLM 0.32, whose free queue has
    another order.
    """
    one, three, four, six, seven = times
    return (
        Claim(one, "table", (0, 1, 2, 3), "R0"),
        Claim(one, "entry", (3, 3), ("R0", 3)),
        Claim(three, "table", (0, 1, 2, 3, 4), "R0"),
        Claim(four, "hit", (0, 1), "R1"),
        Claim(four, "table", (0, 1, 5, 6), "R1"),
        Claim(six, "queue", (7, 8, 9, 4, 3, 2, 6, 5, 1, 0), differs=otherwise),
        Claim(seven, "hit", (0, 1, 2), "R2"),
        Claim(seven, "given", (7, 8, 9, 4, 3), "R2", differs=otherwise),
        Claim(seven, "queue", (6, 5)),
    )


FIGURES: dict[str, tuple[Claim, ...]] = {
    "paper-figure-3": (
        Claim(2, "slots", (9, 2), "A"),
        Claim(2, "unused", 2038, "A", differs=True),
        Claim(2, "slots", (4, 1), "B"),
        Claim(2, "unused", 507, "B"),
    ),
    "paper-figure-6": (
        Claim(0, "entry", (7, 4), ("A", 0)),
        Claim(0, "entry", (1, 3), ("A", 1)),
        Claim(1, "entry", (1, 4), ("A", 1)),
        Claim(2, "entry", (3, 1), ("A", 2)),
        Claim(2, "content", "Four score and seven", 7),
        Claim(2, "content", "years ago our fathers", 1),
        Claim(2, "content", "brought", 3),
    ),
    "paper-figure-7": (
        Claim(2, "table", (7, 1, 3), "A"),
        Claim(2, "table", (5, 2), "B"),
        Claim(2, "content", "Four score and seven", 7),
        Claim(2, "content", "years ago our fathers", 1),
        Claim(2, "content", "brought", 3),
        Claim(2, "content", "It was the best", 5),
        Claim(2, "content", "of times", 2),
    ),
    "paper-figure-8": (
        Claim(0, "table", (7, 1), "A1"),
        Claim(0, "table", (7, 1), "A2"),
        Claim(0, "references", 2, 7),
        Claim(0, "references", 2, 1),
        Claim(1, "copied", (1, 3)),
        Claim(1, "references", 1, 1),
        Claim(1, "content", "years ago our fathers", 3),
        Claim(1, "content", "years ago our mothers", 1),
    ),
    "paper-figure-9": (
        Claim(11, "table", (0, 1, 3, 5), "c0"),
        Claim(11, "table", (0, 1, 3, 6), "c1"),
        Claim(11, "table", (0, 1, 3, 7), "c2"),
        Claim(11, "table", (0, 2, 4, 8), "c3"),
        Claim(12, "freed", (2, 4, 5, 8)),
        Claim(13, "taken", (9, 10, 11, 12)),
        Claim(13, "references", 4, 0),
        Claim(13, "references", 4, 1),
        Claim(13, "references", 4, 3),
        Claim(13, "references", 2, 6),
        Claim(13, "references", 2, 7),
    ),
    "paper-figure-10": (
        Claim(0, "shared", 5, ("A", "B")),
        Claim(1, "shared", 4, ("A", "B")),
        Claim(6, "text", '"fromage"', "A"),
        Claim(9, "text", '"Je t\'aime"', "B"),
    ),
    "paper-prefix-cache": _walk_through((0, 2, 4, 6, 7), otherwise=False),
    "paper-prefix-cache-now": _walk_through((1, 3, 4, 6, 7), otherwise=True),
}


def compare(trace: Trace, claims: tuple[Claim, ...], say: Messages) -> list[Row]:
    """Return each claim with the value of the trace's first system, in the given order."""
    answers: dict[Claim, Any] = {}
    for replay in walk(trace.systems[0], trace.requests):
        for claim in claims:
            if claim.step == replay.step:
                answers[claim] = _answer(claim, replay)
    rows = []
    for claim in claims:
        here = answers.get(claim)
        agrees = here == claim.printed
        shown = _shown(claim, here, say)
        rows.append(
            Row(claim.step, _label(claim, say), _shown(claim, claim.printed, say), shown, agrees, claim.differs)
        )
    return rows


# -- the values of a run -----------------------------------------------------------------------------------------------


def _answer(claim: Claim, replay: Replay) -> Any:
    """Return the run's value, in the same form as the claim's; None if it has none."""
    what, of = claim.what, claim.of
    if what == "queue":
        return tuple(replay.free_queue)
    if what == "references":
        return replay.references.get(of, 0)
    if what == "content":
        return _content(replay, of)
    if what in _OF_THE_STEP:
        return _OF_THE_STEP[what](replay)
    names = of if what == "shared" else (of[0] if isinstance(of, tuple) else of,)
    found = [_live(replay, name) for name in names]
    live = [r for r in found if r is not None]
    return _of_sequences(claim, replay, live) if len(live) == len(found) else None


def _of_sequences(claim: Claim, replay: Replay, live: list[Live]) -> Any:
    what, first, size = claim.what, live[0], replay.system.block_size
    if what == "shared":
        return len(set.intersection(*(set(r.block_table) for r in live)))
    if what == "slots":
        return first.written, first.final - first.written
    if what == "unused":
        return first.estimate - first.final
    if what == "text":
        start = first.prompt
        return "".join(replay.piece(first.index, p) for p in range(start, first.written)).strip()
    if what in ("hit", "given"):
        kinds = (Kind.SHARED,) if what == "hit" else (Kind.BLOCK, Kind.COPIED)
        return tuple(_block(e) for e in replay.events if e.request == first.index and e.kind in kinds)
    if what == "table":
        return tuple(first.block_table)
    logical = claim.of[1]
    if logical >= len(first.block_table):
        return None
    return first.block_table[logical], max(0, min(size, first.written - logical * size))


def _live(replay: Replay, name: str) -> Live | None:
    return next((r for r in replay.live.values() if replay.requests[r.index].id == name), None)


def _content(replay: Replay, block: int) -> str | None:
    """Return the text in a block, from the sequence that has written most of it."""
    size, best = replay.system.block_size, ""
    for who in replay.holders.get(block, ()):
        r = replay.live.get(who)
        if r is None or block not in r.block_table:
            continue
        first = r.block_table.index(block) * size
        words = "".join(replay.piece(who, p) for p in range(first, min(first + size, r.written))).strip()
        best = max(best, words, key=len)
    return best or None


def _block(event: Any) -> int:
    return event.b if event.kind == Kind.COPIED else event.a


def _copied(replay: Replay) -> tuple[int, int] | None:
    return next(((e.a, e.b) for e in replay.events if e.kind == Kind.COPIED), None)


def _freed(replay: Replay) -> tuple[int, ...]:
    return tuple(sorted(e.a for e in replay.events if e.kind == Kind.FREED_BLOCK and not e.b))


def _taken(replay: Replay) -> tuple[int, ...]:
    return tuple(_block(e) for e in replay.events if e.kind in (Kind.BLOCK, Kind.COPIED))


_OF_THE_STEP = {"copied": _copied, "freed": _freed, "taken": _taken}


# -- labels and values as text -----------------------------------------------------------------------------------------


def _label(claim: Claim, say: Messages) -> str:
    of = claim.of
    if claim.what == "entry":
        return say("figures.entry", request=of[0], logical=of[1])
    if claim.what == "shared":
        return say("figures.shared", requests=say("narration.list").join(of))
    if claim.what in ("content", "references"):
        return say(f"figures.{claim.what}", block=of)
    return say(f"figures.{claim.what}", request=of)


def _shown(claim: Claim, value: Any, say: Messages) -> str:
    if value is None or value == ():
        return say("figures.none")
    if claim.what == "entry":
        return say("figures.value.entry", block=value[0], filled=value[1])
    if claim.what == "copied":
        return say("figures.value.copied", old=value[0], new=value[1])
    if claim.what == "slots":
        return say("figures.value.slots", written=value[0], more=value[1])
    if claim.what == "queue":
        return "-".join(str(block) for block in value)
    if isinstance(value, tuple):
        return say("narration.list").join(str(block) for block in value)
    return say.number(value) if isinstance(value, int) else value
