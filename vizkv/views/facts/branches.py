"""The texts of a run side by side: the prefix that each shares with another, and where they diverge."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from vizkv.messages.catalogue import Messages
from vizkv.trace.trace import Trace


@dataclass(frozen=True)
class Text:
    """The tokens of a sequence as texts. It shares the first ``common`` of them with at least one other sequence."""

    id: str
    pieces: tuple[str, ...]
    prompt: int
    common: int


def texts(trace: Trace) -> list[Text]:
    """Return the texts of all sequences, in order."""
    common = shared([r.pieces for r in trace.requests])
    return [Text(r.id, r.pieces, r.prompt_tokens, n) for r, n in zip(trace.requests, common, strict=True)]


def shared(rows: Sequence[tuple[str, ...]]) -> list[int]:
    """Return the length of the longest prefix that each row shares with any other row.

    In sorted order that is a prefix of a neighbour, so not all pairs need to be compared.
    """
    order = sorted(range(len(rows)), key=rows.__getitem__)
    common = [0] * len(rows)
    for one, other in itertools.pairwise(order):
        n = _equal(rows[one], rows[other])
        common[one], common[other] = max(common[one], n), max(common[other], n)
    return common


def _equal(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Return the length of the common prefix."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def picture(found: list[Text], say: Messages) -> str:
    """Return a card per text as HTML: shared prefix tinted, point of divergence marked, prompt underlined."""
    return "<div class='vzs-texts'>" + "".join(_card(text, say) for text in found) + "</div>"


def _card(text: Text, say: Messages) -> str:
    cut = min(text.common, len(text.pieces))
    parts = []
    for low, high, tinted in ((0, cut, True), (cut, len(text.pieces), False)):
        inner = ""
        for a, b, tag in ((low, min(high, text.prompt), "u"), (max(low, text.prompt), high, "span")):
            if b > a:
                words = "".join(text.pieces[a:b])
                lead = words[: len(words) - len(words.lstrip(" "))]  # a space is not underlined
                inner += f"{lead}<{tag}>{escape(words[len(lead) :])}</{tag}>"
        parts.append(f"<span class='vzs-common'>{inner}</span>" if tinted and inner else inner)
    mark = ""
    if 0 < cut < len(text.pieces):
        title = say("sharing.texts.mark", position=cut)
        mark = f"<sup class='vzs-mark' title='{escape(title)}'>{cut}</sup>"
    elif cut:
        mark = f"<sup class='vzs-same'>{say('sharing.texts.same')}</sup>"
    return f"<p><b>{escape(text.id)}</b> <bdi>{parts[0]}{mark}{parts[1]}</bdi></p>"
