"""Run the whole suite; run the few browser tests that failed a second time, alone.

    python -m scripts.check [arguments of pytest]

On two cores a browser test shares the processor with the rest of the suite, and a page that is late by half a minute
fails it. A real fault fails alone too. Why: docs/decisions/0038-a-failed-browser-test-runs-again-alone.md
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
BROWSER = "tests/browser/"
GROUP = "@browser"  # pytest-xdist appends the group to a test's name
MOST = 5  # failed tests that are run again: more is no accident


def again(failed: list[str]) -> list[str]:
    """Return the tests to run a second time; none, if one of them is no browser test or they are more than MOST."""
    if len(failed) > MOST or not all(name.startswith(BROWSER) for name in failed):
        return []
    return sorted(name.removesuffix(GROUP) for name in failed)


def failed_tests(text: str) -> list[str]:
    """Return the names of the tests in pytest's record of the last failures."""
    return list(json.loads(text))


def main(arguments: list[str]) -> int:
    """Return pytest's exit code: that of the second run where there is one."""
    pytest = [sys.executable, "-m", "pytest", "-q"]
    code = subprocess.call([*pytest, "--cache-clear", *arguments], cwd=ROOT)
    if code != 1 or not FAILED.exists():
        return code
    names = again(failed_tests(FAILED.read_text(encoding="utf-8")))
    if not names:
        return code
    print(f"\n== Once more, alone: {', '.join(names)}", flush=True)
    return subprocess.call([*pytest, *names], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
