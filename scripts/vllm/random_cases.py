"""Random cases for record.py: what nobody thought of, by seed.

    python scripts/vllm/random_cases.py --seed 1 --count 500 --out DIR

Equal seeds give equal cases. Each is of one of several kinds, from pools that hold hardly one request (so that they
preempt and evict all the time) to long prompts in large blocks. All stay clear of what vLLM never finishes: a request
always fits the pool, and ends before max_model_len does (docs/differences-from-vllm.md).
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any, NamedTuple

BLOCK_SIZES = (1, 2, 3, 4, 4, 5, 7, 8, 11, 16, 16, 24, 32)
WATERMARKS = (0.0, 0.0, 0.0, 0.01, 0.1, 0.3)


class Kind(NamedTuple):
    """How large a kind of case is: blocks in the pool, requests, blocks of one request, steps of arrivals."""

    blocks: tuple[int, int]
    requests: tuple[int, int]
    length: tuple[int, int]
    arrivals: int
    budgets: tuple[int, ...]
    decodes: bool = False  # short prompts that grow and grow


KINDS = {
    "tight": Kind((3, 10), (2, 8), (1, 8), 6, (1, 3, 8, 40, 300)),
    "small": Kind((4, 24), (1, 10), (1, 12), 15, (1, 2, 7, 16, 64, 300)),
    "storm": Kind((6, 24), (4, 12), (4, 20), 4, (16, 100, 500), decodes=True),
    "crowd": Kind((8, 40), (10, 30), (1, 6), 40, (8, 16, 50, 100, 500)),
    "long": Kind((20, 90), (3, 10), (5, 60), 60, (16, 64, 200, 1000)),
}
SHARE = ("tight",) * 3 + ("small",) * 3 + ("storm",) * 3 + ("crowd",) * 2 + ("long",)


def case(rng: random.Random) -> dict[str, Any]:
    """One random case."""
    name = rng.choice(SHARE)
    kind = KINDS[name]
    size = rng.choice(BLOCK_SIZES[:8] if kind.decodes else BLOCK_SIZES)
    blocks = rng.randint(*kind.blocks)
    usable = (blocks - 1) * size
    few = rng.random() < 0.5  # a small alphabet: equal blocks come about by chance
    ids = 2 if few and size > 2 else 4 if few else 400
    pieces = [[rng.randint(10, 9 + ids) for _ in range(size)] for _ in range(2)]
    beginnings = [[rng.randint(10, 9 + ids) for _ in range(usable)] for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:  # the same blocks again and again, in another order
        beginnings = [[token for _ in range(blocks) for token in rng.choice(pieces)] for _ in range(3)]
    requests = []
    for number in range(rng.randint(*kind.requests)):
        longest = min(usable, size * rng.randint(*kind.length))
        final = rng.randint(1, longest)
        # decoding takes a step a token: most outputs are short, so that there are more admissions in as many steps
        prompt = max(rng.randint(1, final), final - rng.choice((8, 30, 100)))
        if kind.decodes:
            final = max(final, longest // 2)
            prompt = max(rng.randint(1, max(1, final // 3)), final - 150)
        shared = rng.choice((0, rng.randint(0, prompt), prompt // size * size, prompt))
        request = {
            "id": f"r{number}",
            "prompt_token_ids": rng.choice(beginnings)[:shared]
            + [rng.randint(10, 9 + ids) for _ in range(prompt - shared)],
            "output_len": final - prompt + 1,
            "arrival_step": rng.randint(0, kind.arrivals) if rng.random() < 0.7 else 0,
        }
        if rng.random() < 0.6:
            request["output_token_ids"] = [rng.randint(10, 9 + ids) for _ in range(request["output_len"])]
        requests.append(request)
    seqs = rng.choice((4, 8, 16) if kind.decodes else (1, 2, 3, 4, 8, 16))
    prompt = len(rng.choice(requests)["prompt_token_ids"])
    budget = rng.choice([*kind.budgets, *kind.budgets, prompt - 1, prompt, prompt + 1])
    return {
        "about": name,
        "block_size": size,
        "num_blocks": blocks,
        "enable_prefix_caching": rng.random() < 0.75,
        "max_num_seqs": seqs,
        "max_num_batched_tokens": max(seqs, budget),  # vLLM asks for a token a sequence at least
        "max_model_len": max(256, usable + 2),
        "watermark": rng.choice(WATERMARKS[: 4 if kind.decodes else None]),
        "requests": requests,
    }


def main() -> None:
    """Write the cases of one seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for number in range(arguments.count):
        name = f"random-{arguments.seed}-{number:04}"
        text = json.dumps(case(random.Random(f"{arguments.seed}/{number}")), separators=(",", ":"))
        (arguments.out / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
