"""What a slot weighs and how many there are: bytes a token and pool sizes, by model, card and type of K and V.

The one place where this is computed. A slot is the K and V of one token over all layers (SPEC 5):

    2 (K and V) * layers * KV heads * head size * bits / 8
    layers * (512 + 64) * bits / 8                           with DeepSeek-V3's multi-head latent attention

**GB and GiB.** 1 GB = 10^9 bytes, 1 GiB = 2^30 bytes. A card's memory is taken as what ``nvidia-smi`` reports as its
total, which it counts in MiB: a card that is sold as "40 GB" or "80 GB" has 40 or (nearly) 80 GiB, 42.9 or 85.9 GB. A
program sees one to two per cent less (vLLM reports 39.50 GiB on an A100 with 40 GiB: vllm-project/vllm, issue 12330).

**The paper's three pools** are given, not computed (``PAPER``), whatever the type of K and V. All others are ``cards *
memory * utilisation - weights``, as if nothing else lay in the cards. That is an upper bound: an engine also keeps room
for activations and its own buffers (that issue: Llama-3-8B, 9.4 GiB for the largest step that vLLM's settings allowed,
11.1 GiB left for K and V, where this formula gives 21.0).

Models whose layers slide a window (gpt-oss, Gemma 2 and 3, Mistral-7B v0.1) are left out here: a token there does not
take the same room for its whole life. ``vizkv.scenario.memory_plan`` counts them, by a model's config.json.

``python -m vizkv.scenario.hardware`` prints the tables of docs/hardware.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from vizkv.messages.sentence import told
from vizkv.messages.validation import listed, shorten

GB, GIB, MIB = 10**9, 2**30, 2**20
UTILISATION = 0.9  # vLLM's default for years (0.92 in newer versions): docs.vllm.ai, CacheConfig.gpu_memory_utilization
BLOCK = 16
CARDS = (1, 2, 4, 8, 16)  # how many of a card: what tensor parallelism is run on


class HardwareError(ValueError):
    """A model, card or number of cards that do not go together; the message is one sentence."""


@dataclass(frozen=True)
class KvType:
    """How one element of K or V is stored.

    ``scales``: one scale and one zero point of 16 bits each for every token, layer, KV head, and of K and of V: the
    asymmetric quantisation "per head, per token" of LMDeploy (its documentation, "INT4/INT8 KV Cache"; the 16 bits are
    ours). FP8 has a scale or two for a whole layer, which weigh nothing a token.
    """

    id: str
    name: str
    bits: int
    scales: bool = False


@dataclass(frozen=True)
class ModelShape:
    """What of a model decides on the size of its K and V, and of its weights; every number with its source."""

    id: str
    name: str
    layers: int
    heads: int  # of queries: tensor parallelism splits them evenly or not at all
    kv_heads: int
    head_dim: int
    parameters: int
    source: str
    weight_bits: int = 16
    latent: tuple[int, int] | None = None  # of latent attention: (compressed K and V, rotary key), for all heads

    @property
    def weight_bytes(self) -> int:
        """The weights as they are published."""
        return self.parameters * self.weight_bits // 8

    @property
    def elements(self) -> int:
        """Numbers that one token leaves in the cache, over all layers."""
        return self.layers * sum(self.latent) if self.latent else 2 * self.layers * self.kv_heads * self.head_dim

    def scale_bytes(self, kv: KvType) -> int:
        """Bytes of scales and zero points that one token needs besides its elements. Raises HardwareError."""
        if not kv.scales:
            return 0
        if self.latent:
            raise HardwareError(
                told(
                    "{name} keeps one latent for all heads: scales for each head ({kind}) are not defined for it; "
                    "valid is {valid}.",
                    name=self.name,
                    kind=kv.name,
                    valid=listed([t.name for t in KV_TYPES.values() if not t.scales], "or"),
                )
            )
        return 2 * self.layers * self.kv_heads * 4

    def bytes_per_token(self, kv: KvType | None = None) -> int:
        """Bytes of one slot; 16-bit where nothing else is said. Raises HardwareError."""
        kv = kv or KV_TYPES["16bit"]
        return self.elements * kv.bits // 8 + self.scale_bytes(kv)


@dataclass(frozen=True)
class Card:
    """A card and the memory that nvidia-smi reports as its total, in bytes."""

    id: str
    name: str
    memory: int
    source: str


@dataclass(frozen=True)
class Paper:
    """A pool of the paper's Table 1: the bytes that its printed numbers stand for, and the numbers as printed."""

    kv_bytes: int
    printed_kv: str
    printed_slots: str
    why: str


