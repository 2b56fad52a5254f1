"""``vizkv``, and ``python -m vizkv``, which is the same: answers Ctrl-C from the first moment on."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

_INTERRUPTED = 130  # as a shell has it


def _stopped(*_: object) -> NoReturn:
    """End here: nothing is under way yet that somebody would have to clear up."""
    os.write(2, b"vizkv: stopped.\n")  # in English: the sentences in other languages may not be read yet
    os._exit(_INTERRUPTED)


def main() -> int:
    """Run the command that was given, see :func:`vizkv.cli.main`; returns the exit code."""
    # what starts a program in the background may have it deaf, and then it stays so
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heard:  # an exception in the middle of an import would be a traceback, or taken for something else
        signal.signal(signal.SIGINT, _stopped)
    from vizkv import cli

    if heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return cli.main()
    except KeyboardInterrupt:  # before it knew its language
        _stopped()
    finally:
        if heard:  # while the interpreter puts itself away, too
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    raise SystemExit(main())
