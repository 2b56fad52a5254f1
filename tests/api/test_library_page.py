"""The code of docs/library.md runs, block after block."""

import re

from tests.house.project import ROOT


def test_the_code_of_the_librarys_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/library.md").read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 6
    names: dict = {}
    for block in blocks:
        exec(block, names)
    assert (tmp_path / "step-300.svg").stat().st_size > 0
    assert names["vizkv"].hardware(names["config"], card="rtx-3090", weights=15.0)["slots"] > 0
