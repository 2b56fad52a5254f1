"""A scenario that cannot be run is answered with one sentence: field, value, what is valid."""

import math

import pytest
import tomli_w

from tests.contract.program import vizkv
from vizkv.scenario.schema import ScenarioError, from_dict, from_toml, load


def scenario(**changes):
    """A small scenario that is in order, with changes to its top level."""
    return {
        "slots": 64,
        "systems": [{"kind": "paged", "block_size": 4}],
        "requests": [{"prompt_tokens": 3, "output_tokens": 2}],
    } | changes


def system(**fields):
    return scenario(systems=[fields])


def request(**fields):
    return scenario(requests=[fields])


def workload(**fields):
    return {"systems": [{"kind": "paged"}], "workload": fields}


PAGED = {"kind": "paged", "block_size": 4}
CONTIGUOUS = {"kind": "contiguous"}
LENGTHS = {"prompt_tokens": 4, "final_slots": 6}
OUTPUT = {"prompt_tokens": 4, "output_tokens": 3}
BRANCH = {"id": "a", "prompt_tokens": 2, "output_tokens": 3}


def branches(*some, **fields):
    return request(id="P", prompt_tokens=4, branches=list(some), **fields)


def action(**fields):
    return scenario(requests=[OUTPUT | {"id": "A"}], actions=[fields])


