"""Workloads: lengths from measured quantiles, arrivals of a Poisson process, recorded traces."""

import json
from pathlib import Path

import numpy as np
import pytest

import vizkv
from vizkv.scenario.schema import LENGTH_SETS, ScenarioError, from_dict
from vizkv.workload import Arrival, Clock, draw, draw_lengths

DATA = json.loads((Path(vizkv.__file__).parent / "workload" / "data" / "lengths.json").read_text(encoding="utf-8"))
HEAD = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def arrivals(seed=0, **workload):
    data = {"systems": [{"kind": "paged"}], "seed": seed, "workload": workload}
    scenario = from_dict(data)
    return draw(scenario.workload, scenario)


def trace(path, content, **workload):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return arrivals(lengths=str(path), **{"arrivals": "trace", **workload})


def test_the_names_of_the_sets_are_those_of_the_data():
    assert set(LENGTH_SETS) == {"sharegpt", *DATA["sets"]}


def test_every_set_says_where_it_comes_from_and_under_which_licence():
    for lengths in DATA["sets"].values():
        assert lengths["source"] and lengths["licence"]
        for side in ("prompt", "output"):
            assert len(lengths[side]["quantiles"]) == (101 if lengths["between"] == "linear" else 21)
            assert lengths[side]["quantiles"] == sorted(lengths[side]["quantiles"])


def test_the_same_seed_draws_the_same_requests_and_another_seed_others():
    assert arrivals(seed=3) == arrivals(seed=3)
    assert arrivals(seed=3) != arrivals(seed=4)


def test_a_poisson_process_of_4_a_second_brings_about_3600_in_900_seconds():
    drawn = arrivals()
    times = [a.time_s for a in drawn]
    assert abs(len(drawn) - 3600) < 4 * 60  # four standard deviations
    assert times == sorted(times) and times[0] > 0 and times[-1] < 900
    gaps = np.diff(times)
    assert abs(gaps.mean() - 0.25) < 0.02 and abs(gaps.std() - 0.25) < 0.02
    assert len({a.id for a in drawn}) == len(drawn)


def test_a_longer_duration_keeps_the_arrivals_that_were_there():
    short, long = arrivals(duration=50.0), arrivals(duration=100.0)
    assert [a.time_s for a in long][: len(short)] == [a.time_s for a in short]


@pytest.mark.parametrize("name", LENGTH_SETS)
def test_drawn_lengths_have_the_quantiles_of_the_set(name):
    prompts, outputs = np.random.default_rng(1), np.random.default_rng(2)
    pairs = np.array(draw_lengths(name, 40_000, prompts, outputs))
    assert pairs.min() >= 1
    measured = DATA["sets"]["sharegpt_paper_filtered" if name == "sharegpt" else name]
    for column, side in enumerate(("prompt", "output")):
        quantiles = measured[side]["quantiles"]
        for level in (0.25, 0.5, 0.75):
            expected = quantiles[round(level * (len(quantiles) - 1))]
            assert np.quantile(pairs[:, column], level) == pytest.approx(expected, rel=0.12, abs=1.5)


@pytest.mark.parametrize("name", ["sharegpt_raw", "azure2023_conv", "mooncake_conversation"])
def test_the_tail_of_drawn_lengths_is_the_set_s_own(name):
    """Between the two highest of 21 quantiles lies a twentieth of all requests, and most of the tokens."""
    pairs = np.array(draw_lengths(name, 100_000, np.random.default_rng(1), np.random.default_rng(2)))
    for column, side in enumerate(("prompt", "output")):
        for level in (0.96, 0.98):
            expected = DATA["sets"][name][side]["quantiles"][round(level * 100)]
            assert np.quantile(pairs[:, column], level) == pytest.approx(expected, rel=0.05)


def test_a_length_between_two_fine_quantiles_is_uniform():
    """The last hundredth of ShareGPT's prompts reaches from the 99th quantile to the longest, evenly."""
    quantiles = DATA["sets"]["sharegpt_raw"]["prompt"]["quantiles"]
    pairs = np.array(draw_lengths("sharegpt_raw", 400_000, np.random.default_rng(1), np.random.default_rng(2)))
    tail = np.sort(pairs[pairs[:, 0] > quantiles[-2], 0])
    assert np.median(tail) == pytest.approx((quantiles[-2] + quantiles[-1]) / 2, rel=0.05)


def test_sharegpt_pairs_stay_below_2048_together_as_in_the_paper():
    drawn = arrivals()
    assert max(a.prompt_tokens + a.output_tokens for a in drawn) < 2048
    assert np.mean([a.output_tokens for a in drawn]) == pytest.approx(338, rel=0.08)


