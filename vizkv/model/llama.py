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
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizkv.model.pool import Chunk, look_up_together


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
    """Rotary embedding, half-split order (Hugging Face's). x: [..., T, heads, d]; cos, sin: [T, 1, d]."""
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


class Layer(nn.Module):
    """One decoder layer. Query, key and value weights are one matrix, gate and up another: fewer, larger products."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        c = self.config = config
        self.attention_norm = nn.Parameter(torch.ones(c.hidden_size))
        self.mlp_norm = nn.Parameter(torch.ones(c.hidden_size))
        self.qkv = nn.Linear(c.hidden_size, (c.heads + 2 * c.kv_heads) * c.head_dim, bias=c.bias)
        self.out = nn.Linear(c.heads * c.head_dim, c.hidden_size, bias=c.bias)
        self.gate_up = nn.Linear(c.hidden_size, 2 * c.intermediate_size, bias=c.mlp_bias)
        self.down = nn.Linear(c.intermediate_size, c.hidden_size, bias=c.mlp_bias)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [..., T, H, d], keys and values [..., T, G, d], positions already rotated in."""
        c = self.config
        qkv = self.qkv(F.rms_norm(x, (c.hidden_size,), self.attention_norm, c.rms_eps))
        q_and_k, v = qkv.unflatten(-1, (-1, c.head_dim)).split([c.heads + c.kv_heads, c.kv_heads], -2)
        q, k = rotate(q_and_k, cos, sin).split([c.heads, c.kv_heads], -2)
        return q, k, v

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """What follows attention ([..., H * d]): output projection and the SwiGLU block, both with residuals."""
        c = self.config
        x = x + self.out(attended)
        gate, up = self.gate_up(F.rms_norm(x, (c.hidden_size,), self.mlp_norm, c.rms_eps)).chunk(2, -1)
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
        self.prepare_rotation()

    def prepare_rotation(self) -> None:
        """Make the tables of cosines and sines, [max_positions, 1, d]; they are made, never stored."""
        angles = torch.outer(torch.arange(self.config.max_positions).float(), rope_frequencies(self.config))
        self.register_buffer("cos", angles.cos().repeat(1, 2)[:, None], persistent=False)
        self.register_buffer("sin", angles.sin().repeat(1, 2)[:, None], persistent=False)

    def logits(self, x: Tensor) -> Tensor:
        """Hidden states [..., hidden] to logits [..., V], in float32."""
        c = self.config
        weight = self.embedding.weight if self.head is None else self.head.weight
        return F.linear(F.rms_norm(x, (c.hidden_size,), self.norm, c.rms_eps), weight).float()

    def forward(self, ids: Tensor) -> Tensor:
        """The cache-less pass. ids: [batch, T] -> logits [batch, T, V]."""
        c = self.config
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        x = self.embedding(ids)
        for layer in self.layers:
            q, k, v = layer.project(x, cos, sin)
            repeat = c.heads // c.kv_heads
            k, v = k.repeat_interleave(repeat, -2), v.repeat_interleave(repeat, -2)
            q, k, v = (t.transpose(1, 2) for t in (q.to(v.dtype), k.to(v.dtype), v))
            attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = layer.finish(x, attended.transpose(1, 2).flatten(-2))
        return self.logits(x)

    @torch.inference_mode()
    def step(self, chunks: Sequence[Chunk]) -> Tensor:
        """One engine step over the new tokens of many sequences; returns the last token's logits of each, [n, V].

        All K and V of a layer are written before any attention of that layer reads: a sequence may read blocks
        that another one of the same step fills (vLLM V1 registers blocks when it schedules them).
        """
        ids = torch.tensor([token for chunk in chunks for token in chunk.ids])
        positions = torch.tensor([p for c in chunks for p in range(c.position, c.position + len(c.ids))])
        cos, sin = self.cos[positions], self.sin[positions]
        lengths = [len(chunk.ids) for chunk in chunks]
        look_up_together(chunks)
        x = self.embedding(ids)
        for index, layer in enumerate(self.layers):
            q, k, v = layer.project(x, cos, sin)
            new = torch.stack((k, v)).split(lengths, 1)
            for chunk, chunk_kv in zip(chunks, new, strict=True):
                chunk.write(index, chunk_kv)
            attended = [attend(part, *chunk.read(index)) for chunk, part in zip(chunks, q.split(lengths), strict=True)]
            x = layer.finish(x, torch.cat(attended))
        if len(ids) > len(chunks):  # of a longer chunk only the last token's logits are wanted
            x = x[torch.tensor(lengths).cumsum(0) - 1]
        return self.logits(x)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention of the newest T tokens over all n tokens so far. q: [T, H, d]; k, v: [1, G, n, d] -> [T, H * d].

    The H / G query heads of a group share its K and V: they are laid behind one another as more queries, so K and V
    are neither copied nor repeated.
    """
    tokens, heads, d = q.shape
    groups, total = k.shape[1:3]
    if tokens == 1:
        return F.scaled_dot_product_attention(q.view(1, groups, -1, d), k, v).view(1, heads * d)
    queries = q.unflatten(1, (groups, -1)).permute(1, 2, 0, 3).reshape(1, groups, -1, d)
    seen = torch.ones(tokens, total, dtype=torch.bool).tril(total - tokens).repeat(heads // groups, 1)
    out = F.scaled_dot_product_attention(queries, k, v, attn_mask=seen)
    return out.view(groups, -1, tokens, d).permute(2, 0, 1, 3).reshape(tokens, heads * d)