REFUSED = [
    (scenario(slotz=3), ["slotz", "3", "unknown", "did you mean slots?"]),
    (system(**PAGED, unit=4), ["systems[0].unit", "4", "unknown", "block_size"]),
    (request(**LENGTHS, output=3), ["requests[0].output", "unknown", "did you mean output_tokens?"]),
    (workload(lenghts="x"), ["workload.lenghts", "did you mean lengths?"]),
    (scenario(slots=True), ["slots", "true", "a whole number from 1 to 4194304"]),
    (scenario(slots=1.5), ["slots", "1.5", "a whole number"]),
    (scenario(slots="64"), ["slots", "'64'", "a whole number"]),
    (scenario(slots=0), ["slots", "0", "from 1 to"]),
    (scenario(slots=-5), ["slots", "-5", "from 1 to"]),
    (scenario(slots=10**9), ["slots", "1000000000", "to 4194304"]),
    (scenario(slots=10**5000), ["slots", "more than 40 digits"]),
    (scenario(seed=-1), ["seed", "-1", "from 0 to"]),
    (scenario(model=3), ["model", "3", "text"]),
    (scenario(name="a\nb"), ["name", "'a\\nb'", "on one line"]),
    (scenario(requests=[]), ["zero requests and no workload", "[[requests]]", "[workload]"]),
    (scenario(workload={}), ["both requests and a workload", "either"]),
    (scenario(requests=5), ["requests", "5", "a list"]),
    (scenario(requests=["A"]), ["requests[0]", "'A'", "a table"]),
    (scenario(systems=[]), ["systems", "[]", "1 to 12 tables"]),
    (scenario(systems=[PAGED] * 13), ["systems", "1 to 12 tables"]),
    ({"requests": [LENGTHS]}, ["systems", "missing", "1 to 12 tables"]),
    (system(), ["systems[0].kind", "missing", "'contiguous', 'paged' or 'virtual'"]),
    (system(kind="page"), ["systems[0].kind", "'page'", "'contiguous', 'paged' or 'virtual'"]),
    (
        system(**CONTIGUOUS, reserve="maximum"),
        ["systems[0].reserve", "'maximum'", "'max', 'pow2', 'pow2-total', 'oracle' or 'multiple'"],
    ),
    (system(**CONTIGUOUS, placement="slab"), ["systems[0].placement", "'slab'", "'ideal'"]),
    (system(**CONTIGUOUS, multiple=0), ["systems[0].multiple", "0", "from 1 to"]),
    (system(**CONTIGUOUS, unit=65), ["systems[0].unit", "65", "1 to 64"]),
    (system(kind="paged", block_size=65), ["systems[0].block_size", "65", "1 to 64"]),
    (system(kind="paged", block_size=64, null_block=True), ["systems[0].block_size", "64", "1 to 32"]),
    (scenario(slots=1, systems=[{"kind": "paged", "block_size": 1, "null_block": True}]), ["null_block", "at least 2"]),
    (system(**PAGED, prefix_caching="yes"), ["systems[0].prefix_caching", "'yes'", "true or false"]),
    (system(**PAGED, prefix_caching=1), ["systems[0].prefix_caching", "1", "true or false"]),
    (system(**PAGED, watermark=True), ["systems[0].watermark", "true", "a number from 0 to below 1"]),
    (system(**PAGED, watermark=1.0), ["systems[0].watermark", "1.0", "below 1"]),
    (system(**PAGED, watermark=math.nan), ["systems[0].watermark", "nan", "below 1"]),
    (system(**PAGED, free_order=[1, 1]), ["systems[0].free_order", "[1, 1]", "0 to 15"]),
    (system(**PAGED, free_order=[16]), ["systems[0].free_order", "[16]", "0 to 15"]),
    (system(**PAGED, free_order=[True]), ["systems[0].free_order[0]", "true", "a whole number"]),
    (scenario(systems=[PAGED | {"name": "P"}] * 2), ["Two systems", "'P'", "different name"]),
    (scenario(requests=[LENGTHS | {"id": "A"}] * 2), ["Two requests", "'A'", "different id"]),
    (request(**LENGTHS, id=" A"), ["requests[0].id", "' A'", "on one line"]),
    (request(**LENGTHS, arrival_step=-1), ["requests[0].arrival_step", "-1", "from 0 to"]),
    (request(**LENGTHS, prompt="Four"), ["requests[0]", "exactly one of", "prompt and prompt_tokens"]),
    (request(id="A", output_tokens=3), ["requests[0] ('A')", "exactly one of prompt,", "it has none"]),
    (request(id="A", prompt_tokens=3), ["requests[0] ('A')", "exactly one of output_tokens,", "it has none"]),
    (request(**LENGTHS, output_tokens=3), ["exactly one of output_tokens", "output_tokens and final_slots"]),
    (request(prompt="", output_tokens=3), ["empty prompt", "at least one token"]),
    (request(prompt="\ud800", output_tokens=3), ["requests[0].prompt", "text"]),
    (request(prompt_token_ids=[], output_tokens=3), ["empty prompt_token_ids", "at least one token"]),
    (request(prompt_token_ids=[1, -2], output_tokens=3), ["requests[0].prompt_token_ids[1]", "-2", "from 0 to"]),
    (request(prompt_tokens=3, output_token_ids=[]), ["empty output_token_ids", "at least one token"]),
    (request(prompt_tokens=7, final_slots=6), ["final_slots = 6", "its prompt alone fills 7", "at least 7"]),
    (request(prompt_token_ids=[1, 2], final_slots=1), ["final_slots = 1", "at least 2"]),
    (
        request(prompt_tokens=7, final_slots=9, output_token_ids=[1, 2]),
        ["2 output_token_ids", "final_slots = 9", "final_slots = 8", "3 ids"],
    ),
    (request(**LENGTHS, max_len=5), ["max_len = 5", "6 slots"]),
    (request(**LENGTHS, samples=0), ["requests[0].samples", "0", "from 1 to 64"]),
    (request(**LENGTHS, beam_width=65), ["requests[0].beam_width", "65", "from 1 to 64"]),
    # several sequences of one request
    (request(**OUTPUT, samples=65), ["requests[0].samples", "65", "from 1 to 64"]),
    (request(**OUTPUT, samples=True), ["requests[0].samples", "true", "a whole number"]),
    (request(**OUTPUT, samples=2, beam_width=2), ["samples and beam_width", "valid is one of"]),
    (branches(BRANCH, beam_width=2), ["beam_width and branches", "valid is one of"]),
    (request(**OUTPUT, temperature=-0.5), ["requests[0].temperature", "-0.5", "from 0 to 100"]),
    (request(**OUTPUT, temperature=101), ["requests[0].temperature", "101", "from 0 to 100"]),
    (request(**OUTPUT, temperature="1.0"), ["requests[0].temperature", "'1.0'", "a number from 0"]),
    (request(**OUTPUT, temperature=True), ["requests[0].temperature", "true", "a number from 0"]),
    (request(**OUTPUT, temperature=math.nan), ["requests[0].temperature", "nan", "from 0"]),
    (request(prompt_tokens=4, sample_token_ids=[]), ["sample_token_ids", "[]", "samples = 1 lists"]),
    (request(prompt_tokens=4, sample_token_ids=[[]]), ["sample_token_ids", "[0]", "at least one"]),
    (request(prompt_tokens=4, samples=2, sample_token_ids=[[1]]), ["sample_token_ids", "[1]", "samples = 2 lists"]),
    (
        request(prompt_tokens=4, samples=2, sample_token_ids=[[1], [1, 2]]),
        ["sample_token_ids", "[1, 2]", "equally many tokens"],
    ),
    (
        request(prompt_tokens=4, samples=2, sample_token_ids=[[1], [-1]]),
        ["requests[0].sample_token_ids[1][0]", "-1", "from 0 to"],
    ),
    (request(**OUTPUT, samples=1, sample_token_ids=[[1]]), ["sample_token_ids and output_tokens", "one of the two"]),
    (request(prompt_tokens=4, beam_width=2, sample_token_ids=[[1]]), ["sample_token_ids and beam_width", "samples"]),
    (branches(BRANCH, sample_token_ids=[[1]]), ["'P'", "sample_token_ids and branches", "with samples"]),
    (request(prompt_tokens=4, beam_width=2), ["exactly one of output_tokens", "it has none"]),
    (
        request(prompt_tokens=4, beam_width=2, output_token_ids=[1]),
        ["beam_width and output_token_ids", "output_tokens"],
    ),
    (request(**OUTPUT, beam_parents=[[0]]), ["beam_parents without a beam_width"]),
    (request(**OUTPUT, beam_width=2, beam_parents=5), ["requests[0].beam_parents", "5", "a list"]),
    (request(**OUTPUT, beam_width=2, beam_parents=[5]), ["requests[0].beam_parents[0]", "5", "a list"]),
    (request(**OUTPUT, beam_width=2, beam_parents=[["x", 0]]), ["requests[0].beam_parents[0][0]", "'x'", "from 0 to"]),
    (request(**OUTPUT, beam_width=2, beam_parents=[["1", 0]]), ["requests[0].beam_parents[0][0]", "'1'", "from 0 to"]),
    (request(**OUTPUT, beam_width=2, beam_parents=[[True, 0]]), ["beam_parents[0][0]", "true", "a whole number"]),
    (request(**OUTPUT, beam_width=2, beam_parents=[[-1, 0]]), ["beam_parents[0][0]", "-1", "from 0 to"]),
    (request(**OUTPUT, beam_width=2, beam_parents=[[0]]), ["[0] in beam_parents", "2 beams from 0 to 1"]),
    (request(**OUTPUT, beam_width=2, beam_parents=[[0, 2]]), ["[0, 2] in beam_parents", "2 beams from 0 to 1"]),
    (branches(5), ["requests[0].branches[0]", "5", "a table"]),
    (branches({"prompt_tokens": 2, "output_tokens": 3}), ["requests[0].branches[0].id", "missing", "text"]),
    (branches(BRANCH | {"id": ""}), ["requests[0].branches[0]", "empty id", "no other request"]),
    (branches({"id": "a", "output_tokens": 3}), ["requests[0].branches[0] ('a')", "exactly one of prompt,"]),
    (branches({"id": "a", "prompt_tokens": 3}), ["requests[0].branches[0] ('a')", "exactly one of output_tokens,"]),
    (branches(BRANCH | {"samples": 2}), ["requests[0].branches[0].samples", "unknown", "output_tokens"]),
    (branches(BRANCH, output_tokens=3), ["branches and output_tokens", "in each branch"]),
    (branches(BRANCH, BRANCH), ["Two sequences", "'a'", "different id"]),
    (scenario(requests=[OUTPUT | {"id": "a"}, {"prompt_tokens": 4, "branches": [BRANCH]}]), ["Two sequences", "'a'"]),
    (scenario(requests=[OUTPUT | {"samples": 2, "id": "A"}, OUTPUT | {"id": "A2"}]), ["Two sequences", "'A2'"]),
    (
        scenario(requests=[OUTPUT | {"samples": 5}], max_num_seqs=4),
        ["The table requests[0]", "5 sequences", "max_num_seqs = 4", "at least 5"],
    ),
    (
        scenario(requests=[OUTPUT | {"beam_width": 5}], max_num_batched_tokens=4),
        ["requests[0]", "5 sequences", "max_num_batched_tokens = 4", "at least 5"],
    ),
    (
        scenario(requests=[OUTPUT | {"beam_width": 2}], systems=[PAGED, CONTIGUOUS]),
        ["requests[0].beam_width", "2", "'Orca (Max)'", "does not share memory"],
    ),
    # recovery, and what is done by hand
    (system(**PAGED, recovery="swapping"), ["systems[0].recovery", "'swapping'", "'recompute' or 'swap'"]),
    (system(**CONTIGUOUS, recovery="swap"), ["systems[0].recovery", "'swap'", "unknown"]),
    (scenario(actions=5), ["actions", "5", "a list"]),
    (scenario(actions=[5]), ["actions[0]", "5", "a table"]),
    (action(do="shuffle"), ["actions[0].step", "missing", "a whole number from 0"]),
    (action(step=1), ["actions[0].do", "missing", "'shuffle', 'repoint' or 'compact'"]),
    (action(step=1, do="shake"), ["actions[0].do", "'shake'", "'shuffle', 'repoint' or 'compact'"]),
    (action(step=-1, do="shuffle"), ["actions[0].step", "-1", "from 0 to"]),
    (action(step=1, do="repoint"), ["actions[0]", "with none", "request, index and block together"]),
    (action(step=1, do="repoint", request="A", index=0), ["actions[0]", "request and index", "together"]),
    (action(step=1, do="compact", block=3), ["actions[0]", '"compact" with block', '"repoint" only']),
    (action(step=1, do="repoint", request="B", index=0, block=0), ["actions[0].request", "'B'", "'A'"]),
    (action(step=1, do="repoint", request="A", index=0, block=-1), ["actions[0].block", "-1", "from 0 to"]),
    (action(step=1, do="repoint", request="A", index=True, block=1), ["actions[0].index", "true", "from 0 to"]),
    (
        workload() | {"actions": [{"step": 1, "do": "repoint", "request": "A", "index": 0, "block": 0}]},
        ["actions[0].request", "'A'", "[[requests]]"],
    ),
    (scenario(requests=[{"prompt_tokens": 4_000_000, "output_tokens": 9}] * 6), ["24000048 slots", "at most 20000000"]),
    (workload(rate=0), ["workload.rate", "0", "above 0"]),
    (workload(rate=math.inf), ["workload.rate", "inf", "above 0 and at most 10000"]),
    (workload(rate=True), ["workload.rate", "true", "a number"]),
    (workload(rate=10_000, duration=1000), ["rate = 10000", "duration = 1000", "at most 100000"]),
    (workload(arrivals="burst"), ["workload.arrivals", "'burst'", "'poisson' or 'trace'"]),
    (workload(lengths=3), ["workload.lengths", "3", "text"]),
    ({"systems": [PAGED], "workload": 3}, ["workload", "3", "a table"]),
    (3, ["scenario", "3", "a table"]),
]
JARGON = (
    "Input should",
    "Value error",
    "validation",
    "pydantic",
    "type=",
    "Traceback",
    "None",
    "model_",
    "dict",
    "tuple",
)


