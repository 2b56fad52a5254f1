"""`vizkv cache`: the page "Prefix cache" as a command."""

import json

import pandas as pd
import pytest

from vizkv import cli
from vizkv.scenario.presets import preset
from vizkv.scenario.schema import from_dict, from_toml, to_dict, to_toml
from vizkv.sweeps import prefix, store
from vizkv.sweeps.store import Store


def small(**more):
    """The example's conversations, forty seconds of them."""
    data = to_dict(preset("cache-conversations").scenario)
    data["workload"]["duration"] = 40.0
    return from_dict(data | more)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_default", Store(None))
    path = tmp_path / "small.toml"
    path.write_text(to_toml(small()))
    return path


def cached(file, *arguments):
    return cli.main(["cache", str(file), "--jobs", "1", *arguments])


def test_a_line_for_each_pool_and_block_size_and_a_sentence_about_the_scenarios_own(file, tmp_path, capsys):
    csv, parquet = tmp_path / "hits.csv", tmp_path / "hits.parquet"
    words = ["--pools", "16384,32768", "--sizes", "16,512", "--metric", "preemptions"]
    assert cached(file, *words, "--csv", str(csv), "--parquet", str(parquet)) == 0
    out, err = capsys.readouterr()
    assert err == ""  # nobody watches: no bar
    sentence, _, about, head, *rows = out.splitlines()
    assert head.split()[:2] == ["slots", "block_size"] and head.endswith("preemptions") and "the working set" in about
    one = pd.read_csv(csv)
    assert len(rows) == len(one) == len(pd.read_parquet(parquet)) == 4
    for row, found in zip(rows, one.itertuples(), strict=True):
        slots, block, hits, infinite, preempted = row.split()
        assert (int(slots), int(block)) == (found.slots, found.block_size) and int(preempted) == found.preemptions
        assert float(hits) == pytest.approx(found.hit_rate, abs=0.0051) and float(hits) <= float(infinite)
        assert float(infinite) == pytest.approx(prefix.infinite(prefix.with_cache(small()), int(block)), abs=0.0051)
    own = one[(one.slots == 32768) & (one.block_size == 16)].hit_rate.item()
    assert sentence.startswith(f"At 32,768 slots and blocks of 16 the cache finds {own:.1f} % of the prompt tokens")


@pytest.mark.parametrize(
    ("name", "words", "begins"),
    [
        ("hits.svg", ["--language", "zh"], b"<?xml"),
        ("hits.png", ["--theme", "dark", "--projector"], b"\x89PNG"),
        ("hits.pdf", [], b"%PDF"),
    ],
)
def test_the_chart_carries_the_sentence_and_what_was_varied(file, tmp_path, name, words, begins, capsys):
    out = tmp_path / name
    assert cached(file, "--pools", "8192,16384", "--sizes", "512", "--chart", str(out), *words) == 0
    drawn, told = out.read_bytes(), capsys.readouterr().out
    assert drawn.startswith(begins) and name in told
    if name == "hits.svg":
        assert told.splitlines()[0] in drawn.decode() and "slots=8192,16384, block_size=512" in drawn.decode()


def test_without_pools_they_stand_around_the_working_set(file, capsys):
    assert cached(file, "--sizes", "512") == 0
    pools = [int(row.split()[0]) for row in capsys.readouterr().out.splitlines()[4:]]
    fresh = prefix.demand(prefix.with_cache(small())).fresh
    assert pools == sorted(pools) and pools[0] < fresh < pools[-1] and small().slots in pools


def test_a_trace_beside_the_scenario_is_read(file, capsys):
    rows = [
        {"timestamp": 1000 * i, "input_length": 1200, "output_length": 8, "hash_ids": [0, 1, 10 + i]} for i in range(6)
    ]
    (file.parent / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    file.write_text(
        'slots = 8192\nmodel = "none"\n[[systems]]\nkind = "paged"\n'
        '[workload]\nlengths = "mine.jsonl"\narrivals = "trace"\nduration = 20.0\nwarmup = 0.0\n'
    )
    assert cached(file, "--pools", "8192", "--sizes", "16") == 0
    assert "6 requests with 7,200 prompt tokens" in capsys.readouterr().out
    (file.parent / "mine.jsonl").write_text(json.dumps(rows[0]) + "\n")
    assert cached(file, "--pools", "8192", "--sizes", "16") == 0
    assert "1 request with 1,200 prompt tokens" in capsys.readouterr().out  # what was counted before is another file's


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--sizes", "16,half"], "The axis block_size has the value 'half'"),
        (["--sizes", "0"], "block_size is 0"),
        (["--pools", "0"], "slots is 0"),
        (["--pools", ","], "The axis slots has no value"),
        (["--metric", "waste"], "The metric is 'waste'; valid is 'used',"),
        (["--chart", "hits.docx"], "The format is 'docx'; valid for chart:cache is 'svg', 'png' or 'pdf'"),
        (["--chart", "/nowhere/hits.svg"], "The file '/nowhere/hits.svg' cannot be written"),
        (["--csv", "/dev/null/x.csv"], "'/dev/null/x.csv' cannot be written"),
        (["--pools", "64", "--sizes", "128"], "block_size"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(file, arguments, named, capsys):
    assert cached(file, *arguments) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert named in err and err.count("\n") == 1 and out == ""


def test_a_scenario_without_a_workload_is_refused(tmp_path, capsys):
    path = tmp_path / "plain.toml"
    path.write_text(
        'slots = 64\nmodel = "none"\n[[systems]]\nkind = "paged"\n[[requests]]\nprompt_tokens = 5\noutput_tokens = 2\n'
    )
    assert cached(path) == cli.BAD_INPUT
    assert "The scenario has no [workload]; valid is one with a [workload]" in capsys.readouterr().err


def test_one_paged_system_with_a_cache_is_tried_whatever_the_scenario_has():
    mixed = from_toml(
        'slots = 4096\nmodel = "none"\n[[systems]]\nkind = "contiguous"\n[[systems]]\nkind = "paged"\nname = "Mine"\n'
        "block_size = 32\n[workload]\nduration = 5.0\nwarmup = 0.0\n"
    )
    (system,) = prefix.with_cache(mixed).systems
    assert system.kind == "paged" and system.prefix_caching and system.block_size == 32
    assert prefix.own(prefix.with_cache(mixed)) == (("slots", 4096), ("block_size", 32))
