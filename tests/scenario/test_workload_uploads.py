"""Uploaded traces: what is kept, under which word, for how long; and what each refusal says."""

import gzip
import json
import os

import pytest

from vizkv.scenario.code import from_code, to_code
from vizkv.scenario.schema import ScenarioError, from_dict, from_toml, to_toml
from vizkv.workload import draw, report, source_of, uploads

HEAD = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
GOOD = (HEAD + "0,10,3\n2.5,20,4\n").encode()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path))
    return tmp_path / "uploads"


def scenario(word, **workload):
    return from_dict({
        "systems": [{"kind": "paged"}], "slots": 16, "model": "none",
        "workload": {"lengths": word, "arrivals": "trace"} | workload,
    })  # fmt: skip


def refused(data, name="t.csv"):
    with pytest.raises(ScenarioError, match=r"^The trace [^\n]*\.$") as caught:
        uploads.keep(data.encode() if isinstance(data, str) else data, name)
    return str(caught.value)


def test_an_upload_is_named_by_its_content_alone():
    word = uploads.keep(GOOD, "one.csv")
    assert word == uploads.keep(GOOD, "two.csv") != uploads.keep(GOOD + b"3,1,1\n", "one.csv")
    assert uploads.path(word).read_bytes() == GOOD
    assert uploads.name_of(word) == "two.csv"


def test_an_upload_is_drawn_as_a_file_is_and_counts_what_cannot_run():
    made = scenario(uploads.keep(GOOD, "My trace (1).csv"))
    assert [(a.time_s, a.prompt_tokens, a.output_tokens) for a in draw(made.workload, made)] == [
        (0.0, 10, 3), (2.5, 20, 4)
    ]  # fmt: skip
    told = report(made.workload, made)
    assert (told.name, told.rows, told.requests, told.too_long, told.longest) == ("My-trace-1-.csv", 2, 2, 1, 23)
    assert source_of(made.workload).requests == 2


def test_an_upload_outlives_the_program():
    word = uploads.keep(GOOD, "t.csv")
    uploads._read.cache_clear()
    assert len(uploads.read(word)) == 2


def test_a_link_and_a_file_name_an_upload_and_come_back_equal():
    made = scenario(uploads.keep(GOOD, "t.csv"))
    assert from_code(to_code(made)) == made == from_toml(to_toml(made))


def test_a_link_may_name_an_upload_that_is_not_here_and_the_run_says_which():
    made = from_code(to_code(scenario("upload:0123456789abcdef")))
    with pytest.raises(ScenarioError, match=r"'upload:0123456789abcdef', an upload that is not on this machine.*again"):
        draw(made.workload, made)


@pytest.mark.parametrize(
    "word",
    ["upload:", "upload:../../secrets", "upload:0123456789ABCDEF", "upload:0123456789abcde", "upload:0123456789abcdef0",
     "upload:0123456789abcdef\n", "upload:0123456789abcd/*", " upload:0123456789abcdef", "upload:????????????????"],
)  # fmt: skip
def test_a_word_that_is_not_quite_an_uploads_names_no_file_and_no_link_carries_it(word, cache):
    uploads.keep(GOOD, "t.csv")
    with pytest.raises(ScenarioError, match="a link cannot carry"):
        to_code(scenario(word))
    with pytest.raises(ScenarioError, match="not on this machine"):
        uploads.path(word)


@pytest.mark.parametrize("change", ["{}*", "{}\n", "{}/../x", "{}.t.csv", "x{}", "{}0"])
def test_nothing_but_the_whole_word_finds_an_upload(change):
    word = change.format(uploads.keep(GOOD, "t.csv"))
    assert uploads.name_of(word) == word
    with pytest.raises(ScenarioError, match="not on this machine"):
        uploads.path(word)


@pytest.mark.parametrize("name", ["../../evil.csv", "a/b\\c:d.csv", "…", "", ".csv", "x" * 500, "a\0b.csv", "con\n"])
def test_no_name_of_a_file_leads_out_of_the_folder(name, cache):
    word = uploads.keep(GOOD, name)
    assert [file.parent for file in cache.iterdir()] == [uploads.path(word).parent] == [cache]
    assert len(uploads.read(word)) == 2


def test_the_oldest_go_when_there_are_too_many(monkeypatch, cache):
    monkeypatch.setattr(uploads, "KEPT", 3)
    words = []
    for i in range(3):
        words.append(uploads.keep(GOOD + f"9,{i + 1},1\n".encode(), "t.csv"))
        os.utime(uploads._find(words[-1]), (1000 + i, 1000 + i))
    uploads.path(words[0])  # used just now: no longer the oldest
    words.append(uploads.keep(GOOD, "t.csv"))
    assert [uploads._find(word) is not None for word in words] == [True, False, True, True]
    assert len(list(cache.iterdir())) == 3


