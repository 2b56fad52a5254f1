"""``vizkv``, and ``python -m vizkv``, which is the same: answers Ctrl-C from the first moment on."""

import os
import signal
import sys

_INTERRUPTED = 130  # as a shell has it
_BAD_INPUT = 2
_ROOM = 192 * 2**20  # bytes of address space that the program itself takes, with numpy and without torch
_NO_ROOM = b"vizkv: there is too little memory to start; valid is a limit (ulimit -v) of at least 256 MiB.\n"


def _stopped(*_: object) -> None:
    """End the process: nothing is under way that has to be cleared up."""
    os.write(2, b"vizkv: stopped.\n")  # in English: the sentences in other languages may not be read yet
    os._exit(_INTERRUPTED)


def _no_room() -> None:
    """End the process before, or after, an import failed for want of memory."""
    os.write(2, _NO_ROOM)
    os._exit(_BAD_INPUT)


def _open_all() -> None:
    """Give standard input, output and error a descriptor where they have none.

    The next file that is opened would get its number, and what a library prints would be written into that file.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)


def main() -> int:
    """Run the command that was given, see :func:`vizkv.cli.main`; returns the exit code."""
    # a process that is started in the background may ignore interrupts, and then goes on to
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heard:  # an exception in the middle of an import would be a traceback, or taken for another error
        signal.signal(signal.SIGINT, _stopped)
    _open_all()
    from vizkv.limits import address_space

    room = address_space.left()
    if room is not None:
        if room < _ROOM:
            _no_room()
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each thread's buffer takes address space of its own
    try:
        from vizkv import cli
    except Exception as error:
        if not address_space.ran_out(error):
            raise
        _no_room()

    if heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = _unraisable
    try:
        return cli.main()
    except KeyboardInterrupt:  # before it knew its language
        _stopped()
        return _INTERRUPTED
    finally:
        if heard:  # while the interpreter ends, too
            signal.signal(signal.SIGINT, _stopped)


def _unraisable(broken: "sys.UnraisableHookArgs") -> None:
    """An interrupt that came where no exception can be raised (in a destructor, say) would be lost."""
    if broken.exc_type is KeyboardInterrupt:
        _stopped()
    sys.__unraisablehook__(broken)


if __name__ == "__main__":
    raise SystemExit(main())
