"""The groups of a paged system in a scenario: what the layers of each read, and how large its blocks are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import model_validator

from vizkv.messages.sentence import told
from vizkv.systems.base.parts import Count, Part
from vizkv.systems.paged.window import Look, Window

MAX_GROUPS = 64
_REACH = {"sliding": "window", "chunked": "chunk"}  # kind -> the field that says how far it reads


class GroupTable(Part):
    """A group of layers. ``block_size``: the system's where none is given."""

    kind: Literal["full", "sliding", "chunked"]
    window: Count | None = None
    chunk: Count | None = None
    block_size: Count | None = None

    @model_validator(mode="after")
    def _reach(self) -> GroupTable:
        wanted = _REACH.get(self.kind)
        for name in ("window", "chunk"):
            given = getattr(self, name)
            if name == wanted and given is None:
                raise ValueError(
                    told("has kind = {kind!r} and no {name}; valid is one in tokens", kind=self.kind, name=name)
                )
            if name != wanted and given is not None:
                raise ValueError(
                    told(
                        "has {name} = {given} beside kind = {kind!r}; valid is no {name}",
                        name=name,
                        given=given,
                        kind=self.kind,
                    )
                )
        return self


def windows_of(groups: Sequence[GroupTable | Mapping[str, Any]], block_size: int) -> tuple[Window, ...]:
    """What the layers of each group read; ``groups`` as tables, or as a trace has them."""
    tables = [g if isinstance(g, GroupTable) else GroupTable.model_validate(dict(g)) for g in groups]
    return tuple(Window(Look(t.kind), t.window or t.chunk or 0, t.block_size or block_size) for t in tables)
