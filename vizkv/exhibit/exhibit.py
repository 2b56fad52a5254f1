"""An exhibit as data: a kind, an immutable payload named by its digest, a view, and the words of each language."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["player", "bars", "chart"]


@dataclass(frozen=True)
class Words:
    """What an exhibit says in one language. ``inner``: the texts that its drawing fills in."""

    inner: dict[str, Any]
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Exhibit:
    """What is on stage. ``payload``: deflated bytes without any word; ``view``: as a browser reports it.

    ``words``: by language. ``app``: page and query of the app's address that opens the same.
    """

    kind: Kind
    payload: bytes
    words: dict[str, Words]
    view: dict[str, Any] = field(default_factory=dict)
    app: str = ""

    @property
    def digest(self) -> str:
        """The payload's name: equal names, equal bytes."""
        return hashlib.sha256(self.payload).hexdigest()[:16]
