"""The questions of a script on paper: one HTML page to print, with the pictures they are about and a key of its own.

Each answer comes from the run, like those on screen.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape

from vizkv import __version__, fonts
from vizkv.lecture.questions import Question, question
from vizkv.lecture.script import Beat, Lecture
from vizkv.messages.catalogue import Messages
from vizkv.scenario.schema import Scenario
from vizkv.trace.slots import Accounting, Lens
from vizkv.trace.trace import Trace
from vizkv.views.picture.frame import frame
from vizkv.views.picture.outlines import outlined
from vizkv.views.picture.step import Style, drawn
from vizkv.views.picture.table import paged, table_picture

WIDTH, HEIGHT = 1000, 430  # of a picture; it is as wide as the paper
WITH_TABLE = ("block-of", "next-block", "free-blocks", "hit", "next-slot", "victim")  # asked with the tables before one

_STYLE = """
@page { size: A4; margin: 14mm; }
* { box-sizing: border-box; }
body { font: 11pt/1.45 "Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei",
  "vizkv Sans SC", system-ui, sans-serif; color: #111; background: #fff; max-width: 182mm; margin: 8mm auto;
  padding: 0 4mm; }
h1 { font-size: 18pt; line-height: 1.2; margin: 0 0 4mm; }
h2 { font-size: 12pt; margin: 0 0 1.5mm; }
.who { display: flex; gap: 10mm; margin-bottom: 6mm; }
.who span { flex: 1; border-bottom: 1px solid #111; padding-top: 4mm; }
.who span + span { flex: 0 0 40mm; }
section { break-inside: avoid; margin-bottom: 7mm; }
img { width: 100%; border: 1px solid #bbb; display: block; margin: 1mm 0; }
p { margin: 0 0 1.5mm; }
ol { list-style: none; display: flex; flex-wrap: wrap; gap: 1.5mm 8mm; margin: 0; padding: 0; }
ol li::before { content: ""; display: inline-block; width: 3.6mm; height: 3.6mm; border: 1.2px solid #111;
  margin-right: 2mm; vertical-align: -0.4mm; }
.about { color: #444; font-size: 9.5pt; }
.key { break-before: page; border-top: 2px solid #111; padding-top: 5mm; }
.key table { border-collapse: collapse; width: 100%; }
.key td { border-bottom: 1px solid #bbb; padding: 1.5mm 3mm 1.5mm 0; vertical-align: top; }
.key td:first-child { white-space: nowrap; }
.key tr { break-inside: avoid; }
button { font: inherit; padding: 2mm 5mm; margin-bottom: 5mm; }
@media print { button { display: none; } body { margin: 0; padding: 0; max-width: none; } }
"""


def page(script: Lecture, run: Callable[[Scenario], Trace], say: Messages, key: bool = True) -> str:
    """The worksheet as one HTML file. ``run`` gives a scenario's trace. Raises ScenarioError."""
    asked = [
        (beat, part, question(beat, part, trace, say), trace)
        for beat in script.beats
        if beat.ask and beat.scenario is not None
        for trace in [run(beat.scenario)]
        for part in range(len(beat.ask))
    ]
    title = say("worksheet.title", title=script.title.of(say.language))
    parts = [_question(number, *one, say) for number, one in enumerate(asked, 1)]
    answers = "".join(
        f"<tr><td>{number}</td><td><b>{escape(_label(one))}</b></td><td>{escape(one.told)}</td></tr>"
        for number, (_, _, one, _) in enumerate(asked, 1)
    )
    made = escape(say("worksheet.from", version=__version__))
    behind = f'<section class="key"><h1>{escape(say("worksheet.key"))}</h1><table>{answers}</table></section>'
    body = (
        f'<button onclick="print()">{escape(say("worksheet.print"))}</button><h1>{escape(title)}</h1>'
        f'<div class="who"><span>{escape(say("worksheet.name"))}</span><span>{escape(say("worksheet.score"))}</span>'
        f'</div>{"".join(parts)}<p class="about">{made}</p>{behind if key else ""}'
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-Hans" if say.language == "zh" else say.language}"><head>'
        f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}{fonts.css(title + body)}</style></head>'
        f"<body>{body}</body></html>\n"
    )


def _label(one: Question) -> str:
    return next((choice.label for choice in one.choices if choice.value == one.answer), one.answer)


def _question(number: int, beat: Beat, part: int, one: Question, trace: Trace, say: Messages) -> str:
    choices = "".join(f"<li>{escape(choice.label)}</li>" for choice in one.choices)
    return (
        f"<section><h2>{escape(say('worksheet.number', n=number))} · {escape(beat.title.of(say.language))}</h2>"
        f"{_picture(beat, part, trace, say)}<p><b>{escape(one.text)}</b></p><ol>{choices}</ol></section>"
    )


def _picture(beat: Beat, part: int, trace: Trace, say: Messages) -> str:
    """What is open while the question is put; with the block tables, where it is about blocks."""
    words, example, ask = beat.asking(part), beat.example, beat.ask[part]
    step = int(words.get("step", "0"))
    lens: Lens = ask.lens or beat.lens or (example.lens if example else "online")
    accounting: Accounting = beat.accounting or (example.accounting if example else "textbook")
    if ask.kind in WITH_TABLE and ask.system in paged(trace):
        svg = table_picture(
            trace, step, lens=lens, accounting=accounting, say=say, width=WIDTH, legend=False, focus=ask.system,
            show=("text", "table", "queue"), mark=words.get("mark", ""),
        )  # fmt: skip
    else:
        style = Style(lens, accounting, width=WIDTH, sentence=False, mark=words.get("mark", ""))
        svg = drawn(frame(trace, step, say), style, say, height=HEIGHT)
    about = say("worksheet.about", system=trace.systems[ask.system].name, step=step)
    data = base64.b64encode(outlined(svg).encode()).decode()
    image = f'<img alt="{escape(about)}" src="data:image/svg+xml;base64,{data}">'
    return f'<p class="about">{escape(about)}</p>{image}'
