"""Attention of new tokens over what lies in the memory: of one sequence, and of many at once.

Shapes: T new tokens of n so far, H query heads, G key/value heads, d = head_dim. The H / G query heads of a group share
its K and V: they are laid behind one another as more queries, so K and V are neither copied nor repeated.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


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