@dataclass(frozen=True)
class Clock:
    """How long an iteration takes: ``iteration_ms`` and ``token_ms`` for each token in it."""

    iteration_ms: float
    token_ms: float
    source: str


KV_TYPES = {
    t.id: t
    for t in (
        KvType("16bit", "16-bit", 16),
        KvType("fp8", "FP8", 8),
        KvType("int4", "INT4 without scales", 4),
        KvType("int4-scales", "INT4 with scales", 4, scales=True),
    )
}

_OPT = "facebookresearch/metaseq, metaseq/launcher/opt_job_constants.py"
_NO_WINDOW = "sliding_window: null"
_META = "meta-llama/llama-models, models/sku_list.py"


def _config(repository: str) -> str:
    return told("config.json of {where}", where=f"huggingface.co/{repository}")


# the numbers of parameters follow from the configurations: tests/hardware counts them
MODELS = {
    m.id: m
    for m in (
        ModelShape("opt-13b", "OPT-13B", 40, 40, 40, 128, 12_853_473_280, _OPT),
        ModelShape("opt-66b", "OPT-66B", 64, 72, 72, 128, 65_719_701_504, _OPT),
        ModelShape("opt-175b", "OPT-175B", 96, 96, 96, 128, 174_604_468_224, _OPT),
        ModelShape("llama-2-7b", "Llama-2-7B", 32, 32, 32, 128, 6_738_415_616, _config("meta-llama/Llama-2-7b-hf")),
        ModelShape("llama-3-8b", "Llama-3-8B", 32, 32, 8, 128, 8_030_261_248, _config("meta-llama/Meta-Llama-3-8B")),
        ModelShape("llama-3.1-70b", "Llama-3.1-70B", 80, 64, 8, 128, 70_553_706_496, _META),
        ModelShape("llama-3.1-405b", "Llama-3.1-405B", 126, 128, 8, 128, 405_853_388_800, _META),
        ModelShape(
            "mistral-7b-v0.3", "Mistral-7B v0.3", 32, 32, 8, 128, 7_248_023_552,
            told("{source} ({field})", source=_config("mistralai/Mistral-7B-Instruct-v0.3"), field=_NO_WINDOW),
        ),
        ModelShape(
            "mixtral-8x7b", "Mixtral-8x7B", 32, 32, 8, 128, 46_702_792_704,
            told("{source} ({field})", source=_config("mistralai/Mixtral-8x7B-Instruct-v0.1"), field=_NO_WINDOW),
        ),
        ModelShape("qwen2.5-7b", "Qwen2.5-7B", 28, 28, 4, 128, 7_615_616_512, _config("Qwen/Qwen2.5-7B-Instruct")),
        ModelShape("qwen2.5-72b", "Qwen2.5-72B", 80, 64, 8, 128, 72_706_203_648, _config("Qwen/Qwen2.5-72B-Instruct")),
        ModelShape("qwen3-8b", "Qwen3-8B", 36, 32, 8, 128, 8_190_735_360, _config("Qwen/Qwen3-8B")),
        ModelShape(
            "deepseek-v3", "DeepSeek-V3", 61, 128, 1, 576, 671_000_000_000,
            told(
                "{source}; its README: 671 billion parameters (rounded), published in FP8",
                source=_config("deepseek-ai/DeepSeek-V3"),
            ),
            weight_bits=8, latent=(512, 64),
        ),
    )
}  # fmt: skip

