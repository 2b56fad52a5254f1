"""Llama-architecture models in GGUF files (llama.cpp's format), with the package `gguf`: the extra ``vizkv[gguf]``."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vizkv.messages.sentence import Told, told
from vizkv.model.checkpoint import check_vocabulary
from vizkv.model.errors import ModelError
from vizkv.model.gguf_tokenizer import build_tokenizer
from vizkv.model.llama import Llama, LlamaConfig
from vizkv.model.tokenizer import Tokenizer
from vizkv.model.weights import build

_ENDS = ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id")


def load_gguf(file: Path) -> tuple[Llama, Tokenizer]:
    """Read a file. Raises ModelError."""
    weights = GgufFile(file)
    config = weights.config()
    tokenizer = build_tokenizer(weights.metadata, config.eos_ids, str(file))
    check_vocabulary(tokenizer, config.vocab_size, str(file))
    return build(config, weights), tokenizer


def _gguf() -> ModuleType:
    try:
        import gguf  # the slow part of reading GGUF, and optional: paid for only here
    except ImportError as error:
        raise ModelError(told("Reading GGUF files needs one more package: install vizkv[gguf].")) from error
    return gguf


class GgufFile:
    """Tensors by Hugging Face name, dequantised as they are read."""

    def __init__(self, file: Path):
        self.source = str(file)
        self._gguf = _gguf()
        try:
            reader = self._gguf.GGUFReader(file)
            self.metadata: dict[str, Any] = {name: field.contents() for name, field in reader.fields.items()}
            self._tensors = {tensor.name: tensor for tensor in reader.tensors}
        except Exception as error:  # the reader trusts the file: a damaged one fails in any way
            raise ModelError(
                told("{file} is truncated or not a GGUF file: {error}.", file=file, error=_why(file))
            ) from error
        architecture = self.metadata.get("general.architecture")
        if architecture != "llama" or self.metadata.get("llama.expert_count"):
            what = "llama with experts" if architecture == "llama" else architecture
            raise ModelError(
                told(
                    "{file} holds a model of type {what!r}; only the Llama architecture can be run.",
                    file=file,
                    what=what,
                )
            )
        if self.metadata.get("split.count", 1) > 1:
            raise ModelError(told("{file} is one part of several; join them with llama-gguf-split first.", file=file))
        self._layers = self._count("block_count")
        self._heads = self._count("attention.head_count")
        self._kv_heads = self._count("attention.head_count_kv", self._heads)
        self._names = self._gguf.get_tensor_name_map(self._gguf.MODEL_ARCH.LLAMA, self._layers)

    def _count(self, name: str, default: int | None = None) -> int:
        value = self.metadata.get(f"llama.{name}", default)
        if not isinstance(value, int) or value < 1:
            raise ModelError(
                told(
                    "{source}: llama.{name} is {value!r}, not a positive whole number.",
                    source=self.source,
                    name=name,
                    value=value,
                )
            )
        return value

    def config(self) -> LlamaConfig:
        """The sizes, from metadata; what is tied or has a bias, from which tensors there are."""
        embedding = self.shape("model.embed_tokens.weight")
        if embedding is None:
            raise ModelError(told("{source} has no tensor 'token_embd.weight'.", source=self.source))
        hidden = self._count("embedding_length")
        return LlamaConfig(
            vocab_size=embedding[0],
            hidden_size=hidden,
            layers=self._layers,
            heads=self._heads,
            kv_heads=self._kv_heads,
            head_dim=self._count("attention.key_length", hidden // self._heads),
            intermediate_size=self._count("feed_forward_length"),
            rms_eps=float(self.metadata.get("llama.attention.layer_norm_rms_epsilon", 1e-5)),
            rope_theta=float(self.metadata.get("llama.rope.freq_base", 10_000.0)),
            max_positions=self._count("context_length", 2048),
            tied="output.weight" not in self._tensors,
            bias="blk.0.attn_q.bias" in self._tensors,
            mlp_bias="blk.0.ffn_gate.bias" in self._tensors,
            eos_ids=tuple(sorted({self.metadata[name] for name in _ENDS if name in self.metadata})),
            rope_scaling=self._rope_scaling(),
        )

    def _rope_scaling(self) -> dict[str, Any]:
        if "rope_freqs.weight" in self._tensors:  # Llama 3.1 and later: a divisor for each frequency
            return {"rope_type": "divisors", "divisors": self._dequantise("rope_freqs.weight").tolist()}
        kind = self.metadata.get("llama.rope.scaling.type", "none")
        if kind == "none":
            return {}
        if kind != "linear":
            raise ModelError(
                told(
                    "{source}: rope type {kind!r} cannot be run; none, linear and llama3 can.",
                    source=self.source,
                    kind=kind,
                )
            )
        return {"rope_type": "linear", "factor": float(self.metadata.get("llama.rope.scaling.factor", 1.0))}

    def _name(self, name: str) -> str:
        return self._names.get_name(name, try_suffixes=(".weight", ".bias")) or name

    def shape(self, name: str) -> tuple[int, ...] | None:
        tensor = self._tensors.get(self._name(name))
        return None if tensor is None else tuple(int(n) for n in reversed(tensor.shape))

    def read(self, name: str) -> Tensor:
        tensor = torch.from_numpy(self._dequantise(self._name(name)))
        if ".q_proj." in name:
            return _half_split(tensor, self._heads)
        if ".k_proj." in name:
            return _half_split(tensor, self._kv_heads)
        return tensor

    def _dequantise(self, name: str) -> np.ndarray:
        tensor = self._tensors[name]
        try:
            values = self._gguf.dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError as error:
            raise ModelError(
                told(
                    "{source}: tensor {name!r} is quantised in a way that cannot be read.",
                    source=self.source,
                    name=name,
                )
            ) from error
        return np.array(values, np.float32)


def _why(file: Path) -> Told:
    """Why the reader gave up, as far as the file itself tells."""
    try:
        with open(file, "rb") as opened:
            head = opened.read(4)
    except OSError as error:
        return told("it cannot be opened: {why}", why=error)
    if head != b"GGUF":
        return told("it begins with {head}, a GGUF file with {magic}", head=repr(head)[1:], magic="'GGUF'")
    return told("what its header names is not in the file of {size} bytes", size=file.stat().st_size)


def _half_split(rows: Tensor, heads: int) -> Tensor:
    """Rows of a q or k matrix (or its bias) from llama.cpp's order to ours.

    llama.cpp rotates neighbouring pairs (0, 1), (2, 3), ... of a head; we rotate (0, d/2), (1, d/2 + 1), ...
    """
    pairs = rows.unflatten(0, (heads, -1, 2))
    return pairs.transpose(1, 2).reshape(rows.shape)