@pytest.mark.parametrize(("data", "parts"), REFUSED, ids=lambda value: value[0] if isinstance(value, list) else "")
def test_nonsense_is_answered_with_field_value_and_what_is_valid(data, parts):
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    sentence = str(caught.value)
    for part in parts:
        assert part in sentence
    assert not [word for word in JARGON if word in sentence.replace("max_model_len", "")]
    assert sentence[0].isupper() and sentence.endswith(".") and "\n" not in sentence and len(sentence) < 400


@pytest.mark.parametrize(
    "text",
    [
        "slots =",
        "slots = 1\nslots = 2",
        "a = " + "[" * 5000,
        "slots = " + "9" * 5000,
        "slots = 0x",
        "\0",
    ],
    ids=["no value", "twice", "nested", "digits", "hex", "null"],
)
def test_text_that_is_no_toml_is_one_sentence(text):
    with pytest.raises(ScenarioError, match=r"^The file is not (valid TOML|a scenario): [^\n]*\.$"):
        from_toml(text)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    with pytest.raises(ScenarioError, match="No such file"):
        load(tmp_path / "missing.toml")
    with pytest.raises(ScenarioError, match="directory"):
        load(tmp_path)
    with pytest.raises(ScenarioError, match="not one that a file can have"):
        load("a\0b")
    (tmp_path / "picture.toml").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ScenarioError, match="not text"):
        load(tmp_path / "picture.toml")


