"""Train the embedded model on the corpus that corpus.py made.

    python training/train.py --build BUILD --out vizkv/model/tiny

First short windows, then long ones: the presets generate past 500 tokens, and a model that saw only 256 falls apart
there. What comes out is a Hugging Face Llama folder (config.json, model.safetensors in float16, tokenizer.json).
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizkv.model import load_model
from vizkv.model.checkpoint import save_checkpoint
from vizkv.model.llama import Llama, LlamaConfig

TOKENS_PER_STEP = 4096
CONFIG = LlamaConfig(
    vocab_size=4096, hidden_size=192, layers=4, heads=6, kv_heads=2, head_dim=32, intermediate_size=512,
    max_positions=4096, eos_ids=(0,),
)  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """A run of steps with one window length; the optimisers start anew with each.

    The learning rates stay at ``high`` times their peak for the share ``flat`` of the steps, then fall to ``low``.
    """

    window: int
    steps: int
    flat: float
    high: float
    low: float

    def rate(self, step: int) -> float:
        """Factor of the peak learning rates at a step, 40 steps of warm-up included."""
        fall = max(0.0, (step / self.steps - self.flat) / (1 - self.flat))
        return min(1.0, (step + 1) / 40) * (self.high + (self.low - self.high) * fall)


STAGES = (
    Stage(256, 4000, 0.625, 1.0, 0.418),
    Stage(1024, 450, 0.1, 0.418, 0.04),
    Stage(2048, 120, 0.2, 0.1, 0.01),
)


@dataclass(frozen=True)
class Exposure:
    """How often a window starts in one of the special texts: share of windows, and of those from its first word."""

    name: str
    share: float
    from_start: float


EXPOSURES = (
    Exposure("gettysburg", 0.012, 0.7),
    Exposure("declaration", 0.015, 0.4),
    Exposure("constitution", 0.006, 0.3),
    Exposure("two-cities", 0.003, 0.8),
)


class Windows:
    """Draws training windows. A special text runs on into ordinary text, so that the model learns to go on."""

    def __init__(self, build: Path, seed: int):
        self.random = np.random.default_rng(seed)
        self.train = np.fromfile(build / "train.bin", np.uint16)
        special = json.loads((build / "special.json").read_text())
        self.special = {name: np.array(ids, np.uint16) for name, ids in special.items()}

    def one(self, length: int) -> np.ndarray:
        draw = self.random.random()
        for exposure in EXPOSURES:
            if draw < exposure.share:
                return self.special_window(exposure, length)
            draw -= exposure.share
        start = int(self.random.integers(0, len(self.train) - length - 1))
        return self.train[start : start + length + 1]

    def special_window(self, exposure: Exposure, length: int) -> np.ndarray:
        text = self.special[exposure.name]
        from_start = self.random.random() < exposure.from_start
        start = 0 if from_start else int(self.random.integers(0, max(1, len(text) - 64)))
        if from_start and self.random.random() < 0.3:  # with and without the beginning-of-text token
            text = np.concatenate([[0], text]).astype(np.uint16)
        onward = int(self.random.integers(0, len(self.train) - length - 1))
        tail = np.concatenate([[0], self.train[onward : onward + length]]).astype(np.uint16)
        return np.concatenate([text[start:], tail])[: length + 1]

    def batch(self, length: int) -> tuple[Tensor, Tensor]:
        rows = np.stack([self.one(length) for _ in range(TOKENS_PER_STEP // length)]).astype(np.int64)
        rows = torch.from_numpy(rows)
        return rows[:, :-1], rows[:, 1:]


def initialise(model: Llama) -> None:
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2:
            deep = name.endswith(("out.weight", "down.weight"))  # added to the residual stream in every layer
            nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * model.config.layers) if deep else 0.02)


@torch.no_grad()
def held_out_loss(model: Llama, build: Path, window: int) -> float:
    """Mean nats a token over the held-out addresses, in windows of the given length."""
    ids = np.fromfile(build / "validation.bin", np.uint16).astype(np.int64)
    rows = torch.from_numpy(ids[: len(ids) // (window + 1) * (window + 1)]).view(-1, window + 1)
    losses = [F.cross_entropy(model(row[:, :-1]).flatten(0, 1), row[:, 1:].flatten()).item() for row in rows.split(4)]
    return float(np.mean(losses))


def optimisers_of(model: Llama) -> list[torch.optim.Optimizer]:
    """Muon for the matrices, AdamW for embeddings and norms."""
    matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and "embedding" not in name]
    others = [p for name, p in model.named_parameters() if p.dim() != 2 or "embedding" in name]
    return [
        torch.optim.Muon(matrices, lr=0.02, momentum=0.95, weight_decay=0.01, adjust_lr_fn="original"),
        torch.optim.AdamW(others, lr=3e-3, betas=(0.9, 0.95), weight_decay=0.01),
    ]


def train(model: Llama, stage: Stage, windows: Windows) -> None:
    """Run one stage."""
    optimisers = optimisers_of(model)
    groups = [group for optimiser in optimisers for group in optimiser.param_groups]
    peaks = [group["lr"] for group in groups]
    compiled = torch.compile(model)
    started, smooth = time.time(), None
    for step in range(stage.steps):
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = peak * stage.rate(step)
        inputs, targets = windows.batch(stage.window)
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(compiled(inputs).flatten(0, 1), targets.flatten())
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
        smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
        if step % 50 == 49:
            print(f"{stage.window} step {step + 1} loss {smooth:.3f} {time.time() - started:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--from-stage", type=int, default=0, help="go on from the checkpoint in --out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    shutil.copy(arguments.build / "tokenizer.json", arguments.out / "tokenizer.json")
    record = arguments.out / "training.json"
    log: list[dict] = json.loads(record.read_text())["stages"] if arguments.from_stage else []
    if arguments.from_stage:
        model = load_model(str(arguments.out)).model.train().requires_grad_(True)
    else:
        model = Llama(CONFIG)
        initialise(model)
    for index, stage in enumerate(STAGES):
        if index < arguments.from_stage:
            continue
        started = time.time()
        train(model, stage, Windows(arguments.build, arguments.seed + index))
        log.append({
            "window": stage.window,
            "steps": stage.steps,
            "tokens": stage.steps * TOKENS_PER_STEP,
            "seconds": round(time.time() - started),
            "held_out_256": round(held_out_loss(model, arguments.build, 256), 4),
            "held_out_1024": round(held_out_loss(model, arguments.build, 1024), 4),
        })  # fmt: skip
        print(log[-1], flush=True)
        save_checkpoint(model, arguments.out)
        corpus = json.loads((arguments.build / "corpus.json").read_text())
        record.write_text(json.dumps({"corpus": corpus, "stages": log}, indent=1) + "\n")


if __name__ == "__main__":
    main()
