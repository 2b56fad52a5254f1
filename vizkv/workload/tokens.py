"""The tokenizer that counts the texts of a workload file: that of the scenario's model, or of the embedded one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from vizkv.scenario.schema import ScenarioError
from vizkv.workload.formats.texts import Encode

EMBEDDED = "tiny"  # the model that comes with the program


def tokenizer_of(model: str) -> str:
    """Return the name of the model whose tokenizer counts texts for a scenario's ``model``, which may be "none"."""
    return EMBEDDED if model == "none" else model


@lru_cache(4)
def encoder(name: str) -> Encode:
    """Return a function that tokenizes texts like a model. Raises ScenarioError."""
    from vizkv.model import ModelError, load_tokenizer

    try:
        tokenizer = load_tokenizer(name)
    except ModelError as error:
        raise ScenarioError(str(error)) from None

    def encode(texts: Sequence[str]) -> list[Sequence[int]]:
        if list(texts) == [""]:
            return [tokenizer.encode("")]
        return [found.ids for found in tokenizer.backend.encode_batch(list(texts), add_special_tokens=False)]

    return encode
