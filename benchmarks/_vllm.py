"""vLLM on the CPU, in an environment of its own: reads one JSON line a job from stdin, answers with one on stdout.

A job is {"prompts": [[ids]], "n": new tokens}; the answer {"tokens": [[ids]], "seconds": s}. benchmarks/generation.py
starts it with the interpreter in VIZKV_VLLM_PYTHON. vLLM is left as fast as it can be: in one process, compiled.
"""

from __future__ import annotations

import json
import os
import sys
import time

SETTINGS = {
    "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # the same threads as everybody: OMP_NUM_THREADS
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # measured: a fifth faster without a second process
}  # fmt: skip


def main() -> None:
    model, eager = sys.argv[1], sys.argv[2] == "eager"
    os.environ.update({name: value for name, value in SETTINGS.items() if name not in os.environ})
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever vLLM prints goes where the errors go

    from vllm import LLM, SamplingParams
    from vllm import __version__ as version

    llm = LLM(
        model, skip_tokenizer_init=True, dtype="float32", max_model_len=2048, max_num_seqs=16, enforce_eager=eager,
        enable_prefix_caching=False,
    )  # fmt: skip
    print(json.dumps({"version": version, "eager": eager}), file=answers, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        prompts = [{"prompt_token_ids": ids} for ids in job["prompts"]]
        greedy = SamplingParams(
            temperature=0, min_tokens=job["n"], max_tokens=job["n"], ignore_eos=True, detokenize=False
        )
        started = time.perf_counter()
        outputs = llm.generate(prompts, greedy, use_tqdm=False)
        seconds = time.perf_counter() - started
        tokens = [list(o.outputs[0].token_ids) for o in outputs]
        print(json.dumps({"tokens": tokens, "seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main()
