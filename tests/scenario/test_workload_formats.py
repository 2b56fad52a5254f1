"""Workload files of the public formats: each read with its own units, recognised only where nothing else fits."""

import json

import pytest

from vizkv.engine import engine
from vizkv.model import load_tokenizer
from vizkv.replay.metrics import measure
from vizkv.scenario.schema import FORMATS as NAMES
from vizkv.scenario.schema import ScenarioError, from_dict
from vizkv.workload import FORMATS, draw, infinite_hit_rate, prompt_ids, report, source_of
from vizkv.workload.recorded import parse

# a file of each format, as its source prints it: (content, seconds, prompts, outputs, tokens a name stands for)
AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,374,44\n2023-11-16 18:15:50.93,396,109\n"
BURSTGPT = (
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    "5,ChatGPT,472,18,490,Conversation log\n45,ChatGPT,1087,0,1087,API log\n118,GPT-4,417,276,693,Conversation log\n"
)
VIDUR = "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,374,44\n4.314579,396,109\n"
MOONCAKE = [
    {"timestamp": 27482, "input_length": 1200, "output_length": 52, "hash_ids": [46, 47, 48]},
    {"timestamp": 30535, "input_length": 600, "output_length": 26, "hash_ids": [46, 57]},
]
BAILIAN = [
    {"chat_id": 159, "parent_chat_id": -1, "timestamp": 61.114, "input_length": 33, "output_length": 132,
     "type": "text", "turn": 1, "hash_ids": [1089, 1090, 1091]},
    {"chat_id": 160, "parent_chat_id": 159, "timestamp": 71.114, "input_length": 48, "output_length": 7,
     "type": "text", "turn": 2, "hash_ids": [1089, 1090, 13148]},
]  # fmt: skip
AIPERF = [
    {"session_id": "a", "timestamp": 1000, "input_length": 300, "output_length": 40},
    {"session_id": "a", "delay": 2500, "input_length": 450, "output_length": 20},
    {"session_id": "b", "input_length": 7, "output_length": 1},
    {"session_id": "a", "delay": 500.0, "input_length": 500, "output_length": 5},
]
LLMSERVINGSIM = [
    {"input_toks": 4, "output_toks": 133, "arrival_time_ns": 4059740000, "input_tok_ids": [1, 2, 3, 4]},
    {"session_id": "s", "arrival_time_ns": 5_000_000_000, "sub_requests": [
        {"input_toks": 3, "output_toks": 7, "tool_duration_ns": 1_500_000_000, "input_tok_ids": [1, 2, 9]},
        {"input_toks": 20, "output_toks": 8, "tool_duration_ns": 0}]},
]  # fmt: skip
SHAREGPT = [
    {"id": "one", "conversations": [
        {"from": "human", "value": "Four score and seven years ago"}, {"from": "gpt", "value": "our fathers brought"},
        {"from": "human", "value": "forth on this continent"}, {"from": "gpt", "value": "a new nation"}]},
    {"id": "two", "conversations": [{"from": "gpt", "value": "nobody asked"}]},
    {"id": "three", "conversations": [
        {"from": "system", "value": "Be brief."}, {"from": "human", "value": "Who?"}, {"from": "gpt", "value": ""},
        {"from": "gpt", "value": "The people."}]},
]  # fmt: skip
VLLM_CUSTOM = [{"prompt": "What is the capital of India?", "output_tokens": 10}, {"prompt": "And of Iran?"}]
TEXTS = ("sharegpt", "vllm-custom")


def lines(records):
    return "\n".join(map(json.dumps, records))


FILES = {
    "azure": AZURE, "burstgpt": BURSTGPT, "vidur": VIDUR, "mooncake": lines(MOONCAKE), "bailian": lines(BAILIAN),
    "aiperf": lines(AIPERF), "llmservingsim": lines(LLMSERVINGSIM), "sharegpt": json.dumps(SHAREGPT),
    "vllm-custom": lines(VLLM_CUSTOM),
}  # fmt: skip


def scenario(lengths, model="none", **workload):
    return from_dict({
        "systems": [{"kind": "paged", "prefix_caching": True}], "slots": 100_000, "max_model_len": 50_000,
        "model": model, "workload": {"lengths": str(lengths), "arrivals": "trace", "warmup": 0.0} | workload,
    })  # fmt: skip


def written(tmp_path, content, **workload):
    path = tmp_path / "file"
    path.write_text(content)
    return scenario(path, **workload)


