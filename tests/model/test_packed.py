"""Products with packed weights are F.linear's, whatever happens to the weights."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vizkv.model import packed
from vizkv.model.packed import Product


def pair(rows: int, inputs: int = 300, outputs: int = 1000) -> tuple[torch.Tensor, nn.Parameter]:
    dice = torch.Generator().manual_seed(rows)
    weight = nn.Parameter(torch.randn(outputs, inputs, generator=dice), requires_grad=False)
    return torch.randn(rows, inputs, generator=dice), weight


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, atol=1e-3, rtol=1e-5)


@pytest.mark.parametrize("rows", [1, 2, 8, 65])
@pytest.mark.parametrize("with_bias", [False, True])
def test_a_packed_product_is_the_plain_one(rows, with_bias):
    x, weight = pair(rows)
    bias = torch.randn(len(weight)) if with_bias else None
    assert same(Product()(x, weight, bias), F.linear(x, weight, bias))
    assert same(Product()(x[None], weight, bias), F.linear(x[None], weight, bias))


def test_a_changed_weight_is_packed_again():
    product = Product()
    x, weight = pair(8)
    product(x, weight)
    weight.mul_(-2)
    assert same(product(x, weight), F.linear(x, weight))
    _, other = pair(9)
    assert same(product(x, other), F.linear(x, other))


def test_a_copied_model_shares_no_packed_weights():
    product = Product()
    x, weight = pair(8)
    product(x, weight)
    both = copy.deepcopy({"product": product, "weight": weight})
    both["weight"].zero_()
    assert not both["product"](x, both["weight"]).any()
    assert same(product(x, weight), F.linear(x, weight))


def test_without_the_kernel_it_is_the_plain_product(monkeypatch):
    monkeypatch.setattr(packed, "_KERNEL", False)
    x, weight = pair(8)
    assert torch.equal(Product()(x, weight), F.linear(x, weight))


def test_what_is_trained_is_not_packed():
    x, weight = pair(8)
    weight.requires_grad_(True)
    Product()(x, weight).sum().backward()
    assert weight.grad is not None and same(weight.grad[0], x.sum(0))
