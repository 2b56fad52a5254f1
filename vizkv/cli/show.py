"""``vizkv show lecture.toml -o lecture.html``: a lecture as a file or a folder that needs neither app nor network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vizkv.cli.export import reachable, write
from vizkv.cli.text import Bar
from vizkv.limits.files import read_file
from vizkv.limits.limits import MAX_SCRIPT
from vizkv.messages.catalogue import LANGUAGES, Messages
from vizkv.messages.sentence import told
from vizkv.scenario.schema import ScenarioError
from vizkv.show import kept

APP = "http://localhost:8501"


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    command = commands.add_parser("show", help=say("cli.show"), description=say("cli.show"))
    command.add_argument("file", type=Path, nargs="?", metavar="SCRIPT", help=say("cli.deck.file"))
    command.add_argument("-o", "--out", default="lecture.html", metavar="OUT", help=say("cli.show.out"))
    # one language is also that of what is printed, as with any other command
    command.add_argument("--language", dest="languages", choices=(*LANGUAGES, "both"), default="both",
                         help=say("cli.show.languages"))  # fmt: skip
    command.add_argument("--theme", choices=("auto", "light", "dark"), default="auto", help=say("cli.show.theme"))
    command.add_argument("--app", default=APP, metavar="URL", help=say("cli.show.app"))
    command.set_defaults(action=_show)


def _show(arguments: argparse.Namespace, say: Messages) -> int:
    out = Path(arguments.out)
    folder = arguments.out.endswith(("/", "\\")) or out.is_dir() or not out.suffix
    if not folder and out.suffix.lower() not in (".html", ".htm"):
        raise ScenarioError(
            told("The show is {name!r}; valid is a name that ends in .html, or a folder.", name=out.name[:80])
        )
    reachable(out / "index.html" if out.is_dir() else out)
    source = _source(arguments.file)
    languages = list(LANGUAGES) if arguments.languages == "both" else [arguments.languages]
    name = kept.key(source, [*languages, arguments.theme, arguments.app, "folder" if folder else "file"])
    files = kept.get(name)
    if files is None:
        files = _compiled(source, languages, folder, arguments, say)
        kept.put(name, files)
    for part, data in files.items():
        place = out / part if folder else out
        _parents(place) if folder else None
        write(place, data)
    print(say("cli.export.written", path=str(arguments.out), size=sum(map(len, files.values()))))
    return 0


def _parents(place: Path) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScenarioError(told("The file {path!r} cannot be written: {why}.", path=str(place), why=error)) from None


def _source(file: Path | None) -> bytes:
    """Return the script's bytes; what is wrong with them is said when they are read as a script."""
    from vizkv.lecture.script import FOLDER, read

    if file is None:
        return (FOLDER / "lecture.toml").read_bytes()
    try:
        return read_file(file, MAX_SCRIPT)
    except (OSError, ValueError):
        read(file)  # refuses it with its own sentence
        raise


def _compiled(
    source: bytes, languages: list[str], folder: bool, arguments: argparse.Namespace, say: Messages
) -> dict[str, bytes]:  # fmt: skip
    from vizkv.lecture.script import read
    from vizkv.show.compile import compiled
    from vizkv.show.files import one_file, site

    bar, reached = Bar(), (0, 1)

    def progress(done: int, total: int) -> None:
        nonlocal reached
        reached = (done, total)
        bar.show(done, total, say("cli.show.making", done=done, total=total))

    try:
        show = compiled(read(source), languages, progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(say("cli.show.stopped", done=reached[0], total=reached[1])) from None
    finally:
        bar.clear()
    look = {"theme": arguments.theme, "app": arguments.app.rstrip("/")}
    return site(show, **look) if folder else {"index.html": one_file(show, **look)}