def drawn(tmp_path, content, **workload):
    made = written(tmp_path, content, **workload)
    return draw(made.workload, made)


def refused(content, format=None):
    with pytest.raises(ScenarioError, match=r"^The trace 'f'[^\n]*\.$") as caught:
        parse(content.encode(), "f", format)
    return str(caught.value)


def test_the_table_of_formats_and_the_scenario_s_field_name_the_same():
    assert tuple(FORMATS) == NAMES and set(FILES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_format_is_recognised_by_its_fields_and_reads_the_same_when_it_is_declared(name):
    data = FILES[name].encode()
    found, declared = parse(data, "f"), parse(data, "f", name)
    assert found.format == declared.format == name and len(found) == len(declared)


@pytest.mark.parametrize(
    ("name", "seconds", "prompts", "outputs", "step"),
    [
        ("azure", [0, 4.25], [374, 396], [44, 109], 512),
        ("burstgpt", [0, 113], [472, 417], [18, 276], 512),
        ("vidur", [0, 4.314579], [374, 396], [44, 109], 512),
        ("mooncake", [0, 3.053], [1200, 600], [52, 26], 512),
        ("bailian", [0, 10], [33, 48], [132, 7], 16),
        ("aiperf", [0, 1, 3.5, 4], [7, 300, 450, 500], [1, 40, 20, 5], 512),
        ("llmservingsim", [0, 0.94026, 2.44026], [4, 3, 20], [133, 7, 8], 1),
    ],
)
def test_times_and_lengths_have_the_units_of_the_format(tmp_path, name, seconds, prompts, outputs, step):
    found = drawn(tmp_path, FILES[name])
    assert [a.time_s for a in found] == pytest.approx(seconds)
    assert [a.prompt_tokens for a in found] == prompts and [a.output_tokens for a in found] == outputs
    assert {a.step for a in found} == {step}


def test_a_bailian_trace_has_2_percent_hits_and_60_seconds_between_its_prompts(tmp_path):
    """Two prompts of 1,600 tokens that share 64: taken for Mooncake's they would share 1,584 and be 0.06 s apart."""
    records = [
        {"chat_id": i, "parent_chat_id": -1, "timestamp": 60.0 * i, "input_length": 1600, "output_length": 10,
         "type": "text", "turn": 1, "hash_ids": [1, 2, 3, 4, *range(100 * i + 5, 100 * i + 101)]}
        for i in range(2)
    ]  # fmt: skip
    made = written(tmp_path, lines(records))
    arrivals = draw(made.workload, made)
    assert [a.time_s for a in arrivals] == [0, 60]
    assert infinite_hit_rate(arrivals, 16) == 0.02
    trace = engine.run(made)
    assert measure(trace.systems[0], trace.requests, (0.0, 900.0))["hit_rate"] == pytest.approx(2.0)


@pytest.mark.parametrize("count", [2, 4, 75])
def test_a_prompt_with_more_or_fewer_names_than_blocks_is_refused(count):
    record = {"timestamp": 0, "input_length": 1200, "output_length": 5, "hash_ids": list(range(count))}
    said = refused(lines([record]), "mooncake")
    assert f"hash_ids has {count} items for input_length = 1200; valid is 3, one for each 512 tokens" in said
    said = refused(lines([record | {"chat_id": 1, "hash_ids": list(range(count + 1))}]), "bailian")
    assert count == 74 or f"has {count + 1} items for input_length = 1200; valid is 75, one for each 16 tokens" in said


@pytest.mark.parametrize(
    ("content", "candidates"),
    [
        # Mooncake's fields, but a name for each 16 tokens
        (lines([{"timestamp": 0, "input_length": 48, "output_length": 5, "hash_ids": [1, 2, 3]}]), NAMES[1:3]),
        # Mooncake's fields and one that none of its traces has
        (lines([{"timestamp": 0, "input_length": 48, "output_length": 5, "turn": 1}]), NAMES[1:3]),
        (lines([{"timestamp": 0, "input_length": 48, "output_length": 5, "chat_id": 3, "session_id": 4}]),
         ("bailian", "aiperf")),
        (lines([{"prompt": "a", "conversations": []}]), TEXTS),
        ("TIMESTAMP,ContextTokens,GeneratedTokens,arrived_at,num_prefill_tokens,num_decode_tokens\n0,1,2,3,4,5\n",
         ("azure", "vidur")),
    ],
)  # fmt: skip
def test_a_file_that_may_be_of_several_formats_names_them_and_says_how_to_choose(content, candidates):
    said = refused(content)
    assert all(repr(name) in said for name in candidates)
    assert 'format = "' in said and "--format" in said and "the field Format on a page" in said


def test_what_is_declared_is_read_as_declared():
    content = lines([{"timestamp": 2, "input_length": 48, "output_length": 5, "hash_ids": [1, 2, 3]}]).encode()
    found = parse(content, "f", "bailian")
    assert (found.time_s.tolist(), found.step) == ([2.0], 16)
    content = lines([{"timestamp": 2, "input_length": 48, "output_length": 5, "turn": 1}]).encode()
    assert parse(content, "f", "mooncake").time_s.tolist() == [0.002]


def test_a_declared_format_whose_fields_are_not_there_is_named_with_them():
    assert "line 1, has no field TIMESTAMP" not in refused(VIDUR, "azure")  # the first line names the columns
    assert "line 2, has no field TIMESTAMP (its fields are 'arrived_at, " in refused(VIDUR, "azure")
    assert "item 1, has no field timestamp (its fields are 'id, conv" in refused(FILES["sharegpt"], "bailian")
    assert "is JSON, and the format azure is CSV" in refused(FILES["mooncake"], "azure")
    assert "is CSV, and the format sharegpt is JSON" in refused(VIDUR, "sharegpt")


def test_a_format_goes_with_a_file_only():
    with pytest.raises(ScenarioError, match="has format = 'azure' with lengths = 'sharegpt'; valid is format with a"):
        scenario("sharegpt", format="azure")
    with pytest.raises(ScenarioError, match="format is 'csv'; valid is 'azure', 'mooncake'"):
        scenario("a.csv", format="csv")


def test_failed_requests_of_burstgpt_are_counted_and_left_out(tmp_path):
    made = written(tmp_path, BURSTGPT)
    source, told = source_of(made.workload), report(made.workload, made)
    assert (source.format, source.requests, source.left_out, source.declared) == ("burstgpt", 2, 1, False)
    assert (told.rows, told.requests) == (2, 2)
    none = "Timestamp,Request tokens,Response tokens\n1,5,0\n2,0,0\n"
    assert "zero requests with a prompt and an answer, and 2 without" in refused(none)


@pytest.mark.parametrize("written_as", ["100", "100.0", "100.", " 100.00 "])
def test_a_whole_number_may_have_a_point(tmp_path, written_as):
    found = drawn(tmp_path, f"TIMESTAMP,ContextTokens,GeneratedTokens\n0.0,{written_as},10.0\n1.5,200.0,20.0\n")
    assert [(a.time_s, a.prompt_tokens, a.output_tokens) for a in found] == [(0, 100, 10), (1.5, 200, 20)]


@pytest.mark.parametrize("value", [100.5, True, None, "many", [100], 1e300, -1.0, 0.0, float("nan"), float("inf")])
def test_what_is_no_whole_number_of_tokens_is_refused(value):
    said = refused(lines([{"timestamp": 0, "input_length": value, "output_length": 1.0}]))
    assert "line 1: input_length is " in said and "valid is a whole number from 1 to 4194304" in said


def test_a_json_number_of_tokens_may_have_a_point(tmp_path):
    found = drawn(tmp_path, lines([{"timestamp": 0.0, "input_length": 100.0, "output_length": 10.0}]))
    assert [(a.prompt_tokens, a.output_tokens) for a in found] == [(100, 10)]


def test_a_pause_of_a_session_is_never_negative():
    assert "delay is -1; valid is 0 or more" in refused(lines([*AIPERF[:1], AIPERF[1] | {"delay": -1}]))
    call = LLMSERVINGSIM[1]["sub_requests"][0] | {"tool_duration_ns": -5}
    assert "tool_duration_ns is -5" in refused(lines([LLMSERVINGSIM[1] | {"sub_requests": [call]}]))


def test_token_ids_of_llmservingsim_share_token_by_token(tmp_path):
    found = drawn(tmp_path, FILES["llmservingsim"])
    assert [list(prompt_ids(a))[:3] for a in found[:2]] == [[1, 2, 3], [1, 2, 9]]
    assert infinite_hit_rate(found, 1) == pytest.approx(2 / 27)  # the third names nothing
    assert "input_tok_ids has 2 items for input_toks = 4" in refused(
        lines([LLMSERVINGSIM[0] | {"input_tok_ids": [1, 2]}])
    )


# ---- texts ----


@pytest.mark.parametrize("model", ["none", "tiny"])
def test_a_conversation_is_counted_by_the_scenario_s_tokenizer_and_its_turns_share_their_prefix(tmp_path, model):
    made = written(tmp_path, FILES["sharegpt"], arrivals="constant", rate=1.0, duration=3.0, model=model)
    first, second, third = draw(made.workload, made)
    encode = load_tokenizer("tiny").encode
    said = [encode(message["value"]) for message in SHAREGPT[0]["conversations"]]
    assert (first.prompt_tokens, first.output_tokens) == (len(said[0]), len(said[1]))
    assert list(prompt_ids(first)) == said[0]
    assert list(prompt_ids(second)) == said[0] + said[1] + said[2]
    assert second.output_tokens == len(said[3])
    assert list(prompt_ids(third)) == encode("Be brief.") + encode("Who?")
    assert infinite_hit_rate([first, second], 1) == pytest.approx(
        len(said[0]) / (first.prompt_tokens + second.prompt_tokens)
    )
    source = source_of(made.workload)
    assert (source.format, source.requests, source.left_out, source.timed) == ("sharegpt", 3, 1, False)


def test_a_conversation_runs_with_the_model_that_counted_it(tmp_path):
    made = written(tmp_path, FILES["sharegpt"], arrivals="constant", rate=100.0, duration=0.03, model="tiny")
    trace = engine.run(made.model_copy(update={"slots": 512, "max_model_len": 256}))
    pieces = [request.pieces[: request.prompt_tokens] for request in trace.requests]
    assert "".join(pieces[0]).strip() == "Four score and seven years ago"
    assert measure(trace.systems[0], trace.requests, (0.0, 9.0))["finished"] == 3


def test_a_prompt_of_vllm_s_benchmark_is_counted_and_256_tokens_are_answered_where_none_are_named(tmp_path):
    found = drawn(tmp_path, FILES["vllm-custom"], arrivals="constant", rate=1.0, duration=2.0)
    encode = load_tokenizer("tiny").encode
    assert [(a.prompt_tokens, a.output_tokens) for a in found] == [
        (len(encode("What is the capital of India?")), 10), (len(encode("And of Iran?")), 256)
    ]  # fmt: skip


def test_conversations_begin_again_under_new_names(tmp_path):
    found = drawn(tmp_path, FILES["sharegpt"], arrivals="constant", rate=1.0, duration=6.0)
    assert [a.prompt_tokens for a in found[:3]] == [a.prompt_tokens for a in found[3:]]
    assert infinite_hit_rate(found, 1) == pytest.approx(infinite_hit_rate(found[:3], 1))


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_of_texts_has_no_times(tmp_path, name):
    with pytest.raises(ScenarioError, match=r"arrivals is 'trace', but .* is a file without recorded times; valid is"):
        drawn(tmp_path, FILES[name])


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ([{"conversations": 3}], ["item 1", "conversations is 3", "a list of messages"]),
        ([{"conversations": [{"from": "human"}]}], ["has no field value"]),
        ([{"conversations": [{"from": "tool", "value": "x"}]}], ["from is 'tool'", "'human', 'user', 'gpt'"]),
        ([{"conversations": [{"from": ["gpt"], "value": "x"}]}], ["from is ['gpt']"]),
        ([{"conversations": [{"from": "human", "value": 5}]}], ["value is 5", "a text"]),
        ([{"conversations": []}], ["zero requests with a prompt and an answer, and 1 without"]),
        ([{"prompt": ""}], ["prompt is ''", "a text that is not empty"]),
        ([{"prompt": "a", "output_tokens": 0}], ["output_tokens is 0"]),
    ],
)
def test_texts_that_cannot_be_read_are_one_sentence(content, parts):
    said = refused(json.dumps(content))
    for part in parts:
        assert part in said


def test_a_model_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(ScenarioError, match="There is no model 'nobody'"):
        drawn(tmp_path, FILES["sharegpt"], arrivals="constant", model="nobody")


@pytest.mark.parametrize("wrap", ['[{{"conversations": [{}]}}]', '{{"conversations": [{}]}}'])
def test_more_values_than_are_taken_in_are_refused_before_they_are_read(wrap):
    said = refused(wrap.format(",".join(["[]"] * 1_000_001)))
    assert "values in JSON; at most 2,000,000 are taken in" in said