_SMI = told("nvidia-smi, as listed in {where}, pull request {number}", where="modal-labs/modal-client", number=2797)
_SMI_LOGS = told("nvidia-smi, in many public logs")

CARD_TYPES = {
    c.id: c
    for c in (
        Card("a100-40gb", "A100 40GB", 40_960 * MIB, _SMI),
        Card("a100-80gb", "A100 80GB", 81_920 * MIB, _SMI),
        Card("h100-80gb", "H100 80GB", 81_559 * MIB, _SMI),
        Card("h200", "H200 141GB", 143_771 * MIB, _SMI_LOGS),
        Card("b200", "B200", 183_359 * MIB, _SMI_LOGS),
        Card("h20", "H20 96GB", 97_871 * MIB, _SMI_LOGS),
        Card(
            "rtx-pro-6000",
            "RTX PRO 6000 96GB",
            97_887 * MIB,
            told("nvidia-smi, in {where}, issue {number}", where="vllm-project/vllm", number=27542),
        ),
        Card(
            "gb10",
            "GB10 (DGX Spark)",
            124_611 * MIB,
            told(
                "what programs see of the memory that the processor shares, in {where}, issue {number}",
                where="MiaAI-Lab/GLM-5.3-Flash-EXL3-2x-DGX-Sparks",
                number=47,
            ),
        ),
        Card("l40s", "L40S 48GB", 46_068 * MIB, _SMI),
        Card(
            "rtx-4090",
            "RTX 4090 24GB",
            24_564 * MIB,
            told("nvidia-smi, in {where}, issue {number}", where="vllm-project/vllm", number=7553),
        ),
        Card(
            "rtx-5090",
            "RTX 5090 32GB",
            32_607 * MIB,
            told("nvidia-smi, in {where}, issue {number}", where="noonghunna/club-3090", number=617),
        ),
        Card(
            "rtx-3090",
            "RTX 3090 24GB",
            24_576 * MIB,
            told("nvidia-smi, in {where}, issue {number}", where="noonghunna/club-3090", number=747),
        ),
        Card("l4", "L4 24GB", 23_034 * MIB, _SMI),
        Card("a10", "A10 24GB", 23_028 * MIB, _SMI),
        Card("t4", "T4 16GB", 15_360 * MIB, _SMI),
    )
}

# Table 1 says GB and counts GiB: only so do its bytes and its slots agree
PAPER = {
    ("opt-13b", "a100-40gb", 1): Paper(12 * GIB, "12 GB", "15.7K", "12 GiB hold 983 blocks of 16"),
    ("opt-66b", "a100-40gb", 4): Paper(
        9_700 * MODELS["opt-66b"].bytes_per_token(), "21 GB", "9.7K",
        "9,700 slots are 21.3 GiB; from 21 GiB it would print 9.6K",
    ),
    ("opt-175b", "a100-80gb", 8): Paper(264 * GIB, "264 GB", "60.1K", "264 GiB hold 60,074 slots"),
}  # fmt: skip

# No source gives a clock for the others, and a clock that nobody measured is not made up here
CLOCKS = {
    ("opt-13b", "a100-40gb", 1): Clock(33.0, 0.1, "our fit to the paper's Figure 2"),
}


