"""What is too much is refused before it is unpacked, nested or replayed, in one sentence that names the limit."""

import io
import json
import struct
import tomllib
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from vizkv import lecture
from vizkv.engine import engine
from vizkv.limits import limits, readers
from vizkv.limits.readers import TooMuch, parse_array, parse_toml
from vizkv.replay import checked
from vizkv.replay.opening import opened
from vizkv.scenario import schema as scenario
from vizkv.scenario.code import from_code
from vizkv.scenario.schema import ScenarioError
from vizkv.trace import trace as traces
from vizkv.trace.trace import TraceError

PAGE = limits.PAGE


@pytest.fixture(scope="module")
def trace():
    return engine.run(scenario.from_dict({
        "slots": 64, "max_model_len": 32, "model": "none",
        "systems": [{"kind": "contiguous"}, {"kind": "paged", "block_size": 8}],
        "requests": [{"prompt_tokens": 9, "output_tokens": 5}],
    }))  # fmt: skip


def repacked(data, parts=(), drop=(), **header):
    """The file with other parts, and other fields in its header."""
    out, parts = io.BytesIO(), dict(parts)
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = parts.pop(name, None) or source.read(name)
            if name == "header.json" and header:
                content = json.dumps(json.loads(content) | header).encode()
            if name not in drop:
                target.writestr(name, content)
        for name, content in parts.items():
            target.writestr(name, content)
    return out.getvalue()


def column(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return json.loads(archive.read("header.json"))


def test_a_small_file_that_unpacks_to_very_much_is_not_unpacked(trace, monkeypatch):
    data = traces.save(trace)
    bomb = repacked(data, {"0/kinds.npy": column(np.zeros(60_000_000, np.uint8))})
    assert len(bomb) < 100_000

    def read(*_, **__):
        raise AssertionError("a part was unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "open", read)
    with pytest.raises(TraceError, match=r"bytes when it is unpacked; at most 50,331,648 are taken in\.$"):
        traces.load(bomb, PAGE)


def test_so_many_events_are_not_replayed(trace):
    events = PAGE.events + 1
    parts = {
        "0/offsets.npy": np.array([0, events]), "0/kinds.npy": np.zeros(events, np.uint8),
        "0/values.npy": np.zeros((5, events), np.int8), "0/late.npy": np.zeros(events, bool),
        "0/stranded.npy": np.zeros(1, bool), "0/time_s.npy": np.zeros(1), "0/places.npy": np.zeros(events, np.int8),
    }  # fmt: skip
    bomb = repacked(traces.save(trace), {name: column(array) for name, array in parts.items()})
    assert len(bomb) < 100_000
    with pytest.raises(TraceError, match="events; at most 400,000 are taken in"):
        traces.load(bomb, PAGE)


def test_so_many_steps_are_not_replayed(trace):
    steps = limits.MAX_STEPS + 1
    events = len(trace.systems[0].kinds)
    parts = {
        "0/offsets.npy": np.r_[np.zeros(steps, np.int64), events], "0/stranded.npy": np.zeros(steps, bool),
        "0/time_s.npy": np.zeros(steps),
    }  # fmt: skip
    bomb = repacked(traces.save(trace), {name: column(array) for name, array in parts.items()})
    with pytest.raises(TraceError, match="200,001 steps in a system; at most 200,000 are taken in"):
        traces.load(bomb, PAGE)


def test_so_many_writes_are_not_replayed(trace):
    system = trace.systems[0]
    spans = np.repeat([[0, 0, 150_000, 0, 0]], 100, axis=0)
    many = replace(trace, systems=(replace(system, spans=spans), *trace.systems[1:]))
    with pytest.raises(TraceError, match="events, writes and steps in all systems; at most 5,000,000 are taken in"):
        traces.load(traces.save(many), PAGE)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"systems": 13}, "13 systems; at most 12 are taken in"),
        ({"requests": limits.MAX_REQUESTS + 1}, "100,001 requests; at most 100,000 are taken in"),
        ({"slots": 65_537}, "65,537 slots in a system; at most 65,536 are taken in"),
        ({"vizkv": "9" * PAGE.header}, "bytes of its header; at most 8,388,608 are taken in"),
        ({"more": [0] * limits.MAX_VALUES}, "values in JSON; at most 2,000,000 are taken in"),
    ],
)
def test_a_header_of_too_much_names_the_limit(trace, changes, says):
    data = traces.save(trace)
    header = header_of(data)
    for name, value in changes.items():
        if name == "slots":
            header["systems"][1]["slots"] = value
        else:
            header[name] = header[name][:1] * value if isinstance(value, int) else value
    with pytest.raises(TraceError, match=says):
        traces.load(repacked(data, {"header.json": json.dumps(header, separators=(",", ":")).encode()}), PAGE)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "m" * 2000},
        {"requests": [["A" * 3_000_000, 9, 13, 0, [], 0]]},
        {"requests": [["A", 9, 10**400, 0, [], 0]]},
        {"requests": [["A", 9, 13, 10**400, [], 0]]},
        {"requests": [["A", -9, 13, 0, [], 0]]},
        {"requests": [["A\u202e\n", 9, 13, 0, [], 0]]},
        {"requests": [["A", 9, 13, 0, ["x" * 5000], 0]]},
    ],
)
def test_a_header_of_huge_texts_and_numbers_is_damaged(trace, change):
    with pytest.raises(TraceError, match=r"damaged\.$"):
        traces.load(repacked(traces.save(trace), **change), PAGE)


