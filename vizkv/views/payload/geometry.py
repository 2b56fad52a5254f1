"""The number of slots in a drawn row: one address axis for all systems; memory starts at the top left."""

from __future__ import annotations

import math

TEXT_LIMIT = 160  # the most slots whose cells are drawn large, with the tokens in them


def columns(slots: int, block_size: int, systems: int) -> int:
    """Return the slots per row: whole blocks, and few enough rows to be legible with ``systems`` below each other."""
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
    """Return the slots per row beside panels: the fewest rows in which tokens are legible."""
    if slots > TEXT_LIMIT:
        return columns(slots, block_size, 2)
    rows = 2 if slots <= 48 else 3 if slots <= 96 else 4
    step = max(1, block_size)
    return min(slots, math.ceil(slots / rows / step) * step)


def ruler(columns_: int, block_size: int) -> int:
    """Return the slots between two ruler lines: a block if there are blocks, otherwise 16, or 4 in narrow rows."""
    if block_size:
        return block_size
    return 16 if columns_ >= 64 else 4
