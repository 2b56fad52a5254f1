"""A process that a test interrupts hears the interrupt, also where the tests run as a background job."""

import signal
import subprocess
from pathlib import Path

from tests.interrupts import interruptible

TESTS = Path(__file__).parents[1]
HEARS = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


def test_a_process_hears_an_interrupt_though_the_tests_ignore_it():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = subprocess.run(interruptible("-c", HEARS), capture_output=True, text=True, check=True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.stdout == "True\n"


def test_whoever_sends_an_interrupt_starts_its_process_so():
    sent = {path for path in TESTS.rglob("*.py") if "SIGINT" in path.read_text(encoding="utf-8")}
    assert [path.name for path in sent if "interruptible" not in path.read_text(encoding="utf-8")] == []
    assert len(sent) >= 5