def test_requests_longer_than_the_model_reads_are_not_lost():
    assert max(a.prompt_tokens for a in arrivals(lengths="mooncake_conversation", duration=50.0)) > 2048


def test_the_clock_counts_an_iteration_and_its_tokens():
    assert Clock().seconds(0) == pytest.approx(0.033)
    assert Clock(iteration_ms=10, token_ms=1).seconds(5) == pytest.approx(0.015)


def test_an_azure_trace_is_read_with_its_times(tmp_path):
    rows = "2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:47.6805900,396,109\r\n"
    assert trace(tmp_path / "t.csv", HEAD + rows) == [Arrival("1", 374, 44, 0.0), Arrival("2", 396, 109, 1.0)]


def test_times_may_be_seconds_and_need_not_be_in_order(tmp_path):
    assert trace(tmp_path / "t.csv", HEAD + "12.5,2,3\n10,4,5\n") == [Arrival("1", 4, 5, 0.0), Arrival("2", 2, 3, 2.5)]


def test_columns_are_found_by_their_names(tmp_path):
    content = "GeneratedTokens,who,ContextTokens,TIMESTAMP\n3,x,2,0\n\n"
    assert trace(tmp_path / "t.csv", content) == [Arrival("1", 2, 3, 0.0)]


def test_a_mooncake_trace_is_read_with_its_block_hashes(tmp_path):
    lines = [
        {"timestamp": 1000, "input_length": 955, "output_length": 52, "hash_ids": [46, 47]},
        {"timestamp": 3500, "input_length": 10, "output_length": 1},
    ]
    content = "\n".join(map(json.dumps, lines))
    assert trace(tmp_path / "t.jsonl", content) == [
        Arrival("1", 955, 52, 0.0, (46, 47)),
        Arrival("2", 10, 1, 2.5),
    ]


def test_what_comes_after_the_duration_is_left_out(tmp_path):
    assert len(trace(tmp_path / "t.csv", HEAD + "0,1,1\n9,1,1\n10,1,1\n", duration=10.0)) == 2


