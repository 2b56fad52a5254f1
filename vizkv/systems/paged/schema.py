"""The table of a paged system in a scenario, and what such a system can do."""

from __future__ import annotations

from functools import reduce
from typing import ClassVar, Literal

from pydantic import Field

from vizkv.messages.sentence import told
from vizkv.messages.validation import shorten
from vizkv.systems.base.parts import Count, Flag, TokenIds
from vizkv.systems.base.system import System


class PagedSystem(System):
    """A system that gives each request blocks on demand (PagedAttention, vLLM)."""

    kind: Literal["paged"]
    block_size: Count = 16
    prefix_caching: Flag = False
    recovery: Literal["recompute", "swap"] = "recompute"
    watermark: float = Field(default=0.0, ge=0.0, lt=1.0, strict=True)
    null_block: Flag = False
    # for worked examples whose block numbers are printed in a book: the beginning of the free queue
    free_order: TokenIds = Field(default_factory=list)

    has_block_table: ClassVar[bool] = True
    can_preempt: ClassVar[bool] = True
    can_fork: ClassVar[bool] = True
    can_cache: ClassVar[bool] = True
    noun: ClassVar[str] = told("a paged system")
    undoes: ClassVar[dict[str, tuple[str, ...]]] = {"block_size": ("free_order",)}  # it named blocks of another size

    @property
    def label(self) -> str:
        """The given name, or the technique's."""
        return self.name or "PagedAttention"

    @property
    def details(self) -> str:
        """What tells two paged systems apart."""
        parts = [told("blocks of {size}", size=self.block_size)]
        parts += [told("prefix cache")] * self.prefix_caching + [told("swap")] * (self.recovery == "swap")
        parts += [told("null block")] * self.null_block
        parts += [told("watermark {share:g}", share=self.watermark)] * (self.watermark > 0)
        return reduce(lambda first, next_: told("{first}, {next}", first=first, next=next_), parts)

    @property
    def block(self) -> int:
        """Slots of a block."""
        return self.block_size

    @property
    def swaps(self) -> bool:
        """Whether a preempted request's blocks go to a CPU pool as large as the pool."""
        return self.recovery == "swap"

    @property
    def caches_prefixes(self) -> bool:
        """Whether its prefix cache is on."""
        return self.prefix_caching

    def knobs(self) -> tuple[str, ...]:
        """The fields that a page may change."""
        return ("block_size", "watermark")

    def check(self, where: str, slots: int) -> None:
        """Raise ValueError where the pool has no usable block, or ``free_order`` names blocks that it has not."""
        first, blocks = int(self.null_block), slots // self.block_size
        if blocks <= first:
            at_most = slots // (1 + first)
            if not at_most:
                raise ValueError(
                    told(
                        "The field {where}.null_block is true with slots = {slots}; valid is at least 2 slots",
                        where=where,
                        slots=slots,
                    )
                )
            raise ValueError(
                told(
                    "The field {where}.block_size is {block_size}, which leaves no usable block in slots = {slots}; "
                    "valid is 1 to {at_most}",
                    where=where,
                    block_size=self.block_size,
                    slots=slots,
                    at_most=at_most,
                )
            )
        order = self.free_order
        if len(set(order)) != len(order) or any(not first <= block < blocks for block in order):
            raise ValueError(
                told(
                    "The field {where}.free_order is {order}; valid are blocks from {first} to {last}, none of them "
                    "twice",
                    where=where,
                    order=shorten(order),
                    first=first,
                    last=blocks - 1,
                )
            )
