"""The axes of a sweep: every number, word or switch of a scenario's tables, and the notation of its values.

``block_size=8,16,32``, ``slots=4096..16384:4096`` (from, to, step), ``block_size=8..256*2`` (from, to, factor), and
lists of these, separated by commas.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from vizkv.messages.sentence import joined, told
from vizkv.messages.validation import listed, sentence, shorten
from vizkv.scenario.requests import read_whole
from vizkv.scenario.schema import Scenario, ScenarioError, Workload
from vizkv.systems import registry

MAX_VALUES = 64  # of one axis
MAX_TEXT = 2000  # characters of its values

Value = int | float | bool | str
Table = Literal["scenario", "workload", "system"]
_NOT_VARIED = {"name", "kind", "model", "free_order", "systems", "requests", "workload", "actions", "format"}


@dataclass(frozen=True)
class Parameter:
    """A field that can be varied.

    ``type``: int, float, bool or str. ``words``: its valid values, if they are enumerated. ``model``: the schema of its
    table; if several kinds of systems have the field, that of the first.
    """

    name: str
    table: Table
    model: builtins.type[BaseModel]
    type: builtins.type
    words: tuple[str, ...] = ()

    @property
    def ordered(self) -> bool:
        """Whether its values are numbers."""
        return self.type in (int, float)

    def read(self, text: str) -> Value:
        """Parse one value. Raises ScenarioError."""
        try:
            if self.type is bool:
                return {"true": True, "false": False}[text.lower()]
            if self.type is int:
                return read_whole(text)
            return text if self.type is str else self.type(text)
        except (ValueError, KeyError):
            raise ScenarioError(
                told(
                    "The axis {name} has the value {text}; valid is {valid}.",
                    name=self.name,
                    text=shorten(text),
                    valid=self.valid,
                )
            ) from None

    @property
    def valid(self) -> str:
        """The valid values, in words."""
        if self.type is bool:
            return told("true or false")
        if self.type is str:
            return listed([repr(word) for word in self.words], "or") if self.words else told("a name")
        return told(
            "{number}, or several as in 8,16,32 or 8..64:8 (from, to, step) or 8..256*2 (factor)",
            number=told("a whole number") if self.type is int else told("a number"),
        )

    def check(self, value: Value) -> None:
        """Raise ScenarioError for a value that is invalid in every scenario."""
        try:
            self.model.model_validate({self.name: value})
        except ValidationError as error:
            own = [e for e in error.errors() if e["loc"] == (self.name,)]
            if own:
                raise ScenarioError(sentence(_only(error, own), self.model)) from None


def _only(error: ValidationError, wanted: list[Any]) -> ValidationError:
    """Return the validation error with only the ``wanted`` ones of its errors."""
    kept = [{k: e[k] for k in ("type", "loc", "input", "ctx") if k in e} for e in wanted]
    return ValidationError.from_exception_data(error.title, kept)  # type: ignore[arg-type]


def parameters() -> dict[str, Parameter]:
    """Return all parameters that can be varied, by name."""
    return _parameters(tuple(kind.schema for kind in registry.KINDS.values()))


@cache
def _parameters(systems: tuple[type[BaseModel], ...]) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    tables: list[tuple[Table, type[BaseModel]]] = [("system", model) for model in reversed(systems)]
    tables += [("workload", Workload), ("scenario", Scenario)]
    for table, model in tables:
        for name, field in model.model_fields.items():
            plain = _plain(field.annotation)
            if name not in _NOT_VARIED and plain is not None and (table != "system" or name not in found):
                found[name] = Parameter(name, table, model, *plain)
    return found


def _plain(annotation: Any) -> tuple[type, tuple[str, ...]] | None:
    """Return (type, enumerated values) of a field that holds a single value; None for any other."""
    if get_origin(annotation) is Literal:
        return str, get_args(annotation)
    if annotation in (int, float, bool, str):
        return annotation, ()
    options = [a for a in get_args(annotation) if a is not NoneType]
    return _plain(options[0]) if len(options) == 1 else None


def parameter(name: str) -> Parameter:
    """Return the parameter with a name. Raises ScenarioError."""
    known = parameters()
    if name not in known:
        close = get_close_matches(name, known, 1)
        values = {"name": shorten(name), "known": joined(known)}
        if close:
            raise ScenarioError(
                told("The axis {name} is unknown; did you mean {close}? Valid are {known}.", close=close[0], **values)
            )
        raise ScenarioError(told("The axis {name} is unknown; valid are {known}.", **values))
    return known[name]


@dataclass(frozen=True)
class Axis:
    """A parameter and its values, distinct and in order. Raises ScenarioError for a value that is never valid."""

    name: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.values) <= MAX_VALUES:
            raise ScenarioError(
                told(
                    "The axis {name} has {count} values; valid are 1 to {max_values} different ones.",
                    name=self.name,
                    count=len(self.values),
                    max_values=MAX_VALUES,
                )
            )
        for value in self.values:
            self.parameter.check(value)

    @property
    def parameter(self) -> Parameter:
        """The parameter that varies. Raises ScenarioError."""
        return parameter(self.name)

    @property
    def text(self) -> str:
        """The values in the notation that :func:`parse_values` reads."""
        return ",".join(written(value) for value in self.values)


def written(value: Value) -> str:
    """Return a value in the notation that :meth:`Parameter.read` reads."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def parse_axis(text: str) -> Axis:
    """Parse ``name=values``. Raises ScenarioError."""
    name, equals, values = text.partition("=")
    if not equals:
        raise ScenarioError(
            told("The axis {text} has no values; valid is a name and values: block_size=8,16,32.", text=shorten(text))
        )
    return parse_values(name.strip(), values)


