"""The weights with which a token attends to those before it, for the page that shows them."""

from __future__ import annotations

import torch
from torch import Tensor

from vizkv.model.llama import Llama
from vizkv.model.pool import Chunk


@torch.inference_mode()
def weights(model: Llama, chunk: Chunk) -> Tensor:
    """How the last token of a chunk attends: softmax over all n tokens so far, [layers, H, n]; each row sums to 1.

    K and V are read from where they lie, by slice or through the block table, after the step that wrote them. Nothing
    is written: the last token's way through the layers is walked once more.
    """
    rows = []

    def look(layer: int, q: Tensor) -> Tensor:
        k, v = chunk.read(layer)
        grouped = q.view(1, k.shape[1], -1, k.shape[-1])
        row = (grouped @ k.transpose(-1, -2) / k.shape[-1] ** 0.5).softmax(-1)
        rows.append(row.flatten(0, 2))
        return (row @ v).reshape(1, -1)

    model.walk(torch.tensor([chunk.ids[-1]]), torch.tensor([chunk.end - 1]), lambda layer, q, k, v: look(layer, q))
    return torch.stack(rows)
