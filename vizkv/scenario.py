"""What is run: one validated object, the same as a TOML file, a link or a preset (SPEC 8, a public contract).

Every refusal is a :class:`ScenarioError`: one sentence that names the field, the value and what would be valid.
"""

from __future__ import annotations

import base64
import json
import tomllib
import zlib
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from vizkv.complaints import either, listed, sentence, shorten

MAX_SLOTS = 4_194_304  # a slider's worth beyond the largest pool that SPEC names; more would only exhaust the browser
MAX_REQUESTS = 100_000
MAX_TOKENS = 20_000_000  # slots that all requests together may ask for: the lists of their tokens must fit
MAX_LABEL = 60  # characters of a system's name
MAX_TEXT = 100_000  # characters of one prompt
MAX_FILE_BYTES = 64 * 2**20  # of a scenario file
MAX_CODE_CHARACTERS = 65_536  # of a link code; a browser's address line takes hardly more
MAX_CODE_BYTES = 4 * 2**20  # of what a link code unpacks to
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
CODE_VERSION = "1"  # the first character of every link code


class ScenarioError(ValueError):
    """A scenario that cannot be run; the message is one sentence for the person who wrote it."""


def _one_line(text: str) -> str:
    # names are keys of what is printed and labels on screen: a line break or an invisible character would spoil both
    if not text.isprintable() or text != text.strip():
        raise ValueError(f"is {shorten(text)}; valid is text on one line, with no space at either end")
    return text


