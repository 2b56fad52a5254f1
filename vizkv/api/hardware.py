"""What a model's K and V take, and where the memory of a card goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vizkv.scenario import memory_plan


def hardware(config: Mapping[str, Any] | str | Path, **settings: Any) -> dict[str, Any]:
    """Return the sizes that ``vizkv hardware --json`` prints: bytes of one card, and counts of tokens and blocks.

    ``config``: a Hugging Face ``config.json``, by its path or as a dict. ``settings``: ``card``, ``cards``, ``memory``,
    ``utilisation``, ``weights``, ``activations``, ``graphs``, ``kv`` (GiB of each card), ``kv_type``, ``block_size``,
    ``max_model_len``, ``max_num_batched_tokens``. Raises HardwareError, whose text is one sentence, and TypeError for a
    setting that does not exist.
    """
    return memory_plan.to_json(memory_plan.hardware(config, **settings))
