"""Where the memory of a card goes, and what K and V need: for any model by its config.json, on any card.

:func:`hardware` is the one place where these numbers are computed; the page, ``vizkv hardware`` and a program that
imports it show what it returns.

    gpu_memory_utilization * memory = weights + activations + graphs + K and V             (of each card)
    K and V // block_bytes = blocks;   blocks // groups * block_size = slots, which vLLM logs as "GPU KV cache size"

Layers fall into groups as vLLM forms them, and every group has room for equally many layers, so that a block of any
group takes the same bytes. What a request needs is ``fixed_bytes + bytes_per_token * tokens`` as soon as it is longer
than every window.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vizkv.messages.sentence import Told, told
from vizkv.messages.validation import listed, shorten
from vizkv.scenario.hardware import (
    BLOCK,
    CARD_TYPES,
    CARDS,
    GIB,
    KV_TYPES,
    UTILISATION,
    Card,
    HardwareError,
    KvType,
    ModelShape,
)
from vizkv.scenario.model_config import CHUNKED, SLIDING, ModelConfig, load_config, read_config
from vizkv.systems.paged.layers import group_layers

# what one engine measured of itself; another model, card or version has other numbers, which its log says
ACTIVATIONS = 1.26  # GiB: Llama-3-8B on an H100, vllm-project/vllm, pull request 10511
GRAPHS = 0.35  # GiB outside of PyTorch's pool: Llama-3.1-8B on an RTX 3090, vllm-project/vllm, issue 10517
IN_FLIGHT = 8192  # max_num_batched_tokens: vLLM's for a server on a large card
CARD = "h100-80gb"
MAX_GIB = 100_000.0  # of one card: a hundred times the largest
MAX_LENGTH = 1 << 40  # tokens, where a model names no end


@dataclass(frozen=True)
class Group:
    """Layers that share a block table. ``window``: tokens that they keep at most; None for all."""

    kind: str
    layers: int
    window: int | None


@dataclass(frozen=True)
class Hardware:
    """What a model needs, and where the memory of each card goes. Sizes in bytes; of one card unless it says otherwise.

    ``token_bytes``: of a token in one layer, on all cards together. ``kv_bytes``: what is left for K and V, below 0
    where nothing is. ``notes``: what is not counted, a sentence each.
    """

    model: ModelConfig
    kv: KvType
    card: Card
    cards: int
    block_size: int
    in_flight: int  # max_num_batched_tokens
    memory: int
    utilisation: float
    weights: int | None  # None: the configuration does not say, and nobody else did
    activations: int
    graphs: int
    kv_given: int | None
    max_model_len: int | None  # asked for

    # ---- the model, on all cards together ----

    @property
    def copies(self) -> int:
        """How many cards keep the same K and V: KV heads are split among cards, and a head or a latent is not."""
        return self.cards // math.gcd(self.cards, 1 if self.model.latent else self.model.kv_heads)

    @property
    def token_bytes(self) -> int:
        """Bytes of a token in one layer, counted once."""
        return _layer_shape(self.model).bytes_per_token(self.kv)

    @property
    def bytes_per_token(self) -> int:
        """Bytes that each further token of a request takes, once it is longer than every window."""
        return self.token_bytes * sum(kind.layers for kind in self.model.attention if kind.window is None)

    @property
    def fixed_bytes(self) -> int:
        """Bytes of a request that do not grow once it is longer than every window."""
        return self.token_bytes * sum(kind.layers * kind.window for kind in self.model.attention if kind.window)

    @property
    def fixed_after(self) -> int:
        """The longest window, in tokens; 0 without one."""
        return max((kind.window or 0 for kind in self.model.attention), default=0)

    def request_bytes(self, tokens: int) -> int:
        """Bytes of the K and V that a request of so many tokens holds; of a chunk at most."""
        return self.token_bytes * sum(kind.layers * min(tokens, kind.window or tokens) for kind in self.model.attention)

    def request_bytes_if_full(self, tokens: int) -> int:
        """The same if no layer forgot anything."""
        return self.token_bytes * tokens * sum(kind.layers for kind in self.model.attention)

    # ---- groups and blocks, on one card ----

    @property
    def groups(self) -> tuple[Group, ...]:
        """Layers that share a block table, as vLLM forms them; empty where a layer is not known."""
        if not self.model.grouped:
            return ()
        kinds = self.model.attention
        grouped = group_layers([kind.layers for kind in kinds])
        return tuple(Group(kinds[b].kind, len(places), kinds[b].window) for b, places in grouped.groups)

    @property
    def group_size(self) -> int:
        """Layers that a group has room for."""
        return max((group.layers for group in self.groups), default=0)

    @property
    def padding(self) -> int:
        """Room for layers that no group fills."""
        return self.group_size * len(self.groups) - sum(group.layers for group in self.groups)

    @property
    def block_bytes(self) -> int:
        """Bytes of a block of any group, counted once."""
        return self.group_size * self.block_size * self.token_bytes

    @property
    def usable(self) -> int:
        """Bytes that the engine may take."""
        return round(self.memory * self.utilisation)

    @property
    def left_alone(self) -> int:
        """Bytes that the engine does not take."""
        return self.memory - self.usable

    @property
    def kv_bytes(self) -> int | None:
        """Bytes for K and V; below 0 where the rest does not fit; None where nobody knows the weights."""
        if self.kv_given is not None:
            return self.kv_given
        return None if self.weights is None else self.usable - self.weights - self.activations - self.graphs

    @property
    def blocks(self) -> int | None:
        """Blocks in what is left for K and V, block 0 included; None where it cannot be told."""
        if self.kv_bytes is None or not self.groups:
            return None
        # each card keeps its share of every block, or all of it
        return max(0, self.kv_bytes * self.cards // (self.block_bytes * self.copies))

    @property
    def slots(self) -> int | None:
        """Tokens that fit, all groups holding equally many: what vLLM logs as "GPU KV cache size"."""
        return None if self.blocks is None else self.blocks // len(self.groups) * self.block_size

    def blocks_of(self, tokens: int) -> int:
        """Blocks that vLLM wants to be there for one request of so many tokens (its max_model_len)."""
        needed = 0
        for group in self.groups:
            held = tokens
            if group.kind == SLIDING and group.window:
                held = min(group.window - 1 + self.in_flight, tokens)
            elif group.kind == CHUNKED and group.window:
                held = min(group.window + self.in_flight, tokens)
            needed += -(-held // self.block_size) + (group.kind == SLIDING)
        return needed

    def holds(self, tokens: int) -> bool | None:
        """Whether one request of so many tokens fits into the memory; None where it cannot be told."""
        return None if self.blocks is None else self.blocks_of(tokens) <= self.blocks

    def fits(self, max_model_len: int) -> bool | None:
        """Whether vLLM starts with this max_model_len: the memory holds it, and the model has so many positions."""
        return self.holds(max_model_len) and max_model_len <= (self.model.positions or MAX_LENGTH)

    @property
    def longest(self) -> int | None:
        """The largest max_model_len that the memory holds; MAX_LENGTH where windows keep every length small."""
        if self.blocks is None:
            return None
        low, high = 0, MAX_LENGTH
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.holds(middle) else (low, middle - 1)
        return low

    @property
    def largest_max_model_len(self) -> int | None:
        """The largest max_model_len with which vLLM starts: bounded by the memory and by the model's own positions."""
        return None if self.longest is None else min(self.longest, self.model.positions or MAX_LENGTH)

    @property
    def limited_by(self) -> str:
        """ "memory" or "model": what keeps max_model_len from being larger."""
        return "memory" if self.longest is not None and self.longest < (self.model.positions or MAX_LENGTH) else "model"

    @property
    def concurrency(self) -> float | None:
        """How many requests of max_model_len fit at the same time: what vLLM logs as "Maximum concurrency"."""
        length = self.max_model_len or self.largest_max_model_len
        return None if self.blocks is None or not length else self.blocks / self.blocks_of(length)

    @property
    def log_lines(self) -> tuple[str, ...]:
        """What vLLM logs of its pool, as it writes it; empty where it cannot be told."""
        if self.slots is None:
            return ()
        length = self.max_model_len or self.largest_max_model_len
        size = f"GPU KV cache size: {self.slots:,} tokens"
        if self.concurrency is None or length == MAX_LENGTH:
            return (size,)
        return size, f"Maximum concurrency for {length:,} tokens per request: {self.concurrency:.2f}x"

    @property
    def notes(self) -> tuple[Told, ...]:
        """What is not counted, or had to be guessed: a sentence each."""
        notes = list(self.model.notes)
        if self.weights is None and self.kv_given is None:
            notes.append(
                told("The configuration does not say how large the weights are; valid is a size given beside it.")
            )
        return tuple(notes)

    def parts(self) -> dict[str, int]:
        """The memory of a card in the order of its bar; together they are the card, unless more is asked of it."""
        kv = self.kv_bytes
        return {
            "weights": self.weights or 0, "activations": self.activations, "graphs": self.graphs,
            "kv": max(0, kv or 0), "outside": self.left_alone,
        }  # fmt: skip