Count = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
Length = Annotated[int, Field(ge=1, le=MAX_SLOTS, strict=True)]
TokenId = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
Fan = Annotated[int, Field(ge=1, le=64, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Label = Annotated[str, Field(max_length=MAX_LABEL), AfterValidator(_one_line)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False, allow_inf_nan=False)


class ContiguousSystem(_Part):
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
        return f"{self.placement}, unit {self.unit}" + (", static" if self.batching == "static" else "")


class PagedSystem(_Part):
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
        parts = [f"blocks of {self.block_size}"]
        parts += ["prefix cache"] * self.prefix_caching + ["swap"] * (self.recovery == "swap")
        parts += ["null block"] * self.null_block + [f"watermark {self.watermark:g}"] * (self.watermark > 0)
        return ", ".join(parts)


System = Annotated[ContiguousSystem | PagedSystem, Field(discriminator="kind")]


class Request(_Part):
    """One prompt and how long it goes on.

    Exactly one way of saying the prompt, exactly one of saying the length; only ``output_token_ids`` and
    ``final_slots`` may stand together, and must then agree.
    """

    id: Annotated[str, Field(max_length=20), AfterValidator(_one_line)] = ""
    prompt: str | None = Field(default=None, max_length=MAX_TEXT)
    prompt_tokens: Length | None = None
    prompt_token_ids: Annotated[list[TokenId], Field(max_length=MAX_SLOTS)] | None = None
    output_tokens: Length | None = None
    output_token_ids: Annotated[list[TokenId], Field(max_length=MAX_SLOTS)] | None = None
    final_slots: Length | None = None
    arrival_step: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = 0
    max_len: Length | None = None  # this request's own maximum length, where it is below the model's (Figure 3)
    samples: Fan = 1
    beam_width: Fan | None = None

    @property
    def known_prompt_tokens(self) -> int | None:
        """Tokens of the prompt; None for a text, which only the model's tokenizer can count."""
        if self.prompt_token_ids is not None:
            return len(self.prompt_token_ids)
        return self.prompt_tokens

    @property
    def least_slots(self) -> int:
        """Slots that the request writes, a text counted as one token."""
        sampled = self.output_tokens or len(self.output_token_ids or ())
        return self.final_slots or (self.known_prompt_tokens or 1) + sampled - 1

    @model_validator(mode="after")
    def _one_prompt_one_length(self) -> Request:
        given = [n for n in ("prompt", "prompt_tokens", "prompt_token_ids") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of prompt, prompt_tokens and prompt_token_ids; it has {listed(given)}")
        if self.prompt == "" or self.prompt_token_ids == []:
            raise ValueError(f"has an empty {given[0]}; valid is at least one token")
        lengths = [n for n in ("output_tokens", "output_token_ids", "final_slots") if getattr(self, n) is not None]
        if not lengths or ("output_tokens" in lengths and len(lengths) > 1):
            raise ValueError(
                f"needs exactly one of output_tokens, output_token_ids and final_slots; it has {listed(lengths)}"
            )
        if self.output_token_ids == []:
            raise ValueError("has an empty output_token_ids; valid is at least one token, for one is always sampled")
        if self.known_prompt_tokens is not None:
            _sampled(self.known_prompt_tokens, self)
        return self


class Workload(_Part):
    """Requests drawn from length distributions, or read from a recorded trace."""

    lengths: str = Field(default="sharegpt", min_length=1, max_length=1000)
    arrivals: Literal["poisson", "trace"] = "poisson"
    rate: float = Field(default=4.0, gt=0, le=10_000, strict=True)
    duration: float = Field(default=900.0, gt=0, le=1_000_000, strict=True)
    warmup: float = Field(default=300.0, ge=0, le=1_000_000, strict=True)
    iteration_ms: float = Field(default=33.0, gt=0, le=1_000_000, strict=True)
    token_ms: float = Field(default=0.1, ge=0, le=1_000_000, strict=True)

    @model_validator(mode="after")
    def _drawable(self) -> Workload:
        if self.arrivals == "poisson" and self.rate * self.duration > MAX_REQUESTS:
            raise ValueError(
                f"has rate = {self.rate:g} for duration = {self.duration:g}, which draws about "
                f"{self.rate * self.duration:.0f} requests; valid is at most {MAX_REQUESTS}"
            )
        return self


class Scenario(_Part):
    """Everything that decides a run. Two equal scenarios give equal traces."""

    name: Annotated[str, Field(max_length=200), AfterValidator(_one_line)] = ""
    slots: Annotated[int, Field(ge=1, le=MAX_SLOTS, strict=True)] = 4096
    max_model_len: Count = 2048
    max_num_seqs: Count = 256
    max_num_batched_tokens: Count = 2560
    seed: Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)] = 0
    model: str = Field(default="tiny", min_length=1, max_length=1000)
    systems: list[System] = Field(min_length=1, max_length=12)
    requests: list[Request] = Field(default_factory=list, max_length=MAX_REQUESTS)
    workload: Workload | None = None

    @model_validator(mode="after")
    def _whole(self) -> Scenario:
        if bool(self.requests) == (self.workload is not None):
            what = "both requests and a workload" if self.requests else "zero requests and no workload"
            raise ValueError(f"The scenario has {what}; valid is either at least one [[requests]] or one [workload]")
        for i, system in enumerate(self.systems):
            _fits_pool(f"systems[{i}]", system, self.slots)
        _all_different("systems", "name", [s.name for s in self.systems if s.name])
        _all_different("requests", "id", [r.id for r in self.requests if r.id])
        total = sum(r.least_slots for r in self.requests)
        if total > MAX_TOKENS:
            raise ValueError(f"The requests ask for {total} slots in all; valid is at most {MAX_TOKENS}")
        return self


def _fits_pool(where: str, system: ContiguousSystem | PagedSystem, slots: int) -> None:
    if isinstance(system, ContiguousSystem):
        if system.unit > slots:
            raise ValueError(f"The field {where}.unit is {system.unit}; valid is 1 to {slots}, the pool's slots")
        return
    first, blocks = int(system.null_block), slots // system.block_size
    if blocks <= first:
        at_most = slots // (1 + first)
        if not at_most:
            raise ValueError(f"The field {where}.null_block is true with slots = {slots}; valid is at least 2 slots")
        raise ValueError(
            f"The field {where}.block_size is {system.block_size}, which leaves no usable block in slots = {slots}; "
            f"valid is 1 to {at_most}"
        )
    order = system.free_order
    if len(set(order)) != len(order) or any(not first <= block < blocks for block in order):
        raise ValueError(
            f"The field {where}.free_order is {shorten(order)}; valid are blocks from {first} to {blocks - 1}, "
            "none of them twice"
        )


def _all_different(table: str, field: str, values: list[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"Two {table} have {field} = {value!r}; valid is a different {field} for each")
        seen.add(value)


def _sampled(p: int, request: Request) -> int:
    """Sampled tokens of a request whose prompt has p tokens; ValueError with the rest of a sentence if impossible."""
    ids, final = request.output_token_ids, request.final_slots
    if final is not None and final < p:
        raise ValueError(f"has final_slots = {final}, but its prompt alone fills {p}; valid is at least {p}")
    if final is not None:
        sampled = final - p + 1
    else:
        sampled = request.output_tokens or len(ids or ())
    if ids is not None and len(ids) != sampled:
        raise ValueError(
            f"has {len(ids)} output_token_ids and final_slots = {final}, which disagree; valid is final_slots = "
            f"{p + len(ids) - 1} ({p} prompt tokens and every sampled token but the last) or {sampled} ids"
        )
    if request.max_len is not None and request.max_len < p + sampled - 1:
        raise ValueError(
            f"has max_len = {request.max_len}, but will write {p + sampled - 1} slots; valid is at least that many"
        )
    return sampled


def resolve_lengths(p: int, request: Request) -> int:
    """How many tokens a request samples, once its prompt is known to have ``p`` tokens (SPEC 2: L = p + sampled - 1).

    Raises ScenarioError where the lengths that the request names contradict the prompt or each other.
    """
    try:
        return _sampled(p, request)
    except ValueError as error:
        raise ScenarioError(f"The request {request.id!r} {error}.") from None


def request_name(index: int) -> str:
    """A, B, ..., Z, AA, AB, ...: the name of a request that was given none."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def from_dict(data: dict[str, Any]) -> Scenario:
    """Validate; every request leaves with an id, and no two systems with the same label."""
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        raise ScenarioError(sentence(error, Scenario)) from None
    return scenario.model_copy(
        update={"requests": _with_ids(scenario.requests), "systems": _with_labels(scenario.systems)}
    )


def _with_ids(requests: list[Request]) -> list[Request]:
    taken, named, index = {r.id for r in requests}, [], 0
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
        raise ScenarioError(f"The file is not valid TOML: {error}.") from None
    except RecursionError:
        raise ScenarioError("The file is not a scenario: its lists are nested too deeply.") from None
    except ValueError:  # Python reads numbers of at most 4300 digits
        raise ScenarioError("The file is not a scenario: a number in it has thousands of digits.") from None
    return from_dict(data)


def load(path: str | Path) -> Scenario:
    """Read a scenario file. A trace file that its workload names may lie beside it."""
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ScenarioError(f"The file {str(path)!r} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ScenarioError(f"The file name {shorten(str(path))} is not one that a file can have.") from None
    if len(raw) > MAX_FILE_BYTES:
        raise ScenarioError(
            f"The file {str(path)!r} is larger than {MAX_FILE_BYTES} bytes; a scenario is a small file."
        )
    try:
        scenario = from_toml(raw.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError:
        raise ScenarioError(f"The file {str(path)!r} is not text; a scenario is a TOML file in UTF-8.") from None
    beside = Path(path).parent / scenario.workload.lengths if scenario.workload else None
    if beside is None or not beside.is_file():
        return scenario
    assert scenario.workload is not None
    return scenario.model_copy(update={"workload": scenario.workload.model_copy(update={"lengths": str(beside)})})


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


def to_code(scenario: Scenario) -> str:
    """The scenario as a word for a link; :func:`from_code` gives an equal object back.

    Raises ScenarioError if it is too long for a link, or reads a file that the one who opens the link may not have.
    """
    _refuse_files(scenario)
    text = json.dumps(to_dict(scenario), separators=(",", ":"), ensure_ascii=False)
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    if len(packed) >= MAX_CODE_CHARACTERS or len(text) > MAX_CODE_BYTES:
        raise ScenarioError(
            f"The scenario is too long for a link: its code has {len(packed) + 1} characters, valid is at most "
            f"{MAX_CODE_CHARACTERS}; save it as a file instead."
        )
    return CODE_VERSION + packed


def from_code(code: str) -> Scenario:
    """What a link's code stands for; ScenarioError if it is damaged, too large, or not a scenario."""
    if not code.startswith(CODE_VERSION):
        raise ScenarioError(
            f"The link's code begins with {shorten(code[:1])}; valid is {CODE_VERSION!r}, the version read here."
        )
    if len(code) > MAX_CODE_CHARACTERS:
        raise ScenarioError(f"The link's code has {len(code)} characters; valid is at most {MAX_CODE_CHARACTERS}.")
    try:
        body = code[1:].encode("ascii")
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(
            base64.b64decode(body + b"=" * (-len(body) % 4), b"-_", validate=True), MAX_CODE_BYTES
        )
        if not unpacker.eof and unpacker.unconsumed_tail:
            raise ScenarioError(f"The link's code unpacks to more than {MAX_CODE_BYTES} bytes; it is not one of ours.")
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError
        data = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except ScenarioError:
        raise
    except (ValueError, zlib.error, RecursionError):
        raise ScenarioError(
            f"The link's code {shorten(code)} is damaged or incomplete; valid is a code exactly as it was copied."
        ) from None
    scenario = from_dict(data)
    _refuse_files(scenario)
    return scenario


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _refuse_files(scenario: Scenario) -> None:
    # whoever opens a link must not make the machine that serves the page read a file of the sender's choice
    if scenario.workload and scenario.workload.lengths not in LENGTH_SETS:
        raise ScenarioError(
            f"The field workload.lengths is {shorten(scenario.workload.lengths)}, a file, which a link cannot carry; "
            f"valid in a link is {either(list(LENGTH_SETS))}."
        )