def test_a_file_with_windows_line_ends_and_a_byte_order_mark_is_read(tmp_path):
    text = '\ufeffslots = 8\r\n[[systems]]\r\nkind = "paged"\r\nblock_size = 4\r\n[[requests]]\r\nprompt_tokens = 1\r\n'
    (tmp_path / "a.toml").write_bytes((text + "output_tokens = 1\r\n").encode())
    assert load(tmp_path / "a.toml").slots == 8


def test_swapping_samples_and_beams_are_part_of_the_format():
    data = system(**PAGED, recovery="swap") | {"requests": [LENGTHS | {"samples": 2}, LENGTHS | {"beam_width": 4}]}
    assert [r.samples for r in from_dict(data).requests] == [2, 1]


def test_requests_without_an_id_get_letters_that_nobody_else_has():
    requests = [LENGTHS, LENGTHS | {"id": "A"}, *[LENGTHS] * 26]
    ids = [r.id for r in from_dict(scenario(requests=requests)).requests]
    assert ids[:3] == ["B", "A", "C"]
    assert ids[-2:] == ["AA", "AB"]


REFUSED_BY_THE_COMMAND = [
    (scenario(requests=[OUTPUT | {"samples": 5}], max_num_seqs=4), "max_num_seqs = 4"),
    (request(prompt_tokens=4, beam_width=2, sample_token_ids=[[1]]), "sample_token_ids and beam_width"),
    (request(**OUTPUT, beam_width=2, beam_parents=[["x", 0]]), "beam_parents[0][0] is 'x'"),
    (branches({"id": "a", "prompt_tokens": 2, "final_slots": 5}), "its prompt alone fills 6"),
    (action(step=0, do="repoint", request="A", index=0, block=1), "At step 0 'A' holds no blocks"),
    (action(step=70, do="repoint", request="A", index=0, block=1), "At step 70 'A' holds no blocks"),
    (action(step=1, do="repoint", request="A", index=0, block=16), "The action's block is 16; valid is 0 to 15"),
]


