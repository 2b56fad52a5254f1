"""The real model: a Llama-architecture transformer, its files, its tokenizer and the pools its K and V lie in.

Importing this package does not import torch; loading a model does.
"""

from typing import TYPE_CHECKING

from vizkv.model.errors import ModelError
from vizkv.model.registry import EMBEDDED, LoadedModel, ModelInfo, available_models, load_model, load_tokenizer

if TYPE_CHECKING:
    from torch import Tensor as Tensor

__all__ = ["EMBEDDED", "LoadedModel", "ModelError", "ModelInfo", "available_models", "load_model", "load_tokenizer"]
