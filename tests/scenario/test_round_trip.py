"""A scenario is the same as a file and as a link."""

import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkv.limits.limits import MAX_CODE, MAX_CODE_UNPACKED
from vizkv.scenario.code import from_code, to_code
from vizkv.scenario.schema import ScenarioError, from_dict, from_toml, load, resolve_lengths, to_toml

words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
counts = st.integers(1, 2**31 - 1)
positive = st.floats(0, 1000, exclude_min=True)


def some(**fields):
    return st.fixed_dictionaries({}, optional=fields)


contiguous = some(
    reserve=st.sampled_from(["max", "pow2", "pow2-total", "oracle", "multiple"]),
    multiple=counts,
    placement=st.sampled_from(["buddy", "first-fit", "best-fit", "ideal"]),
    unit=st.integers(1, 64),
    batching=st.sampled_from(["iteration", "static"]),
    name=words,
).map(lambda d: {"kind": "contiguous"} | d)
paged = some(
    block_size=st.integers(1, 32),
    prefix_caching=st.booleans(),
    recovery=st.sampled_from(["recompute", "swap"]),
    watermark=st.floats(0, 1, exclude_max=True),
    null_block=st.booleans(),
    free_order=st.permutations([1, 0]).map(lambda order: order[:1]) | st.just([]),
).map(lambda d: {"kind": "paged"} | d | ({"free_order": []} if d.get("null_block") else {}))
ids = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=5)
prompts = st.one_of(
    texts.map(lambda t: {"prompt": t}),
    st.integers(1, 50).map(lambda n: {"prompt_tokens": n}),
    ids.map(lambda i: {"prompt_token_ids": i}),
)
outputs = st.one_of(
    st.integers(1, 50).map(lambda n: {"output_tokens": n}),
    st.integers(50, 99).map(lambda n: {"final_slots": n}),
    ids.map(lambda i: {"output_token_ids": i}),
)
extras = some(
    arrival_step=st.integers(0, 99),
    samples=st.integers(1, 64),
    temperature=st.floats(0, 100),
    max_len=st.just(500),
)
requests = st.builds(lambda *parts: {k: v for p in parts for k, v in p.items()}, prompts, outputs, extras)
workloads = some(
    rate=st.floats(0, 100, exclude_min=True),
    duration=st.floats(0.1, 100),
    warmup=positive,
    iteration_ms=positive,
    token_ms=positive,
)
actions = st.lists(
    some(step=st.integers(0, 99)).map(lambda a: {"step": 0, "do": "shuffle"} | a)
    | st.integers(0, 99).map(lambda step: {"step": step, "do": "compact"}),
    max_size=3,
)
scenarios = st.builds(
    lambda top, systems, work: top | {"systems": systems} | work,
    some(
        name=words, slots=st.integers(64, 4_194_304), max_model_len=counts, max_num_seqs=st.integers(64, 2**31 - 1),
        max_num_batched_tokens=st.integers(64, 2**31 - 1), seed=st.integers(0, 2**63 - 1), model=texts,
        actions=actions,
    ),
    st.lists(contiguous | paged, min_size=1, max_size=4, unique_by=lambda s: s.get("name", object())),
    st.one_of(
        st.lists(requests, min_size=1, max_size=4).map(lambda r: {"requests": r}),
        workloads.map(lambda w: {"workload": w}),
    ),
)  # fmt: skip


@given(scenarios)
def test_a_scenario_comes_back_equal_from_its_file_and_from_its_link(data):
    scenario = from_dict(data)
    assert from_toml(to_toml(scenario)) == scenario
    assert from_code(to_code(scenario)) == scenario


@given(scenarios)
def test_a_link_is_made_of_letters_that_an_address_may_hold(data):
    assert set(to_code(from_dict(data))) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


EXAMPLE = from_dict({
    "systems": [{"kind": "paged"}, {"kind": "contiguous", "reserve": "oracle"}],
    "requests": [{"prompt": "Four score and seven years ago our", "final_slots": 500}],
})  # fmt: skip


def packed(text):
    return "1" + base64.urlsafe_b64encode(zlib.compress(text)).decode()