def test_poisson_arrivals_draw_whole_rows_from_a_file(tmp_path):
    drawn = trace(tmp_path / "t.csv", HEAD + "0,10,1\n5,20,2\n", arrivals="poisson", rate=10.0, duration=20.0)
    assert {(a.prompt_tokens, a.output_tokens) for a in drawn} == {(10, 1), (20, 2)}


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["is empty", "at least one request"]),
        (" \n\n", ["is empty"]),
        (HEAD, ["zero requests"]),
        ("time,in,out\n1,2,3\n", ["fields 'time, in, out'", "azure (TIMESTAMP, ContextTokens, GeneratedTokens)"]),
        (HEAD + "1,2\n", ["line 2", "2 cells", "3"]),
        (HEAD + "1,2,3\n1,-2,3\n", ["line 3", "ContextTokens is '-2'", "from 1 to"]),
        (HEAD + "1,2,0\n", ["line 2", "GeneratedTokens is '0'", "from 1 to"]),
        (HEAD + "1,2,3.5\n", ["GeneratedTokens is '3.5'", "a whole number"]),
        (HEAD + "1,2,99999999999\n", ["GeneratedTokens is '99999999999'", "to 4194304"]),
        (HEAD + "nan,2,3\n", ["TIMESTAMP is 'nan'", "a date and time"]),
        (HEAD + "yesterday,2,3\n", ["TIMESTAMP is 'yesterday'", "number of seconds"]),
        (HEAD + '"' + "x" * 200_000 + '",1,1\n', ["line 2", "not CSV"]),
        (b"\x89PNG\x00\x00", ["binary"]),
        (b"\x1f\x8b\x08 packed", ["binary", "unpacked"]),
        (b"\xff\xfea,b", ["binary", "UTF-8"]),
        ('{"timestamp": 1, "input_l', ["line 1", "one JSON object a line"]),
        ('{"timestamp": 1, "input_length": 2}', ["no field output_length", "'timestamp, input_length'"]),
        ('{"timestamp": 1, "input_length": -2, "output_length": 1}', ["input_length is -2", "from 1 to"]),
        ('{"timestamp": 1, "input_length": true, "output_length": 1}', ["input_length is true", "a whole number"]),
        ('{"timestamp": NaN, "input_length": 2, "output_length": 1}', ["timestamp is nan", "milliseconds"]),
        ('{"timestamp": 1, "input_length": 2, "output_length": 1, "hash_ids": 5}', ["hash_ids is 5", "a list"]),
        (
            '{"timestamp": 1, "input_length": 513, "output_length": 1, "hash_ids": [7]}',
            ["line 1", "hash_ids has 1 items for input_length = 513", "valid is 2", "each 512 tokens"],
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_trace_that_cannot_be_read_is_one_sentence(tmp_path, content, parts):
    with pytest.raises(ScenarioError, match=r"^The trace [^\n]*\.$") as caught:
        trace(tmp_path / "t.csv", content)
    for part in parts:
        assert part in str(caught.value)


def test_a_trace_of_more_than_200_mb_is_refused_unread(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(200_000_001)  # a hole: takes no room on the disk
    with pytest.raises(ScenarioError, match="at most 200 MB"):
        arrivals(lengths=str(path), arrivals="trace")


def test_long_hashes_keep_what_is_equal_and_fit_in_token_ids(tmp_path):
    rows = [{"timestamp": t, "input_length": 600, "output_length": 1, "hash_ids": ids}
            for t, ids in enumerate([[2**63, -5], [2**63, 4]])]  # fmt: skip
    first, second = trace(tmp_path / "t.jsonl", "\n".join(map(json.dumps, rows)))
    assert first.hash_ids[0] == second.hash_ids[0] and first.hash_ids[1] != second.hash_ids[1]
    assert all(0 <= name < 2**31 for name in first.hash_ids + second.hash_ids)


def test_a_trace_that_changed_on_the_disk_is_read_again(tmp_path):
    assert len(trace(tmp_path / "t.csv", HEAD + "0,1,1\n")) == 1
    assert len(trace(tmp_path / "t.csv", HEAD + "0,1,1\n1,1,1\n")) == 2


def named(tmp_path, count, **workload):
    rows = [{"timestamp": t * 1000, "input_length": 600 + t, "output_length": 1, "hash_ids": [0, t + 1]}
            for t in range(count)]  # fmt: skip
    return trace(tmp_path / "t.jsonl", "\n".join(map(json.dumps, rows)), **workload)


def test_prompts_that_name_their_content_keep_their_order_at_drawn_times(tmp_path):
    drawn = named(tmp_path, 50, arrivals="poisson", rate=4.0, duration=10.0)
    assert len(drawn) <= 50
    assert [a.prompt_tokens for a in drawn] == [600 + t for t in range(len(drawn))]
    assert {a.hash_ids[0] for a in drawn} == {0}


def test_a_trace_that_begins_again_shares_nothing_with_what_it_was_before(tmp_path):
    drawn = named(tmp_path, 3, arrivals="constant", rate=1.0, duration=9.0)
    laps = [{name for a in drawn[i : i + 3] for name in a.hash_ids} for i in (0, 3, 6)]
    assert not (laps[0] & laps[1] or laps[1] & laps[2] or laps[0] & laps[2])
    assert [len(lap) for lap in laps] == [4, 4, 4]


@pytest.mark.parametrize("name", ["chatgpt", "missing.csv", "/", "a\0b"])
def test_a_name_that_is_neither_a_set_nor_a_file_is_answered_with_the_sets(name):
    with pytest.raises(
        ScenarioError, match=r"workload\.lengths is .* neither a set nor a file.*sharegpt, .*azure2023_conv"
    ):
        arrivals(lengths=name)


@pytest.mark.parametrize("name", ["sharegpt", "constant", "conversations"])
def test_what_is_no_trace_has_no_recorded_times(name):
    with pytest.raises(ScenarioError, match=r"workload\.arrivals is 'trace'.*without recorded times"):
        arrivals(lengths=name, arrivals="trace")


def test_a_workload_without_any_request_says_so():
    with pytest.raises(ScenarioError, match=r"rate = 4, duration = 0\.001\) has zero requests"):
        arrivals(duration=0.001)


def test_a_workload_that_no_memory_could_hold_is_refused(tmp_path):
    data = {
        "systems": [{"kind": "paged"}],
        "slots": 4_194_304,
        "max_model_len": 4_194_304,
        "workload": {"lengths": str(tmp_path / "t.csv"), "arrivals": "trace"},
    }
    (tmp_path / "t.csv").write_text(HEAD + "0,4000000,1\n" * 6)
    scenario = from_dict(data)
    with pytest.raises(ScenarioError, match=r"24000006 tokens to compute; valid is at most 20000000"):
        draw(scenario.workload, scenario)
    without_a_model = from_dict(data | {"model": "none"})
    assert len(draw(without_a_model.workload, without_a_model)) == 6
    (tmp_path / "t.csv").write_text(HEAD + "0,1,4000000\n" * 6)
    with pytest.raises(ScenarioError, match=r"24000000 tokens to sample; valid is at most 20000000"):
        draw(without_a_model.workload, without_a_model)
