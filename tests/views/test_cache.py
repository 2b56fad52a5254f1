"""What a prefix cache finds: the engine's number against a few lines that count block chains; picture and sentences."""

import json
import math

import numpy as np
import pytest

from vizkv.engine.engine import run
from vizkv.messages.catalogue import messages
from vizkv.replay.ledgers import ledgers
from vizkv.replay.metrics import measure
from vizkv.scenario.schema import from_dict
from vizkv.views.charts import cache
from vizkv.views.charts.cache import Curve, Spot, happened
from vizkv.workload import draw, infinite_hit_rate

say = messages()
PIECE = 512  # tokens that a name stands for


def seen_before(requests, block):
    """(found, asked) prompt tokens if nothing is ever given up: the set of all chains of full blocks so far."""
    seen, found, asked = set(), 0, 0
    for tokens, names in requests:
        content = [(names[j // PIECE], j % PIECE) for j in range(tokens)]
        chains = [tuple(content[: end * block]) for end in range(1, tokens // block + 1)]
        hits = 0
        while hits < (tokens - 1) // block and hash(chains[hits]) in seen:
            hits += 1
        seen.update(map(hash, chains))
        found, asked = found + hits * block, asked + tokens
    return found, asked


def trace():
    """45 requests (tokens, names) in bursts: chats that grow, one prompt in front of several, the same prompt twice."""
    random, fresh, requests = np.random.default_rng(7), iter(range(100, 10_000)), []
    for chat in range(9):
        names, tokens = list(range(chat % 3 + 1)), 0
        for _ in range(3):
            tokens = max(tokens, len(names) * PIECE) + int(random.integers(1, 900))
            names = names[: max(1, len(names))] + [next(fresh) for _ in range(-(-tokens // PIECE) - len(names))]
            requests.append((tokens, list(names)))
            names = names[: tokens // PIECE]
        tokens, names = requests[-2]
        requests += [(tokens // PIECE * PIECE, names[: tokens // PIECE])] * 2  # to its last token
    return requests


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("trace") / "small.jsonl"
    lines = [
        {"timestamp": 400 * (i // 6), "input_length": tokens, "output_length": 1 + 40 * (i % 9), "hash_ids": names}
        for i, (tokens, names) in enumerate(trace())
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def scenario(file, slots, block, **more):
    workload = {"lengths": str(file), "arrivals": "trace", "duration": 60.0, "warmup": 0.0}
    system = {"kind": "paged", "block_size": block, "prefix_caching": True}
    return from_dict(
        {"slots": slots, "max_model_len": 8192, "max_num_batched_tokens": 300, "max_num_seqs": 5, "model": "none",
         "systems": [system], "workload": workload} | more
    )  # fmt: skip


def outcome(asked):
    """(percent found, what happened, the trace) of a scenario's run."""
    made = run(asked)
    (system,) = made.systems
    told = happened(system, [r.prompt_tokens for r in made.requests])
    return measure(system, made.requests, (0.0, 60.0))["hit_rate"], told, made


@pytest.mark.parametrize("block", [16, 48, 512, 700])
def test_with_room_for_everything_a_run_finds_what_a_set_of_all_seen_blocks_finds(file, block):
    # in bursts, five at a time and 300 tokens an iteration: who came before has entered its whole prompt all the same
    asked = scenario(file, 700 * 200, block)
    found, prompt_tokens = seen_before(trace(), block)
    rate, told, _ = outcome(asked)
    assert (told.found, told.asked, told.evicted.sum()) == (found, prompt_tokens, 0)
    assert 0 < found < prompt_tokens
    assert rate == pytest.approx(100 * found / prompt_tokens, abs=1e-9)
    assert rate == pytest.approx(100 * infinite_hit_rate(draw(asked.workload, asked), block), abs=1e-9)


def test_only_what_was_given_up_is_missing_and_only_a_first_admission_counts(file):
    rate, told, made = outcome(scenario(file, 3584, 16))
    found, asked = seen_before(trace(), 16)
    assert told.evicted.sum() > 0 and told.found < found
    assert ledgers(made.systems[0], made.requests).preemptions > 5  # each of them is admitted again, and finds itself
    assert told.asked == asked and rate == pytest.approx(100 * told.found / asked, abs=1e-9)


def test_requests_that_never_run_are_in_neither_number(file):
    most = sorted(tokens for tokens, _ in trace())[-6] + 20
    asked = scenario(file, 700 * 200, 16, max_model_len=most)
    arrivals = draw(asked.workload, asked)
    able = [a for a in arrivals if a.final_slots <= most]
    assert 0 < len(able) < len(arrivals)
    rate, told, made = outcome(asked)
    assert rate == pytest.approx(100 * infinite_hit_rate(able, 16), abs=1e-9)
    assert rate != pytest.approx(100 * infinite_hit_rate(arrivals, 16), abs=1e-3)
    assert told.asked == sum(a.prompt_tokens for a in able)
    assert ledgers(made.systems[0], made.requests).never == len(arrivals) - len(able)


def test_the_pool_over_time_adds_up_and_evictions_only_grow(file):
    _, told, made = outcome(scenario(file, 4096, 16))
    figure = cache.over_time(ledgers(made.systems[0], made.requests), told, "light", say)
    *parts, given_up = figure.data
    assert [t.name for t in parts] == [say(f"cache.pool.{n}") for n in ("used", "reserved", "cached", "empty")]
    assert np.allclose(sum(np.array(t.y) for t in parts), 100)
    assert list(given_up.y) == sorted(given_up.y) and given_up.y[-1] == told.evicted.sum()


# ---- sentences and picture -------------------------------------------------------------------------------------------


def curve(block, infinite, rates, chosen=-1):
    return Curve(
        block, infinite, [Spot(1024 * 2**i, r, f"{block}:{i}", i == chosen) for i, r in enumerate(rates)]
    )  # fmt: skip


def test_the_sentence_is_made_of_the_runs_numbers():
    line = curve(16, 58.0, [30.0, 41.2, 47.3])
    assert cache.headline(line, line.spots[1], say) == (
        "At 2,048 slots and blocks of 16 the cache finds 41.2 % of the prompt tokens (with room for everything: 58 %). "
        "Doubling the pool brings 6.1 points."
    )
    gap = Curve(16, 58.0, [line.spots[0], line.spots[2]])
    assert "A pool of 4,096 slots brings 17.3 points." in cache.headline(gap, gap.spots[0], say)
    assert cache.headline(line, line.spots[2], say).endswith("everything: 58 %).")  # nothing larger was run
    full = curve(16, 58.0, [58.0])
    assert cache.headline(full, full.spots[0], say).endswith("A larger pool would bring nothing.")
    unknown = curve(16, 58.0, [math.nan])
    assert "would find 58 %" in cache.headline(unknown, unknown.spots[0], say)


def test_what_large_blocks_lose_is_said_in_points_and_tokens():
    lines = [curve(512, 40.0, [1.0]), curve(16, 58.0, [1.0])]
    said = cache.why_blocks(lines, 10_000, 16, say)
    assert "blocks of 16 find 58 %, blocks of 512 find 40 %: 18 points, or 1,800 prompt tokens" in said


def test_block_sizes_that_divide_a_traces_names_are_said_to_lose_nothing_and_why():
    lines = [curve(16, 58.0, [1.0]), curve(512, 58.0, [1.0])]
    assert "pieces of 512 tokens" in cache.why_blocks(lines, 10_000, 512, say)
    assert "pieces" not in cache.why_blocks(lines, 10_000, 16, say)


def test_whether_the_largest_pool_reaches_the_dashes_is_told_by_its_runs():
    assert "exactly as much" in cache.why_below([curve(16, 58.0, [30.0, 58.0])], say)
    assert "up to 2 points are still missing (blocks of 64)" in cache.why_below(
        [curve(16, 58.0, [30.0, 57.0]), curve(64, 58.0, [30.0, 56.0])], say
    )
    assert "slots" not in cache.why_below([curve(16, 58.0, [math.nan])], say).split("alike")[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_two_lines_look_alike_and_each_point_says_its_word(theme):
    lines = [curve(2**b, 60.0 - b, [20.0 - b, 30.0 - b, math.nan], chosen=1 if b == 4 else -1) for b in (4, 6, 8, 9)]
    figure = cache.chart(lines, {1024: "1 GiB"}, theme, say)
    drawn = [t for t in figure.data if t.mode == "lines+markers" and t.showlegend]
    assert [t.name for t in drawn] == ["blocks of 16", "blocks of 64", "blocks of 256", "blocks of 512"]
    for look in ("line.dash", "line.color", "marker.symbol"):
        assert len({t[look] for t in drawn}) == 4
    assert [d[0] for d in drawn[0].customdata] == ["16:0", "16:1"]  # not what is not known
    (ring,) = [t for t in figure.data if t.mode == "lines+markers" and not t.showlegend]
    assert (ring.x[0], ring.y[0], ring.customdata[0][0]) == (2048, 26.0, "16:1")
    assert "1,024<br>1 GiB" in figure.layout.xaxis.ticktext
    for line in lines:
        assert any(a.text == f"{line.block}: <b>{line.infinite:g} %</b>" for a in figure.layout.annotations)


@pytest.mark.parametrize("rates", [(99.9, 99.8, 99.6, 40.0, 40.01), (2.0, 1.5, 1.0, 40.0, 40.01)])
def test_labels_of_the_dashed_lines_stand_clear_of_each_other_and_equal_ones_share_one(rates):
    lines = [curve(b, r, [1.0]) for b, r in zip((16, 64, 128, 256, 512), rates, strict=True)]
    figure = cache.chart(lines, {}, "light", say)
    labels = sorted((a.y, a.text) for a in figure.layout.annotations if a.yref == "y" and a.xref == "paper")
    assert len(labels) == 4 and (40.0, "256, 512: <b>40 %</b>") in labels
    heights = [y for y, _ in labels]
    assert min(b - a for a, b in zip(heights, heights[1:], strict=False)) > 6
    assert min(heights) > 0.9 and max(heights) <= 100


def test_of_many_pools_the_axis_names_every_other_one_and_the_largest():
    figure = cache.chart([curve(16, 50.0, [10.0] * 14)], {}, "light", say)
    named = figure.layout.xaxis.tickvals
    assert len(named) == 7 and named[-1] == 1024 * 2**13


def test_a_run_is_told_in_its_own_numbers():
    numbers = {"hit_rate": 25.0, "preemptions": 2.0, "latency_mean": 3.0, "latency_p95": 9.0, "ttft_mean": 0.5,
               "mean_batch": 4.0, "never": 1.0, "unfinished": 0.0}  # fmt: skip
    told = cache.Happened(np.array([0, 3, 4]), np.arange(3.0), asked=400, found=100)
    said = cache.words(numbers, told, say)
    assert "Of 400 prompt tokens 100 were found" in said and "(25 %)" in said
    assert "7 times a block’s content was given up" in said and "2 times a request was preempted." in said
    assert "0.5 s for its first token" in said and "One request is too long" in said
