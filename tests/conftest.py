"""For every test: one thread, and the same random examples each time."""

import os

# before numpy or torch is imported; the tests already run in several processes
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# a test that reaches for a hub must fail at once, here as on a machine without network
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from hypothesis import HealthCheck, settings

# The examples are the same in each run, so that a failure belongs to the change that was made, not to the dice; no
# deadline, because a slow machine is not a bug. To look for new examples: pytest --hypothesis-profile=search
settings.register_profile(
    "same", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", derandomize=False, deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("same")
