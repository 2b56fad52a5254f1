"""What the page "Block table" shows below the player."""

from __future__ import annotations

from vizkv.ui import by_hand, follow
from vizkv.ui.runs import Run
from vizkv.views.payload import View


def below(run: Run, view: View) -> None:
    """The followed token's K and V, and the proof by hand."""
    follow.show(run, view)
    by_hand.show(run, view)
