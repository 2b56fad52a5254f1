"""What paging costs: attention of one new token through a block table against a slice, as on the page of that name.

    python benchmarks/attention.py [--model NAME]

Both read the same K and V with the engine's own code, in turn; medians, and the quartiles of the overhead.
"""

from __future__ import annotations

import argparse
import os
import platform

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from vizkv.model import load_model
from vizkv.model.cost import copy_rate, measure


def main() -> None:
    """One line a pair of length and block size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny", help="whose sizes: a name, a Llama folder or a GGUF file")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each pair of length and block size")
    arguments = parser.parse_args()
    config = load_model(arguments.model).config
    print(f"{arguments.model}, {torch.get_num_threads()} thread(s), torch {torch.__version__}, {platform.machine()}")
    print(f"copying memory: {copy_rate() / 1e9:.1f} GB/s (read and written)")
    titles = ("tokens", "block", "slice", "table", "look-up", "floor", "longer", "quartiles", "rounds")
    print("{:>7} {:>6} {:>9} {:>9} {:>9} {:>9} {:>8} {:>16} {:>7}".format(*titles))
    for c in measure(config, seconds=arguments.seconds):
        low, middle, high = (100 * share for share in c.overhead)
        print(
            f"{c.length:>7,} {c.block_size:>6} {c.contiguous.median:>6.0f} µs {c.paged.median:>6.0f} µs"
            f" {c.gather.median:>6.0f} µs {c.floor:>6.0f} µs {middle:>6.1f} %"
            f" {low:>6.1f} .. {high:>4.1f} % {c.rounds:>7}"
        )


if __name__ == "__main__":
    main()
