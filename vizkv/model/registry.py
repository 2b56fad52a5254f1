"""Models by name: the embedded one, those in the user's cache, and any file or folder."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from os.path import expanduser, isdir, isfile  # of any text; those of Path raise for some names
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vizkv.limits import address_space
from vizkv.messages.sentence import joined, told
from vizkv.model.add import DOWNLOADS
from vizkv.model.cache import holds_model, installed
from vizkv.model.errors import ModelError

if TYPE_CHECKING:
    from vizkv.model.llama import Llama, LlamaConfig
    from vizkv.model.tokenizer import Tokenizer

EMBEDDED = "tiny"
ROOM = 600 * 2**20  # bytes of address space that torch takes, and a little for a model
TINY = Path(__file__).parent / "tiny"
_FILLER = (
    "The memory of a machine is a common store, and those who draw upon it should take no more than they need. "
    "What one request reserves and does not use is lost to every other; what it returns may serve the next. We "
    "therefore count each part of it, and report to the people where it lies, who holds it, and why. "
)


class ModelInfo(NamedTuple):
    """A model that can be named. ``installed``: whether it is there already."""

    name: str
    description: str
    installed: bool


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to run: float32, for inference only."""

    name: str
    model: Llama
    tokenizer: Tokenizer

    @property
    def config(self) -> LlamaConfig:
        """The sizes."""
        return self.model.config

    def filler(self, count: int, index: int) -> list[int]:
        """``count`` token ids of plain text for a prompt that is given by its length only.

        The text opens with the request's number, so no two requests share a prefix by accident.
        """
        opening = self.tokenizer.encode(f"Request {index + 1}: ")
        passage = self.tokenizer.encode(_FILLER)
        if passage[:1] == opening[:1]:
            passage = passage[1:]  # a beginning-of-text token stands only at the beginning
        repeats = -(-count // len(passage))
        return (opening + passage * repeats)[:count]


def available_models() -> list[ModelInfo]:
    """Every model that has a name here: embedded, in the cache, or ready to be added."""
    there = installed()
    about = told("2.4 M parameters, embedded: writes in the manner of presidential addresses")
    models = [ModelInfo(EMBEDDED, about, True)]
    models += [ModelInfo(d.name, d.description, d.name in there) for d in DOWNLOADS.values()]
    models += [ModelInfo(name, str(folder), True) for name, folder in there.items() if name not in DOWNLOADS]
    return models


def load_model(name_or_path: str) -> LoadedModel:
    """Load a model by name, or from a Hugging Face Llama folder or a GGUF file. Raises ModelError."""
    place = find_model(name_or_path)
    _check_room()
    _set_threads()
    if place.suffix == ".gguf":
        from vizkv.model.gguf_file import load_gguf

        model, tokenizer = load_gguf(place)
    else:
        from vizkv.model.checkpoint import load_checkpoint

        model, tokenizer = load_checkpoint(place)
    return LoadedModel(name_or_path, model, tokenizer)


def load_tokenizer(name_or_path: str) -> Tokenizer:
    """Load a model's tokenizer; without its weights, and without torch, where it is a folder. Raises ModelError."""
    place = find_model(name_or_path)
    if place.suffix == ".gguf":
        return load_model(name_or_path).tokenizer
    from vizkv.model.tokenizer import read_tokenizer

    return read_tokenizer(place / "tokenizer.json", ())


def _check_room() -> None:
    """Refuse to load torch where it would end the process: not all of it raises an exception for want of memory."""
    room = address_space.left()
    if room is not None and room < ROOM and "torch" not in sys.modules:
        raise ModelError(
            told(
                "A model needs about {need} MiB of memory, and {room} MiB are left of what this process may use; valid "
                'is a higher limit (ulimit -v), or model = "none".',
                need=ROOM >> 20,
                room=room >> 20,
            )
        )


def _set_threads() -> None:
    """One thread unless the environment says otherwise: beside other processes, several mostly wait for each other."""
    import torch

    count = os.environ.get("TORCH_NUM_THREADS")
    if count is None and "OMP_NUM_THREADS" in os.environ:
        return  # torch has read it itself
    if count is not None and not (count.isdecimal() and int(count)):
        raise ModelError(told("TORCH_NUM_THREADS is {count!r}, not a positive whole number.", count=count))
    torch.set_num_threads(int(count or 1))


def find_model(name: str) -> Path:
    """The GGUF file or the folder that a name or path stands for."""
    if name == EMBEDDED:
        return TINY
    there = installed()
    path = there.get(name) or Path(expanduser(name))
    if name and isdir(path):
        return _in_folder(path)
    if isfile(path):
        if path.suffix != ".gguf":
            raise ModelError(told("{path} is not a GGUF file; of a Hugging Face model give the folder.", path=path))
        return path
    if name in DOWNLOADS:
        raise ModelError(told("Model {name!r} is not installed yet: run `vizkv model add {name}`.", name=name))
    if os.sep in name or "/" in name or path.suffix == ".gguf":
        raise ModelError(
            told("There is no model file or folder {name!r}; valid is a Llama folder or a GGUF file.", name=name)
        )
    names = joined(repr(model.name) for model in available_models())
    raise ModelError(
        told("There is no model {name!r}; valid are {names}, a Llama folder, or a GGUF file.", name=name, names=names)
    )


def _in_folder(folder: Path) -> Path:
    files = sorted(folder.glob("*.gguf"))
    if (folder / "config.json").is_file() or not holds_model(folder):
        return folder
    if len(files) > 1:
        raise ModelError(told("{folder} holds {count} GGUF files; name one of them.", folder=folder, count=len(files)))
    return files[0]
