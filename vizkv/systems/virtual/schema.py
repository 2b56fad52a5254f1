"""The table of a virtual system in a scenario, and what such a system can do."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from vizkv.messages.sentence import told
from vizkv.systems.base.parts import Count
from vizkv.systems.base.system import System


class VirtualSystem(System):
    """A system that gives each request a range of virtual addresses, and maps pages behind it (vAttention)."""

    kind: Literal["virtual"]
    page: Count = 32  # slots: 64 KiB of Llama-3-8B's K or V in one layer
    reclaim: Literal["deferred", "eager"] = "deferred"
    ids: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)] = 0  # ranges of addresses; 0: max_num_seqs

    has_block_table: ClassVar[bool] = True
    can_preempt: ClassVar[bool] = True
    has_ranges: ClassVar[bool] = True
    noun: ClassVar[str] = told("a virtual system")

    @property
    def label(self) -> str:
        """The given name, or the technique's."""
        return self.name or "vAttention"

    @property
    def details(self) -> str:
        """What tells two virtual systems apart."""
        if self.reclaim == "eager":
            return told("pages of {size}, taken back at once", size=self.page)
        return told("pages of {size}", size=self.page)

    @property
    def block(self) -> int:
        """Slots of a page."""
        return self.page

    def knobs(self) -> tuple[str, ...]:
        """The fields that a page may change."""
        return ("page", "reclaim", "ids")

    def check(self, where: str, slots: int) -> None:
        """Raise ValueError where the pool does not hold one page."""
        if self.page > slots:
            raise ValueError(
                told(
                    "The field {where}.page is {page}; valid is 1 to {slots}, the pool's slots",
                    where=where,
                    page=self.page,
                    slots=slots,
                )
            )
