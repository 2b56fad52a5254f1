"""The scenario: a validated object that files, links and presets hold. Its fields are a public contract.

Invalid input raises :class:`ScenarioError`: one sentence that names the field, the value and what is valid.
"""

from __future__ import annotations

import tomllib
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tomli_w
from pydantic import AfterValidator, Field, ValidationError, model_validator

from vizkv.limits.files import read_file
from vizkv.limits.limits import MAX_SCENARIO_FILE, MAX_SYSTEMS, MAX_TOKENS
from vizkv.limits.readers import TooMuch, parse_toml
from vizkv.messages.reasons import reason
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, sentence, shorten
from vizkv.scenario.requests import (
    FORMATS,
    LENGTH_SETS,
    MAX_REQUESTS,
    Action,
    Branch,
    Length,
    Piece,
    Request,
    Workload,
    request_name,
)
from vizkv.systems import registry
from vizkv.systems.base.parts import MAX_LABEL, MAX_SLOTS, Count, Part, Whole, one_line
from vizkv.systems.base.system import System
from vizkv.systems.own import loading


class ScenarioError(ValueError):
    """A scenario cannot be run; the message is one sentence for its author."""


if TYPE_CHECKING:
    AnySystem = System
else:
    AnySystem = registry.union()


class Scenario(Part):
    """Everything that determines a run: equal scenarios give equal traces."""

    name: Annotated[str, Field(max_length=200), AfterValidator(one_line)] = ""
    slots: Length = 4096
    max_model_len: Count = 2048
    max_num_seqs: Count = 256
    max_num_batched_tokens: Count = 2560
    seed: Annotated[int, Field(ge=0, le=2**63 - 1, strict=True), Whole] = 0
    model: str = Field(default="tiny", min_length=1, max_length=1000)
    systems: list[AnySystem] = Field(min_length=1, max_length=MAX_SYSTEMS)
    requests: list[Request] = Field(default_factory=list, max_length=MAX_REQUESTS)
    workload: Workload | None = None
    actions: list[Action] = Field(default_factory=list, max_length=1000)

    @model_validator(mode="after")
    def _whole(self) -> Scenario:
        if bool(self.requests) == (self.workload is not None):
            what = told("both requests and a workload") if self.requests else told("zero requests and no workload")
            raise ValueError(
                told("The scenario has {what}; valid is either at least one [[requests]] or one [workload]", what=what)
            )
        for i, system in enumerate(self.systems):
            system.check(f"systems[{i}]", self.slots)
            if system.lengths_only and self.model != "none":
                raise ValueError(
                    told(
                        "The field model is {model!r} beside systems[{i}], whose layers fall into groups; valid is "
                        "'none': groups are run by their lengths only",
                        model=self.model,
                        i=i,
                    )
                )
        _all_different("systems", "name", [s.name for s in self.systems if s.name])
        _all_different("requests", "id", [r.id for r in self.requests if r.id])
        total = sum(r.least_slots for r in self.requests)
        if total > MAX_TOKENS:
            raise ValueError(
                told(
                    "The requests ask for {total} slots in all; valid is at most {max_tokens}",
                    total=total,
                    max_tokens=MAX_TOKENS,
                )
            )
        _groups_fit(self)
        return self


def _know_kinds() -> None:
    """Rebuild the schema so that it accepts systems of every registered kind."""
    field: Any = Scenario.model_fields["systems"]
    field.annotation = list.__class_getitem__(registry.union())
    Scenario.model_rebuild(force=True)


registry.when_changed(_know_kinds)
loading.load_named()


def _groups_fit(scenario: Scenario) -> None:
    """Check that the systems can run requests of several sequences. Raises ValueError.

    Systems that fork run all sequences of a request together; the others cannot run beam search.
    """
    alone = next((s for s in scenario.systems if not s.forks), None)
    together = any(s.forks for s in scenario.systems)
    for i, request in enumerate(scenario.requests):
        if request.beam_width is not None and alone is not None:
            raise ValueError(
                told(
                    "The field requests[{i}].beam_width is {beam_width} beside the system {label!r}, which does "
                    "not share memory between sequences; valid is beam search in systems that do, so leave that "
                    "system out",
                    i=i,
                    beam_width=request.beam_width,
                    label=alone.label,
                )
            )
        if request.members == 1 or not together:
            continue
        for name in ("max_num_seqs", "max_num_batched_tokens"):
            if request.members > (limit := getattr(scenario, name)):
                raise ValueError(
                    told(
                        "The table requests[{i}] becomes {members} sequences that run together, with {name} = {limit}; "
                        "valid is {name} of at least {members}",
                        i=i,
                        members=request.members,
                        name=name,
                        limit=limit,
                    )
                )


def member_ids(request: Request) -> list[str]:
    """Return the names of a request's sequences: its own, those of its branches, or its own with a number.

    Samples count from 1 (A1, A2, ...) and beams from 0 (c0, c1, ...), as in the paper's Figures 8 and 9.
    """
    if request.branches:
        return [branch.id for branch in request.branches]
    if request.members == 1:
        return [request.id]
    first = 1 if request.beam_width is None else 0
    return [f"{request.id}{number + first}" for number in range(request.members)]


