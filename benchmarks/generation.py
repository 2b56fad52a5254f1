"""Tokens a second over real pools, beside Hugging Face and vLLM on the same weights and the same prompts.

    python benchmarks/generation.py             # the embedded model
    python benchmarks/generation.py --smollm2   # SmolLM2-135M (fetched once, 93 MB): also its logits and text
    VIZKV_VLLM_PYTHON=/some/venv/bin/python python benchmarks/generation.py   # also vLLM's CPU backend, from that venv

Hugging Face twice: `generate` with its DynamicCache, and its continuous batching (`generate_batch`, paged). All ways
run in turn, several times over, so that whatever else the machine does falls on each alike; every figure is a median,
every ratio the median of the ratios of one round. All use as many threads as OMP_NUM_THREADS says, one if it is not
set. The floor is the time to read weights, K and V once a step at the rate at which this machine copies memory; what
lies in a cache beats it. It needs `transformers` (and `gguf` for SmolLM2).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # weights come from disk only
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
import transformers

from vizkv.model import LoadedModel, load_model
from vizkv.model.add import add_model
from vizkv.model.cost import copy_rate
from vizkv.model.generate import greedy_batch
from vizkv.model.pool import Chunk, ContiguousChunk, KVPool, PagedChunk
from vizkv.model.registry import find_model

GOAL = 1.3  # times the tokens a second of `generate`
BLOCK_SIZE = 16
OURS = ("contiguous", "paged")
NEVER = -1  # an end-of-text token that no model writes
PROMPTS = (
    "Four score and seven years ago our",
    "The people of this country have always known that",
    "We hold these truths to be self-evident, that",
    "It was the best of times, it was the worst of times,",
    "The Congress shall have power to",
    "I have the honor to submit to you the report of",
    "The state of our Union is",
    "The war has brought upon us",
)
# the last text: transformers reads SmolLM2's GGUF without its rule that a digit is a word of its own, and so cuts the
# line ends before "12345" otherwise than the model's own tokenizer (and llama.cpp, and we)
TEXTS = (*PROMPTS, "naïve café — 東京 🙂 1234567890 it's we'll", "def f(x):\n\treturn x**2  # don't\n\n\n12345 and 678")


def theirs_of(name: str) -> tuple[transformers.PreTrainedModel, Any]:
    """The same weights and tokenizer as transformers loads them, in float32."""
    place = find_model(name)
    folder, gguf = (place.parent, {"gguf_file": place.name}) if place.suffix == ".gguf" else (place, {})
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **gguf).eval()
    if gguf:
        return model, transformers.AutoTokenizer.from_pretrained(folder, **gguf)
    return model, transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))


@torch.inference_mode()
def generate(model: transformers.PreTrainedModel, prompts: list[list[int]], n: int) -> list[list[int]]:
    """Greedy text by Hugging Face; prompts of one length."""
    ids = torch.tensor(prompts)
    out = model.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=n, max_new_tokens=n, pad_token_id=0
    )
    return out[:, ids.shape[1] :].tolist()


@torch.inference_mode()
def continuous_batching(model: transformers.PreTrainedModel, prompts: list[list[int]], n: int) -> list[list[int]]:
    """Greedy text by Hugging Face's continuous batching, over a cache of just the blocks that it needs.

    Left to itself it takes most of the machine's memory for its cache, and longer to make it than to write the text.
    """
    blocks = sum(-(-(len(ids) + n) // BLOCK_SIZE) for ids in prompts) + 2 * len(prompts)
    out = model.generate_batch(
        prompts,
        generation_config=transformers.GenerationConfig(
            do_sample=False, min_new_tokens=n, max_new_tokens=n, eos_token_id=NEVER, pad_token_id=0
        ),
        continuous_batching_config=transformers.ContinuousBatchingConfig(
            page_size=BLOCK_SIZE, num_blocks=blocks, max_batch_tokens=max(64, sum(map(len, prompts)))
        ),
        warmup=False,
    )
    return [out[f"req_{i}"].generated_tokens for i in range(len(prompts))]


class VLLM:
    """vLLM's CPU backend in another process, benchmarks/_vllm.py."""

    def __init__(self, process: subprocess.Popen[str]):
        self.process = process
        self.about = self._answer()

    def __call__(self, prompts: list[list[int]], n: int) -> list[list[int]]:
        print(json.dumps({"prompts": prompts, "n": n}), file=self.process.stdin, flush=True)
        return self._answer()["tokens"]

    def _answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise RuntimeError(f"vLLM ended with code {self.process.wait()}; its last words are above.")
        return json.loads(line)


