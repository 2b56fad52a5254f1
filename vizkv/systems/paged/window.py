"""How far back the layers of a group look, and what follows for its blocks: which are dead, how many it needs at most.

The rules are those of vLLM 0.32's ``FullAttentionSpec``, ``SlidingWindowSpec`` and ``ChunkedLocalAttentionSpec``
(vllm/v1/core/single_type_kv_cache_manager.py); numbers of tokens and blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Look(Enum):
    """What a token's query may read: all before it, the last ``reach`` tokens, or its own chunk of ``reach``."""

    FULL = "full"
    SLIDING = "sliding"
    CHUNKED = "chunked"


@dataclass(frozen=True)
class Window:
    """One kind of attention with blocks of ``block_size`` tokens. ``reach``: window or chunk in tokens, 0 for full."""

    look: Look
    reach: int
    block_size: int

    def dead_tokens(self, computed: int) -> int:
        """Tokens from the first on that nothing reads again once ``computed`` tokens are written."""
        if self.look is Look.SLIDING:
            return max(0, computed - self.reach + 1)
        if self.look is Look.CHUNKED:
            return computed // self.reach * self.reach
        return 0

    def dead(self, computed: int) -> int:
        """Blocks from the first on of which nothing is read again once ``computed`` tokens are written."""
        return self.dead_tokens(computed) // self.block_size

    def blocks(self, tokens: int) -> int:
        """Blocks that ``tokens`` tokens fill, the last one perhaps partly."""
        return -(-tokens // self.block_size)

    def cap(self, budget: int, max_model_len: int) -> int:
        """The most blocks that a sequence of any length holds at once, where a step computes ``budget`` tokens."""
        if self.look is Look.SLIDING:  # one more: the window need not begin with a block
            return self.blocks(min(self.reach - 1 + budget, max_model_len)) + 1
        if self.look is Look.CHUNKED:
            return self.blocks(min(self.reach + budget, max_model_len))
        return self.blocks(max_model_len)

    @property
    def need(self) -> int:
        """Cached blocks in a row that a hit needs before its end; sliding windows only."""
        return self.blocks(self.reach - 1)