def _layer_shape(model: ModelConfig) -> ModelShape:
    return ModelShape(
        model.model_type, model.model_type, 1, model.heads, model.kv_heads, model.head_dim, 0, "", latent=model.latent
    )


def hardware(
    config: ModelConfig | Mapping[str, Any] | str | Path,
    *,
    card: str = CARD,
    cards: int = 1,
    memory: float | None = None,
    utilisation: float = UTILISATION,
    weights: float | None = None,
    activations: float = ACTIVATIONS,
    graphs: float = GRAPHS,
    kv: float | None = None,
    kv_type: str = "16bit",
    block_size: int = BLOCK,
    max_model_len: int | None = None,
    max_num_batched_tokens: int = IN_FLIGHT,
) -> Hardware:
    """Return what a model needs on a card, and where the card's memory goes.

    ``config``: a config.json by its path, what it holds as a dict, or read already. ``memory``, ``weights``,
    ``activations``, ``graphs``, ``kv``: GiB of each card. Without ``memory`` the card has what its type has; without
    ``weights`` they are estimated from the configuration and split over the cards; with ``kv`` the utilisation follows
    from the sum, as with vLLM's ``kv_cache_memory_bytes``. Raises HardwareError, whose text is one sentence.
    """
    if isinstance(config, str | Path):
        config = load_config(config)
    model = config if isinstance(config, ModelConfig) else read_config(config)
    kind, kv_kind = _named("card", card, CARD_TYPES), _named("kv_type", kv_type, KV_TYPES)
    _layer_shape(model).scale_bytes(kv_kind)
    _whole("cards", cards, 1, 1024)
    if model.heads % cards:
        raise HardwareError(
            told(
                "{name} has {heads} heads, which {cards} cards cannot share evenly; valid is {fitting}.",
                name=shorten(model.model_type),
                heads=model.heads,
                cards=cards,
                fitting=listed([str(n) for n in CARDS if model.heads % n == 0], "or"),
            )
        )
    _whole("block_size", block_size, 1, 65_536)
    _whole("max_num_batched_tokens", max_num_batched_tokens, 1, 10**9)
    if max_model_len is not None:
        _whole("max_model_len", max_model_len, 1, 10**9)
    whole = kind.memory if memory is None else _bytes("memory", memory)
    if not whole:
        raise _refused("memory", memory, told("a number above {low} and at most {high}", low=0, high=f"{MAX_GIB:,.0f}"))
    if not isinstance(utilisation, int | float) or isinstance(utilisation, bool) or not 0 < utilisation <= 1:
        raise _refused("utilisation", utilisation, told("a number above {low} and at most {high}", low=0, high=1))
    loaded: int | None
    if weights is not None:
        loaded = _bytes("weights", weights)
    elif model.parameters is None or model.weight_bits is None:
        loaded = None
    else:
        loaded = round(model.parameters * model.weight_bits / 8 / cards)
    peak, other = _bytes("activations", activations), _bytes("graphs", graphs)
    given = None if kv is None else _bytes("kv", kv)
    if given is not None:
        asked = (loaded or 0) + peak + other + given
        if asked > whole:
            raise HardwareError(
                told(
                    "Weights, activations, graphs and K and V are {asked:,.2f} GiB together; valid are at most the "
                    "{memory:,.2f} GiB of the card.",
                    asked=asked / GIB,
                    memory=whole / GIB,
                )
            )
        utilisation = asked / whole
    return Hardware(
        model, kv_kind, kind, cards, block_size, max_num_batched_tokens, whole, float(utilisation), loaded, peak, other,
        given, max_model_len,
    )  # fmt: skip


