"""For every test: one thread, an empty cache, the same random examples each time, and a random order."""

import os
import tempfile

import pytest
from hypothesis import HealthCheck, settings

# before torch is imported; the tests already run in several processes
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# a test that reaches for a hub must fail at once, here as on a machine without network
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# nothing that this user has computed, uploaded or added before; the apps that tests start inherit it
_CACHE = tempfile.TemporaryDirectory(prefix="vizkv-tests-")
os.environ["VIZKV_CACHE"] = _CACHE.name

# The examples are the same in each run, so that a failure belongs to the change that was made, not to the dice; no
# deadline, because a slow machine is not a bug. To look for new examples: pytest --hypothesis-profile=search
settings.register_profile(
    "same", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", derandomize=False, deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("same")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the order again below what failed: pytest-randomly tells it in the header, which -q leaves out."""
    seed = config.getoption("randomly_seed", None)
    if isinstance(seed, int) and any(terminalreporter.stats.get(kind) for kind in ("failed", "error")):
        terminalreporter.write_line(f"This order again: SEED={seed} make test, or pytest --randomly-seed={seed}")
