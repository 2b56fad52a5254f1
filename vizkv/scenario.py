"""What is run: one validated object, the same as a TOML file, a link or a preset (SPEC 8, a public contract).

Every refusal is a :class:`ScenarioError`: one sentence that names the field, the value and what would be valid.
"""

from __future__ import annotations

import tomllib
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import AfterValidator, Field, ValidationError, model_validator

from vizkv.complaints import either, sentence, shorten
from vizkv.reasons import reason
from vizkv.requests import (
    MAX_LABEL,
    MAX_REQUESTS,
    MAX_SLOTS,
    Action,
    Branch,
    Count,
    Flag,
    Label,
    Part,
    Piece,
    Request,
    TokenId,
    Workload,
    one_line,
    request_name,
)
from vizkv.told import told

MAX_TOKENS = 20_000_000  # slots that all requests together may ask for: the lists of their tokens must fit
MAX_FILE_BYTES = 64 * 2**20  # of a scenario file
LENGTH_SETS = (  # the names of the sets in data/lengths.json; "sharegpt" is the one filtered as in the paper
    "sharegpt",
    "sharegpt_paper_filtered",
    "sharegpt_raw",
    "azure2023_conv",
    "azure2023_code",
    "arxiv_summarization_vidur",
    "mooncake_conversation",
    "mooncake_synthetic",
)


class ScenarioError(ValueError):
    """A scenario that cannot be run; the message is one sentence for the person who wrote it."""


# each word by itself, so that each has its translation
_PLACEMENTS = {
    "buddy": told("buddy"),
    "first-fit": told("first-fit"),
    "best-fit": told("best-fit"),
    "ideal": told("ideal"),
}


class ContiguousSystem(Part):
    """A system that gives each request one piece of consecutive slots (Orca and its kin)."""

    kind: Literal["contiguous"]
    name: Label = ""
    reserve: Literal["max", "pow2", "pow2-total", "oracle", "multiple"] = "max"
    multiple: Count = 3
    placement: Literal["buddy", "first-fit", "best-fit", "ideal"] = "buddy"
    unit: Count = 16
    batching: Literal["iteration", "static"] = "iteration"

    @property
    def label(self) -> str:
        """The given name, or one made from the fields."""
        made = {
            "max": "Orca (Max)",
            "pow2": "Orca (Pow2)",
            "pow2-total": "Orca (Pow2 of the whole)",
            "oracle": "Orca (Oracle)",
            "multiple": f"Multiple of {self.multiple}",
        }
        return self.name or made[self.reserve]

    @property
    def details(self) -> str:
        """What tells two systems with the same policy apart."""
        facts: dict[str, object] = {"placement": _PLACEMENTS[self.placement], "unit": self.unit}
        if self.batching == "static":
            return told("{placement}, unit {unit}, static", **facts)
        return told("{placement}, unit {unit}", **facts)


class PagedSystem(Part):
    """A system that gives each request blocks on demand (PagedAttention, vLLM)."""

    kind: Literal["paged"]
    name: Label = ""
    block_size: Count = 16
    prefix_caching: Flag = False
    recovery: Literal["recompute", "swap"] = "recompute"
    watermark: float = Field(default=0.0, ge=0.0, lt=1.0, strict=True)
    null_block: Flag = False
    # for worked examples whose block numbers are printed in a book: the beginning of the free queue
    free_order: list[TokenId] = Field(default_factory=list, max_length=MAX_SLOTS)

    @property
    def label(self) -> str:
        """The given name, or the technique's."""
        return self.name or "PagedAttention"

    @property
    def details(self) -> str:
        """What tells two paged systems apart."""
        parts = [told("blocks of {size}", size=self.block_size)]
        parts += [told("prefix cache")] * self.prefix_caching + [told("swap")] * (self.recovery == "swap")
        parts += [told("null block")] * self.null_block
        parts += [told("watermark {share:g}", share=self.watermark)] * (self.watermark > 0)
        return reduce(lambda first, next_: told("{first}, {next}", first=first, next=next_), parts)


System = Annotated[ContiguousSystem | PagedSystem, Field(discriminator="kind")]


class Scenario(Part):
    """Everything that decides a run. Two equal scenarios give equal traces."""

    name: Annotated[str, Field(max_length=200), AfterValidator(one_line)] = ""
    slots: Annotated[int, Field(ge=1, le=MAX_SLOTS, strict=True)] = 4096
    max_model_len: Count = 2048
    max_num_seqs: Count = 256
    max_num_batched_tokens: Count = 2560
    seed: Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)] = 0
    model: str = Field(default="tiny", min_length=1, max_length=1000)
    systems: list[System] = Field(min_length=1, max_length=12)
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
            _fits_pool(f"systems[{i}]", system, self.slots)
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


def _fits_pool(where: str, system: ContiguousSystem | PagedSystem, slots: int) -> None:
    if isinstance(system, ContiguousSystem):
        if system.unit > slots:
            raise ValueError(
                told(
                    "The field {where}.unit is {unit}; valid is 1 to {slots}, the pool's slots",
                    where=where,
                    unit=system.unit,
                    slots=slots,
                )
            )
        return
    first, blocks = int(system.null_block), slots // system.block_size
    if blocks <= first:
        at_most = slots // (1 + first)
        if not at_most:
            raise ValueError(
                told(
                    "The field {where}.null_block is true with slots = {slots}; valid is at least 2 slots",
                    where=where,
                    slots=slots,
                )
            )
        raise ValueError(
            told(
                "The field {where}.block_size is {block_size}, which leaves no usable block in slots = {slots}; "
                "valid is 1 to {at_most}",
                where=where,
                block_size=system.block_size,
                slots=slots,
                at_most=at_most,
            )
        )
    order = system.free_order
    if len(set(order)) != len(order) or any(not first <= block < blocks for block in order):
        raise ValueError(
            told(
                "The field {where}.free_order is {order}; valid are blocks from {first} to {last}, none of them twice",
                where=where,
                order=shorten(order),
                first=first,
                last=blocks - 1,
            )
        )


