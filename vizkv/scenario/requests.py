"""The tables [[requests]], [workload] and [[actions]] of a scenario.

The message of each ValueError is the rest of a sentence, see :mod:`vizkv.messages.validation`.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from vizkv.limits.limits import MAX_REQUESTS as MAX_REQUESTS
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, listed, shorten
from vizkv.systems.base.parts import MAX_SLOTS as MAX_SLOTS
from vizkv.systems.base.parts import Flag, Part, TokenIds, Whole, one_line

MAX_TEXT = 100_000  # characters of one prompt
MAX_MEMBERS = 64  # sequences of one request
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
FormatName = Literal[  # of a workload file; the readers are in vizkv.workload.formats
    "azure", "mooncake", "bailian", "burstgpt", "vidur", "aiperf", "llmservingsim", "sharegpt", "vllm-custom"
]
FORMATS: tuple[str, ...] = get_args(FormatName)


def read_whole(text: str) -> int:
    """Return the whole number in a text, also if it is written as 100.0. Raises ValueError."""
    whole, _, rest = text.strip().partition(".")
    if not whole or rest.strip("0"):
        raise ValueError(text)
    return int(whole)


Length = Annotated[int, Field(ge=1, le=MAX_SLOTS, strict=True), Whole]
Fan = Annotated[int, Field(ge=1, le=MAX_MEMBERS, strict=True), Whole]
Beam = Annotated[int, Field(ge=0, le=MAX_MEMBERS - 1, strict=True), Whole]
Beams = Annotated[list[Beam], Field(max_length=MAX_MEMBERS)]
Range = Annotated[list[Length], Field(min_length=2, max_length=2)]  # from, to: both included
Median = Annotated[float, Field(ge=1, le=MAX_SLOTS, strict=True)]
Sigma = Annotated[float, Field(ge=0, le=4, strict=True)]  # of the logarithm: 4 is a factor of 55 to either side
RequestId = Annotated[str, Field(max_length=20), AfterValidator(one_line)]


class Piece(Part):
    """A prompt and the number of tokens that follow it, each given in exactly one of several ways.

    Only ``output_token_ids`` and ``final_slots`` may be given together, and must then agree.
    """

    id: RequestId = ""
    prompt: str | None = Field(default=None, max_length=MAX_TEXT)
    prompt_tokens: Length | None = None
    prompt_token_ids: TokenIds | None = None
    output_tokens: Length | None = None
    output_token_ids: TokenIds | None = None
    final_slots: Length | None = None

    @property
    def known_prompt_tokens(self) -> int | None:
        """Number of tokens of the prompt; None for a text, which only the model's tokenizer can count."""
        if self.prompt_token_ids is not None:
            return len(self.prompt_token_ids)
        return self.prompt_tokens

    def sampled(self, p: int) -> int:
        """Return the number of tokens to sample after a prompt of ``p`` tokens: final_slots = p + sampled - 1.

        Raises ValueError if the given lengths contradict the prompt or each other.
        """
        ids, final = self.output_token_ids, self.final_slots
        if final is not None and final < p:
            raise ValueError(
                told(
                    "has final_slots = {final}, but its prompt alone fills {p}; valid is at least {p}", final=final, p=p
                )
            )
        sampled = final - p + 1 if final is not None else self.output_tokens or len(ids or ())
        if ids is not None and len(ids) != sampled:
            raise ValueError(
                told(
                    "has {count} output_token_ids and final_slots = {final}, which disagree; valid is final_slots = "
                    "{agreed} ({p} prompt tokens and every sampled token but the last) or {sampled} ids",
                    count=len(ids),
                    final=final,
                    agreed=p + len(ids) - 1,
                    p=p,
                    sampled=sampled,
                )
            )
        return sampled

    def _check_prompt(self) -> None:
        given = [n for n in ("prompt", "prompt_tokens", "prompt_token_ids") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(
                told(
                    "needs exactly one of prompt, prompt_tokens and prompt_token_ids; it has {given}",
                    given=listed(given),
                )
            )
        if self.prompt == "" or self.prompt_token_ids == []:
            raise ValueError(told("has an empty {given}; valid is at least one token", given=given[0]))

    def _lengths(self) -> list[str]:
        return [n for n in ("output_tokens", "output_token_ids", "final_slots") if getattr(self, n) is not None]

    def _check_length(self) -> None:
        lengths = self._lengths()
        if not lengths or ("output_tokens" in lengths and len(lengths) > 1):
            raise ValueError(
                told(
                    "needs exactly one of output_tokens, output_token_ids and final_slots; it has {lengths}",
                    lengths=listed(lengths),
                )
            )
        if self.output_token_ids == []:
            raise ValueError(
                told("has an empty output_token_ids; valid is at least one token, for one is always sampled")
            )


class Branch(Piece):
    """One of several requests with a shared prefix: its prompt is the part after the prefix (paper, Figure 10)."""

    id: RequestId

    @model_validator(mode="after")
    def _whole(self) -> Branch:
        if not self.id:
            raise ValueError(told("has an empty id; valid is a name that no other request has"))
        self._check_prompt()
        self._check_length()
        return self


class Request(Piece):
    """One prompt, its length of output, and the sequences that it becomes.

    ``samples``: parallel sampling. ``beam_width``: beam search. ``branches``: the prompt is a prefix that several
    requests share. ``temperature``: 0 takes the most probable token. ``sample_token_ids`` and ``beam_parents`` script
    what the model would decide: the tokens of each sample; for each sampling step, which beam each survivor continues.
    """

    arrival_step: Annotated[int, Field(ge=0, le=1_000_000, strict=True), Whole] = 0
    max_len: Length | None = None  # maximum length of this request, if below that of the model (paper, Figure 3)
    temperature: float = Field(default=0.0, ge=0.0, le=100.0, strict=True)
    samples: Fan = 1
    sample_token_ids: Annotated[list[TokenIds], Field(max_length=MAX_MEMBERS)] | None = None
    beam_width: Fan | None = None
    beam_parents: Annotated[list[Beams], Field(max_length=MAX_SLOTS)] | None = None
    branches: list[Branch] = Field(default_factory=list, max_length=MAX_MEMBERS)

    @property
    def members(self) -> int:
        """Number of its sequences."""
        return len(self.branches) or self.beam_width or self.samples

    @property
    def least_slots(self) -> int:
        """Slots that its sequences write at least: a text counts as one token, and nothing is shared."""
        if self.branches:
            own = sum(_least(branch) for branch in self.branches)
            return own + self.members * (self.known_prompt_tokens or 1)
        return self.members * _least(self)

    def sampled(self, p: int) -> int:
        """Return the number of tokens that each of its sequences samples after a prompt of ``p`` tokens.

        Raises ValueError if the given lengths contradict the prompt, each other, or ``max_len``.
        """
        sampled = len(self.sample_token_ids[0]) if self.sample_token_ids else super().sampled(p)
        if self.max_len is not None and self.max_len < p + sampled - 1:
            raise ValueError(
                told(
                    "has max_len = {max_len}, but will write {written} slots; valid is at least that many",
                    max_len=self.max_len,
                    written=p + sampled - 1,
                )
            )
        return sampled

    @model_validator(mode="after")
    def _whole(self) -> Request:
        self._check_prompt()
        self._check_members()
        if self.branches:
            if lengths := self._lengths():
                raise ValueError(
                    told("has branches and {lengths}; valid is a length in each branch instead", lengths=lengths[0])
                )
            return self
        if self.sample_token_ids is None:
            self._check_length()
        elif lengths := self._lengths():
            raise ValueError(told("has sample_token_ids and {lengths}; valid is one of the two", lengths=lengths[0]))
        if self.known_prompt_tokens is not None:
            self.sampled(self.known_prompt_tokens)
        return self

    def _check_members(self) -> None:
        kinds = {
            "samples": self.samples > 1, "beam_width": self.beam_width is not None, "branches": bool(self.branches),
        }  # fmt: skip
        if sum(kinds.values()) > 1:
            given = listed([name for name, is_given in kinds.items() if is_given])
            raise ValueError(told("has {given}; valid is one of samples, beam_width and branches", given=given))
        ids = self.sample_token_ids
        other = next((name for name in ("beam_width", "branches") if kinds[name]), None)
        if ids is not None and other is not None:
            raise ValueError(
                told("has sample_token_ids and {other}; valid is sample_token_ids with samples only", other=other)
            )
        if ids is not None and (len(ids) != self.samples or not ids[0] or len({len(row) for row in ids}) > 1):
            raise ValueError(
                told(
                    "has sample_token_ids of the lengths {lengths}; valid are samples = {samples} lists of equally "
                    "many tokens, at least one",
                    lengths=shorten([len(row) for row in ids]),
                    samples=self.samples,
                )
            )
        if self.beam_width is None and self.beam_parents is not None:
            raise ValueError(
                told("has beam_parents without a beam_width; valid is beam_parents with a beam_width only")
            )
        if self.beam_width is not None:
            if self.output_token_ids is not None:
                raise ValueError(
                    told("has beam_width and output_token_ids; valid is output_tokens: beams choose their own")
                )
            width = self.beam_width
            for row in self.beam_parents or ():
                if len(row) != width or max(row) >= width:
                    raise ValueError(
                        told(
                            "has {row} in beam_parents; valid is a list of {width} beams from 0 to {last}",
                            row=shorten(row),
                            width=width,
                            last=width - 1,
                        )
                    )


def _least(piece: Piece) -> int:
    sampled = piece.output_tokens or len(piece.output_token_ids or ())
    return piece.final_slots or max(1, (piece.known_prompt_tokens or 1) + sampled - 1)


class Action(Part):
    """An intervention in the memory at the beginning of a step.

    ``shuffle``: every physical block changes its place, and the block tables are rewritten. ``repoint``: in the block
    table that the model reads for sequence ``request``, entry ``index`` wrongly becomes ``block``. ``compact``: the
    pieces of a contiguous pool are moved together.
    """

    step: Annotated[int, Field(ge=0, le=1_000_000, strict=True), Whole]
    do: Literal["shuffle", "repoint", "compact"]
    request: RequestId | None = None
    index: Annotated[int, Field(ge=0, le=MAX_SLOTS, strict=True), Whole] | None = None
    block: Annotated[int, Field(ge=0, le=MAX_SLOTS, strict=True), Whole] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Action:
        given = [n for n in ("request", "index", "block") if getattr(self, n) is not None]
        if self.do == "repoint" and len(given) < 3:
            raise ValueError(
                told('has do = "repoint" with {given}; valid is request, index and block together', given=listed(given))
            )
        if self.do != "repoint" and given:
            raise ValueError(
                told(
                    'has do = "{do}" with {given}; valid is {given} with do = "repoint" only',
                    do=self.do,
                    given=given[0],
                )
            )
        return self


class Workload(Part):
    """Requests drawn from length distributions, or read from a recorded trace.

    ``lengths``: a set of measured quantiles, a kind of synthetic lengths (:attr:`MADE_UP`) with its own fields, an
    upload, or a file. :mod:`vizkv.workload` draws the requests and documents the fields.
    """

    # kind of synthetic lengths -> the fields that belong to it
    MADE_UP: ClassVar[dict[str, tuple[str, ...]]] = {
        "constant": ("prompt_tokens", "output_tokens"),
        "uniform": ("prompt_range", "output_range"),
        "lognormal": ("prompt_median", "prompt_sigma", "output_median", "output_sigma"),
        "conversations": (
            "turns", "system_tokens", "user_median", "user_sigma", "output_median", "output_sigma", "think_s",
        ),
    }  # fmt: skip
    UPLOAD: ClassVar[re.Pattern[str]] = re.compile(r"upload:[0-9a-f]{16}")
    STEP: ClassVar[int] = 16  # tokens per content hash of a synthetic conversation

    lengths: str = Field(default="sharegpt", min_length=1, max_length=1000)
    format: FormatName | None = None  # of a file or an upload; if None, it is recognised by its fields
    prompt_tokens: Length = 256
    output_tokens: Length = 256
    prompt_range: Range = Field(default=[64, 512])
    output_range: Range = Field(default=[64, 512])
    prompt_median: Median = 128.0
    prompt_sigma: Sigma = 1.0
    output_median: Median = 256.0
    output_sigma: Sigma = 0.8
    turns: Annotated[int, Field(ge=1, le=1000, strict=True), Whole] = 5
    system_tokens: Annotated[int, Field(ge=0, le=MAX_SLOTS, strict=True), Whole] = 512
    user_median: Median = 64.0
    user_sigma: Sigma = 1.0
    think_s: float = Field(default=30.0, ge=0, le=1_000_000, strict=True)
    arrivals: Literal["constant", "poisson", "trace"] = "poisson"
    rate: float = Field(default=4.0, gt=0, le=10_000, strict=True)
    duration: float = Field(default=900.0, gt=0, le=1_000_000, strict=True)
    warmup: float = Field(default=300.0, ge=0, le=1_000_000, strict=True)
    iteration_ms: float = Field(default=33.0, gt=0, le=1_000_000, strict=True)
    token_ms: float = Field(default=0.1, ge=0, le=1_000_000, strict=True)
    drain: Flag = True  # run on after ``duration`` until all requests have finished; False: stop then

    @property
    def is_made_up(self) -> bool:
        """Whether the lengths are synthetic, not measured."""
        return self.lengths in self.MADE_UP

    @property
    def is_upload(self) -> bool:
        """Whether the lengths are an uploaded trace, which is named by its content and never by a path."""
        return self.UPLOAD.fullmatch(self.lengths) is not None

    @property
    def is_file(self) -> bool:
        """Whether the lengths are the path of a file."""
        return not (self.lengths in LENGTH_SETS or self.is_made_up or self.is_upload)

    @model_validator(mode="after")
    def _drawable(self) -> Workload:
        if self.arrivals != "trace" and self.rate * self.duration > MAX_REQUESTS:
            raise ValueError(
                told(
                    "has rate = {rate:g} for duration = {duration:g}, which draws about {requests:.0f} requests; "
                    "valid is at most {max_requests}",
                    rate=self.rate,
                    duration=self.duration,
                    requests=self.rate * self.duration,
                    max_requests=MAX_REQUESTS,
                )
            )
        if self.format is not None and not (self.is_file or self.is_upload):
            raise ValueError(
                told(
                    "has format = {format!r} with lengths = {lengths}; valid is format with a file or an upload only",
                    format=self.format,
                    lengths=shorten(self.lengths),
                )
            )
        own = self.MADE_UP.get(self.lengths, ())
        for name in type(self).model_fields:  # in a fixed order, so that the message is always the same
            kinds = [kind for kind, names in self.MADE_UP.items() if name in names]
            if kinds and name in self.model_fields_set and name not in own:
                raise ValueError(
                    told(
                        "has {name} = {value} with lengths = {lengths}; valid is {name} with lengths = {kinds} only",
                        name=name,
                        value=shorten(getattr(self, name)),
                        lengths=shorten(self.lengths),
                        kinds=either(kinds),
                    )
                )
        for name in ("prompt_range", "output_range"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(
                    told(
                        "has {name} = [{low}, {high}]; valid is a range that begins with its lower end",
                        name=name,
                        low=low,
                        high=high,
                    )
                )
        if self.system_tokens % self.STEP:
            raise ValueError(
                told(
                    "has system_tokens = {system_tokens}; valid is a multiple of {step}",
                    system_tokens=self.system_tokens,
                    step=self.STEP,
                )
            )
        return self


def request_name(index: int) -> str:
    """Return the default name of a request: A, B, ..., Z, AA, AB, ..."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
