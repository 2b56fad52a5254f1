"""Seconds and bytes to a window of the paper's Figure 2 (preset figure-2): the first look, and the one next to it.

Run it as: python benchmarks/window.py
"""

from __future__ import annotations

import platform
import time

from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.scenario.presets import list_presets
from vizkv.views.payload import pack as payload
from vizkv.views.payload import window as windows
from vizkv.views.payload.window import Window

SECOND = 600.0
WHOLE = 2000  # steps that are packed to tell what the whole would take


def main() -> None:
    """Each once: the second time would be another measurement."""
    scenario = next(p for p in list_presets() if p.id == "figure-2").scenario
    started = time.perf_counter()
    trace = engine.run(scenario)
    running = time.perf_counter() - started

    def packed(window: Window) -> tuple[float, int]:
        started = time.perf_counter()
        size = len(payload.pack(trace, messages(), window=window))
        return time.perf_counter() - started, size

    steps = sum(s.steps for s in trace.systems)
    print(f"Figure 2: {len(trace.systems)} systems of {scenario.slots:,} slots, {steps:,} steps together")
    print(f"Python {platform.python_version()}, {platform.machine()}")
    print(f"run                                   {running:6.2f} s")
    lead = 0
    there = windows.around(trace, windows.at_second(trace.systems[lead], SECOND), lead)
    beside = Window(there.last, there.last + windows.WIDTH, lead)
    for name, window in ((f"window at second {SECOND:.0f}, the first", there), ("the window behind it", beside)):
        seconds, size = packed(window)
        print(f"{name:<37} {seconds:6.2f} s   {size:,} bytes")
    seconds, size = packed(Window(0, WHOLE, lead))
    share = WHOLE / windows.total(trace, lead)
    print(f"the whole, from its first {WHOLE:,} steps   {seconds / share:6.0f} s   {size / share:,.0f} bytes")


if __name__ == "__main__":
    main()
