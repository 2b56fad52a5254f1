"""The texts of a run side by side: how far each is also another's, and where it goes its own way."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from vizkv.messages import Messages
from vizkv.trace import Trace


@dataclass(frozen=True)
class Text:
    """One sequence's tokens, as texts. The first ``common`` of them at least one other sequence has too."""

    id: str
    pieces: tuple[str, ...]
    prompt: int
    common: int


def texts(trace: Trace) -> list[Text]:
    """All sequences in order."""
    rows = [r.pieces for r in trace.requests]
    found = []
    for i, r in enumerate(trace.requests):
        common = max((_equal(r.pieces, row) for j, row in enumerate(rows) if j != i), default=0)
        found.append(Text(r.id, r.pieces, r.prompt_tokens, common))
    return found


def _equal(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Tokens that both begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def picture(found: list[Text], say: Messages) -> str:
    """A card a text, as HTML: what it shares is tinted, its own first token is marked, its prompt underlined."""
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
