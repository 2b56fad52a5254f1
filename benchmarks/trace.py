"""Seconds to a finished trace of the default preset, with the embedded model.

Run it as: python benchmarks/trace.py
"""

from __future__ import annotations

import platform
import time
from statistics import median

from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.scenario.presets import list_presets
from vizkv.views.payload import pack as payload

RUNS = 5


def main() -> None:
    """The median of some runs, each part by itself."""
    preset = list_presets()[0]
    scenario = preset.scenario

    started = time.perf_counter()
    from vizkv.model import load_model

    model = load_model(scenario.model)
    loading = time.perf_counter() - started

    running, packing, size = [], [], 0
    for _ in range(RUNS):
        started = time.perf_counter()
        trace = engine.run(scenario, model)
        running.append(time.perf_counter() - started)
        started = time.perf_counter()
        size = len(payload.pack(trace, messages()))
        packing.append(time.perf_counter() - started)

    tokens = sum(len(t) for s in trace.systems for t in s.tokens)
    print(f"preset {preset.id!r}: {len(trace.systems)} systems of {scenario.slots:,} slots, {trace.steps} steps")
    print(f"Python {platform.python_version()}, {platform.machine()}; median of {RUNS}")
    print(f"import torch, load the model  {loading:6.2f} s   once a process")
    speed = tokens / median(running)
    print(f"run to a finished trace       {median(running):6.2f} s   {speed:,.0f} sampled tokens a second")
    print(f"paint, narrate and pack       {median(packing):6.2f} s   {size:,} bytes")


if __name__ == "__main__":
    main()