@pytest.mark.parametrize("deep", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "0" + "}" * 100_000])
def test_a_header_that_is_nested_too_deeply_is_damaged(trace, deep):
    with pytest.raises(TraceError, match=r"damaged\.$"):
        traces.load(repacked(traces.save(trace), {"header.json": deep.encode()}), PAGE)


def test_an_archive_of_very_many_entries_is_not_listed(trace, monkeypatch):
    data = bytearray(traces.save(trace))
    end = data.rfind(b"PK\x05\x06")
    struct.pack_into("<HH", data, end + 8, 60_000, 60_000)

    def listed(*_):
        raise AssertionError("the archive was listed")

    monkeypatch.setattr(zipfile, "ZipFile", listed)
    with pytest.raises(TraceError, match="60,000 entries; at most 1,000 are taken in"):
        traces.load(bytes(data), PAGE)


def test_a_part_that_is_packed_by_another_method_is_not_unpacked(trace):
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(traces.save(trace))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name))
    with pytest.raises(TraceError, match="not a complete vizkv trace"):
        traces.load(out.getvalue(), PAGE)


@pytest.mark.parametrize("shape", ["(1099511627776,)", "(3, 1099511627776)", "(-1,)", "(0,) * 9"])
def test_a_column_is_not_allocated_before_its_shape_is_compared_with_its_bytes(shape):
    head = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    with pytest.raises((ValueError, TypeError)):
        parse_array(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(24))


@pytest.mark.parametrize(("column", "value"), [(1, 2**40), (2, 2**40), (4, -2), (0, 2**60)])
def test_an_event_of_numbers_that_no_pool_has_is_refused(trace, column, value):
    system = trace.systems[1]
    values = system.values.copy()
    values[-1, column] = value
    broken = replace(trace, systems=(trace.systems[0], replace(system, values=values)))
    with pytest.raises(TraceError, match="damaged"):
        traces.load(traces.save(broken), PAGE)


def test_a_request_that_would_be_painted_beyond_the_pool_is_refused(trace):
    long = replace(trace.requests[0], final_slots=500)  # of 64 slots
    with pytest.raises(TraceError, match="contradict each other"):
        checked(traces.load(traces.save(replace(trace, requests=(long,))), PAGE))


