"""Which blocks behind a sliding window keep a hash when they are full: those that a later hit could end with.

vLLM 0.32, ``prefix_cache_retention_interval``: 0 is its default, and why prefix caching seems to do nothing for what
was generated (SPEC 9.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vizkv.systems.paged.window import Look, Window

Retention = Literal["dense"] | int


@dataclass(frozen=True)
class Retained:
    """``interval``: 0 keeps what lies before a sequence's boundaries, "dense" before every multiple of ``align``
    tokens, a number of tokens before its multiples too.
    """

    interval: Retention
    align: int

    def keeps(self, group: Window, index: int, boundaries: Iterable[int]) -> bool:
        """Whether block ``index`` of a group gets a hash. ``boundaries``: in tokens, where others may go on from."""
        if group.look is not Look.SLIDING:
            return True
        size, need = group.block_size, group.need
        every = self.align if self.interval == "dense" else self.interval
        if every:
            period = max(1, every // size)
            if index % period >= period - need:
                return True
            if self.interval == "dense":
                return False
        ends = (boundary // self.align * self.align // size for boundary in boundaries)
        return any(end - need <= index < end for end in ends)
