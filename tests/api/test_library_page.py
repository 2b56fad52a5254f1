"""The code of docs/library.md and docs/own-systems.md runs."""

import re

from tests.house.project import ROOT
from vizkv.cli import main
from vizkv.systems.own import loading


def test_the_code_of_the_librarys_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/library.md").read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 6
    names: dict = {}
    for block in blocks:
        exec(block, names)
    assert (tmp_path / "step-300.svg").stat().st_size > 0
    assert names["vizkv"].hardware(names["config"], card="rtx-3090", weights=15.0)["slots"] > 0


def test_the_systems_of_the_page_on_own_systems_are_those_of_the_example_and_pass_the_checker(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv(loading.VARIABLE, raising=False)
    page, example = "docs/own-systems.md", "docs/examples/own.py"
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)
    shown, held = (
        re.sub(r"\s+", " ", text) for text in ("".join(blocks), (ROOT / example).read_text(encoding="utf-8"))
    )
    assert shown.strip() in held
    try:
        assert main(["check", example, "--seconds", "4", "--against", "paged"]) == 0
        assert main(["run", "docs/examples/own.toml", "--with", example]) == 0
        assert "stack" in capsys.readouterr().out
    finally:
        loading.unload(example)
