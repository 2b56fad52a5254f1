"""A kind of memory system: the classes that it consists of, as the registry keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vizkv.systems.base.replay import Replay
from vizkv.systems.base.request import Scheduler
from vizkv.systems.base.system import Limits, System


@dataclass(frozen=True)
class Kind:
    """``schema``: its table in a scenario, with its capabilities. ``scheduler`` is called with such a table."""

    schema: type[System]
    scheduler: Callable[[Any, Limits], Scheduler]
    replay: type[Replay]
    replays: Callable[[Mapping[str, Any]], type[Replay]] | None = None
    """Called with ``SystemTrace.detail``, where systems of a kind are replayed by different classes."""

    def replay_of(self, detail: Mapping[str, Any]) -> type[Replay]:
        """The class that replays a system with these fields."""
        return self.replay if self.replays is None else self.replays(detail)
