"""Fill the embedded model's card: every number and every sample in it comes from this command.

    python training/card.py --build BUILD --model vizkv/model/tiny

BUILD is what corpus.py made; the model's folder holds what train.py wrote, training.json among it.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import textwrap
import time
from pathlib import Path
from string import Template

import numpy as np
import torch
import torch.nn.functional as F

from vizkv.model import LoadedModel, load_model
from vizkv.model.generate import greedy
from vizkv.model.pool import ContiguousChunk, KVPool

HERE = Path(__file__).parent
ADDRESS = "Four score and seven years ago our"
PEOPLE = "The people of this country"
PROMPTS = (PEOPLE, "The war has", "It is the duty of Congress")
SAMPLES = 6
FAR_END = 1000
POSITION_EDGES = (0, 256, 512, 1024, 2048)


@torch.inference_mode()
def sample(loaded: LoadedModel, ids: list[int], n: int, temperature: float, seed: int) -> list[int]:
    """``n`` sampled tokens. The token that ends a text is left out, as the screen would show nothing for it."""
    c, draw = loaded.config, torch.Generator().manual_seed(seed)
    pool = KVPool(c.layers, len(ids) + n, c.kv_heads, c.head_dim, by_head=True)
    new: list[int] = []
    for step in range(n):
        chunk = ContiguousChunk(pool, new[-1:] or ids, len(ids) + step - 1 if step else 0, 0)
        logits = loaded.model.step([chunk])[0] / temperature
        logits[list(loaded.tokenizer.eos_ids)] = -torch.inf
        new.append(int(torch.multinomial(logits.softmax(-1), 1, generator=draw)))
    return new


@torch.inference_mode()
def loss_by_position(loaded: LoadedModel, build: Path) -> list[tuple[int, int, float]]:
    """(first, end, mean nats) over held-out windows as long as the last edge."""
    window = POSITION_EDGES[-1]
    ids = np.fromfile(build / "validation.bin", np.uint16).astype(np.int64)
    rows = torch.from_numpy(ids[: len(ids) // (window + 1) * (window + 1)]).view(-1, window + 1)
    losses = torch.stack([F.cross_entropy(loaded.model(r[None, :-1])[0], r[1:], reduction="none") for r in rows])
    mean = losses.mean(0)
    spans = zip(POSITION_EDGES, POSITION_EDGES[1:], strict=False)
    return [(first, end, float(mean[first:end].mean())) for first, end in spans]


def words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z][a-z']+", text)


def known_words(loaded: LoadedModel, build: Path) -> set[str]:
    """Every word of the training texts."""
    ids = np.fromfile(build / "train.bin", np.uint16).tolist()
    special = json.loads((build / "special.json").read_text()).values()
    texts = [loaded.tokenizer.decode(part) for part in (ids, *special)]
    return {word.lower() for text in texts for word in words(text)}


@torch.inference_mode()
def address(loaded: LoadedModel) -> dict[str, str]:
    """How well the Address is known, and whether samples of it can differ."""
    paragraphs = (HERE / "typed" / "gettysburg.txt").read_text().strip().split("\n\n")
    text = "\n\n".join(" ".join(p.split()) for p in paragraphs)  # as corpus.py cleans it
    ids, prompt = loaded.tokenizer.encode(text), loaded.tokenizer.encode(ADDRESS)
    continued = prompt + greedy(loaded.model, prompt, len(ids) - len(prompt))
    right = next((i for i, (a, b) in enumerate(zip(ids, continued, strict=True)) if a != b), len(ids))
    logits = loaded.model(torch.tensor([ids]))[0]
    probability = logits[:-1].softmax(-1).gather(1, torch.tensor(ids[1:])[:, None])[len(prompt) - 1 :].mean()
    return {
        "address_prompt": ADDRESS,
        "address_greedy": quote(loaded.tokenizer.decode(continued[: len(prompt) + 60])),
        "address_tokens": str(len(ids)),
        "address_right": str(right),
        "address_probability": f"{float(probability):.2f}",
        "address_distinct": str(distinct(loaded, ADDRESS)),
    }


def distinct(loaded: LoadedModel, prompt: str) -> int:
    """How many different texts SAMPLES samples of 24 tokens at temperature 1 give."""
    ids = loaded.tokenizer.encode(prompt)
    return len({tuple(sample(loaded, ids, 24, 1.0, seed)) for seed in range(SAMPLES)})


def quote(text: str) -> str:
    """Text as the body of a Markdown quotation, on lines of its own."""
    lines = [line for p in text.split("\n\n") for line in [*textwrap.wrap(p, 110), ""]][:-1]
    return "\n> ".join(lines).replace("> \n", ">\n")


def tokens_per_second(loaded: LoadedModel) -> float:
    ids = loaded.tokenizer.encode(ADDRESS)
    best = math.inf
    for _ in range(5):
        started = time.perf_counter()
        greedy(loaded.model, ids, 128, 16)
        best = min(best, time.perf_counter() - started)
    return 128 / best


def figures(loaded: LoadedModel, folder: Path, build: Path, miscfiles: str) -> dict[str, str]:
    """Placeholder -> text."""
    c, log = loaded.config, json.loads((folder / "training.json").read_text())
    corpus, stages = log["corpus"], log["stages"]
    tokens_a_character = corpus["validation_tokens"] / corpus["validation_characters"]
    far = sample(loaded, loaded.tokenizer.encode(PEOPLE), FAR_END, 0.8, seed=0)
    late, known = words(loaded.tokenizer.decode(far[500:])), known_words(loaded, build)
    late = late[1:-1]  # the words at the edges may be cut
    names = ("model.safetensors", "tokenizer.json", "config.json")
    texts = (p + loaded.tokenizer.decode(sample(loaded, loaded.tokenizer.encode(p), 60, 0.8, seed=0)) for p in PROMPTS)
    sampled = (f"> {quote(text)}" for text in texts)
    rows = (
        f"| {s['window']:,} | {s['steps']:,} | {s['tokens'] / 1e6:.1f} M | {s['seconds'] / 60:.0f} "
        f"| {s['held_out_256']:.2f} | {s['held_out_1024']:.2f} |"
        for s in stages
    )
    return {
        "parameters": f"{sum(p.numel() for p in loaded.model.parameters()):,}",
        "tokens_per_second": f"{tokens_per_second(loaded):,.0f}",
        "layers": str(c.layers),
        "hidden": str(c.hidden_size),
        "intermediate": str(c.intermediate_size),
        "heads": str(c.heads),
        "kv_heads": str(c.kv_heads),
        "head_dim": str(c.head_dim),
        "vocabulary": f"{c.vocab_size:,}",
        "max_positions": f"{c.max_positions:,}",
        "longest_window": f"{max(s['window'] for s in stages):,}",
        "bytes_per_token": f"{c.bytes_per_token:,}",
        "files": ", ".join(f"`{name}` {(folder / name).stat().st_size:,} bytes" for name in names),
        "documents": str(corpus["documents"] + len(json.loads((build / "special.json").read_text()))),
        "train_tokens": f"{corpus['train_tokens']:,}",
        "held_out_documents": str(corpus["held_out_documents"]),
        "miscfiles": miscfiles,
        "stages": "\n".join(rows),
        "bits_per_character": f"{stages[-1]['held_out_1024'] * tokens_a_character / math.log(2):.2f}",
        "position_window": f"{POSITION_EDGES[-1]:,}",
        "positions": "\n".join(f"| {a:,} to {b - 1:,} | {x:.2f} |" for a, b, x in loss_by_position(loaded, build)),
        "samples": str(SAMPLES),
        "people_prompt": PEOPLE,
        "people_distinct": str(distinct(loaded, PEOPLE)),
        "prompts": ", ".join(f'"{p}"' for p in PROMPTS),
        "sampled": "\n\n".join(sampled),
        "far": "..." + quote(loaded.tokenizer.decode(far[500:580])) + " ...",
        "far_words": str(len(late)),
        "far_end": str(FAR_END),
        "far_known": f"{100 * sum(word.lower() in known for word in late) / len(late):.0f}",
        **address(loaded),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=HERE.parent / "vizkv" / "model" / "tiny")
    parser.add_argument("--miscfiles", default="1.5", help="version of the package the state papers came from")
    arguments = parser.parse_args()
    loaded = load_model(str(arguments.model))
    template = Template((HERE / "card.md").read_text())
    card = template.substitute(figures(loaded, arguments.model, arguments.build, arguments.miscfiles))
    (arguments.model / "MODEL_CARD.md").write_text(card)


if __name__ == "__main__":
    main()
