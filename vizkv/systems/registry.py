"""The kinds of memory systems, by the word that a scenario uses for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol, Union

from pydantic import Field

from vizkv.systems.base.kind import Kind
from vizkv.systems.base.replay import Replay
from vizkv.systems.base.request import Scheduler
from vizkv.systems.base.system import Limits, System
from vizkv.systems.contiguous.replay import ContiguousReplay
from vizkv.systems.contiguous.scheduler import ContiguousScheduler
from vizkv.systems.contiguous.schema import ContiguousSystem
from vizkv.systems.paged import variants
from vizkv.systems.paged.replay import PagedReplay
from vizkv.systems.paged.schema import PagedSystem
from vizkv.systems.virtual.replay import VirtualReplay
from vizkv.systems.virtual.scheduler import VirtualScheduler
from vizkv.systems.virtual.schema import VirtualSystem
from vizkv.trace.trace import RequestFacts, SystemTrace

KINDS: dict[str, Kind] = {
    "contiguous": Kind(ContiguousSystem, ContiguousScheduler, ContiguousReplay),
    "paged": Kind(PagedSystem, variants.scheduler, PagedReplay, variants.replay),
    "virtual": Kind(VirtualSystem, VirtualScheduler, VirtualReplay),
}
_listeners: list[Callable[[], None]] = []


class Named(Protocol):
    """Whatever says of which kind it is: a system of a scenario, or of a trace."""

    @property
    def kind(self) -> str: ...


def of(system: Named) -> Kind:
    """The kind of a system. Raises LookupError for a kind that nobody registered."""
    return KINDS[system.kind]


def schema(system: Named) -> type[System]:
    """The capabilities of a system."""
    return KINDS[system.kind].schema


def scheduler(system: System, limits: Limits) -> Scheduler:
    """A scheduler with an empty memory."""
    return of(system).scheduler(system, limits)


def replay(system: SystemTrace, requests: tuple[RequestFacts, ...]) -> Replay:
    """The replay of a system, before its first step."""
    return replay_class(system)(system, requests)


def replay_class(system: SystemTrace) -> type[Replay]:
    """The class that replays a system."""
    return of(system).replay_of(system.detail)


def register(name: str, kind: Kind) -> None:
    """Add a kind at run time. Raises ValueError where the name is taken."""
    if name in KINDS:
        raise ValueError(f"the kind {name!r} is already registered; choose another name")
    KINDS[name] = kind
    for listener in _listeners:
        listener()


def unregister(name: str) -> None:
    """Take a kind out again. Raises LookupError where there is none."""
    del KINDS[name]
    for listener in _listeners:
        listener()


def when_changed(listener: Callable[[], None]) -> None:
    """Call ``listener`` whenever a kind is added or taken out."""
    _listeners.append(listener)


def union() -> Any:
    """The annotation of a system in a scenario: one of the kinds' tables, chosen by the field ``kind``."""
    return Annotated[Union[tuple(kind.schema for kind in KINDS.values())], Field(discriminator="kind")]  # noqa: UP007


__all__ = [
    "KINDS", "Kind", "of", "register", "replay", "replay_class", "scheduler", "schema", "union", "unregister",
    "when_changed",
]  # fmt: skip