def _refused(where: str, value: object, valid: object) -> HardwareError:
    return HardwareError(
        told("The field {where} is {value}; valid is {valid}.", where=where, value=shorten(value), valid=valid)
    )


def _named(where: str, name: object, known: Mapping[str, Any]) -> Any:
    if not isinstance(name, str) or name not in known:
        raise _refused(where, name, listed(list(known), "or"))
    return known[name]


def _whole(where: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise _refused(where, value, told("a whole number from {low} to {high}", low=f"{low:,}", high=f"{high:,}"))


def _bytes(where: str, gib: object) -> int:
    if not isinstance(gib, int | float) or isinstance(gib, bool) or not 0 <= gib <= MAX_GIB:  # NaN is in no range
        raise _refused(where, gib, told("a number from {low} to {high}", low=0, high=f"{MAX_GIB:,.0f} GiB"))
    return round(gib * GIB)


def to_json(plan: Hardware) -> dict[str, Any]:
    """What ``vizkv hardware --json`` prints: names that do not change, sizes in bytes of one card."""
    length = plan.max_model_len or plan.largest_max_model_len
    finite = None if plan.longest == MAX_LENGTH else plan.longest
    return {
        "model_type": plan.model.model_type,
        "layers": plan.model.layers,
        "attention": [{"kind": k.kind, "layers": k.layers, "window": k.window} for k in plan.model.attention],
        "heads": plan.model.heads, "kv_heads": plan.model.kv_heads, "head_dim": plan.model.head_dim,
        "latent": list(plan.model.latent) if plan.model.latent else None,
        "positions": plan.model.positions,
        "parameters": plan.model.parameters,
        "kv_type": plan.kv.id,
        "bytes_per_token": plan.bytes_per_token,
        "fixed_bytes": plan.fixed_bytes,
        "fixed_after_tokens": plan.fixed_after,
        "groups": [{"kind": g.kind, "layers": g.layers, "window": g.window} for g in plan.groups],
        "group_size": plan.group_size, "padding": plan.padding,
        "block_size": plan.block_size, "block_bytes": plan.block_bytes or None,
        "card": plan.card.id, "cards": plan.cards, "memory": plan.memory, "utilisation": plan.utilisation,
        "weights": plan.weights, "activations": plan.activations, "graphs": plan.graphs, "kv_bytes": plan.kv_bytes,
        "copies": plan.copies, "blocks": plan.blocks, "slots": plan.slots,
        "max_num_batched_tokens": plan.in_flight,
        "max_model_len": plan.max_model_len,
        "fits": None if plan.max_model_len is None else plan.fits(plan.max_model_len),
        "largest_in_memory": finite,
        "largest_max_model_len": None if plan.largest_max_model_len == MAX_LENGTH else plan.largest_max_model_len,
        "limited_by": plan.limited_by if plan.blocks is not None else None,
        "concurrency": plan.concurrency if length != MAX_LENGTH else None,
        "log": list(plan.log_lines),
        "notes": [str(note) for note in plan.notes],
    }  # fmt: skip
