"""Attention of new tokens over what lies in the memory: of one sequence, of many at once, and its weights to look at.

Shapes: T new tokens of n so far, H query heads, G key/value heads, d = head_dim. The H / G query heads of a group share
its K and V: they are laid behind one another as more queries, so K and V are neither copied nor repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from vizkv.model.llama import Llama
    from vizkv.model.pool import Chunk


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The newest T tokens of one sequence over all n so far. q: [T, H, d]; k, v: [1, G, n, d] -> [T, H * d]."""
    tokens, heads, d = q.shape
    groups, total = k.shape[1:3]
    if tokens == 1:
        return F.scaled_dot_product_attention(q.reshape(1, groups, -1, d), k, v).reshape(1, heads * d)
    queries = q.unflatten(1, (groups, -1)).permute(1, 2, 0, 3).reshape(1, groups, -1, d)
    seen = torch.ones(tokens, total, dtype=torch.bool).tril(total - tokens).repeat(heads // groups, 1)
    out = F.scaled_dot_product_attention(queries, k, v, attn_mask=seen)
    return out.view(groups, -1, tokens, d).permute(2, 0, 1, 3).reshape(tokens, heads * d)


def attend_together(q: Tensor, kv: Tensor, mask: Tensor) -> Tensor:
    """One new token of each of m sequences, each over its own. q: [m, H, d]; kv: [2, m, n, G, d] -> [m, H * d].

    n is the longest one's length; mask: [m, 1, 1, n], 0 where a sequence has a token and -inf behind its last.
    """
    k, v = kv.transpose(2, 3).unbind()
    out = F.scaled_dot_product_attention(q.unflatten(1, (k.shape[1], -1)), k, v, attn_mask=mask)
    return out.flatten(1)


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
