"""Small models with random weights, and the embedded one."""

from __future__ import annotations

import pytest
import torch

from vizkv.model import LoadedModel, load_model
from vizkv.model.llama import Llama, LlamaConfig

SMALL = LlamaConfig(
    vocab_size=97, hidden_size=32, layers=2, heads=4, kv_heads=2, head_dim=8, intermediate_size=48, max_positions=128
)


def random_model(config: LlamaConfig = SMALL) -> Llama:
    """A model whose weights are large enough that a wrong slot shows in the logits."""
    torch.manual_seed(1)
    model = Llama(config).requires_grad_(False).eval()
    for parameter in model.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.3 + (parameter.dim() == 1))
    return model


@pytest.fixture(scope="session")
def small() -> Llama:
    return random_model()


@pytest.fixture(scope="session")
def tiny() -> LoadedModel:
    return load_model("tiny")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test sees or changes the models of the person who runs it."""
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"
