"""From a trace's events to what they mean: slot states, ledgers, block tables, the free queue, at any step."""

from vizkv.replay.parts import CODES, LedgerError, Live, Run
from vizkv.replay.state import Replay
from vizkv.replay.walking import at, checked, walk

__all__ = ["CODES", "LedgerError", "Live", "Replay", "Run", "at", "checked", "walk"]
