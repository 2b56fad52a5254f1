"""A contiguous memory whose placement is one method: where in the holes does a piece go?"""

from __future__ import annotations

from typing import Any, ClassVar

from vizkv.messages.sentence import told
from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.base.system import Limits
from vizkv.systems.contiguous.holes import Holes
from vizkv.systems.contiguous.memory import ContiguousMemory
from vizkv.systems.contiguous.placement import Grant
from vizkv.systems.contiguous.scheduler import ContiguousScheduler
from vizkv.systems.contiguous.schema import ContiguousSystem
from vizkv.systems.own.calls import ask, refuse


class Placement:
    """Base class of a placement: override :meth:`place`. A new object is made for every run.

    ``kind``: the word for it in a scenario; without one the class name, ``NextFit`` as ``next-fit``.
    """

    kind: ClassVar[str] = ""

    def place(self, size: int, holes: list[tuple[int, int]]) -> int | None:
        """Return the first slot for a piece of ``size`` slots, or None if it fits nowhere.

        ``holes``: (first slot, slots) of each hole, by address; never adjacent. The piece has to lie within one of
        them. The answer holds until the next piece is placed or given back: it is not asked for twice.
        """
        raise NotImplementedError


class OwnSystem(ContiguousSystem):
    """The table of such a system in a scenario: the fields of a contiguous one, without its placements."""

    kind: str  # type: ignore[assignment]  # a subclass has the literal
    can_compact: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The given name, or the kind."""
        return self.name or self.kind

    @property
    def details(self) -> str:
        """The policy that estimates how many slots a request needs."""
        return told("{kind}, reserve {reserve}", kind=self.kind, reserve=self.reserve)

    def check(self, where: str, slots: int) -> None:
        """Any pool will do."""

    def knobs(self) -> tuple[str, ...]:
        """What its scheduler decides by."""
        return ("batching", *(["multiple"] if self.reserve == "multiple" else []))


class Asked(Holes):
    """The list of holes, with every choice left to a :class:`Placement` and checked."""

    def __init__(self, slots: int, own: Placement):
        super().__init__(slots, 1)
        self.own = own
        self._answers: dict[int, int | None] = {}  # by size, until a piece comes or goes

    def can_allocate(self, size: int) -> bool:
        """Whether the placement finds a place. Raises OwnSystemError for one that is none."""
        return self._place(size) is not None

    def allocate(self, size: int) -> Grant:
        """Hand out the piece where the placement puts it. Raises OutOfMemory, OwnSystemError."""
        start = self._place(size)
        if start is None:
            raise OutOfMemory(f"no hole of {size} slots")
        index = next(i for i, (first, room) in enumerate(self._holes) if first <= start < first + room)
        first, room = self._holes.pop(index)
        rest = [(first, start - first), (start + size, first + room - start - size)]
        self._holes[index:index] = [hole for hole in rest if hole[1]]
        self._live[start] = size
        self.total_free -= size
        self._answers = {}
        return Grant(start, size)

    def free(self, start: int) -> int:
        """Take the piece back."""
        self._answers = {}
        return super().free(start)

    def _place(self, size: int) -> int | None:
        if size not in self._answers:
            self._answers[size] = self._asked(size)
        return self._answers[size]

    def _asked(self, size: int) -> int | None:
        holes = self.holes()
        given = ask(self.own.place, size, list(holes))
        who, what = f"{type(self.own).__name__}.place", f"size {size} and holes {holes}"
        if given is None:
            if not self._live and size <= self.slots:
                refuse(who, what, given, told("a slot: the pool is empty, and nothing would ever change"))
            return None
        if type(given) is not int:
            refuse(who, what, given, told("a whole number or None"))
        if not any(first <= given and given + size <= first + room for first, room in holes):
            refuse(who, what, given, told("a slot from which the whole piece lies in one hole"))
        return given


def scheduler(own: type[Placement]) -> Any:
    """Return the class of schedulers whose memory asks that placement."""

    class Scheduler(ContiguousScheduler):
        def __init__(self, system: ContiguousSystem, limits: Limits):
            super().__init__(system, limits)
            self.memory = ContiguousMemory(Asked(limits.slots, ask(own)))

    return Scheduler
