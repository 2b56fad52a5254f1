"""A trace is one file that loads again as it was saved; anything else gets one sentence."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkv.engine import engine
from vizkv.replay import checked
from vizkv.scenario import schema as scenario
from vizkv.trace import trace as traces
from vizkv.trace.trace import TraceError
from vizkv.views.facts import records


@pytest.fixture(scope="module")
def trace():
    return engine.run(
        scenario.from_dict(
            {
                "slots": 256,
                "max_model_len": 128,
                "model": "none",
                "systems": [{"kind": "contiguous"}, {"kind": "paged", "block_size": 8}],
                "requests": [{"prompt_tokens": 9, "output_tokens": 30}, {"prompt_tokens": 40, "output_tokens": 3}] * 2,
            }
        )
    )


def test_a_saved_trace_loads_as_it_was(trace):
    loaded = traces.load(traces.save(trace))
    assert list(records.records(loaded)) == list(records.records(trace))
    assert loaded.scenario == trace.scenario
    assert loaded.requests == trace.requests
    assert [s.tokens for s in loaded.systems] == [s.tokens for s in trace.systems]


def test_the_same_run_gives_the_same_bytes(trace):
    assert traces.save(trace) == traces.save(trace)


def rewritten(data: bytes, **header) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "header.json":
                content = json.dumps(json.loads(content) | header).encode()
            target.writestr(name, content)
    return out.getvalue()


def test_a_newer_version_is_named(trace):
    with pytest.raises(TraceError, match="format version 99; this vizkv reads versions 2 to 4"):
        traces.load(rewritten(traces.save(trace), format_version=99))


def test_a_file_of_the_version_before_loads(trace):
    """Version 2 had every event in its columns, and no spans."""
    plain = engine.run(scenario.from_dict(trace.scenario), plain=True)
    loaded = traces.load(rewritten(traces.save(plain), format_version=2))
    assert list(records.records(loaded)) == list(records.records(trace))


def test_a_trace_of_lengths_only_keeps_its_spans(trace):
    loaded = traces.load(traces.save(trace))
    for before, after in zip(trace.systems, loaded.systems, strict=True):
        assert len(before.spans)
        assert (after.spans == before.spans).all()
        assert (after.places == before.places).all()
        assert all(isinstance(tokens, range) for tokens in after.tokens)


@pytest.mark.parametrize(("row", "column", "value"), [(0, 0, 99), (0, 1, 10**6), (1, 2, 10**6), (0, 3, -1), (1, 1, 0)])
def test_spans_that_contradict_the_rest_are_refused(trace, row, column, value):
    system = trace.systems[0]
    spans = system.spans.copy()
    spans[row, column] = value
    spans[0, 1] += column == 1 and row == 1  # out of order
    broken = replace(trace, systems=(replace(system, spans=spans), *trace.systems[1:]))
    with pytest.raises(TraceError, match="contradict"):
        traces.load(traces.save(broken))


def test_another_zip_is_not_a_trace(trace):
    with pytest.raises(TraceError, match="not a vizkv trace"):
        traces.load(rewritten(traces.save(trace), format="holiday photos"))


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", bytes(1000)])
def test_something_else_gets_a_sentence(data):
    with pytest.raises(TraceError, match="not a complete vizkv trace"):
        traces.load(data)


@given(cut=st.floats(0.01, 0.99))
def test_a_trace_that_is_cut_short_gets_a_sentence(trace, cut):
    data = traces.save(trace)
    with pytest.raises(TraceError):
        traces.load(data[: int(len(data) * cut)])


def test_columns_that_contradict_each_other_are_refused(trace):
    data = traces.save(trace)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read("0/late.npy" if name == "0/kinds.npy" else name))
        # a column of another system's length
    broken = out.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(broken)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read("1/offsets.npy" if name == "0/offsets.npy" else name))
    with pytest.raises(TraceError, match="contradict each other"):
        traces.load(out.getvalue())


def with_columns(data: bytes, **columns) -> bytes:
    """The file with other columns of the first system."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = io.BytesIO(source.read(name))
            if (column := name.removeprefix("0/").removesuffix(".npy")) in columns:
                changed = columns[column](np.load(content))
                content = io.BytesIO()
                np.save(content, changed)
            target.writestr(name, content.getvalue())
    return out.getvalue()


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("values", lambda a: a.astype(float)),
        ("values", lambda a: a[:4]),
        ("spans", lambda a: a.reshape(-1)[:-1]),
        ("token_counts", lambda a: a[:-1]),
        ("time_s", lambda a: a * np.nan),
        ("offsets", lambda a: a.astype(complex)),
    ],
)
def test_columns_of_another_kind_or_shape_are_a_sentence(trace, column, change):
    with pytest.raises(TraceError, match=r"damaged\.$"):
        traces.load(with_columns(traces.save(trace), **{column: change}))


@pytest.mark.parametrize(
    "change",
    [
        {"systems": []},
        {"requests": [["A", 9, 38, 0.0, [3], -1]] * 4},
        {"requests": [[None, 9, 38, 0.0, [], -1]] * 4},
        {"requests": [["A", 9, 38, float("nan"), [], -1]] * 4},
    ],
)
def test_a_header_of_other_things_is_a_sentence(trace, change):
    with pytest.raises(TraceError, match=r"damaged\.$"):
        traces.load(rewritten(traces.save(trace), **change))


@pytest.mark.parametrize("change", [{"slots": 2**50}, {"slots": "x"}, {"kind": "ring"}, {"detail": {}}])
def test_a_system_of_other_things_is_a_sentence(trace, change):
    data = traces.save(trace)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        systems = json.loads(archive.read("header.json"))["systems"]
    with pytest.raises(TraceError, match=r"damaged\.$"):
        checked(traces.load(rewritten(data, systems=[systems[0] | change, *systems[1:]])))