def test_a_replay_that_takes_too_long_ends_with_a_sentence(trace):
    busy = trace
    for _ in range(7):  # enough events for a look at the clock
        kinds, values = (np.concatenate([getattr(busy.systems[0], n)] * 2) for n in ("kinds", "values"))
        late = np.concatenate([busy.systems[0].late] * 2)
        offsets = np.array([0, len(kinds), *[len(kinds)] * (busy.systems[0].steps - 1)])
        system = replace(
            busy.systems[0], kinds=np.zeros_like(kinds), values=np.zeros_like(values), late=late, offsets=offsets,
            places=np.zeros(len(kinds), np.int64),
        )  # fmt: skip
        busy = replace(busy, systems=(system, *busy.systems[1:]))
    with pytest.raises(TraceError, match="takes longer than -1 seconds"):
        checked(busy, -1)


def test_the_largest_run_of_the_paper_is_taken_in():
    paper = scenario.from_dict({
        "slots": 15_728, "model": "none", "systems": [{"kind": "paged"}],
        "workload": {"duration": 40.0, "warmup": 10.0},
    })  # fmt: skip
    trace, again = opened(traces.load(traces.save(engine.run(paper)), PAGE), PAGE)
    assert again == paper and trace.steps > 500


# ---- TOML ----


DEEP = ".".join("a" * (limits.MAX_KEY_PARTS + 2))


@pytest.mark.parametrize(
    "text",
    [
        f"{DEEP} = 1", f"[{DEEP}]", f"x = {{ {DEEP} = 1 }}", " . ".join("a" * 18) + "=1", '"a".' * 18 + "a=1",
        f'x = """a"""" # "\'\'\'\n{DEEP} = 1\n# \'\'\'', f"x = '''a'''' # '\"\"\"\n{DEEP} = 1\n# \"\"\"",
        f'x = "a\\"" # "\n{DEEP} = 1', f"x = 'a\\' # '\n{DEEP} = 1",
    ],
)  # fmt: skip
def test_a_key_of_many_parts_is_refused_wherever_it_stands(text):
    tomllib.loads(text)  # it is TOML: with some thousand parts it would take hours
    with pytest.raises(TooMuch, match="a key with more than 16 parts"):
        parse_toml(text)


@pytest.mark.parametrize("read", [scenario.from_toml, lecture.read])
def test_a_file_with_such_a_key_is_a_sentence(read):
    with pytest.raises(ScenarioError, match="a key with more than 16 parts"):
        read(".".join("a" * 200_000) + " = 1")


WORDS = st.text(st.sampled_from("ab.\"'#\\\n= []{},é"), max_size=40)
TABLES = st.recursive(
    st.dictionaries(WORDS, WORDS | st.integers(-9, 9) | st.lists(WORDS, max_size=3), max_size=3),
    lambda inner: st.dictionaries(WORDS, inner | st.lists(inner, max_size=2), max_size=3), max_leaves=6,
)  # fmt: skip


@given(TABLES)
def test_any_other_text_is_read_as_the_language_has_it(table):
    assert parse_toml(tomli_w.dumps(table)) == table
    assert parse_toml(tomli_w.dumps(table, multiline_strings=True)) == table


def test_a_prompt_full_of_dots_is_no_key():
    text = 'prompt = """\n' + "a.b.c.d " * 9 + "." * 40 + "a.b" * 40 + '"""\n'
    assert parse_toml(text) == tomllib.loads(text)


# ---- links ----


def test_a_links_code_of_very_many_values_is_a_sentence():
    import base64
    import zlib

    text = b"[" + b"[]," * 1_300_000 + b"[]]"
    packed = base64.urlsafe_b64encode(zlib.compress(text, 9)).decode().rstrip("=")
    with pytest.raises(ScenarioError, match="values in JSON; at most 2,000,000 are taken in"):
        from_code("1" + packed)
    assert readers.parse_json(b"[1, 2]") == [1, 2]