def _groups_fit(scenario: Scenario) -> None:
    """Sequences of one request run together in a paged system, and beams cannot be run in a contiguous one."""
    contiguous = next((s for s in scenario.systems if isinstance(s, ContiguousSystem)), None)
    paged = any(isinstance(s, PagedSystem) for s in scenario.systems)
    for i, request in enumerate(scenario.requests):
        if request.beam_width is not None and contiguous is not None:
            raise ValueError(
                told(
                    "The field requests[{i}].beam_width is {beam_width} beside the contiguous system {label!r}; "
                    "valid is beam search in paged systems only, so leave that system out",
                    i=i,
                    beam_width=request.beam_width,
                    label=contiguous.label,
                )
            )
        if request.members == 1 or not paged:
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
    """The names of a request's sequences: its own; those of its branches; A1, A2, ... of samples; c0, c1, ... of beams.

    Samples count from 1 and beams from 0, as in the paper's Figures 8 and 9.
    """
    if request.branches:
        return [branch.id for branch in request.branches]
    if request.members == 1:
        return [request.id]
    first = 1 if request.beam_width is None else 0
    return [f"{request.id}{number + first}" for number in range(request.members)]


def _all_different(table: str, field: str, values: list[str]) -> None:
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
    """How many tokens a sequence samples, once its prompt is known to have ``p`` tokens (SPEC 2: L = p + sampled - 1).

    Raises ScenarioError where the lengths that the request names contradict the prompt or each other.
    """
    try:
        return request.sampled(p)
    except ValueError as error:
        raise ScenarioError(told("The request {id!r} {error}.", id=request.id, error=error)) from None


def from_dict(data: dict[str, Any]) -> Scenario:
    """Validate; every request leaves with an id, and no two systems with the same label."""
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
    """Sequences have different names, and actions name sequences."""
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
    labels = [s.label for s in systems]
    taken, named = {s.name for s in systems if s.name}, []
    for system in systems:
        if system.name or labels.count(system.label) == 1:
            named.append(system)
            continue
        base = f"{system.label}, {system.details}"[: MAX_LABEL - 5].rstrip(", ")  # room for a number behind it
        name, number = base, 1
        while name in taken:
            name, number = f"{base} ({number + 1})", number + 1
        taken.add(name)
        named.append(system.model_copy(update={"name": name}))
    return named


def from_toml(text: str) -> Scenario:
    """Parse and validate a scenario file."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(told("The file is not valid TOML: {error}.", error=reason(error, text))) from None
    except RecursionError:
        raise ScenarioError(told("The file is not a scenario: its lists are nested too deeply.")) from None
    except ValueError:  # Python reads numbers of at most 4300 digits
        raise ScenarioError(told("The file is not a scenario: a number in it has thousands of digits.")) from None
    return from_dict(data)


def from_bytes(raw: bytes, name: str, most: int = MAX_FILE_BYTES) -> Scenario:
    """Parse and validate what a scenario file called ``name`` holds, as any editor may have written it."""
    if len(raw) > most:
        raise ScenarioError(
            told(
                "The file {path!r} is larger than {max_file_bytes} bytes; a scenario is a small file.",
                path=name,
                max_file_bytes=most,
            )
        )
    try:
        return from_toml(raw.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError:
        raise ScenarioError(
            told("The file {path!r} is not text; a scenario is a TOML file in UTF-8.", path=name)
        ) from None


def load(path: str | Path) -> Scenario:
    """Read a scenario file. A trace file that its workload names may lie beside it."""
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ScenarioError(told("The file {path!r} cannot be read: {why}.", path=str(path), why=error)) from None
    except ValueError:
        raise ScenarioError(
            told("The file name {path} is not one that a file can have.", path=shorten(str(path)))
        ) from None
    scenario = from_bytes(raw, str(path))
    given = scenario.workload
    if given is None or given.lengths in LENGTH_SETS or given.is_made_up or given.is_upload:
        return scenario
    beside = Path(path).parent / given.lengths
    if not beside.is_file():
        return scenario
    return scenario.model_copy(update={"workload": given.model_copy(update={"lengths": str(beside)})})


def to_dict(scenario: Scenario) -> dict[str, Any]:
    """Only what differs from the defaults: the shortest form, for files and links."""
    data = scenario.model_dump(exclude_defaults=True, exclude_none=True)
    data["systems"] = [
        {"kind": s.kind} | s.model_dump(exclude_defaults=True, exclude_none=True) for s in scenario.systems
    ]
    return data


def to_toml(scenario: Scenario) -> str:
    """The scenario as a file that :func:`from_toml` reads back to an equal object."""
    return tomli_w.dumps(to_dict(scenario))


__all__ = [
    "LENGTH_SETS",
    "MAX_REQUESTS",
    "MAX_SLOTS",
    "MAX_TOKENS",
    "Action",
    "Branch",
    "ContiguousSystem",
    "PagedSystem",
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
