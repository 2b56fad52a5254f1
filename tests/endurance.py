"""How long the tests with random input go on: in `make test` a fixed part of it, by hand for as long as one likes.

    VIZKV_MONKEY_SECONDS=3600 VIZKV_MONKEY_SEED=7 python -m pytest --timeout=0 tests/app/test_any_input.py

Each of the files that use this takes so long in all; each of its tests has a share of the time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

SECONDS = float(os.environ.get("VIZKV_MONKEY_SECONDS", "0"))
SEED = int(os.environ.get("VIZKV_MONKEY_SEED", "0"))


def seeds(share: float, least: int = 1) -> Iterator[int]:
    """Yield the numbers from SEED on: ``least`` of them, and more while the test's share of the time is not over."""
    until = time.monotonic() + SECONDS * share
    number = SEED
    while number < SEED + least or time.monotonic() < until:
        yield number
        number += 1
