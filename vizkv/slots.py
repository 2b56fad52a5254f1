"""What one slot can be, and how a lens and an accounting name it (SPEC 2).

The finest partition is stored once; colours and shares are a look-up from it. Switching the lens is therefore a new
palette: no new run, no new payload.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, get_args

Lens = Literal["online", "hindsight"]
Accounting = Literal["textbook", "paper"]
LENSES: tuple[Lens, ...] = get_args(Lens)
ACCOUNTINGS: tuple[Accounting, ...] = get_args(Accounting)


class Code(IntEnum):
    """The state of one slot at the end of a step. The order is part of the trace and payload formats."""

    USED = 0  # holds K/V that the model wrote
    PENDING = 1  # held, will be written
    SURPLUS = 2  # held within the estimate, never written; its request still runs
    REALISED = 3  # the same, once its request has finished
    ROUNDING = 4  # held beyond the estimate: what the allocator adds
    STRANDED = 5  # free, but in no hole that the waiting request fits into
    FREE = 6
    CACHED = 7  # free, its content still reusable


STATES = ("used", "reserved", "internal", "rounding", "stranded", "free")
CATEGORIES = ("used", "reserved", "internal", "external", "free")

# the state of each code, in the order of Code
_STATE = {
    "online": ("used", "reserved", "reserved", "internal", "rounding", "stranded", "free", "free"),
    "hindsight": ("used", "reserved", "internal", "internal", "rounding", "stranded", "free", "free"),
}
# what each accounting makes of the three states on which accountings differ
_BOOKED = {
    "paper": {"rounding": "external", "stranded": "external", "free": "external"},
    "textbook": {"rounding": "internal", "stranded": "external"},
}


def state_of(code: int, lens: Lens) -> str:
    """One of STATES."""
    return _STATE[lens][code]


def category_of(code: int, lens: Lens, accounting: Accounting) -> str:
    """One of CATEGORIES: what is drawn."""
    state = _STATE[lens][code]
    return _BOOKED[accounting].get(state, state)


def ledger(counts: list[int], lens: Lens) -> dict[str, int]:
    """Slots by state. ``counts``: slots by code. The values add up to the pool."""
    booked = dict.fromkeys(STATES, 0)
    for code, count in enumerate(counts):
        booked[_STATE[lens][code]] += int(count)
    return booked


def shares(counts: list[int], lens: Lens, accounting: Accounting) -> dict[str, int]:
    """Slots by category under an accounting. The values add up to the pool."""
    booked = dict.fromkeys(CATEGORIES, 0)
    for code, count in enumerate(counts):
        booked[category_of(code, lens, accounting)] += int(count)
    return booked


def lookup() -> dict[str, dict[str, list[int]]]:
    """lens -> accounting -> index into CATEGORIES for each code."""
    return {
        lens: {
            accounting: [CATEGORIES.index(category_of(code, lens, accounting)) for code in Code]
            for accounting in ACCOUNTINGS
        }
        for lens in LENSES
    }
