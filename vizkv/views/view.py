"""The view of a trace (step, lens, ...) and its only codec, for links, the beats of a lecture, and browsers' reports.

Untrusted input becomes a :class:`View` only through :func:`parse`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from vizkv.trace.slots import ACCOUNTINGS, CATEGORIES, LENSES, Accounting, Lens
from vizkv.trace.trace import Trace

COLOURS = ("state", "request")
FIELDS = ("step", "lens", "accounting", "colour", "focus", "request", "position", "lit", "lit_in", "mark")
_WORDS = {"lens": LENSES, "accounting": ACCOUNTINGS, "colour": COLOURS, "lit": CATEGORIES}
_MARK = re.compile(r"([0-9]{1,2})\.([0-9]{1,7})-([0-9]{1,7})")
_NUMBER = re.compile(r"-?[0-9]{1,11}")
_LISTED = 12  # names listed in a message as valid
_MOST_STEPS = 10**9 - 1  # while the run is not known yet


@dataclass(frozen=True)
class View:
    """How a trace is shown: everything that a link carries besides the scenario.

    ``step`` counts from the beginning of the run, also if only a window of it is loaded.
    """

    step: int = 0
    lens: Lens = "online"
    accounting: Accounting = "textbook"
    colour: str = "state"
    focus: int = -1
    request: int = -1  # the sequence that the panels follow; -1: the first that is live
    position: int = -1  # the token of it that is followed; -1: none
    lit: str = ""  # the category whose slots are highlighted
    lit_in: int = -1  # the system in which they are; -1: all
    mark: str = ""  # marked slots: "system.first-last", see mark_of
    play: bool = False
    command: int = 0  # the browser applies a view of the trace it already shows only if this has increased
    reveal: bool = False  # the page scrolls to the player
    intro: bool = False  # the run plays up to ``step``, and then the other lens is offered
    keep: bool = False  # with a new trace on the same page, the reader's step is kept


def mark_of(system: int, first: int, last: int) -> str:
    """Return the value of ``mark`` for the slots ``first`` to ``last`` of a system; all count from zero."""
    return f"{system}.{first}-{last}"


def marked(text: str) -> tuple[int, int, int] | None:
    """Return the (system, first, last) of a value of ``mark``; None if it is malformed."""
    found = _MARK.fullmatch(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


@dataclass(frozen=True)
class Limits:
    """The valid values of a view's fields in one run."""

    steps: int = _MOST_STEPS
    requests: tuple[str, ...] = ()  # the ids of its sequences
    lengths: tuple[int, ...] = ()  # final slots of each sequence
    slots: tuple[int, ...] = ()  # of each system

    @classmethod
    def of(cls, trace: Trace, lead: int = -1) -> Limits:
        """Return the limits of a run. ``lead``: the system whose steps are counted; -1 for the longest."""
        return cls(
            trace.steps if lead < 0 else trace.systems[lead].steps,
            tuple(request.id for request in trace.requests),
            tuple(request.final_slots for request in trace.requests),
            tuple(system.slots for system in trace.systems),
        )

    def allows(self, view: View, name: str, given: Any) -> Any:
        """Return the value of a field if ``given`` is valid, else None. ``view``: with the fields before it."""
        if name in _WORDS:
            return given if isinstance(given, str) and given in _WORDS[name] else None
        if name == "mark":
            return given if isinstance(given, str) and self._marks(given) else None
        if name == "request" and isinstance(given, str):
            return self.requests.index(given) if given in self.requests else None
        number = _number(given)
        low, most = self._range(view, name)
        return number if number is not None and low <= number <= most else None

    def valid(self, view: View, name: str) -> str:
        """Return the valid values of a field in a link, as text. ``view``: with the fields before it."""
        if name == "mark":
            last = len(self.slots) - 1
            return f"0.0-{self.slots[0] - 1} .. {last}.0-{self.slots[-1] - 1}" if self.slots else ""
        names = self.requests if name == "request" else _WORDS.get(name)
        if names is None:
            low, most = self._range(view, name)
            return f"{max(low, 0)}..{most}"  # only browsers report -1, for "none"
        return " / ".join(names[:_LISTED]) + (" / …" if len(names) > _LISTED else "")

    def _range(self, view: View, name: str) -> tuple[int, int]:
        if name == "step":
            return 0, self.steps
        if name == "request":
            return 0, len(self.requests) - 1
        if name == "position":
            whose = self.lengths if view.request < 0 else self.lengths[view.request : view.request + 1]
            return 0, max(whose, default=1) - 1
        return -1, len(self.slots) - 1

    def _marks(self, text: str) -> bool:
        system, first, last = marked(text) or (len(self.slots), 0, 0)
        return system < len(self.slots) and first <= last < self.slots[system]


@dataclass(frozen=True)
class Refused:
    """A field whose value is not valid in this run. ``valid``: the valid values, as text."""

    field: str
    value: str
    valid: str


def parse(given: Any, limits: Limits, start: View | None = None) -> tuple[View, list[Refused]]:
    """Return (the view that ``given`` describes, the fields that were refused); those keep their values of ``start``.

    ``given``: the parameters of a link, or the JSON of a browser's report, of any type. A number may be a text. A
    sequence is named by its id or, in a report, by its index; in a report -1 and "" stand for none.
    """
    view, refused = start or View(), []
    if not isinstance(given, Mapping):
        return view, []
    for name in FIELDS:  # a request before its position
        if name not in given or _is_none(name, given[name]):
            continue
        value = limits.allows(view, name, given[name])
        if value is None:
            text = given[name] if isinstance(given[name], str) else type(given[name]).__name__
            refused.append(Refused(name, text, limits.valid(view, name)))
        else:
            view = replace(view, **{name: value})
    return view, refused


def reported(given: Any, limits: Limits) -> View | None:
    """Return the view that a browser reports; None if the report has no valid step."""
    if not isinstance(given, Mapping) or limits.allows(View(), "step", given.get("step")) is None:
        return None
    return parse(given, limits)[0]


def plays(given: Any) -> bool:
    """Whether a browser reports that the player is playing."""
    return isinstance(given, Mapping) and given.get("play") is True


def kept(view: View, limits: Limits) -> View:
    """Return a view of one run for another run, without the fields that are not valid there."""
    return parse(asdict(view) | {"step": min(view.step, limits.steps)}, limits)[0]


def words(view: View, requests: tuple[str, ...] = ()) -> dict[str, str]:
    """Return a view as the parameters of a link: step, lens, accounting, and the other fields that are not defaults.

    ``requests``: the ids of the run's sequences.
    """
    found = {"step": str(view.step), "lens": view.lens, "accounting": view.accounting}
    if view.colour != "state":
        found["colour"] = view.colour
    if view.focus >= 0:
        found["focus"] = str(view.focus)
    if 0 <= view.request < len(requests):
        found["request"] = requests[view.request]
    if view.position >= 0:
        found["position"] = str(view.position)
    if view.lit:
        found["lit"] = view.lit
    if view.lit and view.lit_in >= 0:
        found["lit_in"] = str(view.lit_in)
    if view.mark:
        found["mark"] = view.mark
    return found


def _number(given: Any) -> int | None:
    """Return a whole number, given as a number or as text; None for anything else."""
    if isinstance(given, str):
        return int(given) if _NUMBER.fullmatch(given) else None
    return given if type(given) is int else None


def _is_none(name: str, given: Any) -> bool:
    """Whether a report says that nothing is followed, highlighted or marked. A link omits such a field."""
    if name in ("lit", "mark"):
        return isinstance(given, str) and not given
    return name in ("request", "position") and type(given) is int and given == -1