def test_the_oldest_go_when_they_are_too_large(monkeypatch, cache):
    monkeypatch.setattr(uploads, "KEPT_BYTES", 2 * len(GOOD))
    for i in range(4):
        word = uploads.keep(GOOD[:-1] + f"{i}\n".encode(), "t.csv")
        assert uploads.path(word)
    assert len(list(cache.iterdir())) < 3


def test_what_cannot_be_written_is_a_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path / "file"))
    assert "cannot be kept on this machine" in refused(GOOD)


def test_an_upload_that_breaks_off_leaves_nothing(monkeypatch, cache):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    assert "No space left on device" in refused(GOOD)
    assert list(cache.iterdir()) == []


# ---- what is refused before it is kept ----

MILLION = ",".join(f"c{i}" for i in range(1_000_000))


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (
            "TIMESTAMP,Context,GeneratedTokens\n0,1,1\n",
            ["no field ContextTokens", "valid in the format azure are TIMESTAMP, ContextTokens"],
        ),
        (HEAD + "0,-3,1\n", ["line 2", "ContextTokens is '-3'", "from 1 to 4194304"]),
        (HEAD + "0,1,1\n1,NaN,1\n", ["line 3", "ContextTokens is 'NaN'", "a whole number"]),
        (HEAD + "NaN,1,1\n", ["line 2", "TIMESTAMP is 'NaN'"]),
        (HEAD + "0,,1\n", ["line 2", "ContextTokens is ''"]),
        ("", ["is empty"]),
        ("\n \n", ["is empty"]),
        (HEAD, ["zero requests; valid is at least one"]),
        (b"\x89PNG\r\n\x1a\n\0\0\0", ["binary file"]),
        (gzip.compress(GOOD), ["binary file", "packed with gzip", "unpacked"]),
        (b"PK\x03\x04....", ["binary file", "packed with zip", "unpacked"]),
        ((HEAD + "0,1,1 é\n").encode("latin-1"), ["UTF-8"]),
        (HEAD.encode("utf-16"), ["binary file"]),
        (MILLION + "\n", ["fields 'c0, c1", "no format is known", "burstgpt (Timestamp, Request tokens"]),
        (HEAD.strip() + "," + MILLION + "\n1,2,3\n", ["line 2", "3 cells", "1000003"]),
        ("0,1,1\n", ["fields '0, 1, 1'", "no format is known"]),
        ('{"timestamp": 0, "input_length": 0, "output_length": 1}', ["line 1", "input_length is 0"]),
        ('{"timestamp": 0, "input_length": NaN, "output_length": 1}', ["line 1", "input_length is nan"]),
        ('{"timestamp": 0, "input_length": 1}', ["no field output_length", "in the format mooncake"]),
        ('{"timestamp": 0, "input_length": 1025, "output_length": 1, "hash_ids": [1, 2]}', ["2 items", "valid is 3"]),
        ('[{"timestamp": 0}]', ["no field input_length", "in the format mooncake"]),
        ('[{"conversations": []}, 3]', ["item 2", "is 3", "a JSON object"]),
        ('[{"conversations": []}', ["is not JSON", "line 1"]),
        ("[" * 100_000, ["is not JSON", "nested too deeply"]),
        ("{" * 100_000, ["line 1", "one JSON object a line"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_file_that_is_no_trace_is_one_sentence_and_is_not_kept(data, parts, cache):
    said = refused(data, "their file.csv")
    assert said.startswith("The trace 'their file.csv'") and len(said) < 500
    for part in parts:
        assert part in said
    assert not cache.exists()


def test_a_file_of_200_mb_is_refused_unread(cache):
    said = refused(bytes(200_000_000), "huge.csv")
    assert said == "The trace 'huge.csv' has 200.0 MB; valid is an upload of at most 50 MB."
    assert not cache.exists()


def test_more_requests_than_anybody_could_run_are_refused(monkeypatch):
    monkeypatch.setattr("vizkv.workload.formats.base.MAX_WORKLOAD_REQUESTS", 2)
    assert "more than 2 requests" in refused(GOOD + b"3,1,1\n")
    lines = [json.dumps({"timestamp": 0, "input_length": 1, "output_length": 1})] * 3
    assert "more than 2 requests" in refused("\n".join(lines))
