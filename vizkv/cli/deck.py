"""``vizkv deck lecture.toml -o deck.pptx``: a lecture as slides with pictures, captions and speaker notes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vizkv import lecture
from vizkv.cli.export import reachable, write
from vizkv.cli.language import option
from vizkv.cli.text import Bar
from vizkv.engine import engine
from vizkv.export.beats import drawer
from vizkv.export.deck import deck
from vizkv.export.render import ExportError
from vizkv.export.request import THEMES
from vizkv.lecture.rehearsal import Progress, rehearse
from vizkv.limits import kept
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import shorten
from vizkv.scenario.digest import digest_of
from vizkv.scenario.schema import Scenario
from vizkv.trace.trace import Trace


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    slides = commands.add_parser("deck", help=say("cli.deck"), description=say("cli.deck"))
    slides.add_argument("file", type=Path, nargs="?", metavar="LECTURE", help=say("cli.deck.file"))
    slides.add_argument("-o", "--out", type=Path, default=Path("lecture.pptx"), metavar="OUT", help=say("cli.deck.out"))
    slides.add_argument("--theme", choices=THEMES, default="light", help=say("cli.export.theme"))
    option(slides, say)
    slides.set_defaults(action=_deck)


def _deck(arguments: argparse.Namespace, say: Messages) -> int:
    if arguments.out.suffix.lower() not in ("", ".pptx"):
        raise ExportError(told("The presentation is {name!r}; valid is a name that ends in .pptx.",
                               name=shorten(arguments.out.name)))  # fmt: skip
    reachable(arguments.out)
    script = lecture.read(arguments.file) if arguments.file else lecture.default()
    bar, reached = Bar(), (0, len(script.beats))

    def progress(done: int, total: int) -> bool:
        nonlocal reached
        reached = (done, total)
        bar.show(done, total, say("cli.deck.making", done=done, total=total))
        return False

    if arguments.file:
        rehearse(script, _rehearsed, say, lambda done, total: bar.show(done, total, say("cli.deck.rehearsing")))
    draw = drawer(script, say, _run, arguments.theme)
    try:
        made = deck(script, draw, say, theme=arguments.theme, progress=progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(say("cli.export.stopped", done=reached[0], total=reached[1])) from None
    finally:
        bar.clear()
    write(arguments.out, made)
    print(say("cli.export.written", path=str(arguments.out), size=len(made)))
    return 0


def _run(scenario: Scenario) -> Trace:
    """Beats one after another often show the same run."""
    return _kept(scenario)


def _rehearsed(scenario: Scenario, progress: Progress) -> Trace:
    return _kept(scenario, progress)


@kept.cached(1 << 30, lambda scenario, _=None: digest_of(scenario))
def _kept(scenario: Scenario, progress: Progress | None = None) -> Trace:
    return engine.run(scenario, progress=progress)
