"""From named tensors to a model: one table of names, used for writing and for reading, whatever the file format."""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor

from vizkv.messages.sentence import told
from vizkv.model.errors import ModelError
from vizkv.model.llama import Layer, Llama, LlamaConfig


class Weights(Protocol):
    """Tensors by Hugging Face name, from some file. ``source`` names the file or folder in error sentences."""

    source: str

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Shape of a tensor, None if there is no such tensor."""

    def read(self, name: str) -> Tensor:
        """The tensor, in any floating-point type."""


def to_hugging_face(model: Llama) -> dict[str, Tensor]:
    """The weights under Hugging Face's names.

    Fused matrices are taken apart into views, so whoever writes to these tensors writes to the model.
    """
    c = model.config
    weights = {"model.embed_tokens.weight": model.embedding.weight, "model.norm.weight": model.norm}
    if model.head is not None:
        weights["lm_head.weight"] = model.head.weight
    sizes = [c.heads * c.head_dim, c.kv_heads * c.head_dim, c.kv_heads * c.head_dim]
    for index, layer in enumerate(cast(list[Layer], model.layers)):
        attention, mlp = f"model.layers.{index}.self_attn.", f"model.layers.{index}.mlp."
        weights[f"model.layers.{index}.input_layernorm.weight"] = layer.attention_norm
        weights[f"model.layers.{index}.post_attention_layernorm.weight"] = layer.mlp_norm
        for kind in ("weight", "bias"):
            if kind == "weight" or c.bias:
                query, key, value = getattr(layer.qkv, kind).split(sizes)
                weights[f"{attention}q_proj.{kind}"] = query
                weights[f"{attention}k_proj.{kind}"] = key
                weights[f"{attention}v_proj.{kind}"] = value
                weights[f"{attention}o_proj.{kind}"] = getattr(layer.out, kind)
            if kind == "weight" or c.mlp_bias:
                gate, up = getattr(layer.gate_up, kind).chunk(2)
                weights[f"{mlp}gate_proj.{kind}"] = gate
                weights[f"{mlp}up_proj.{kind}"] = up
                weights[f"{mlp}down_proj.{kind}"] = getattr(layer.down, kind)
    return weights


@torch.no_grad()
def build(config: LlamaConfig, weights: Weights) -> Llama:
    """A float32 model for inference, filled from the weights. Shapes are checked before anything large is allocated."""
    with torch.device("meta"):
        model = Llama(config)
    for name, target in to_hugging_face(model).items():
        shape = weights.shape(name)
        if shape is None:
            raise ModelError(told("{source} has no tensor {name!r}.", source=weights.source, name=name))
        if shape != tuple(target.shape):
            raise ModelError(
                told(
                    "{source}: tensor {name!r} has the shape {shape}, but the configuration asks for {wanted}.",
                    source=weights.source,
                    name=name,
                    shape=list(shape),
                    wanted=list(target.shape),
                )
            )
    model.to_empty(device="cpu")
    model.prepare_rotation()
    for name, target in to_hugging_face(model).items():
        target.copy_(weights.read(name))
    return model.eval().requires_grad_(False)
