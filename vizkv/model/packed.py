"""Products with a weight matrix that is kept a second time in the layout which oneDNN reads fastest."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

WORTH_IT = 190_000  # multiplications; for fewer, calling oneDNN takes longer than the product itself
LARGEST = 4 * 2**20  # weights; a second copy of a larger matrix takes more memory than it is worth


class Product:
    """``x @ weight.T + bias``: what F.linear computes, up to twice as fast for some rows where MKL is slow (on AMD).

    The packed copy is made when it is first used, and again when the weight has changed. Where torch has no such
    kernel, and wherever gradients are wanted, it is F.linear.
    """

    def __init__(self) -> None:
        self._packed: Tensor | None = None
        self._weight: Tensor | None = None  # that it was made from
        self._version = -1

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if x.shape[-2] * weight.numel() < WORTH_IT or not _possible(x, weight):
            return F.linear(x, weight, bias)
        if self._weight is not weight or self._version != weight._version:
            self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach())
            self._weight, self._version = weight, weight._version
        return torch.ops.mkldnn._linear_pointwise(x, self._packed, bias, "none", [], "")

    def __reduce__(self) -> tuple[type[Product], tuple[()]]:
        return Product, ()  # a copied or saved model packs its own


def _has_kernel() -> bool:
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(torch.eye(16))
        x = torch.ones(4, 16)
        return torch.equal(torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], ""), x)
    except (AttributeError, RuntimeError):
        return False


_KERNEL = _has_kernel()


def _possible(x: Tensor, weight: Tensor) -> bool:
    wanted = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    fits = weight.numel() <= LARGEST and x.dtype == weight.dtype == torch.float32
    return _KERNEL and fits and not wanted and not weight.is_inference()
