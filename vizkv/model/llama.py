"""The Llama architecture, written out once: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

Two ways through the same weights:

* :meth:`Llama.forward` is the cache-less pass over whole sequences. Training uses it, and it is the yardstick
  that every memory is measured against.
* :meth:`Llama.step` runs one engine step: the new tokens of many sequences at once, each of which writes its K and
  V into slots of a :class:`~vizkv.model.pool.KVPool` and attends over what lies there.

Shapes: T tokens, H query heads, G key/value heads, d = head_dim, V vocabulary.
Source: Touvron et al., *LLaMA*, 2023; rotary scaling as in Llama 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizkv.model.batch import Batch
from vizkv.model.packed import Product
from vizkv.model.pool import Chunk

Attention = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""(layer, queries [T, H, d], new keys and values [T, G, d]) -> what they attended to [T, H * d]."""


@dataclass(frozen=True)
class LlamaConfig:
    """Sizes of one model.

    ``rope_scaling`` is the dictionary of a Hugging Face ``config.json`` (``rope_type`` default, linear or llama3), or
    empty; ``{"rope_type": "divisors", "divisors": [...]}`` divides each frequency by its own number, as GGUF files do.
    """

    vocab_size: int
    hidden_size: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate_size: int
    rms_eps: float = 1e-5
    rope_theta: float = 10_000.0
    max_positions: int = 2048
    tied: bool = True
    bias: bool = False
    mlp_bias: bool = False
    eos_ids: tuple[int, ...] = ()
    rope_scaling: dict = field(default_factory=dict, hash=False, compare=False)

    @property
    def bytes_per_token(self) -> int:
        """Bytes of K and V that one token takes over all layers, in float32 (SPEC 5)."""
        return 2 * self.layers * self.kv_heads * self.head_dim * 4


