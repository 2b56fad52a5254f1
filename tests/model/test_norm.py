"""The few formulas of the model that are written out in another way than torch's: they are the same numbers."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from vizkv.model.llama import most_probable, rms_norm, rotate


@pytest.mark.parametrize("shape", [(1, 192), (8, 192), (2, 5, 96)])
@pytest.mark.parametrize("eps", [1e-5, 1e-2])
def test_the_norm_is_the_root_of_the_mean_square(shape, eps):
    x, weight = torch.randn(shape), torch.randn(shape[-1])
    assert torch.allclose(rms_norm(x, weight, eps), F.rms_norm(x, shape[-1:], weight, eps), atol=1e-6)
    assert not rms_norm(torch.zeros(shape), weight, eps).any()


def test_each_pair_of_a_head_is_turned_by_its_angle():
    x, angles = torch.randn(4, 3, 8), torch.randn(4, 1, 4)
    cos, sin = angles.cos().repeat(1, 1, 2), torch.cat([-angles.sin(), angles.sin()], -1)
    turned = torch.complex(x[..., :4], x[..., 4:]) * torch.polar(torch.ones_like(angles), angles)
    assert torch.allclose(rotate(x, cos, sin), torch.cat([turned.real, turned.imag], -1), atol=1e-6)


def test_the_most_probable_token_has_the_largest_logit():
    logits = torch.randn(5, 50, generator=torch.Generator().manual_seed(2))
    assert most_probable(logits) == logits.argmax(-1).tolist()
    assert most_probable(torch.tensor([[1.0, 3.0, 3.0]])) == [1]  # the first of equals
