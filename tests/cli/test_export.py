"""`vizkv export` and `vizkv deck`: files that their own programs open, and one sentence for what cannot be."""

import io
import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from vizkv import cli
from vizkv.scenario.schema import from_toml

TOML = """
slots = 64
max_model_len = 32
model = "none"
[[systems]]
kind = "contiguous"
[[systems]]
kind = "paged"
block_size = 4
[[requests]]
prompt_tokens = 5
output_tokens = 6
[[requests]]
prompt_tokens = 3
output_tokens = 2
arrival_step = 2
"""
LECTURE = """
title = "One beat"
[[beats]]
title = {en = "A question", zh = "一个问题"}
notes = {en = "Ask, and wait.", zh = "先问，再等。"}
page = "memory"
preset = "external-fragmentation"
step = 10
change = {model = "none"}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "two.toml"
    path.write_text(TOML)
    return path


def export(file, *words):
    return cli.main(["export", str(file), *words])


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (["--what", "player", "--format", "svg", "--step", "3"], b"<svg"),
        (["--what", "table", "--format", "pdf"], b"%PDF"),
        (["--what", "page", "--caption", "--language", "zh"], b"<svg"),
        (["--what", "chart:over-time", "--format", "png"], b"\x89PNG"),
        (["--what", "storyboard", "--steps", "0,2,4", "--format", "png"], b"\x89PNG"),
        (["--what", "animation", "--steps", "0:2", "--width", "960"], b"GIF8"),
        (["--what", "html"], b"<!doctype html>"),
        (["--what", "ledger"], b"\xef\xbb\xbfsystem,step"),
        (["--what", "trace"], b"PK"),
    ],
    ids=lambda value: value[1] if isinstance(value, list) else "",
)
def test_each_kind_of_file_is_written(file, capsys, words, begins):
    assert export(file, *words) == 0
    written = next(p for p in file.parent.iterdir() if p != file)
    assert written.read_bytes()[: len(begins)] == begins
    assert str(written.name) in capsys.readouterr().out


def test_the_suffix_of_the_file_is_its_format(file):
    out = file.parent / "out.png"
    assert export(file, "--step", "3", "-o", str(out), "--scale", "2", "--width", "960") == 0
    assert Image.open(out).width == 1920


def test_slots_are_pointed_at_from_the_command_line_too(file):
    for words in ([], ["--mark", "1.4-7"]):
        assert export(file, "--step", "3", "-o", f"out{len(words)}.svg", *words) == 0
    plain, marked = (len((file.parent / f"out{n}.svg").read_bytes()) for n in (0, 2))
    assert marked > plain


def test_a_scenario_comes_out_as_it_went_in(file):
    assert export(file, "--what", "scenario", "-o", "again.toml") == 0
    assert from_toml((file.parent / "again.toml").read_text()) == from_toml(TOML)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--what", "hologram"], "hologram"),
        (["--what", "chart:pie"], "pie"),
        (["--format", "bmp"], "bmp"),
        (["--what", "ledger", "--format", "svg"], "svg"),
        (["-o", "out.docx"], "docx"),
        (["--step", "700"], "700"),
        (["--steps", "0:900", "--what", "animation"], "900"),
        (["--request", "Z"], "Z"),
        (["-o", "no/such/folder.svg"], "folder.svg"),
        (["-o", ""], "'.'"),
        (["--what", "ledger", "-o", ".."], "'..'"),
        (["--mark", "9.0-1"], "9.0-1"),
        (["--position", "99999"], "99999"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_sentence_and_no_file(file, capsys, words, named):
    before = set(file.parent.iterdir())
    assert export(file, *words) == cli.BAD_INPUT
    told = capsys.readouterr()
    assert named in told.err and told.err.count("\n") == 1 and told.out == ""
    assert set(file.parent.iterdir()) == before


@pytest.mark.parametrize(
    "words",
    [["--step", "-1"], ["--step", "x"], ["--steps", "1:2:3"], ["--steps", ","], ["--rate", "nan"], ["--width", "5"],
     ["--every", "0"], ["--lens", "rose"], ["--mark", "500"]],
    ids=" ".join,
)  # fmt: skip
def test_a_word_that_is_none_is_refused_before_anything_runs(file, capsys, words):
    with pytest.raises(SystemExit) as stopped:
        export(file, *words)
    assert stopped.value.code == cli.BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_says_how_far_it_was_and_leaves_no_file(file, capsys, monkeypatch):
    def interrupted(*_, progress, **__):
        progress(2, 9)
        raise KeyboardInterrupt

    monkeypatch.setattr("vizkv.cli.export.make", interrupted)
    assert export(file, "-o", "out.svg") == cli.INTERRUPTED
    assert re.search(r"2 .*9", capsys.readouterr().err)
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_a_lecture_becomes_slides_with_pictures_and_notes(tmp_path):
    from pptx import Presentation

    script, out = tmp_path / "lecture.toml", tmp_path / "deck.pptx"
    script.write_text(LECTURE, encoding="utf-8")
    assert cli.main(["deck", str(script), "-o", str(out), "--language", "zh"]) == 0
    title, beat = Presentation(out).slides
    assert title.shapes.title.text == "One beat"
    assert beat.shapes.title.text == "一个问题"
    assert beat.notes_slide.notes_text_frame.text == "先问，再等。"
    (picture,) = (shape for shape in beat.shapes if shape.shape_type == 13)
    assert Image.open(io.BytesIO(picture.image.blob)).width == 2560
    assert picture._element.nvPicPr.cNvPr.get("descr")


def test_slides_are_not_written_under_the_name_of_something_else(tmp_path, capsys):
    assert cli.main(["deck", "-o", str(tmp_path / "slides.pdf")]) == cli.BAD_INPUT
    assert "slides.pdf" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_script_that_is_none_makes_no_deck(tmp_path, capsys):
    script = tmp_path / "lecture.toml"
    script.write_text("title = 3")
    assert cli.main(["deck", str(script), "-o", str(tmp_path / "deck.pptx")]) == cli.BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "deck.pptx").exists()


def test_what_is_no_file_is_written_to_and_not_replaced(file):
    pipe, link, target = file.parent / "pipe", file.parent / "link.csv", file.parent / "target.csv"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as reader:
        read = reader.submit(pipe.read_bytes)
        assert export(file, "--what", "ledger", "-o", str(pipe), "--format", "csv") == 0
        written = read.result()
    assert pipe.is_fifo() and written[3:].startswith(b"system,step")
    link.symlink_to(target)
    assert export(file, "--what", "ledger", "-o", str(link)) == 0
    assert link.is_symlink() and target.read_bytes() == written