@dataclass(frozen=True)
class Setup:
    """A model on so many cards of one type, tensor parallelism over all of them. Making one raises HardwareError."""

    model: ModelShape
    card: Card
    cards: int = 1
    kv: KvType = KV_TYPES["16bit"]
    utilisation: float = UTILISATION  # the share of a card's memory that the engine may take
    block_size: int = BLOCK

    def __post_init__(self) -> None:
        if self.cards < 1 or self.model.heads % self.cards:
            fitting = [str(n) for n in CARDS if self.model.heads % n == 0]
            raise HardwareError(
                told(
                    "{name} has {heads} heads, which {cards} cards cannot share evenly; valid is {fitting}.",
                    name=self.model.name,
                    heads=self.model.heads,
                    cards=self.cards,
                    fitting=listed(fitting, "or"),
                )
            )
        if not 0 < self.utilisation <= 1:
            raise HardwareError(
                told(
                    "The utilisation is {utilisation:g}; valid is a share above 0 and at most 1.",
                    utilisation=self.utilisation,
                )
            )
        if self.block_size < 1:
            raise HardwareError(
                told("The block size is {block_size}; valid is a whole number from 1.", block_size=self.block_size)
            )
        self.model.scale_bytes(self.kv)

    @property
    def bytes_per_token(self) -> int:
        """Bytes of one slot, counted once."""
        return self.model.bytes_per_token(self.kv)

    @property
    def copies(self) -> int:
        """How many cards keep the same K and V: KV heads are split among cards, and one head is not split.

        vLLM repeats KV heads where it has more cards than heads (its model files say so), and the latent on every card.
        """
        return self.cards // gcd(self.cards, 1 if self.model.latent else self.model.kv_heads)

    @property
    def memory(self) -> int:
        """Bytes of all cards together."""
        return self.cards * self.card.memory

    @property
    def usable(self) -> int:
        """Bytes of them that the engine may take."""
        return round(self.memory * self.utilisation)

    @property
    def paper(self) -> Paper | None:
        """The row of the paper's Table 1, if this is one."""
        return PAPER.get((self.model.id, self.card.id, self.cards))

    @property
    def kv_bytes(self) -> int:
        """Bytes for K and V: the paper's, or what the weights leave; 0 where they do not fit."""
        return self.paper.kv_bytes if self.paper else max(0, self.usable - self.model.weight_bytes)

    @property
    def slots(self) -> int:
        """The pool: whole blocks that fit into ``kv_bytes``."""
        return self.slots_in(self.block_size)

    def slots_in(self, block_size: int) -> int:
        """The pool in whole blocks of another size."""
        return self.kv_bytes // (self.bytes_per_token * self.copies * block_size) * block_size

    @property
    def clock(self) -> Clock | None:
        """How long an iteration takes, where a source says so."""
        return CLOCKS.get((self.model.id, self.card.id, self.cards))

    @property
    def word(self) -> str:
        """The setup as it stands in a link: model:card:cards:type."""
        return f"{self.model.id}:{self.card.id}:{self.cards}:{self.kv.id}"


def from_word(word: str, block_size: int = BLOCK) -> Setup:
    """The setup that a link names. Raises HardwareError."""
    parts = word.split(":")
    if len(parts) != 4:
        raise HardwareError(
            told(
                "{word} is no setup; valid is model:card:cards:type, as in {example}.",
                word=shorten(word),
                example=DEFAULT.word,
            )
        )
    model, card, cards, kv = parts
    words = (
        (told("model"), model, MODELS), (told("card"), card, CARD_TYPES), (told("type of K and V"), kv, KV_TYPES),
    )  # fmt: skip
    for what, name, known in words:
        if name not in known:
            raise HardwareError(
                told(
                    "The {what} {name} is unknown; valid is {known}.",
                    what=what,
                    name=shorten(name),
                    known=listed(list(known), "or"),
                )
            )
    if cards not in map(str, CARDS):
        valid = listed([str(n) for n in CARDS], "or")
        raise HardwareError(
            told("The number of cards is {cards}; valid is {valid}.", cards=shorten(cards), valid=valid)
        )
    return Setup(MODELS[model], CARD_TYPES[card], int(cards), KV_TYPES[kv], block_size=block_size)


DEFAULT = Setup(MODELS["opt-13b"], CARD_TYPES["a100-40gb"])  # Figure 2's


