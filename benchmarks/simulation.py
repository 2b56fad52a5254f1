"""Simulated tokens a second of each system of Figure 2, how it grows with requests and pool, and peak memory.

Run it as: python benchmarks/simulation.py [--quick]. The same as `vizkv bench`: ratios are against a plain loop that
asks every system about every request at every step, measured beside it.
"""

from __future__ import annotations

import sys

from vizkv.cli import main

if __name__ == "__main__":
    raise SystemExit(main(["bench", *sys.argv[1:]]))