def parse_values(name: str, text: str) -> Axis:
    """Parse the values of an axis. Raises ScenarioError."""
    what = parameter(name)
    if len(text) > MAX_TEXT:
        raise ScenarioError(
            told(
                "The axis {name} has a text of {count} characters; valid are at most {max_text}.",
                name=name,
                count=len(text),
                max_text=MAX_TEXT,
            )
        )
    values: list[Value] = []
    for part in text.split(","):
        if part := part.strip():
            values += _span(what, part) if what.ordered and ".." in part else [what.read(part)]
    if not values:
        raise ScenarioError(told("The axis {name} has no value; valid is {valid}.", name=name, valid=what.valid))
    return Axis(name, tuple(dict.fromkeys(values)))


def _span(what: Parameter, text: str) -> Sequence[Value]:
    """Parse ``from..to``, ``from..to:step`` or ``from..to*factor``. Raises ScenarioError."""
    first, _, rest = text.partition("..")
    joint = "*" if "*" in rest else ":"
    last, given, by = rest.partition(joint)
    low, high = what.read(first.strip()), what.read(last.strip())
    step = what.read(by.strip()) if given else what.type(1)
    assert not isinstance(low, str) and not isinstance(high, str) and not isinstance(step, str)
    grows = step > 1 and low > 0 if joint == "*" else step > 0
    if not (low <= high < 1e300 and low > -1e300 and grows):
        raise ScenarioError(
            told(
                "The axis {name} has the span {text}; valid is from..to:step or from..to*factor, with from at "
                "most to, a step above zero, and a factor above one.",
                name=what.name,
                text=shorten(text),
            )
        )
    after: Callable[[int], float] = (lambda n: low * step**n) if joint == "*" else (lambda n: low + step * n)
    values: list[Value] = []
    # with a tolerance, for 0.1 + 0.1 + 0.1 is greater than 0.3
    while (value := after(len(values))) <= high + 1e-9 * abs(high):
        values.append(what.type(round(value, 12)) if what.type is float else int(value))
        if len(values) > MAX_VALUES:
            raise ScenarioError(
                told(
                    "The axis {name} has the span {text}, more than {max_values} values; valid is a span of at most "
                    "{max_values}: give a larger step.",
                    name=what.name,
                    text=shorten(text),
                    max_values=MAX_VALUES,
                )
            )
    return values
