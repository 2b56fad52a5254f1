"""``vizkv export FILE --what player --step 500 --format svg -o out.svg``: pictures, films, pages and data of a run."""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from vizkv.cli import inner
from vizkv.cli.language import option
from vizkv.cli.text import Bar, whole
from vizkv.engine import engine
from vizkv.export import figures
from vizkv.export import request as wish
from vizkv.export.make import make
from vizkv.export.render import ExportError
from vizkv.export.request import COLOURS, SCALES, THEMES, Wish, format_of, lead_of
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import joined, told
from vizkv.messages.validation import shorten
from vizkv.replay import following
from vizkv.replay.opening import opened as saved
from vizkv.scenario import schema as scenario
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.trace import trace as traces
from vizkv.trace.slots import ACCOUNTINGS, CATEGORIES, LENSES
from vizkv.trace.trace import Trace
from vizkv.views.charts.series import series
from vizkv.views.payload import window as windows
from vizkv.views.picture import table as picture_table
from vizkv.views.view import marked

_PANELS = ("text", "logical", "table", "queue")  # beside the rows of an offline player that has block tables


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    export = commands.add_parser("export", help=say("cli.export"), description=say("cli.export"))
    export.add_argument("file", type=Path, metavar="FILE", help=say("cli.run.file"))
    export.add_argument("--what", default="player", metavar="WHAT", help=say("cli.export.what"))
    export.add_argument("--format", default="", metavar="FORMAT", help=say("cli.export.format"))
    export.add_argument("-o", "--out", type=Path, metavar="OUT", help=say("cli.export.out"))
    export.add_argument("--step", type=partial(_whole, say, "step"), metavar="N", help=say("cli.export.step"))
    export.add_argument("--steps", type=partial(_steps, say), metavar="A:B|A,B,C", help=say("cli.export.steps"))
    export.add_argument(
        "--every", type=partial(_whole, say, "every"), default=1, metavar="N", help=say("cli.export.every")
    )
    export.add_argument("--rate", type=partial(_rate, say), default=5.0, metavar="N", help=say("cli.export.rate"))
    export.add_argument("--lens", choices=LENSES, default="online", help=say("cli.export.lens"))
    export.add_argument("--accounting", choices=ACCOUNTINGS, default="textbook", help=say("cli.export.accounting"))
    export.add_argument("--colour", choices=COLOURS, default="state", help=say("cli.export.colour"))
    export.add_argument("--lit", choices=CATEGORIES, default="", help=say("cli.export.lit"))
    export.add_argument("--request", default="", metavar="ID", help=say("cli.export.request"))
    export.add_argument(
        "--position", type=partial(_whole, say, "position"), metavar="N", help=say("cli.export.position")
    )
    for name in ("layer", "head"):
        export.add_argument(f"--{name}", type=partial(_whole, say, name), metavar="N", help=say(f"cli.export.{name}"))
    export.add_argument("--mark", type=partial(_mark, say), default="", metavar="I.A-B", help=say("cli.export.mark"))
    export.add_argument("--headline", default="", metavar="TEXT", help=say("cli.export.headline"))
    export.add_argument("--theme", choices=THEMES, default="light", help=say("cli.export.theme"))
    export.add_argument("--scale", choices=SCALES, default="1", help=say("cli.export.scale"))
    export.add_argument(
        "--width", type=partial(_width, say), default=1600, metavar="PIXELS", help=say("cli.export.width")
    )
    export.add_argument("--transparent", action="store_true", help=say("cli.export.transparent"))
    export.add_argument("--no-legend", action="store_true", help=say("cli.export.no-legend"))
    export.add_argument("--caption", action="store_true", help=say("cli.export.caption"))
    export.add_argument("--projector", action="store_true", help=say("cli.export.projector"))
    option(export, say)
    export.set_defaults(action=_export)


def _whole(say: Messages, name: str, text: str) -> int:
    least = 1 if name in ("every", "layer", "head") else 0
    number = whole(text)
    if number is None or number < least:
        raise argparse.ArgumentTypeError(say("cli.export.whole", name=name, text=shorten(text), least=least))
    return number


