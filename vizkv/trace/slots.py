"""The states of a slot, and the category that a lens and an accounting put each state into.

A trace yields the finest partition (:class:`Code`) once; colours and shares are looked up from it. Switching the lens
therefore needs a new palette, but no new run and no new payload.
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
    REALISED = 3  # as SURPLUS, but its request has finished
    ROUNDING = 4  # held beyond the estimate because the allocator rounds up
    STRANDED = 5  # free, but every hole is too small for the waiting request
    FREE = 6
    CACHED = 7  # free, but its content can still be reused
    MAPPED = 8  # free, but mapped into a range of addresses that no request owns
    EXPIRED = 9  # written and held, but no layer reads it again: it is behind the window


STATES = ("used", "reserved", "internal", "rounding", "stranded", "free")
CATEGORIES = ("used", "reserved", "internal", "external", "free")

# the state of each code, in the order of Code
_STATE = {
    "online": ("used", "reserved", "reserved", "internal", "rounding", "stranded", "free", "free", "free", "expired"),
    "hindsight": (
        "used",
        "reserved",
        "internal",
        "internal",
        "rounding",
        "stranded",
        "free",
        "free",
        "free",
        "expired",
    ),
}
# the category of the states on which the accountings differ
_BOOKED = {
    # what has expired is written and held: it is drawn and averaged with what is used
    "paper": {"rounding": "external", "stranded": "external", "free": "external", "expired": "used"},
    "textbook": {"rounding": "internal", "stranded": "external", "expired": "used"},
}


def state_of(code: int, lens: Lens) -> str:
    """Return the state of a slot code under a lens: one of STATES."""
    return _STATE[lens][code]


def category_of(code: int, lens: Lens, accounting: Accounting) -> str:
    """Return the category of a slot code under a lens and an accounting: one of CATEGORIES, each with its colour."""
    state = _STATE[lens][code]
    return _BOOKED[accounting].get(state, state)


def word_of(category: str, accounting: Accounting) -> str:
    """Return the part of a message key that names a category: "others" for the paper's "external & others"."""
    return "others" if accounting == "paper" and category == "external" else category


def ledger(counts: list[int], lens: Lens, *, expires: bool = False) -> dict[str, int]:
    """Return the number of slots in each of STATES; they add up to the pool. ``counts``: slots by code.

    ``expires``: slots may lie behind a window, so that "expired" is a state too.
    """
    booked = dict.fromkeys(("used", "expired", *STATES[1:]) if expires else STATES, 0)
    for code, count in enumerate(counts):
        if count:
            booked[_STATE[lens][code]] += int(count)
    return booked


def shares(counts: list[int], lens: Lens, accounting: Accounting) -> dict[str, int]:
    """Return the number of slots in each of CATEGORIES; they add up to the pool. ``counts``: slots by code."""
    booked = dict.fromkeys(CATEGORIES, 0)
    for code, count in enumerate(counts):
        booked[category_of(code, lens, accounting)] += int(count)
    return booked


def lookup() -> dict[str, dict[str, list[int]]]:
    """Return, by lens and accounting, the index into CATEGORIES of each code."""
    return {
        lens: {
            accounting: [CATEGORIES.index(category_of(code, lens, accounting)) for code in Code]
            for accounting in ACCOUNTINGS
        }
        for lens in LENSES
    }