@contextmanager
def vllm_of(python: str | None, place: Path, eager: bool) -> Iterator[VLLM | None]:
    """vLLM started with the interpreter of its own environment, if there is one."""
    if not python or place.suffix == ".gguf":
        yield None
        return
    command = [python, str(Path(__file__).with_name("_vllm.py")), str(place), "eager" if eager else "compiled"]
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LD_PRELOAD")}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield VLLM(process)
        finally:
            process.kill()


def rounds(ways: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each way in each round, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            if repeat:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def speed(
    loaded: LoadedModel, theirs: transformers.PreTrainedModel, vllm: VLLM | None, batch: int, n: int, repeats: int
) -> dict:
    """Tokens a second of all ways, and how many times `generate` and vLLM ours are."""
    length = min(len(loaded.tokenizer.encode(text)) for text in PROMPTS)
    prompts = [loaded.tokenizer.encode(PROMPTS[i % len(PROMPTS)])[:length] for i in range(batch)]
    ways: dict[str, Callable[[], Any]] = {
        "contiguous": lambda: greedy_batch(loaded.model, prompts, n),
        "paged": lambda: greedy_batch(loaded.model, prompts, n, BLOCK_SIZE),
        "generate": lambda: generate(theirs, prompts, n),
        "continuous": lambda: continuous_batching(theirs, prompts, n),
    }
    if vllm:
        ways["vLLM"] = lambda: vllm(prompts, n)
    seconds = rounds(ways, repeats)
    texts = {name: way() for name, way in ways.items()}

    def times(other: str, ours: str) -> float:
        return round(statistics.median(t / s for t, s in zip(seconds[other], seconds[ours], strict=True)), 2)

    return {
        "batch": batch,
        "prompt_tokens": length,
        "new_tokens": n,
        "tokens_per_second": {name: round(batch * n / statistics.median(s), 1) for name, s in seconds.items()},
        "times": {ours: {other: times(other, ours) for other in ways if other not in OURS} for ours in OURS},
        "floor": round(batch * n / floor(loaded, batch, length, n), 1),
        "other_tokens": [name for name, text in texts.items() if text != texts["contiguous"]],
    }


def floor(loaded: LoadedModel, batch: int, prompt: int, n: int) -> float:
    """Seconds to read all weights, and each sequence's K and V, once a step: no arithmetic, no calls."""
    weights = sum(p.nbytes for p in loaded.model.parameters())
    kv = sum(batch * (prompt + step) * loaded.config.bytes_per_token for step in range(n))
    return (n * weights + kv) / copy_rate()


def lockstep(loaded: LoadedModel, context: int, steps: int) -> dict:
    """Milliseconds of one decoding step of five systems, four contiguous and one paged, each with its own pool."""
    c = loaded.config
    slots = (context + steps + BLOCK_SIZE) // BLOCK_SIZE * BLOCK_SIZE
    pools = [KVPool(c.layers, slots, c.kv_heads, c.head_dim, by_head=number < 4) for number in range(5)]
    table = list(reversed(range(slots // BLOCK_SIZE)))

    def chunks(ids: list[int], position: int) -> list[Chunk]:
        contiguous: list[Chunk] = [ContiguousChunk(pool, ids, position, 0) for pool in pools[:4]]
        return [*contiguous, PagedChunk(pools[4], ids, position, table, BLOCK_SIZE)]

    token = [int(loaded.model.step(chunks(loaded.filler(context, 0), 0))[0].argmax())]
    times = []
    for step in range(steps):
        started = time.perf_counter()
        token = loaded.model.step(chunks(token, context + step)).argmax(-1).tolist()[:1]
        times.append((time.perf_counter() - started) * 1000)
    ordered = sorted(times)
    return {
        "systems": 5,
        "context": context,
        "median_ms": round(statistics.median(times), 2),
        "tenth_ms": round(ordered[len(ordered) // 10], 2),
    }


@torch.inference_mode()
def agreement(loaded: LoadedModel, theirs: transformers.PreTrainedModel, tokenizer: Any, n: int) -> dict:
    """Ours beside transformers on the same file: token ids, logits of whole texts, greedy text."""
    differing = [text for text in TEXTS if loaded.tokenizer.encode(text) != tokenizer(text)["input_ids"]]
    worst = 0.0
    for text in TEXTS:
        ids = torch.tensor([loaded.tokenizer.encode(text)])
        worst = max(worst, float((loaded.model(ids) - theirs(ids).logits).abs().max()))
    ids = loaded.tokenizer.encode(PROMPTS[0])
    expected = generate(theirs, [ids], n)[0]
    memories = {
        memory: greedy_batch(loaded.model, [ids], n, size)[0] for memory, size in (("contiguous", 0), ("paged", 16))
    }
    return {
        "texts": len(TEXTS),
        "texts_with_other_token_ids": differing,
        "largest_logit_difference": worst,
        "greedy_tokens": n,
        "greedy_equal": {memory: tokens == expected for memory, tokens in memories.items()},
        "greedy_text": loaded.tokenizer.decode(memories["paged"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny", help="a name, a Llama folder or a GGUF file")
    parser.add_argument("--smollm2", action="store_true", help="the same as --model smollm2, fetched first if need be")
    parser.add_argument("--tokens", type=int, default=128, help="new tokens a sequence")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--eager", action="store_true", help="vLLM without its compiler: starts half a minute sooner")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    if arguments.smollm2:
        arguments.model = "smollm2"
        add_model("smollm2")
    loaded = load_model(arguments.model)
    theirs, tokenizer = theirs_of(arguments.model)
    figures: dict[str, Any] = {"model": arguments.model, "threads": torch.get_num_threads(), "goal": GOAL}
    figures["agreement"] = agreement(loaded, theirs, tokenizer, min(arguments.tokens, 48))
    print(f"{arguments.model}, {torch.get_num_threads()} thread(s); goal: {GOAL} x generate, 1 x vLLM")
    for name, value in figures["agreement"].items():
        print(f"  {name.replace('_', ' ')}: {value!r}")
    figures["lockstep"] = lockstep(loaded, 500, 100)
    print(
        "  a step of five systems at {context} tokens: {median_ms} ms (tenth: {tenth_ms} ms)".format(
            **figures["lockstep"]
        )
    )
    figures["speed"] = []
    with vllm_of(os.environ.get("VIZKV_VLLM_PYTHON"), find_model(arguments.model), arguments.eager) as vllm:
        figures["vllm"] = vllm.about if vllm else None
        print(f"  vLLM: {vllm.about if vllm else 'not measured, see VIZKV_VLLM_PYTHON above'}")
        for batch in arguments.batch:
            found = speed(loaded, theirs, vllm, batch, arguments.tokens, arguments.repeats)
            figures["speed"].append(found)
            for way, rate in found["tokens_per_second"].items():
                ratios = "".join(f"  {ratio:5.2f} x {name}" for name, ratio in found["times"].get(way, {}).items())
                print(f"  batch {batch}  {way:10}  {rate:8.1f} tokens/s{ratios}")
            print(f"  batch {batch}  floor       {found['floor']:8.1f} tokens/s at the rate of copying memory")
            print(f"  batch {batch}  the same tokens: {not found['other_tokens'] or found['other_tokens']}")
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
