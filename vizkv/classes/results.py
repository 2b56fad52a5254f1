"""What a class answered, as a CSV file and as a page: a line a question, and nobody's name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from vizkv.classes.hub import Class
from vizkv.messages.catalogue import messages
from vizkv.messages.escape import cell
from vizkv.show.compile import Show


@dataclass(frozen=True)
class Result:
    """One question. ``shown``: students who were connected; ``counts``: (what was answered, how often)."""

    beat: int
    title: str
    question: str
    shown: int
    answered: int
    right: int
    answer: str
    counts: tuple[tuple[str, int], ...]


def results(room: Class, show: Show, language: str) -> Iterator[Result]:
    """Yield the questions that were put, in their order; answers that are no choice stand by themselves."""
    words = show.words[language]
    for b, (beat, told) in enumerate(zip(room.outline, words["beats"], strict=False)):
        for q, (asked, text) in enumerate(zip(beat, told["questions"], strict=False)):
            tally = room.tally((b, q))
            if not tally and (b, q) not in room.shown:
                continue
            labels = dict(text["choices"])
            values = [*asked.values, *sorted(set(tally) - set(asked.values))]
            yield Result(
                b + 1, told["title"], text["text"], max(room.shown.get((b, q), 0), tally.total()), tally.total(),
                tally[asked.answer], labels.get(asked.answer, asked.answer),
                tuple((labels.get(value, value), tally[value]) for value in values),
            )  # fmt: skip


def table(room: Class, show: Show, language: str) -> bytes:
    """Return the CSV file, with a byte order mark: spreadsheets take Chinese without one for something else."""
    say = messages(language)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([say(f"class.csv.{name}") for name in ("beat", "title", "question", "shown", "answered", "right")]
                    + [say("class.csv.answer"), say("class.csv.counts")])  # fmt: skip
    for one in results(room, show, language):
        counts = "; ".join(f"{label}: {count}" for label, count in one.counts)
        texts = [cell(text) for text in (one.title, one.question, one.answer, counts)]
        writer.writerow([one.beat, *texts[:2], one.shown, one.answered, one.right, *texts[2:]])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


_STYLE = """
:root { color-scheme: light dark; }
body { font-family: system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.4; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.2rem; } p { margin: 0.2rem 0; }
table { border-collapse: collapse; margin-top: 0.4rem; width: 100%; }
th, td { text-align: left; padding: 0.2rem 0.6rem 0.2rem 0; font-weight: normal; }
td.n { text-align: right; width: 4rem; }
td.bar { width: 50%; } td.bar div { height: 0.9rem; background: #3487ff; }
tr.right :is(th, td) { font-weight: 700; }
"""


def page(room: Class, show: Show, language: str) -> bytes:
    """Return the page: one file that asks for nothing else."""
    say = messages(language)
    parts = []
    for one in results(room, show, language):
        rows = "".join(
            f'<tr{" class=right" if label == one.answer else ""}><th scope="row">{escape(label)}'
            f'{" ✓" if label == one.answer else ""}</th><td class="n">{say.number(count)}</td>'
            f'<td class="bar"><div style="width:{100 * count / max(1, one.answered):.1f}%"></div></td></tr>'
            for label, count in one.counts
        )
        line = say("class.page.line", shown=one.shown, answered=one.answered, right=one.right)
        parts.append(
            f"<h2>{one.beat}. {escape(one.title)}</h2><p>{escape(one.question)}</p><p>{escape(line)}</p>"
            f"<table>{rows}</table>"
        )
    title = escape(say("class.page.title", title=show.titles[language], code=room.code))
    body = "".join(parts) or f"<p>{escape(say('class.page.none'))}</p>"
    return (
        f'<!doctype html>\n<html lang="{say.html}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    ).encode()