def _rate(say: Messages, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0.1 <= rate <= wish.MOST_RATE:
        raise argparse.ArgumentTypeError(say("cli.export.rate.range", text=shorten(text), most=wish.MOST_RATE))
    return rate


def _mark(say: Messages, text: str) -> str:
    if text and not marked(text):  # the parser asks about the default too
        raise argparse.ArgumentTypeError(say("cli.export.mark.form", text=shorten(text)))
    return text


def _width(say: Messages, text: str) -> int:
    number = whole(text)
    if number is None or not wish.NARROWEST <= number <= wish.WIDEST:
        raise argparse.ArgumentTypeError(
            say("cli.export.width.range", text=shorten(text), least=wish.NARROWEST, most=wish.WIDEST)
        )
    return number


def _steps(say: Messages, text: str) -> tuple[int, ...] | slice:
    """``A,B,C``: those; ``A:B``: from A to B, either of which may be left out."""
    parts = text.split(":") if ":" in text else text.split(",")
    valid = len(parts) == 2 if ":" in text else all(parts)
    numbers = [whole(part) for part in parts]
    if not valid or len(text) > 400 or any(part and n is None for part, n in zip(parts, numbers, strict=True)):
        raise argparse.ArgumentTypeError(say("cli.export.steps.form", text=shorten(text)))
    return slice(numbers[0] or 0, numbers[1]) if ":" in text else tuple(n or 0 for n in numbers)


def opened(path: Path, load: Callable[[], Scenario] | None = None) -> Trace:
    """Return a saved trace, or the run of a scenario file, which ``load`` reads where it is given.

    Raises ScenarioError or TraceError.
    """
    if path.suffix == ".vizkv":
        return saved(traces.read(path))[0]
    return engine.run(load() if load else scenario.load(path))


def reachable(path: Path) -> None:
    """Refuse a place where no file can be, before anything long is computed. Raises ScenarioError."""
    why = 0
    try:
        if not path.name or path.is_dir():
            why = errno.EISDIR
        elif not path.parent.is_dir():
            why = errno.ENOTDIR if path.parent.exists() else errno.ENOENT
        elif not os.access(path.parent, os.W_OK):
            why = errno.EACCES
    except OSError as error:  # a name of thousands of letters, say
        raise _unwritten(path, error) from None
    if why:
        raise _unwritten(path, OSError(why, os.strerror(why)))


def _unwritten(path: Path, error: Exception) -> ScenarioError:
    return ScenarioError(told("The file {path!r} cannot be written: {why}.", path=str(path), why=error))


def write(path: Path, data: bytes) -> None:
    """The whole file or nothing, whenever somebody presses Ctrl-C. Raises ScenarioError."""
    part = path.with_name(f".{path.name}.part")
    try:
        # /dev/stdout, say, is written to: a file must not take its place
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_bytes(data)
            return
        try:
            part.write_bytes(data)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritten(path, error) from None


def _export(arguments: argparse.Namespace, say: Messages) -> int:
    suffix = arguments.out.suffix if arguments.out else ""
    kind = format_of(arguments.what, arguments.format, suffix)  # before anything is computed
    if arguments.out:
        reachable(arguments.out)
    trace = opened(arguments.file)
    asked = _wish(arguments, kind, trace)
    _pointed(asked.mark, trace)
    inside = asked.what.removeprefix(wish.CHART) in figures.INNER
    out = arguments.out or Path(f"{arguments.file.stem}-{asked.what.replace(':', '-')}.{kind}")
    panels = _PANELS if picture_table.paged(trace) and len(trace.systems) == 1 else ()
    bar, reached = Bar(), (0, 1)

    def progress(done: int, total: int) -> bool:
        nonlocal reached
        reached = (done, total)
        bar.show(done, total, say("cli.export.making", done=done, total=total))
        return False

    try:
        if inside:
            made = inner.make(asked, trace, say, arguments.layer, arguments.head, progress)
        else:
            made = make(asked, trace, say, panels=panels, progress=progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(say("cli.export.stopped", done=reached[0], total=reached[1])) from None
    finally:
        bar.clear()
    write(out, made.data)
    if inside:
        print(made.alt)
    print(say("cli.export.written", path=str(out), size=len(made.data)))
    return 0


def _wish(arguments: argparse.Namespace, kind: str, trace: Trace) -> Wish:
    lead = lead_of(trace)
    last = windows.total(trace, lead) - 1
    steps = arguments.steps
    chosen = steps if isinstance(steps, tuple) else ()
    span = steps if isinstance(steps, slice) else slice(min(chosen, default=0), max(chosen, default=last))
    until = last if span.stop is None else span.stop
    if not chosen:
        chosen = tuple(dict.fromkeys(round(span.start + (until - span.start) * i / 5) for i in range(6)))
    whose = following.paged(trace) if arguments.what.removeprefix(wish.CHART) in figures.INNER else None
    peak = series(trace)[max(lead, 0) if whose is None else whose].peak if arguments.step is None else arguments.step
    who = _request(arguments.request, trace)
    asked = Wish(
        arguments.what, kind, step=peak, steps=chosen if arguments.what == "storyboard" else (),
        first=span.start, last=until, every=arguments.every, rate=arguments.rate, lens=arguments.lens,
        accounting=arguments.accounting, colour=arguments.colour, theme=arguments.theme, scale=arguments.scale,
        width=arguments.width, transparent=arguments.transparent, legend=not arguments.no_legend,
        caption=arguments.caption, projector=arguments.projector, lit=arguments.lit, headline=arguments.headline,
        mark=arguments.mark,
        request=who, position=-1 if arguments.position is None else _position(arguments.position, who, trace),
    )  # fmt: skip
    if asked.what == wish.CHART.removesuffix(":"):
        asked = replace(asked, what=wish.CHART + figures.names(trace)[0])
    return asked


def _pointed(mark: str, trace: Trace) -> None:
    """Refuse a mark on what this run does not have."""
    found = marked(mark)
    if found and not (found[0] < len(trace.systems) and found[1] <= found[2] < trace.systems[found[0]].slots):
        valid = joined([f"{index}.0-{system.slots - 1}" for index, system in enumerate(trace.systems)])
        raise ExportError(
            told("The mark is {mark!r}; valid for this run are slots in {valid}.", mark=mark, valid=valid)
        )


def _request(name: str, trace: Trace) -> int:
    if not name:
        return -1
    known = {request.id: index for index, request in enumerate(trace.requests)}
    if name not in known:
        raise ExportError(
            told("The request is {name!r}; valid for this run is {valid}.", name=name,
                 valid=joined(list(known)[:12]))
        )  # fmt: skip
    return known[name]


def _position(position: int, who: int, trace: Trace) -> int:
    """Refuse a token that the followed request, or the longest one, will never have."""
    followed = [trace.requests[who]] if who >= 0 else trace.requests
    last = max(request.final_slots for request in followed) - 1
    if position > last:
        raise ExportError(
            told("The position is {position}; valid for this run is 0 to {last}.", position=position, last=last)
        )
    return position


__all__ = ["add", "opened", "write"]
