"""`vizkv export --what chart:vectors` and `chart:attention`: what lies in the memory, with the model run again."""

import re

import numpy as np
import pytest

from vizkv import cli
from vizkv.engine import engine
from vizkv.export import figures
from vizkv.scenario.schema import from_toml
from vizkv.trace import trace
from vizkv.views.charts import heat

# A and B run side by side, C comes when they are done; the paged system is the second one
TOML = """
slots = 64
max_model_len = 32
{model}
[[systems]]
kind = "contiguous"
{paged}
[[requests]]
prompt = "Four score and seven"
final_slots = 16
[[requests]]
prompt = "It was"
final_slots = 7
arrival_step = 2
[[requests]]
prompt = "Call me"
final_slots = 6
arrival_step = 20
"""
PAGED = '[[systems]]\nkind = "paged"\nblock_size = 4'


@pytest.fixture(scope="module")
def run():
    return engine.run(from_toml(TOML.format(model="", paged=PAGED)))


@pytest.fixture
def saved(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.vizkv"
    path.write_bytes(trace.save(run))
    return path


def export(file, what, *words):
    return cli.main(["export", str(file), "--what", f"chart:{what}", *words])


@pytest.mark.parametrize(
    ("what", "words", "begins", "told"),
    [
        ("vectors", ["--request", "A", "--position", "5", "-o", "x.svg", "--caption"], b"<?xml", "5 // 4 = 1"),
        ("vectors", ["--language", "zh", "--theme", "dark", "-o", "x.png"], b"\x89PNG", "块表第"),
        ("attention", ["--request", "B", "--projector", "-o", "x.pdf"], b"%PDF", "mean of all heads"),
        ("attention", ["--layer", "2", "--head", "1", "-o", "x.svg"], b"<?xml", "layer 2, head 1"),
    ],
)
def test_it_is_written_and_told_whose_it_is(saved, what, words, begins, told, capsys):
    assert export(saved, what, "--step", "4", *words) == 0
    written = (saved.parent / words[words.index("-o") + 1]).read_bytes()
    assert written.startswith(begins) and told in capsys.readouterr().out
    if "--caption" in words:
        assert told in written.decode() and "PagedAttention: kind" in written.decode()


def test_the_numbers_are_those_that_lie_in_the_pool(saved, run, monkeypatch):
    drawn = {}
    monkeypatch.setattr(heat, "vectors", lambda kv, *_, was=heat.vectors: drawn.update(kv=kv) or was(kv, *_))
    monkeypatch.setattr(heat, "attention", lambda w, *_, was=heat.attention: drawn.update(w=w) or was(w, *_))
    assert export(saved, "vectors", "--request", "B", "--position", "1", "--step", "3") == 0
    peek = engine.peek(from_toml(TOML.format(model="", paged=PAGED)), None, 3)
    (b,) = (s for s in peek.sequences(1).values() if s.index == 1)
    slot = b.block_table[0] * 4 + 1
    assert np.array_equal(drawn["kv"], peek.pool(1)[:, :, slot].transpose(0, 1).numpy())
    for which, part in (
        ([], (slice(None), slice(None))),
        (["--layer", "1", "--head", "2"], (slice(0, 1), slice(1, 2))),
    ):
        assert export(saved, "attention", "--request", "B", "--step", "3", *which) == 0
        newest = b.tokens[b.written - 1]
        whole = peek.attention(1, newest, b.written - 1, list(b.block_table), 4)
        assert np.allclose(drawn["w"], whole[part].mean((0, 1))) and drawn["w"].sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("what", "words", "named"),
    [
        ("vectors", ["--request", "B", "--step", "1"], "Request 'B' holds no slot of PagedAttention at step 1; .* 2-"),
        (
            "attention",
            ["--step", "16"],
            r"No request holds a slot of PagedAttention at step 16; some do at steps 0-\d+, 20-",
        ),
        (
            "vectors",
            ["--request", "A", "--position", "14", "--step", "3"],
            "position is 14, which 'A' .* valid is 0 to ",
        ),
        ("vectors", ["--request", "A", "--position", "77"], "position is 77; valid for this run is 0 to 15"),
        ("attention", ["--layer", "9"], "The layer is 9; valid for the model 'tiny' is 1 to 4"),
        ("attention", ["--head", "7"], "The head is 7; valid for the model 'tiny' is 1 to 6"),
        ("attention", ["--step", "900"], "The step is 900, which this run does not have; valid is 0 to "),
        ("pie", [], "The chart is 'pie'; valid for this run is 'over-time', .*'vectors' or 'attention'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_not_there_is_one_sentence_that_says_what_is(saved, what, words, named, capsys):
    assert export(saved, what, "-o", "x.svg", *words) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert re.search(named, err) and err.count("\n") == 1 and out == "" and not (saved.parent / "x.svg").exists()


@pytest.mark.parametrize(
    ("model", "paged", "named"),
    [
        ('model = "none"', PAGED, "this run is of lengths only; valid for this run is 'over-time'"),
        ("", "", "no system of this run is paged; valid for this run is 'over-time'"),
    ],
)
@pytest.mark.parametrize("what", figures.INNER)
def test_a_run_without_a_model_or_without_blocks_says_so(what, model, paged, named, tmp_path, capsys):
    file = tmp_path / "other.toml"
    file.write_text(TOML.format(model=model, paged=paged).replace("arrival_step = 20", "arrival_step = 3"))
    assert export(file, what, "-o", str(tmp_path / "x.svg")) == cli.BAD_INPUT
    err = capsys.readouterr().err
    assert f"'{what}'" in err and named in err and err.count("\n") == 1


def test_a_saved_run_whose_model_is_not_here_says_which_it_is(saved, run, monkeypatch, capsys):
    from dataclasses import replace

    saved.write_bytes(trace.save(replace(run, model="elsewhere", scenario=run.scenario | {"model": "elsewhere"})))
    assert export(saved, "vectors", "-o", "x.svg") == cli.BAD_INPUT
    assert "elsewhere" in capsys.readouterr().err


def test_no_page_and_no_chart_without_a_name_draws_them(run):
    assert set(figures.inner(run)) == set(figures.INNER) and not set(figures.INNER) & set(figures.names(run))


def test_left_out_the_step_is_that_of_the_paged_systems_peak(saved, capsys):
    assert export(saved, "attention", "-o", "x.svg") == 0
    assert re.search("Attention of [AB], position", capsys.readouterr().out)