@dataclass(frozen=True)
class Relabelled:
    """What a pool of so many slots would be with another model on other cards."""

    slots: int
    bytes: int  # of K and V, over all cards
    share: float  # of the cards' memory
    fitting: int  # slots that those cards really have

    @property
    def fits(self) -> bool:
        """Whether the cards have so many slots."""
        return self.slots <= self.fitting


def relabel(slots: int, setup: Setup) -> Relabelled:
    """The same slots, another name and other bytes."""
    total = slots * setup.bytes_per_token * setup.copies
    return Relabelled(slots, total, total / setup.memory, setup.slots)


# -- docs/hardware.md -------------------------------------------------------------------------------------------------

SHOWN = (
    "opt-13b:a100-40gb:1:16bit", "opt-66b:a100-40gb:4:16bit", "opt-175b:a100-80gb:8:16bit",
    "llama-2-7b:a100-40gb:1:16bit", "llama-3-8b:l4:1:16bit", "llama-3-8b:a100-40gb:1:16bit",
    "llama-3-8b:a100-80gb:1:16bit", "llama-3-8b:h100-80gb:1:16bit", "llama-3-8b:h100-80gb:1:fp8",
    "llama-3-8b:h100-80gb:1:int4-scales", "llama-3.1-70b:h100-80gb:4:16bit", "llama-3.1-405b:h200:8:16bit",
    "mistral-7b-v0.3:l4:1:16bit", "mixtral-8x7b:a100-80gb:2:16bit", "qwen2.5-7b:l40s:1:16bit",
    "qwen2.5-72b:h100-80gb:4:16bit", "qwen3-8b:rtx-4090:1:16bit", "deepseek-v3:h200:8:16bit", "deepseek-v3:h200:8:fp8",
)  # fmt: skip


def _table(head: str, rows: list[list[str]]) -> str:
    titles = head.split(" | ")
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _model_rows() -> list[list[str]]:
    rows = []
    for m in MODELS.values():
        shape = (
            f"{m.layers} × ({m.latent[0]} + {m.latent[1]})"
            if m.latent
            else f"2 × {m.layers} × {m.kv_heads} × {m.head_dim}"
        )
        sizes = [
            "–" if m.latent and kv.scales else f"{m.bytes_per_token(kv):,}" for kv in KV_TYPES.values()
        ]  # fmt: skip
        rows.append([m.name, shape, *sizes, f"{m.weight_bytes / GB:,.1f} GB ({m.weight_bits}-bit)", m.source])
    return rows


def _setup_rows() -> list[list[str]]:
    rows = []
    for word in SHOWN:
        s = from_word(word)
        how = (
            f"the paper prints {s.paper.printed_kv}, {s.paper.printed_slots}; {s.paper.why}" if s.paper else "computed"
        )
        if s.copies > 1:
            how += f"; each card keeps its own copy: a slot takes {s.copies} × {s.bytes_per_token:,} bytes"
        sizes = [f"{s.kv_bytes / GIB:,.2f}", f"{s.kv_bytes / GB:,.2f}", f"{s.slots:,}"]
        rows.append([s.model.name, f"{s.cards} × {s.card.name}", s.kv.name, *sizes, how])
    return rows


def tables() -> str:
    """Everything that this module knows, as Markdown."""
    cards = [
        [c.name, f"{c.memory // MIB:,}", f"{c.memory / GIB:,.2f}", f"{c.memory / GB:,.2f}", c.source]
        for c in CARD_TYPES.values()
    ]  # fmt: skip
    head = "Model | Elements a token | " + " | ".join(f"Bytes a token, {kv.name}" for kv in KV_TYPES.values())
    return "\n".join(
        (
            _table(f"{head} | Weights | Source", _model_rows()),
            _table("Card | MiB | GiB | GB | Source", cards),
            _table("Model | Cards | K and V | K and V, GiB | K and V, GB | Slots in blocks of 16 | How", _setup_rows()),
        )
    )


if __name__ == "__main__":
    print(tables(), end="")
