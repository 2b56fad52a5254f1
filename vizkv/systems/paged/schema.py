"""The table of a paged system in a scenario, and what such a system can do."""

from __future__ import annotations

from functools import reduce
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from vizkv.messages.sentence import told
from vizkv.messages.validation import shorten
from vizkv.systems.base.parts import MAX_SLOTS, Count, Flag, TokenIds, Whole
from vizkv.systems.base.system import System
from vizkv.systems.paged.group_table import MAX_GROUPS, GroupTable, windows_of
from vizkv.systems.paged.window import Window


def _retention(value: Any) -> Any:
    """Refuse what is neither "dense" nor a number of tokens; pydantic would name the first of the two only."""
    number = Whole.func(value)  # type: ignore[call-arg, arg-type]
    if value != "dense" and not (type(number) is int and 0 <= number <= MAX_SLOTS):
        raise ValueError(
            told(
                "is {value}; valid is 'dense' or a whole number from 0 to {most}", value=shorten(value), most=MAX_SLOTS
            )
        )
    return number


class PagedSystem(System):
    """A system that gives each request blocks on demand (PagedAttention, vLLM)."""

    kind: Literal["paged"]
    block_size: Count = 16
    prefix_caching: Flag = False
    recovery: Literal["recompute", "swap"] = "recompute"
    watermark: float = Field(default=0.0, ge=0.0, lt=1.0, strict=True)
    null_block: Flag = False
    num_blocks: Annotated[int, Field(ge=2, le=MAX_SLOTS, strict=True), Whole] | None = None
    # a table for each group of layers; none: the model's layers are all alike
    groups: list[GroupTable] = Field(default_factory=list, max_length=MAX_GROUPS)
    retention: Annotated[Literal["dense"] | int, BeforeValidator(_retention)] = 0
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
        parts += [told("null block")] * (self.null_block and not self.groups)
        parts += [told("groups of layers: {count}", count=len(self.groups))] * bool(self.groups)
        parts += [told("watermark {share:g}", share=self.watermark)] * (self.watermark > 0)
        return reduce(lambda first, next_: told("{first}, {next}", first=first, next=next_), parts)

    @model_validator(mode="before")
    @classmethod
    def _null_block_comes_with(cls, table: Any) -> Any:
        """``num_blocks`` counts the null block, and a table a group needs one to say "nothing here"."""
        if isinstance(table, dict) and (table.get("num_blocks") is not None or table.get("groups")):
            return table | {"null_block": True}
        return table

    @model_validator(mode="after")
    def _goes_together(self) -> PagedSystem:
        if self.groups and self.recovery == "swap":
            raise ValueError(
                told("has recovery = 'swap' beside groups; valid is 'recompute': tables of groups are not swapped out")
            )
        if self.retention and not self.groups:
            raise ValueError(
                told("has retention = {value} without groups; valid is retention beside groups", value=self.retention)
            )
        return self

    @property
    def windows(self) -> tuple[Window, ...]:
        """What the layers of each group read; empty where there is one table a request."""
        return windows_of(self.groups, self.block_size)

    @property
    def block(self) -> int:
        """Slots of a block: as many as the group with the largest blocks has."""
        return max((window.block_size for window in self.windows), default=self.block_size)

    @property
    def forks(self) -> bool:
        """Whether the sequences of one request share blocks by reference: not with groups, as in vLLM."""
        return not self.groups

    @property
    def lengths_only(self) -> bool:
        """Whether it has groups, which no model here fills."""
        return bool(self.groups)

    def pool(self, slots: int) -> int:
        """Slots of its pool: of ``num_blocks`` where they are given."""
        return slots if self.num_blocks is None else self.num_blocks * self.block

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
        slots = self.pool(slots)
        if slots > MAX_SLOTS:
            raise ValueError(
                told(
                    "The field {where}.num_blocks is {num_blocks}, which are {slots} slots; valid is at most {most}",
                    where=where,
                    num_blocks=self.num_blocks,
                    slots=slots,
                    most=MAX_SLOTS // self.block,
                )
            )
        first, blocks = int(self.null_block), slots // self.block
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
