"""Load the systems of a file (``--with FILE``) or of installed packages, and register them as kinds.

Files are named on the command line only, never by a link or an upload: loading one runs it. Child processes load the
same files, because their names are in the environment variable VARIABLE.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from pydantic import create_model

from vizkv.messages.sentence import shortened, told
from vizkv.systems import registry
from vizkv.systems.base.kind import Kind
from vizkv.systems.contiguous.replay import ContiguousReplay
from vizkv.systems.own import blocks, placement
from vizkv.systems.own.blocks import BlockManager, OwnBlockSystem
from vizkv.systems.own.calls import OwnSystemError, broken
from vizkv.systems.own.placement import OwnSystem, Placement
from vizkv.systems.paged.replay import PagedReplay

VARIABLE = "VIZKV_WITH"  # paths, separated as in PATH
GROUP = "vizkv.systems"  # entry points of packages, each a subclass of Placement or BlockManager
_WORD = re.compile(r"[a-z][a-z0-9-]{0,39}")
_files: dict[Path, tuple[str, ...]] = {}


def loaded() -> tuple[Path, ...]:
    """Return the files that were loaded in this process."""
    return tuple(_files)


def kind_of(own: type[Any]) -> str:
    """Return the word for a class in a scenario: its ``kind``, or its name with hyphens."""
    return own.kind or re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", own.__name__).lower()


def register(own: type[Any]) -> str:
    """Register a subclass of Placement or BlockManager; return its kind. Raises OwnSystemError."""
    name = kind_of(own)
    if not _WORD.fullmatch(name):
        raise OwnSystemError(
            told(
                "The kind of {cls} is {kind}; valid is a word of lower-case letters, digits and hyphens, up to 40.",
                cls=own.__name__, kind=shortened(repr(name), 60),
            )
        )  # fmt: skip
    if name in registry.KINDS:
        raise OwnSystemError(
            told("The kind {kind} exists already; valid is another name for {cls}.", kind=name, cls=own.__name__)
        )
    registry.register(name, _made(name, own))
    return name


def _made(name: str, own: type[Any]) -> Kind:
    """Return the kind of a class."""
    base: type[Any] = OwnSystem if issubclass(own, Placement) else OwnBlockSystem
    schema = create_model(f"{own.__name__}System", __base__=base, __module__=__name__, kind=(Literal[name], ...))  # type: ignore[arg-type]
    schema.noun = told("a system of the kind {kind}", kind=name)
    if issubclass(own, Placement):
        return Kind(schema, placement.scheduler(own), ContiguousReplay)
    return Kind(schema, blocks.scheduler(own), PagedReplay)


def load_file(path: str | Path) -> tuple[str, ...]:
    """Run a Python file and register the systems that it defines; return their kinds. Raises OwnSystemError.

    A file that was loaded before in this process is not run again.
    """
    file = Path(path).resolve()
    if file in _files:
        return _files[file]
    if file.suffix != ".py" or not file.is_file():
        raise OwnSystemError(
            told("The system file is {path}; valid is a Python file that exists.", path=shortened(str(path), 200))
        )
    module = _run(file)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Placement | BlockManager)
        and value.__module__ == module.__name__
    ]
    if not found:
        raise OwnSystemError(
            told(
                "The file {name} defines no system; valid is a subclass of vizkv.Placement or vizkv.BlockManager.",
                name=file.name,
            )
        )
    _files[file] = tuple(register(own) for own in found)
    return _files[file]


def _run(file: Path) -> ModuleType:
    """Run the file as a module of its own."""
    name = f"vizkv_with_{re.sub(r'[^0-9a-zA-Z]', '_', file.stem)}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        broken(error, file.name)
    return module


def unload(path: str | Path) -> None:
    """Take the kinds of a file out again. Raises KeyError for one that is not loaded."""
    for kind in _files.pop(Path(path).resolve()):
        registry.unregister(kind)


def load_with(paths: list[str]) -> None:
    """Load files, and let child processes load them too. Raises OwnSystemError."""
    for path in paths:
        load_file(path)
    known = [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    names = dict.fromkeys([*known, *(str(Path(path).resolve()) for path in paths)])
    if names:
        os.environ[VARIABLE] = os.pathsep.join(names)


def load_named() -> None:
    """Load what the environment and installed packages name; end the process with a sentence where that fails."""
    try:
        for path in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
            load_file(path)
        for entry in entry_points(group=GROUP):
            try:
                register(entry.load())
            except OwnSystemError:
                raise
            except Exception as error:
                broken(error, entry.value)
    except OwnSystemError as error:
        raise SystemExit(f"vizkv: {error}") from None
