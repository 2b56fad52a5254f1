"""One run in numbers: against the summary, and by hand."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sweeps.small import scenario
from vizkv.engine import engine
from vizkv.replay.metrics import METRICS, measure
from vizkv.scenario.schema import from_dict
from vizkv.views.facts.records import summary

PREFIX = list(range(100, 112))


def numbers(asked, index=0, window=None):
    trace = engine.run(asked)
    return measure(trace.systems[index], trace.requests, window)


def one(requests, **system):
    return from_dict({"slots": 64, "max_model_len": 64, "model": "none", "systems": [system], "requests": requests})


def test_shares_and_batch_are_the_summary_s():
    trace, window = engine.run(scenario()), (5.0, 20.0)
    told = summary(trace)
    for system in trace.systems:
        here, there = measure(system, trace.requests, window), told[system.name]
        for lens, accounting, suffix in [("hindsight", "paper", ""), ("hindsight", "textbook", "-textbook"),
                                         ("online", "paper", "-online")]:  # fmt: skip
            for name, value in there["percent"][lens][accounting].items():
                key = name + suffix if name != "free" else "" if accounting == "paper" else "free"
                if key in METRICS:
                    assert here[key] == pytest.approx(value, abs=1e-3), key
        assert here["mean_batch"] == pytest.approx(there["mean_batched_requests"], abs=1e-3)
        assert (here["preemptions"], here["finished"], here["never"], here["steps"]) == tuple(
            there[name] for name in ("preemptions", "finished", "never", "steps")
        )


def test_the_external_share_of_the_paper_is_rounding_stranded_and_free():
    trace = engine.run(scenario())
    for system in trace.systems:
        told = measure(system, trace.requests, (5.0, 20.0))
        assert told["rounding"] + told["stranded"] + told["free"] == pytest.approx(told["external"])
        assert told["used"] + told["reserved"] + told["internal"] + told["external"] == pytest.approx(100)


def test_a_lonely_request_by_hand():
    """Five prompt tokens, six sampled: six iterations, the first over five tokens, the others over one."""
    told = numbers(one([{"prompt_tokens": 5, "output_tokens": 6}], kind="contiguous"))
    first, other = 0.0335, 0.0331
    assert told["ttft_mean"] == pytest.approx(first)
    assert told["latency_mean"] == told["latency_p95"] == pytest.approx(first + 5 * other)
    assert told["latency_token"] == pytest.approx((first + 5 * other) / 6)
    assert told["throughput"] == pytest.approx(6 / (first + 5 * other))
    assert told["request_rate"] == pytest.approx(1 / (first + 5 * other))
    assert (told["steps"], told["unfinished"], told["mean_batch"]) == (6, 0, 1)


def test_whoever_waits_waits_in_its_latency():
    requests = [{"prompt_tokens": 32, "output_tokens": 4}, {"prompt_tokens": 4, "output_tokens": 4}]
    told = numbers(one(requests, kind="contiguous", reserve="max"))  # one maximum length fits at a time
    ends = 0.033 * 4 + 0.0001 * 35, 0.033 * 8 + 0.0001 * 42
    assert told["latency_mean"] == pytest.approx(sum(ends) / 2)


def test_a_request_that_is_too_long_is_counted_and_not_averaged():
    requests = [{"prompt_tokens": 60, "output_tokens": 40}, {"prompt_tokens": 5, "output_tokens": 6}]
    told = numbers(one(requests, kind="paged", block_size=4))
    assert (told["never"], told["unfinished"], told["finished"]) == (1, 0, 1)
    assert told["latency_mean"] == pytest.approx(0.0335 + 5 * 0.0331)


def test_a_run_that_finishes_nothing_has_no_latency():
    trace = engine.run(scenario(duration=1.0, workload={"duration": 1.0, "warmup": 0.0, "drain": False}))
    told = measure(trace.systems[0], trace.requests, (0.0, 1.0))
    assert math.isnan(told["latency_mean"]) and told["unfinished"] == len(trace.requests) > 0


def test_the_hit_rate_is_of_prompt_tokens_at_first_admission():
    requests = [
        {"prompt_token_ids": PREFIX, "output_tokens": 2},
        {"prompt_token_ids": [*PREFIX, 7, 8, 9], "output_tokens": 2, "arrival_step": 4},
    ]
    told = numbers(one(requests, kind="paged", block_size=4, prefix_caching=True))
    assert told["hit_rate"] == pytest.approx(12 / (12 + 15) * 100)
    assert numbers(one(requests, kind="paged", block_size=4))["hit_rate"] == 0


SIZES = st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(0, 6)), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(24, 60), st.integers(3, 40), st.booleans(), st.sampled_from(["recompute", "swap"]))
def test_every_token_is_sampled_once_however_often_it_is_computed(sizes, slots, budget, caching, recovery):
    asked = from_dict({
        "slots": slots, "max_model_len": 64, "max_num_batched_tokens": budget, "model": "none",
        "systems": [{"kind": "paged", "block_size": 4, "prefix_caching": caching, "recovery": recovery},
                    {"kind": "contiguous", "reserve": "oracle", "unit": 1, "placement": "first-fit"}],
        "requests": [{"prompt_tokens": p, "output_tokens": o, "arrival_step": a} for p, o, a in sizes],
    })  # fmt: skip
    for plain in (False, True):
        trace = engine.run(asked, plain=plain)
        for system in trace.systems:
            told = measure(system, trace.requests)
            sampled = told["throughput"] * told["time_s"] if told["steps"] else 0
            assert sampled == pytest.approx(sum(map(len, system.tokens)))
            assert told["ttft_mean"] <= told["latency_mean"] or math.isnan(told["latency_mean"])


def test_skipping_ahead_changes_no_number():
    trace, plain = engine.run(scenario()), engine.run(scenario(), plain=True)
    for ahead, other in zip(trace.systems, plain.systems, strict=True):
        one_, two = (measure(s, t.requests, (5.0, 20.0)) for s, t in ((ahead, trace), (other, plain)))
        assert one_ == pytest.approx(two, nan_ok=True)
