"""The table of a contiguous system in a scenario, and what such a system can do."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Literal

from vizkv.messages.sentence import told
from vizkv.systems.base.parts import Count
from vizkv.systems.base.system import System

# each word by itself, so that each has its translation
_PLACEMENTS = {
    "buddy": told("buddy"),
    "first-fit": told("first-fit"),
    "best-fit": told("best-fit"),
    "ideal": told("ideal"),
}


class ContiguousSystem(System):
    """A system that gives each request one piece of consecutive slots (Orca and its kin)."""

    kind: Literal["contiguous"]
    reserve: Literal["max", "pow2", "pow2-total", "oracle", "multiple"] = "max"
    multiple: Count = 3
    placement: Literal["buddy", "first-fit", "best-fit", "ideal"] = "buddy"
    unit: Count = 16
    batching: Literal["iteration", "static"] = "iteration"

    one_piece: ClassVar[bool] = True
    needs_hole: ClassVar[bool] = True
    can_compact: ClassVar[bool] = True
    noun: ClassVar[str] = told("a contiguous system")
    undoes: ClassVar[dict[str, tuple[str, ...]]] = {"multiple": ("name",)}  # the name may say the old multiple

    @property
    def label(self) -> str:
        """The given name, or one made from the fields."""
        made = {
            "max": "Orca (Max)",
            "pow2": "Orca (Pow2)",
            "pow2-total": "Orca (Pow2 of the whole)",
            "oracle": "Orca (Oracle)",
            "multiple": f"Multiple of {self.multiple}",
        }
        return self.name or made[self.reserve]

    @property
    def details(self) -> str:
        """What tells two systems with the same policy apart."""
        facts: dict[str, object] = {"placement": _PLACEMENTS[self.placement], "unit": self.unit}
        if self.batching == "static":
            return told("{placement}, unit {unit}, static", **facts)
        return told("{placement}, unit {unit}", **facts)

    def check(self, where: str, slots: int) -> None:
        """Raise ValueError where the pool does not hold one unit."""
        if self.unit > slots:
            raise ValueError(
                told(
                    "The field {where}.unit is {unit}; valid is 1 to {slots}, the pool's slots",
                    where=where,
                    unit=self.unit,
                    slots=slots,
                )
            )

    def knobs(self) -> tuple[str, ...]:
        """``multiple`` decides nothing but where lengths are rounded up to it."""
        return ("placement", "unit", "batching", *(["multiple"] if self.reserve == "multiple" else []))

    def affected_by(self, field: str, varied: Collection[str] = ()) -> bool:
        """``multiple`` decides something also where ``reserve`` is varied: one of its values may round up to it."""
        if field == "multiple":
            return self.reserve == "multiple" or "reserve" in varied
        return super().affected_by(field, varied)

    def label_without(self, varied: Collection[str]) -> str:
        """The label of a curve: without the multiple, where that is what changes along it."""
        if not self.name and "multiple" in varied and self.reserve == "multiple":
            return "Multiple of k"
        return self.label

    @classmethod
    def noun_with(cls, field: str) -> str:
        """What a system must be for ``field`` to decide something in it, in a sentence."""
        return told('a contiguous system with reserve = "multiple"') if field == "multiple" else cls.noun
