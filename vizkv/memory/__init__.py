"""Who holds which slot: pieces (contiguous memory) or blocks (paged memory).

Knows no scheduler, no request, no model and no event: an *owner* is a number, and every change is returned as plain
facts. Whoever asks decides who gets memory; this package only says what fits and where it lies.
"""

from vizkv.memory.blocks import BlockPool, Freed, Place
from vizkv.memory.buddy import Buddy
from vizkv.memory.contiguous import ContiguousMemory, Moved, Reservation, make_placement
from vizkv.memory.holes import BestFit, FirstFit, Ideal
from vizkv.memory.paged import Copied, PagedMemory, Shared, Swapped, Taken, Write
from vizkv.memory.placement import Grant, Move, OutOfMemory, Placement, next_power_of_two
from vizkv.memory.prefix import PrefixCache, extend_chain

__all__ = [
    "BestFit",
    "BlockPool",
    "Buddy",
    "ContiguousMemory",
    "Copied",
    "FirstFit",
    "Freed",
    "Grant",
    "Ideal",
    "Move",
    "Moved",
    "OutOfMemory",
    "PagedMemory",
    "Place",
    "Placement",
    "PrefixCache",
    "Reservation",
    "Shared",
    "Swapped",
    "Taken",
    "Write",
    "extend_chain",
    "make_placement",
    "next_power_of_two",
]
