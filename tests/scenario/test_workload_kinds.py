"""Workloads that are made up: constant, uniform and log-normal lengths, constant arrivals, conversations."""

import hashlib
import json

import numpy as np
import pytest

from vizkv.engine import engine
from vizkv.scenario.schema import LENGTH_SETS, ScenarioError, Workload, from_dict, from_toml, to_dict, to_toml
from vizkv.views.facts.records import records
from vizkv.workload import Arrival, draw, infinite_hit_rate, prompt_ids, report, source_of

KINDS = tuple(Workload.MADE_UP)


def scenario(seed=0, **workload):
    return from_dict({"systems": [{"kind": "paged"}], "seed": seed, "model": "none", "workload": workload})


def arrivals(seed=0, **workload):
    made = scenario(seed, **workload)
    return draw(made.workload, made)


def lengths(drawn):
    return [(a.prompt_tokens, a.output_tokens) for a in drawn]


def digest(drawn):
    return hashlib.sha256(repr(drawn).encode()).hexdigest()


# ---- lengths ----


def test_constant_lengths_are_constant():
    assert set(lengths(arrivals(lengths="constant", prompt_tokens=7, output_tokens=3))) == {(7, 3)}


def test_uniform_lengths_reach_both_ends_and_every_number_between_equally_often():
    drawn = arrivals(lengths="uniform", prompt_range=[3, 5], output_range=[9, 9], rate=10.0)
    counts = np.bincount([p for p, _ in lengths(drawn)])
    assert counts[:3].sum() == 0 and len(counts) == 6
    assert counts[3:].min() > 0.9 * len(drawn) / 3
    assert {o for _, o in lengths(drawn)} == {9}


def test_log_normal_lengths_have_their_median_and_spread():
    drawn = arrivals(
        lengths="lognormal", prompt_median=200.0, prompt_sigma=0.5, output_median=50.0, output_sigma=1.0, rate=20.0
    )
    logs = np.log(lengths(drawn))
    assert np.exp(np.median(logs, axis=0)) == pytest.approx([200, 50], rel=0.05)
    assert logs.std(axis=0) == pytest.approx([0.5, 1.0], rel=0.05)
    assert abs(np.corrcoef(logs.T)[0, 1]) < 0.05  # prompt and output know nothing of each other


def test_a_log_normal_length_is_at_least_1_and_at_most_what_a_pool_may_have():
    drawn = arrivals(lengths="lognormal", prompt_median=1.0, prompt_sigma=4.0, output_median=4e6, output_sigma=4.0)
    assert min(p for p, _ in lengths(drawn)) == 1
    assert max(o for _, o in lengths(drawn)) == 4_194_304


def test_a_sigma_of_0_is_the_median():
    drawn = arrivals(lengths="lognormal", prompt_median=10.4, prompt_sigma=0.0, output_median=2.0, output_sigma=0.0)
    assert set(lengths(drawn)) == {(10, 2)}


