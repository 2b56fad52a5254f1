"""Open an address once its server answers, for ``vizkv app``: ``python -m vizkv.cli.browser URL PID``."""

from __future__ import annotations

import os
import socket
import sys
import time
import webbrowser
from urllib.parse import urlsplit

WITHIN_S = 120.0
AGAIN_S = 0.2


def main(url: str, pid: int) -> None:
    """Wait for the server ``pid`` at ``url``, then open it; give up when the process has ended, or after WITHIN_S."""
    where = urlsplit(url)
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until and _runs(pid):
        try:
            with socket.create_connection((where.hostname or "", where.port or 80), timeout=2):
                webbrowser.open(url)
                return
        except OSError:
            time.sleep(AGAIN_S)


def _runs(pid: int) -> bool:
    """Whether the process is there, as far as this system lets one ask."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
