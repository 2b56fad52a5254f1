"""The state of a system at any step of a trace: slot states, ledgers, block tables and the free queue."""

from vizkv.replay.walking import at, checked, walk
from vizkv.systems.base.live import CODES, LedgerError, Live, Run
from vizkv.systems.base.replay import Replay

__all__ = ["CODES", "LedgerError", "Live", "Replay", "Run", "at", "checked", "walk"]