@pytest.mark.parametrize("name", [*LENGTH_SETS[:1], *KINDS])
@pytest.mark.parametrize("times", ["poisson", "constant"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(name, times):
    first, again, other = (
        digest(arrivals(seed, lengths=name, arrivals=times, duration=60.0)) for seed in (5, 5, 6)
    )  # fmt: skip
    assert first == again
    assert first != other or (name, times) == ("constant", "constant")  # there nothing is drawn


@pytest.mark.parametrize("name", [*LENGTH_SETS, "constant", "uniform", "lognormal"])
@pytest.mark.parametrize("times", ["poisson", "constant"])
def test_another_rate_does_not_change_the_lengths(name, times):
    slow = lengths(arrivals(lengths=name, arrivals=times, rate=1.0, duration=100.0))
    fast = lengths(arrivals(lengths=name, arrivals=times, rate=5.0, duration=100.0))
    assert len(fast) > 3 * len(slow) and fast[: len(slow)] == slow


def test_constant_arrivals_come_at_equal_distances_from_the_beginning():
    drawn = arrivals(lengths="constant", arrivals="constant", rate=4.0, duration=2.0)
    assert [a.time_s for a in drawn] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
    assert len(arrivals(arrivals="constant", rate=0.1, duration=1.0)) == 1


# ---- what is refused ----


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({"prompt_tokens": 5}, ["prompt_tokens = 5", "lengths = 'sharegpt'", "lengths = 'constant' only"]),
        ({"lengths": "uniform", "turns": 2}, ["turns = 2", "'uniform'", "'conversations' only"]),
        ({"lengths": "constant", "output_sigma": 1}, ["output_sigma", "'lognormal' or 'conversations' only"]),
        ({"lengths": "x.csv", "think_s": 1}, ["think_s = 1", "'x.csv'"]),
        ({"lengths": "uniform", "prompt_range": [9, 3]}, ["prompt_range = [9, 3]", "lower end"]),
        ({"lengths": "uniform", "prompt_range": [9]}, ["workload.prompt_range is [9]", "a list of 2 items"]),
        ({"lengths": "uniform", "output_range": [0, 3]}, ["workload.output_range[0] is 0", "from 1 to 4194304"]),
        ({"lengths": "uniform", "output_range": 3}, ["workload.output_range is 3", "a list of 2 items"]),
        ({"lengths": "constant", "prompt_tokens": 0}, ["workload.prompt_tokens is 0", "from 1 to 4194304"]),
        ({"lengths": "constant", "output_tokens": 2.5}, ["workload.output_tokens is 2.5", "whole number"]),
        ({"lengths": "lognormal", "prompt_median": 0.5}, ["workload.prompt_median is 0.5", "from 1 to"]),
        ({"lengths": "lognormal", "prompt_sigma": 9}, ["workload.prompt_sigma is 9", "from 0 to 4"]),
        ({"lengths": "lognormal", "output_median": float("nan")}, ["workload.output_median is nan", "from 1 to"]),
        ({"lengths": "conversations", "system_tokens": 100}, ["system_tokens = 100", "a multiple of 16"]),
        ({"lengths": "conversations", "turns": 0}, ["workload.turns is 0", "from 1 to 1000"]),
        ({"arrivals": "constant", "rate": 1000.0}, ["rate = 1000", "at most 100000"]),
        ({"arrivals": "burst"}, ["'burst'", "'constant', 'poisson' or 'trace'"]),
    ],
    ids=str,
)
def test_a_field_that_cannot_be_is_one_sentence(fields, parts):
    with pytest.raises(ScenarioError, match=r"^The [^\n]*\.$") as caught:
        scenario(**fields)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_defaults_are_left_out_of_the_file_and_it_comes_back_equal(name):
    made = scenario(lengths=name)
    assert to_dict(made)["workload"] == {"lengths": name}
    field = {"constant": "output_tokens", "uniform": "output_range"}.get(name, "output_median")
    value = [2, 9] if field == "output_range" else 9
    changed = scenario(lengths=name, **{field: value})
    assert to_dict(changed)["workload"] == {"lengths": name, field: value}
    assert from_toml(to_toml(changed)) == changed != made


# ---- conversations ----

CHAT = {"lengths": "conversations", "duration": 200.0}


def chats(drawn):
    """The requests of each conversation, by the name of its own content."""
    found = {}
    for a in drawn:
        found.setdefault(a.hash_ids[32], []).append(a)
    return list(found.values())


def test_the_next_turns_prompt_begins_with_the_one_before_and_has_room_for_its_answer():
    followed = 0
    for chat in chats(arrivals(**CHAT)):
        assert len(chat) <= 5
        for before, after in zip(chat, chat[1:]):
            followed += 1
            assert after.time_s >= before.time_s
            assert after.prompt_tokens > before.prompt_tokens + before.output_tokens
            ids = prompt_ids(after)
            assert list(ids[: before.prompt_tokens]) == list(prompt_ids(before))
    assert followed > 300


def test_all_conversations_begin_with_one_system_prompt_and_go_on_by_themselves():
    first, second, *_ = (chat[0] for chat in chats(arrivals(**CHAT, system_tokens=512)))
    a, b = prompt_ids(first), prompt_ids(second)
    assert list(a[:512]) == list(b[:512])
    assert not set(a[512:]) & set(b[512:])


def test_the_rate_is_that_of_requests_once_conversations_end():
    drawn = arrivals(lengths="conversations", duration=900.0, rate=4.0)
    late = [a for a in drawn if a.time_s > 300]
    assert len(late) == pytest.approx(600 * 4, rel=0.1)
    assert [a.time_s for a in drawn] == sorted(a.time_s for a in drawn)


def test_a_conversation_is_the_same_whatever_the_rate():
    def texts(rate):
        return [lengths(chat) for chat in chats(arrivals(**CHAT, rate=rate, think_s=0.0))]

    slow, fast = texts(1.0), texts(3.0)
    assert fast[: len(slow)] == slow and len(fast) > len(slow)


def test_conversations_whose_prompts_nobody_could_name_are_refused():
    with pytest.raises(ScenarioError, match=r"^The conversations have \d+ prompt tokens in all; valid is at most"):
        arrivals(lengths="conversations", turns=1000, user_median=4000.0, rate=50.0, think_s=0.0)


# ---- what prompts share ----


