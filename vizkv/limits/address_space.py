"""How much memory this process may still allocate, and whether an exception means that an allocation failed.

The limit on the address space (``ulimit -v``) is read before large libraries are loaded: some of them abort the process
when an allocation fails, without an exception that could be caught.
"""

import errno
import os
import re

_OUT_OF_MEMORY = re.compile(
    "failed to map segment|[Cc]an(?:'t|not) allocate memory|can't start new thread|without setting an exception"
    "|not enough memory|bad_alloc"
)


def left() -> int | None:
    """Return the number of bytes that this process may still map; None if no limit is set or known."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return None
        with open("/proc/self/statm", encoding="ascii") as file:
            return max(0, limit - int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE"))
    except (ImportError, OSError, ValueError):  # no `resource` on Windows, no /proc on macOS
        return None


def ran_out(error: BaseException | None) -> bool:
    """Whether an exception, or one that caused it, reports a failed allocation of memory."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if _OUT_OF_MEMORY.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False
