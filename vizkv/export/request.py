"""What somebody wants as a file, and whether that is possible: the command line and the app ask in the same words."""

from __future__ import annotations

from dataclasses import dataclass

from vizkv.export.render import ExportError
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, shorten
from vizkv.trace.slots import Accounting, Lens
from vizkv.trace.trace import Trace
from vizkv.views.payload import window as windows
from vizkv.views.picture import table as picture_table

CHART = "chart:"
PICTURES = ("svg", "png", "pdf")
FORMATS: dict[str, tuple[str, ...]] = {
    "player": PICTURES,
    "page": PICTURES,
    "table": PICTURES,
    "storyboard": PICTURES,
    "animation": ("gif", "webp", "mp4"),
    "html": ("html",),
    "ledger": ("csv",),
    "scenario": ("toml",),
    "trace": ("vizkv",),
}
MIME = {
    "svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf", "gif": "image/gif", "webp": "image/webp",
    "mp4": "video/mp4", "html": "text/html", "csv": "text/csv", "toml": "application/toml",
    "vizkv": "application/octet-stream",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}  # fmt: skip
SCALES = ("1", "2", "4k")
THEMES = ("light", "dark")
COLOURS = ("state", "request")
MOST_RATE = 60.0  # pictures of a film a second
NARROWEST, WIDEST = 320, 4096


@dataclass(frozen=True)
class Wish:
    """One file. Steps are those of a run that leads where the systems of a workload have clocks of their own."""

    what: str  # of FORMATS, or "chart:" and a name of vizkv.export.figures
    format: str
    step: int = 0
    steps: tuple[int, ...] = ()  # of a storyboard
    first: int = 0  # of a film or a ledger
    last: int = 0
    every: int = 1
    rate: float = 5
    lens: Lens = "online"
    accounting: Accounting = "textbook"
    colour: str = "state"
    theme: str = "light"
    scale: str = "1"
    width: int = 1600
    height: int = 0  # that a picture of the player should take; 0: as on a 16:9 page
    transparent: bool = False
    legend: bool = True
    caption: bool = False
    projector: bool = False
    request: int = -1
    position: int = -1
    focus: int = -1
    lit: str = ""
    lit_in: int = -1
    mark: str = ""
    headline: str = ""


def formats(what: str) -> tuple[str, ...]:
    """In which a thing can be had; the first is the usual one. Raises ExportError for what there is not."""
    if what.startswith(CHART):
        return PICTURES
    if what not in FORMATS:
        valid = either([*FORMATS, f"{CHART}NAME"])
        raise ExportError(told("The export is {what}; valid is {valid}.", what=shorten(what), valid=valid))
    return FORMATS[what]


def format_of(what: str, given: str, suffix: str = "") -> str:
    """The format that is asked for, by name or by a file's suffix. Raises ExportError."""
    known = formats(what)
    name = (given or suffix.removeprefix(".") or known[0]).lower()
    if name not in known:
        raise ExportError(
            told("The format is {name}; valid for {what} is {valid}.", name=shorten(name), what=what,
                 valid=either(list(known)))
        )  # fmt: skip
    return name


def lead_of(trace: Trace) -> int:
    """The system whose steps are counted; -1 where all systems have one clock."""
    return windows.longest(trace) if trace.scenario.get("workload") else -1


def check(wish: Wish, trace: Trace, say: Messages) -> None:
    """Refuse what this run does not have. Raises ExportError."""
    format_of(wish.what, wish.format)
    most = windows.total(trace, lead_of(trace)) - 1
    for step in (wish.step, wish.first, wish.last, *wish.steps):
        if not 0 <= step <= most:
            raise ExportError(
                told("The step is {step}, which this run does not have; valid is 0 to {most}.", step=step, most=most)
            )  # fmt: skip
    if wish.first > wish.last:
        raise ExportError(told("The steps are {first}:{last}; the first must not be greater than the last.",
                               first=wish.first, last=wish.last))  # fmt: skip
    if wish.what == "table" and not picture_table.paged(trace):
        raise ExportError(say("picture.table.none"))