def _all_different(table: str, field: str, values: list[str]) -> None:
    """Raise ValueError if a value occurs twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(
                told(
                    "Two {table} have {field} = {value!r}; valid is a different {field} for each",
                    table=table,
                    field=field,
                    value=value,
                )
            )
        seen.add(value)


def resolve_lengths(p: int, request: Piece) -> int:
    """Return how many tokens a sequence samples after a prompt of ``p`` tokens, see :meth:`Piece.sampled`.

    Raises ScenarioError if the lengths of the request contradict the prompt or each other.
    """
    try:
        return request.sampled(p)
    except ValueError as error:
        raise ScenarioError(told("The request {id!r} {error}.", id=request.id, error=error)) from None


def from_dict(data: dict[str, Any]) -> Scenario:
    """Return the validated scenario, with an id for every request and a different label for every system.

    ``data``: the tables of a scenario's file. Raises ScenarioError.
    """
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        raise ScenarioError(sentence(error, Scenario)) from None
    named = scenario.model_copy(
        update={"requests": _with_ids(scenario.requests), "systems": _with_labels(scenario.systems)}
    )
    try:
        _names_hold(named)
    except ValueError as error:
        raise ScenarioError(told("{error}.", error=error)) from None
    return named


def _names_hold(scenario: Scenario) -> None:
    """Check that sequences have different names, and that actions name existing sequences. Raises ValueError."""
    names = [name for request in scenario.requests for name in member_ids(request)]
    _all_different("sequences", "id", names)
    for i, action in enumerate(scenario.actions):
        if action.request is not None and action.request not in names:
            valid = either(names[:8]) if names else told("a scenario with [[requests]]")
            raise ValueError(
                told(
                    "The field actions[{i}].request is {request!r}; valid is {valid}",
                    i=i,
                    request=action.request,
                    valid=valid,
                )
            )


def _with_ids(requests: list[Request]) -> list[Request]:
    """Return the requests, those without an id named A, B, ..."""
    taken = {r.id for r in requests} | {branch.id for r in requests for branch in r.branches}
    named, index = [], 0
    for request in requests:
        name = request.id
        while not name:
            candidate, index = request_name(index), index + 1
            name = "" if candidate in taken else candidate
        named.append(request if request.id else request.model_copy(update={"id": name}))
    return named


def _with_labels(systems: list[Any]) -> list[Any]:
    """Return the systems, those whose labels are equal named by their details."""
    labels = [s.label for s in systems]
    taken, named = {s.name for s in systems if s.name}, []
    for system in systems:
        if system.name or labels.count(system.label) == 1:
            named.append(system)
            continue
        base = f"{system.label}, {system.details}"[: MAX_LABEL - 5].rstrip(", ")  # room for a number after it
        name, number = base, 1
        while name in taken:
            name, number = f"{base} ({number + 1})", number + 1
        taken.add(name)
        named.append(system.model_copy(update={"name": name}))
    return named


def from_toml(text: str, name: str = "") -> Scenario:
    """Parse and validate the text of a scenario file. ``name``: of the file, for messages. Raises ScenarioError."""
    try:
        data = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        if name:
            raise ScenarioError(
                told("The file {path!r} is not valid TOML: {error}.", path=name, error=reason(error))
            ) from None
        raise ScenarioError(told("The file is not valid TOML: {error}.", error=reason(error))) from None
    except TooMuch as error:
        raise ScenarioError(str(error)) from None
    except RecursionError:
        raise ScenarioError(told("The file is not a scenario: its lists are nested too deeply.")) from None
    except ValueError:  # Python reads numbers of at most 4300 digits
        raise ScenarioError(told("The file is not a scenario: a number in it has thousands of digits.")) from None
    return from_dict(data)


def from_bytes(raw: bytes, name: str, most: int = MAX_SCENARIO_FILE) -> Scenario:
    """Parse and validate the content of a scenario file called ``name``, of at most ``most`` bytes.

    Raises ScenarioError.
    """
    if len(raw) > most:
        raise ScenarioError(
            told(
                "The file {path!r} is larger than {max_file_bytes} bytes; a scenario is a small file.",
                path=name,
                max_file_bytes=most,
            )
        )
    try:
        return from_toml(raw.decode("utf-8-sig").replace("\r\n", "\n"), name)
    except UnicodeDecodeError:
        raise ScenarioError(
            told("The file {path!r} is not text; a scenario is a TOML file in UTF-8.", path=name)
        ) from None


def load(path: str | Path) -> Scenario:
    """Read a scenario file. Raises ScenarioError.

    A workload file that it names is looked for in its directory first.
    """
    try:
        raw = read_file(path, MAX_SCENARIO_FILE)
    except OSError as error:
        raise ScenarioError(told("The file {path!r} cannot be read: {why}.", path=str(path), why=error)) from None
    except ValueError:
        raise ScenarioError(
            told("The file name {path} is not one that a file can have.", path=shorten(str(path)))
        ) from None
    scenario = from_bytes(raw, str(path))
    given = scenario.workload
    if given is None or not given.is_file:
        return scenario
    beside = Path(path).parent / given.lengths
    if not isfile(beside):  # Path.is_file raises for an invalid file name
        return scenario
    return scenario.model_copy(update={"workload": given.model_copy(update={"lengths": str(beside)})})


def to_dict(scenario: Scenario) -> dict[str, Any]:
    """Return the fields that differ from their defaults: the shortest form, for files and links."""
    data = scenario.model_dump(exclude_defaults=True, exclude_none=True)
    data["systems"] = [
        {"kind": s.kind} | s.model_dump(exclude_defaults=True, exclude_none=True) for s in scenario.systems
    ]
    return data


def to_toml(scenario: Scenario) -> str:
    """Return the scenario as TOML; :func:`from_toml` reads it back to an equal object."""
    return tomli_w.dumps(to_dict(scenario))


__all__ = [
    "FORMATS",
    "LENGTH_SETS",
    "MAX_REQUESTS",
    "MAX_SLOTS",
    "MAX_TOKENS",
    "Action",
    "Branch",
    "Request",
    "Scenario",
    "ScenarioError",
    "Workload",
    "from_bytes",
    "from_dict",
    "from_toml",
    "load",
    "member_ids",
    "request_name",
    "resolve_lengths",
    "to_dict",
    "to_toml",
]
