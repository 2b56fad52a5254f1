"""The source of a workload's requests in sentences, for pages and the command line."""

from __future__ import annotations

from typing import Protocol

from vizkv.messages.catalogue import Messages

TEXTS = ("sharegpt", "vllm-custom")  # formats whose texts a tokenizer counts


class Source(Protocol):
    """The source of lengths, see :class:`vizkv.workload.Source`."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def requests(self) -> int | None: ...
    @property
    def made_up(self) -> bool: ...
    @property
    def format(self) -> str: ...
    @property
    def declared(self) -> bool: ...
    @property
    def left_out(self) -> int: ...


def words(source: Source, model: str, say: Messages) -> str:
    """Return the source and licence in sentences; for a file, its format and units. ``model``: the scenario's."""
    if source.kind == "set":
        return say("workload.source.set", requests=source.requests, source=source.source, licence=source.licence)
    if source.made_up:
        return say(f"workload.source.{source.name}")
    parts = [
        say("workload.source.file", name=source.name, n=source.requests),
        say("workload.declared" if source.declared else "workload.recognised", format=title(source.format, say)),
        say(f"workload.units.{source.format}"),
    ]
    if source.format in TEXTS:
        parts.append(say("workload.tokenizer", model="tiny" if model == "none" else model))
    if source.left_out:
        parts.append(say(f"workload.left-out.{source.format}", n=source.left_out))
    return say.sentences(*parts)


def title(format: str, say: Messages) -> str:
    """Return the name of a format."""
    return say(f"workload.format.{format}")
