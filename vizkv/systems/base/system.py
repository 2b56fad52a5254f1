"""A system as a scenario names it: the base class of every kind's table, with the capabilities that others ask for.

Nobody outside ``vizkv/systems`` and ``vizkv/views/systems`` asks which kind a system is. Whoever needs to know what it
can do reads one of the class variables below; a kind overrides those that differ.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, Protocol

from vizkv.messages.sentence import told
from vizkv.systems.base.parts import Label, Part


class Limits(Protocol):
    """What a scheduler needs to know of the scenario."""

    @property
    def slots(self) -> int: ...
    @property
    def max_model_len(self) -> int: ...
    @property
    def max_num_seqs(self) -> int: ...
    @property
    def max_num_batched_tokens(self) -> int: ...


class System(Part):
    """One system of a scenario. Sizes in slots."""

    kind: str
    name: Label = ""

    one_piece: ClassVar[bool] = False
    """A request holds one piece of consecutive slots of the pool, reserved at admission by an estimate."""
    has_block_table: ClassVar[bool] = False
    """A request's slots are found through a table of equal blocks (or pages) of the pool."""
    needs_hole: ClassVar[bool] = False
    """Enough free slots are not enough: a request needs them in one hole."""
    can_preempt: ClassVar[bool] = False
    """A running request can lose its memory to another one."""
    can_fork: ClassVar[bool] = False
    """Several sequences of one request run together and share memory."""
    can_compact: ClassVar[bool] = False
    """The pieces can be moved together to close the holes between them."""
    has_ranges: ClassVar[bool] = False
    """A request has a range of virtual addresses, behind which pages of the pool are mapped."""
    can_cache: ClassVar[bool] = False
    """It has a prefix cache that can be switched on."""
    noun: ClassVar[str] = told("another system")
    """The kind in a sentence: "valid is {noun}"."""
    undoes: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Field -> fields that say something about its old value, and are dropped when it is changed."""

    @property
    def label(self) -> str:
        """The given name, or one made from the fields."""
        return self.name or self.kind

    @property
    def details(self) -> str:
        """What tells two systems of this kind apart."""
        return ""

    @property
    def block(self) -> int:
        """Slots of a block or page; 0 where there are none."""
        return 0

    @property
    def swaps(self) -> bool:
        """Whether a preempted request's blocks go to a CPU pool as large as the pool."""
        return False

    @property
    def caches_prefixes(self) -> bool:
        """Whether its prefix cache is on."""
        return False

    @property
    def forks(self) -> bool:
        """Whether the sequences of one request run together in it: ``can_fork``, as it is set up."""
        return self.can_fork

    @property
    def lengths_only(self) -> bool:
        """Whether it is run without a model only."""
        return False

    def pool(self, slots: int) -> int:
        """Slots of its pool in a scenario that gives each system ``slots``."""
        return slots

    def check(self, where: str, slots: int) -> None:
        """Raise ValueError where the system does not fit a pool of ``slots``; ``where``: its place in the scenario."""

    # -- knobs and sweeps ----------------------------------------------------------------------------------------------

    def knobs(self) -> tuple[str, ...]:
        """The fields that a page may change, because they decide something in this system."""
        return ()

    def affected_by(self, field: str, varied: Collection[str] = ()) -> bool:
        """Whether another value of a field changes the run, where the fields ``varied`` get other values too."""
        return field in type(self).model_fields

    def label_without(self, varied: Collection[str]) -> str:
        """The label of a curve along which the fields ``varied`` change."""
        return self.label

    @classmethod
    def noun_with(cls, field: str) -> str:
        """What a system must be for ``field`` to decide something in it, in a sentence."""
        return cls.noun

    @classmethod
    def change(cls, table: dict[str, Any], field: str, value: object) -> None:
        """Put a value into a system's table, and drop what it makes untrue."""
        for other in cls.undoes.get(field, ()):
            table.pop(other, None)
        table[field] = value