def sentence_about(code):
    """What is said about a link's code; "" if it means a scenario."""
    try:
        from_code(code)
    except ScenarioError as error:
        return str(error)
    return ""


@given(st.data())
def test_a_damaged_link_is_one_sentence_or_another_scenario_never_a_crash(data):
    code = to_code(EXAMPLE)
    at = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.characters())
    for damaged in (code[:at], code[:at] + other + code[at + 1 :], code[:at] + other + code[at:]):
        said = sentence_about(damaged)
        assert said == "" or (said.startswith("The ") and said.endswith(".") and "\n" not in said)


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("", "begins with ''"),
        ("2" + to_code(EXAMPLE)[1:], "begins with '2'"),
        (to_code(EXAMPLE)[:-4], "damaged"),
        (to_code(EXAMPLE) + "AAAA", "damaged"),
        ("1é", "damaged"),
        (packed(b"[" * 20_000), "damaged"),
        (packed(b"NaN"), "damaged"),
        (packed(b'{"slots": NaN}'), "damaged"),
        (packed(b"3"), "The scenario is 3"),
        (packed(b'{"slots": 3}'), "systems is missing"),
        ("1" * (MAX_CODE + 1), "at most 65536"),
        (packed(b" " * (MAX_CODE_UNPACKED + 1)), "unpacks to more than 4194304 bytes"),
    ],
    ids=str,
)
def test_a_link_that_means_nothing_is_one_sentence(code, part):
    with pytest.raises(ScenarioError, match=r"\.$") as caught:
        from_code(code)
    assert part in str(caught.value)


def test_a_link_cannot_make_the_machine_that_opens_it_read_a_file():
    with_file = {"systems": [{"kind": "paged"}], "workload": {"lengths": "trace.csv"}}
    with pytest.raises(ScenarioError, match="a link cannot carry"):
        to_code(from_dict(with_file))
    with pytest.raises(ScenarioError, match="a link cannot carry"):
        from_code(packed(json.dumps(with_file).encode()))


def test_a_scenario_too_long_for_a_link_says_so():
    long = from_dict({
        "systems": [{"kind": "paged"}],
        "requests": [{"prompt": f"{i * 7919 % 100_003:x}{i:x}", "output_tokens": 1 + i % 97} for i in range(12_000)],
    })  # fmt: skip
    with pytest.raises(ScenarioError, match="too long for a link"):
        to_code(long)


def test_a_trace_beside_the_scenario_file_is_found(tmp_path):
    (tmp_path / "trace.csv").write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n0,1,1\n")
    (tmp_path / "s.toml").write_text('[[systems]]\nkind = "paged"\n[workload]\nlengths = "trace.csv"\n')
    assert load(tmp_path / "s.toml").workload.lengths == str(tmp_path / "trace.csv")


@pytest.mark.parametrize(
    ("fields", "sampled"),
    [
        ({"final_slots": 500}, 494),
        ({"final_slots": 7}, 1),
        ({"output_tokens": 12}, 12),
        ({"output_token_ids": [5, 6]}, 2),
        ({"output_token_ids": [5, 6], "final_slots": 8}, 2),
    ],
)
def test_l_is_prompt_plus_sampled_minus_1(fields, sampled):
    (request,) = from_dict({"systems": [{"kind": "paged"}], "requests": [{"prompt": "text"} | fields]}).requests
    assert resolve_lengths(7, request) == sampled


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"final_slots": 6}, "final_slots = 6, but its prompt alone fills 7"),
        ({"output_token_ids": [5, 6], "final_slots": 9}, "disagree"),
        ({"output_tokens": 5, "max_len": 10}, "max_len = 10"),
    ],
)
def test_a_text_that_turns_out_too_long_is_one_sentence(fields, part):
    data = {"systems": [{"kind": "paged"}], "requests": [{"id": "A", "prompt": "text"} | fields]}
    with pytest.raises(ScenarioError, match=r"^The request 'A' has .*\.$") as caught:
        resolve_lengths(7, from_dict(data).requests[0])
    assert part in str(caught.value)