def test_prompt_ids_depend_on_the_name_and_the_place_in_its_piece_only():
    drawn = arrivals(**CHAT)
    for a in drawn[:20]:
        ids = prompt_ids(a)
        assert len(ids) == a.prompt_tokens
        whole = [a.hash_ids[j // 16] * 16 + j % 16 for j in range(len(ids))]
        assert list(ids) == whole == ids[:] and ids[-1] == whole[-1]
        assert ids[5:40] == whole[5:40] and ids[40:5:-3] == whole[40:5:-3] and ids[9:9] == [] == ids[10**6 :]
        with pytest.raises(IndexError):
            ids[len(ids)]


def test_requests_without_names_share_nothing_with_anybody():
    drawn = arrivals(duration=20.0)
    ids = [i for a in drawn for i in prompt_ids(a)]
    assert len(ids) == len(set(ids)) == sum(a.prompt_tokens for a in drawn)
    assert infinite_hit_rate(drawn, 16) == 0
    assert min(ids) >= 2**40


def by_hand(drawn, block_size):
    """The same by the rule itself: a set of all beginnings that end with a full block."""
    kept, hit, asked = set(), 0, 0
    for a in drawn:
        ids = tuple(prompt_ids(a))
        asked += len(ids)
        blocks = 0
        while blocks < (len(ids) - 1) // block_size and ids[: (blocks + 1) * block_size] in kept:
            blocks += 1
        hit += blocks * block_size
        kept.update(ids[: n * block_size] for n in range(1, len(ids) // block_size + 1))
    return hit / asked


@pytest.mark.parametrize("block_size", [1, 7, 16, 24, 64, 512])
def test_the_infinite_hit_rate_is_that_of_the_rule_by_hand(block_size):
    drawn = arrivals(
        lengths="conversations", duration=30.0, system_tokens=64, user_median=8.0, output_median=20.0, rate=2.0,
        think_s=3.0,
    )  # fmt: skip
    assert infinite_hit_rate(drawn, block_size) == pytest.approx(by_hand(drawn, block_size), abs=1e-12)
    assert block_size > 64 or infinite_hit_rate(drawn, block_size) > 0.2


def test_the_last_token_of_a_prompt_is_never_hit():
    twice = [Arrival(str(i), 512, 1, float(i), (7,)) for i in (1, 2)]
    assert infinite_hit_rate(twice, 16) == (512 - 16) / 1024
    assert infinite_hit_rate(twice, 512) == 0
    assert infinite_hit_rate([], 16) == 0


def simulated(made):
    """The hit rate of a run's only system."""
    lines = records(engine.run(made))
    return sum(sum(line["cache_hits"].values()) for line in lines) / sum(
        a.prompt_tokens for a in draw(made.workload, made)
    )


def test_a_run_in_an_ample_pool_hits_exactly_what_an_infinite_cache_does(tmp_path):
    lines = [{"timestamp": t * 2000, "input_length": 500 + 90 * t, "output_length": 3,
              "hash_ids": [5, 6 + t % 2, 9][: 1 + (t > 0)]} for t in range(6)]  # fmt: skip
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    chat = {"lengths": "conversations", "system_tokens": 64, "user_median": 16.0, "output_median": 20.0, "rate": 0.5}
    for block_size in (4, 16, 48):
        for workload in (chat, {"lengths": str(tmp_path / "t.jsonl"), "arrivals": "trace"}):
            made = from_dict({
                "systems": [{"kind": "paged", "prefix_caching": True, "block_size": block_size}], "model": "none",
                "slots": 100_000, "max_model_len": 50_000, "workload": workload | {"duration": 100.0},
            })  # fmt: skip
            rate = infinite_hit_rate(draw(made.workload, made), block_size)
            assert simulated(made) == pytest.approx(rate, abs=1e-12) and rate > 0.25


# ---- where it comes from, and what of it can run ----


@pytest.mark.parametrize("name", LENGTH_SETS)
def test_a_set_names_source_licence_and_count_and_says_that_it_is_quantiles(name):
    source = source_of(name)
    assert source.source and source.licence and source.requests > 1000 and source.quantiles and not source.made_up


@pytest.mark.parametrize("name", KINDS)
def test_what_is_made_up_says_so(name):
    source = source_of(name)
    assert source.source.startswith("made up") and source.made_up and source.requests is None and not source.quantiles


def test_requests_that_can_never_run_are_counted_by_what_they_exceed():
    made = from_dict({
        "systems": [{"kind": "paged"}], "slots": 100, "max_model_len": 200, "model": "none",
        "workload": {"lengths": "uniform", "prompt_range": [1, 300], "output_range": [1, 1]},
    })  # fmt: skip
    drawn = [a.final_slots for a in draw(made.workload, made)]
    told = report(made.workload, made)
    assert told.requests == len(drawn) and told.longest == max(drawn) == 300 and told.rows is None
    assert told.over_model == sum(n > 200 for n in drawn) > 0
    assert told.over_pool == sum(100 < n <= 200 for n in drawn) > 0
    assert told.too_long == told.over_model + told.over_pool
    assert (told.prompt_tokens, told.output_tokens) == (sum(drawn), len(drawn))
