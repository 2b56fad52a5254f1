"""A scenario that cannot be run is answered with one sentence: field, value, what is valid."""

import math

import pytest

from vizkv.scenario import ScenarioError, from_dict, from_toml, load


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
    (system(), ["systems[0].kind", "missing", "'contiguous' or 'paged'"]),
    (system(kind="page"), ["systems[0].kind", "'page'", "'contiguous' or 'paged'"]),
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


def test_what_a_later_version_runs_is_accepted_by_the_format():
    """Swapping, parallel samples and beams belong to the file's contract; that they cannot be run, the run says."""
    data = system(**PAGED, recovery="swap") | {"requests": [LENGTHS | {"samples": 2}, LENGTHS | {"beam_width": 4}]}
    assert [r.samples for r in from_dict(data).requests] == [2, 1]


def test_requests_without_an_id_get_letters_that_nobody_else_has():
    requests = [LENGTHS, LENGTHS | {"id": "A"}, *[LENGTHS] * 26]
    ids = [r.id for r in from_dict(scenario(requests=requests)).requests]
    assert ids[:3] == ["B", "A", "C"]
    assert ids[-2:] == ["AA", "AB"]


def test_systems_that_would_have_the_same_name_are_told_apart_by_what_differs():
    systems = [PAGED, PAGED | {"prefix_caching": True}, {"kind": "contiguous"}, PAGED]
    labels = [s.label for s in from_dict(scenario(systems=systems)).systems]
    assert labels == [
        "PagedAttention, blocks of 4",
        "PagedAttention, blocks of 4, prefix cache",
        "Orca (Max)",
        "PagedAttention, blocks of 4 (2)",
    ]
