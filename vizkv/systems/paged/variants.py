"""A paged system has one table a request, or one a group of layers: which classes run it and replay it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vizkv.systems.base.replay import Replay
from vizkv.systems.base.request import Scheduler
from vizkv.systems.base.system import Limits
from vizkv.systems.paged.group_replay import GroupReplay
from vizkv.systems.paged.group_scheduler import GroupScheduler
from vizkv.systems.paged.replay import PagedReplay
from vizkv.systems.paged.scheduler import PagedScheduler
from vizkv.systems.paged.schema import PagedSystem


def scheduler(system: PagedSystem, limits: Limits) -> Scheduler:
    """A scheduler with an empty memory."""
    return GroupScheduler(system, limits) if system.windows else PagedScheduler(system, limits)


def replay(detail: Mapping[str, Any]) -> type[Replay]:
    """The class that replays a system with these fields."""
    return GroupReplay if detail.get("groups") else PagedReplay
