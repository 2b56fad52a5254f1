"""How many slots a drawn row has: one address axis for all systems, lower and left is the start of memory."""

from __future__ import annotations

import math

TEXT_LIMIT = 160  # up to here the cells are drawn large, with the tokens in them


def columns(slots: int, block_size: int, systems: int) -> int:
    """Slots a row: whole blocks, and rows few enough to stay legible with this many systems below each other."""
    step = max(1, block_size)
    if slots <= TEXT_LIMIT:
        wanted = math.ceil(slots / (2 if systems > 2 else 3)) if slots > 32 else slots
    else:
        rows = 16 if slots >= 1024 else 8
        # a power of two, so that round numbers start rows
        wanted = 2 ** math.ceil(math.log2(slots / rows))
    if step >= wanted:
        return min(step, slots)
    return min(slots, math.ceil(wanted / step) * step)


def beside_panels(slots: int, block_size: int) -> int:
    """Slots a row where panels share the page: as few rows as leave the tokens legible."""
    if slots > TEXT_LIMIT:
        return columns(slots, block_size, 2)
    rows = 2 if slots <= 48 else 3 if slots <= 96 else 4
    step = max(1, block_size)
    return min(slots, math.ceil(slots / rows / step) * step)


def ruler(columns_: int, block_size: int) -> int:
    """Slots between two ruler lines: a block where there are blocks, otherwise sixteen, or one in tiny pools."""
    if block_size:
        return block_size
    return 16 if columns_ >= 64 else 4