def rope_frequencies(config: LlamaConfig) -> Tensor:
    """Angle per position for each pair of dimensions, shape [head_dim / 2]."""
    inverse = config.rope_theta ** -(torch.arange(0, config.head_dim, 2).float() / config.head_dim)
    kind = config.rope_scaling.get("rope_type", config.rope_scaling.get("type", "default"))
    if kind == "default":
        return inverse
    if kind == "divisors":
        return inverse / torch.tensor(config.rope_scaling["divisors"])
    factor = float(config.rope_scaling["factor"])
    if kind == "linear":
        return inverse / factor
    # llama3: long wavelengths are stretched, short ones kept, those between blended
    low = float(config.rope_scaling["low_freq_factor"])
    high = float(config.rope_scaling["high_freq_factor"])
    original = float(config.rope_scaling["original_max_position_embeddings"])
    turns = original * inverse / (2 * math.pi)
    keep = ((turns - low) / (high - low)).clamp(0, 1)
    return inverse * keep + inverse / factor * (1 - keep)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding, half-split order (Hugging Face's). x: [..., T, heads, d]; cos, sin: [T, 1, d].

    Each pair (x[i], x[i + d/2]) is turned by its angle; sin has the minus of its first half in it already.
    """
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, -1), sin)


@lru_cache
def _as_tensor(number: float) -> Tensor:
    with torch.inference_mode(False):  # training may want it too
        return torch.full((1,), number, device="cpu")


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """``x / sqrt(mean(x ** 2) + eps) * weight``. F.rms_norm takes twice the time for the few rows of a step."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x * torch.addcmul(_as_tensor(eps), length, length, value=1 / x.shape[-1]).rsqrt() * weight


def most_probable(logits: Tensor) -> list[int]:
    """The token of the largest logit in each row of [n, V]; numpy finds it ten times as fast as torch does."""
    return logits.numpy().argmax(-1).tolist()


class Linear(nn.Linear):
    """nn.Linear with the faster product, and without the hooks of a module: a step calls it four times a layer."""

    def __init__(self, inputs: int, outputs: int, bias: bool):
        super().__init__(inputs, outputs, bias)
        self.product = Product()

    def __call__(self, x: Tensor) -> Tensor:
        return self.product(x, self.weight, self.bias)


class Layer(nn.Module):
    """One decoder layer. Query, key and value weights are one matrix, gate and up another: fewer, larger products."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        c = self.config = config
        self.attention_norm = nn.Parameter(torch.ones(c.hidden_size))
        self.mlp_norm = nn.Parameter(torch.ones(c.hidden_size))
        self.qkv = Linear(c.hidden_size, (c.heads + 2 * c.kv_heads) * c.head_dim, bias=c.bias)
        self.out = Linear(c.heads * c.head_dim, c.hidden_size, bias=c.bias)
        self.gate_up = Linear(c.hidden_size, 2 * c.intermediate_size, bias=c.mlp_bias)
        self.down = Linear(c.intermediate_size, c.hidden_size, bias=c.mlp_bias)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [..., T, H, d], keys and values [..., T, G, d], positions already rotated in."""
        c = self.config
        qkv = self.qkv(rms_norm(x, self.attention_norm, c.rms_eps))
        q_and_k, v = qkv.unflatten(-1, (-1, c.head_dim)).split_with_sizes([c.heads + c.kv_heads, c.kv_heads], -2)
        q, k = rotate(q_and_k, cos, sin).split_with_sizes([c.heads, c.kv_heads], -2)
        return q, k, v

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """What follows attention ([..., H * d]): output projection and the SwiGLU block, both with residuals."""
        c = self.config
        x = x + self.out(attended)
        gate, up = self.gate_up(rms_norm(x, self.mlp_norm, c.rms_eps)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Llama(nn.Module):
    """A Llama-architecture decoder."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.Parameter(torch.ones(config.hidden_size))
        self.head = None if config.tied else nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.product = Product()
        self.prepare_rotation()

    def prepare_rotation(self) -> None:
        """Make the tables of cosines and sines, [max_positions, 1, d]; they are made, never stored."""
        angles = torch.outer(torch.arange(self.config.max_positions).float(), rope_frequencies(self.config))
        self.register_buffer("cos", angles.cos().repeat(1, 2)[:, None], persistent=False)
        self.register_buffer("sin", torch.cat([-angles.sin(), angles.sin()], 1)[:, None], persistent=False)

    def logits(self, x: Tensor) -> Tensor:
        """Hidden states [..., hidden] to logits [..., V], in float32."""
        c = self.config
        weight = self.embedding.weight if self.head is None else self.head.weight
        return self.product(rms_norm(x, self.norm, c.rms_eps), weight).float()

    def walk(self, ids: Tensor, positions: Tensor, attention: Attention) -> Tensor:
        """Through all layers. ids: [..., T]; positions: [T] -> hidden states [..., T, hidden].

        ``attention(layer, q, k, v)`` says what the queries see: it is all in which the ways through the model differ.
        """
        cos, sin = self.cos.index_select(0, positions), self.sin.index_select(0, positions)
        x = self.embedding(ids)
        for index, layer in enumerate(self.layers):
            q, k, v = layer.project(x, cos, sin)
            x = layer.finish(x, attention(index, q, k, v))
        return x

    def forward(self, ids: Tensor) -> Tensor:
        """The cache-less pass. ids: [batch, T] -> logits [batch, T, V]."""
        repeat = self.config.heads // self.config.kv_heads

        def causal(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            k, v = k.repeat_interleave(repeat, -2), v.repeat_interleave(repeat, -2)
            q, k, v = (t.transpose(1, 2) for t in (q.to(v.dtype), k.to(v.dtype), v))
            return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(-2)

        return self.logits(self.walk(ids, torch.arange(ids.shape[1]), causal))

    @torch.inference_mode()
    def step(self, chunks: Sequence[Chunk]) -> Tensor:
        """One engine step over the new tokens of many sequences; returns the last token's logits of each, [n, V]."""
        batch = Batch(chunks)
        x = self.walk(batch.ids, batch.positions, batch.attention)
        return self.logits(batch.last_of_each(x))
