"""Checkpoints as Hugging Face Llama folders: config.json, *.safetensors, tokenizer.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vizkv.messages.sentence import Told, joined, told
from vizkv.model.errors import ModelError
from vizkv.model.hugging_face import config_to_hugging_face, read_config, read_json
from vizkv.model.llama import Llama
from vizkv.model.tokenizer import Tokenizer, read_tokenizer
from vizkv.model.weights import build, to_hugging_face

_INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"
_FLOATS = ("F64", "F32", "F16", "BF16")


def save_checkpoint(model: Llama, folder: Path, dtype: torch.dtype = torch.float16) -> None:
    """Write config.json and model.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: t.detach().to(dtype).contiguous().clone() for name, t in to_hugging_face(model).items()}
    save_file(weights, folder / _SINGLE, metadata={"format": "pt"})
    config = config_to_hugging_face(model.config, str(dtype).removeprefix("torch."))
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def load_checkpoint(folder: Path) -> tuple[Llama, Tokenizer]:
    """Read a folder. Raises ModelError."""
    config = read_config(folder)
    tokenizer = read_tokenizer(folder / "tokenizer.json", config.eos_ids)
    check_vocabulary(tokenizer, config.vocab_size, str(folder))
    return build(config, SafetensorsFolder(folder)), tokenizer


def check_vocabulary(tokenizer: Tokenizer, rows: int, source: str) -> None:
    """A model may have more rows than tokens (padding), never fewer."""
    if tokenizer.vocab_size > rows:
        raise ModelError(
            told(
                "{source}: the tokenizer has {vocab_size} tokens, but the model knows only {rows}; they do not "
                "belong together.",
                source=source,
                vocab_size=tokenizer.vocab_size,
                rows=rows,
            )
        )


class SafetensorsFolder:
    """The tensors of one folder, in one file or in several with an index."""

    def __init__(self, folder: Path):
        self.source = str(folder)
        if (folder / _INDEX).is_file():
            shards = read_json(folder / _INDEX).get("weight_map")
            if not isinstance(shards, dict):
                raise ModelError(told("{file} has no weight_map.", file=folder / _INDEX))
            files = [folder / name for name in sorted(set(map(str, shards.values())))]
        elif (folder / _SINGLE).is_file():
            files = [folder / _SINGLE]
        else:
            files = sorted(folder.glob("*.safetensors"))
        if not files:
            raise ModelError(told("{folder} has no {single}.", folder=folder, single=_SINGLE))
        self._file_of: dict[str, Any] = {}
        for file in files:
            if not file.is_file():
                raise ModelError(told("{folder} lacks {name}, which its index names.", folder=folder, name=file.name))
            try:
                opened = safe_open(file, framework="pt")
            except (SafetensorError, OSError) as error:
                raise ModelError(
                    told("{file} is truncated or not a safetensors file: {error}.", file=file, error=_why(file))
                ) from error
            self._file_of |= dict.fromkeys(opened.keys(), opened)

    def shape(self, name: str) -> tuple[int, ...] | None:
        file = self._file_of.get(name)
        if file is None:
            return None
        found = file.get_slice(name)
        if found.get_dtype() not in _FLOATS:
            raise ModelError(
                told(
                    "{source}: tensor {name!r} is stored as {type}; {floats} can be read.",
                    source=self.source,
                    name=name,
                    type=found.get_dtype(),
                    floats=joined(_FLOATS),
                )
            )
        return tuple(found.get_shape())

    def read(self, name: str) -> Tensor:
        return self._file_of[name].get_tensor(name)


def _why(file: Path) -> Told:
    """Why the reader gave up, as far as the file itself tells: 8 bytes of length, a header in JSON, the numbers."""
    size = file.stat().st_size
    with open(file, "rb") as opened:
        head = opened.read(8)
        header = int.from_bytes(head, "little")
        if len(head) < 8 or header > size - 8:
            return told("its header is longer than the file of {size} bytes", size=size)
        try:
            json.loads(opened.read(header))
        except ValueError:
            return told("its header is not JSON")
    return told("its header names other numbers than the file of {size} bytes holds", size=size)
