"""The part of the page "Block table" below the player."""

from __future__ import annotations

from vizkv.ui.player.runs import Run
from vizkv.ui.table import by_hand, follow
from vizkv.views.payload.pack import View


def below(run: Run, view: View) -> None:
    """Draw the followed token's K and V, and the interventions with their proof."""
    follow.show(run, view)
    by_hand.show(run, view)