@pytest.mark.parametrize(("data", "says"), REFUSED_BY_THE_COMMAND, ids=[says for _, says in REFUSED_BY_THE_COMMAND])
def test_the_command_answers_with_one_sentence_and_exit_code_2(tmp_path, data, says):
    (tmp_path / "bad.toml").write_text(tomli_w.dumps(data | {"model": "none"}), encoding="utf-8")
    answer = vizkv("run", str(tmp_path / "bad.toml"))
    assert answer.code == 2
    assert says in answer.err
    assert answer.err.strip().count("\n") == 0
    assert answer.out == ""


def test_a_made_up_id_is_not_a_branchs():
    some = [{"prompt_tokens": 2, "branches": [BRANCH | {"id": "A"}, BRANCH | {"id": "B"}]}, OUTPUT]
    assert [r.id for r in from_dict(scenario(requests=some)).requests] == ["C", "D"]


def test_systems_that_would_have_the_same_name_are_told_apart_by_what_differs():
    systems = [PAGED, PAGED | {"prefix_caching": True}, {"kind": "contiguous"}, PAGED]
    labels = [s.label for s in from_dict(scenario(systems=systems)).systems]
    assert labels == [
        "PagedAttention, blocks of 4",
        "PagedAttention, blocks of 4, prefix cache",
        "Orca (Max)",
        "PagedAttention, blocks of 4 (2)",
    ]
