"""Colours and hatches of the five categories. The player's style sheet has the same; a test compares them.

No category is shown by colour alone: reserved is hatched, internal dotted, external crossed, always in this order. The
smallest distance between two colours, in normal and three kinds of colour-deficient vision, is 29 in light and 21 in
dark.
"""

from __future__ import annotations

PALETTE: dict[str, dict[str, str]] = {
    "light": {
        "free": "#EDEDED", "used": "#3487FF", "reserved": "#FBA500", "internal": "#4C0439", "external": "#B80000",
        "ink.free": "#EDEDED", "ink.used": "#3487FF", "ink.reserved": "#4A3000", "ink.internal": "#FFFFFF",
        "ink.external": "#FFFFFF", "on.free": "#16181D", "on.used": "#FFFFFF", "on.reserved": "#16181D",
        "on.internal": "#FFFFFF", "on.external": "#FFFFFF", "edge": "#FFFFFF",
    },
    "dark": {
        "free": "#23292F", "used": "#2F7FD0", "reserved": "#EBC04A", "internal": "#D0667A", "external": "#FFFFFF",
        "ink.free": "#23292F", "ink.used": "#2F7FD0", "ink.reserved": "#4A3000", "ink.internal": "#1A0A10",
        "ink.external": "#B80000", "on.free": "#E8EAED", "on.used": "#FFFFFF", "on.reserved": "#16181D",
        "on.internal": "#16181D", "on.external": "#16181D", "edge": "#0E1117",
    },
}  # fmt: skip

# Plotly's names of the hatches
HATCH = {"free": "", "used": "", "reserved": "/", "internal": ".", "external": "x"}
