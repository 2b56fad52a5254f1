"""Commands that hear an interrupt, however the tests were started."""

from __future__ import annotations

import sys
from collections.abc import Sequence

# a shell starts background jobs with SIGINT ignored, and their children inherit it: `make test &`
_RESTORE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT]); os.execv(sys.argv[1], sys.argv[1:])"
)


def interruptible(*arguments: str) -> Sequence[str]:
    """Return a command that runs this Python with these arguments, and has SIGINT's default in its process."""
    return [sys.executable, "-S", "-c", _RESTORE, sys.executable, *arguments]
