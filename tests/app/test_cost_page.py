"""What paging costs: the page before, during and after a measurement."""

from pathlib import Path

import pytest

from tests.app.visitor import opened
from vizkv.model import cost
from vizkv.ui import cost as page

POOL = Path(__file__).parents[2] / "vizkv" / "model" / "pool.py"


@pytest.fixture
def quick(monkeypatch):
    """Two lengths, two block sizes, and no longer than it must."""
    honest = cost.measure
    monkeypatch.setattr(cost, "LENGTHS", (64, 128))
    monkeypatch.setattr(cost, "BLOCK_SIZES", (4, 16))
    monkeypatch.setattr(cost, "measure", lambda config: honest(config, (64, 128), (4, 16), seconds=0))


def words(app):
    return " ".join(m.value for m in app.markdown)


def button(app):
    return next(b for b in app.button if b.key == "cost-measure")


def test_before_anything_is_measured_the_page_explains_and_claims_nothing():
    app = opened("cost")
    assert app.get("bidi_component") and not app.get("plotly_chart") and not app.dataframe
    assert "What does that cost" in words(app)
    assert "Measured here" not in words(app)


def test_the_button_measures_on_this_machine_and_the_result_stays(quick):
    app = opened("cost")
    button(app).click().run()
    assert not app.exception
    assert "Measured here" in words(app) and "blocks of **16**" in words(app) and "128 tokens" in words(app)
    assert len(app.get("plotly_chart")) == 1 and not app.get("bidi_component")
    (table,) = app.dataframe
    assert list(table.value["tokens"]) == [64, 128, 64, 128]
    said = words(app)
    app.run()  # a rerun measures nothing anew
    assert words(app) == said


def test_every_press_measures_anew(quick):
    app = opened("cost")
    runs = []
    for _ in range(2):
        button(app).click().run()
        (table,) = app.dataframe
        runs.append(table.value["slice, µs"].tolist() + table.value["block table, µs"].tolist())
    assert runs[0] != runs[1]


def test_the_lines_of_code_on_the_page_are_the_ones_that_run():
    source = " ".join(POOL.read_text(encoding="utf-8").split())
    for line in (*page.SLICE, *page.LOOK_UP):
        assert line in source, line
    shown = " ".join(block.value for block in opened("cost").code)
    assert all(line in shown for line in (*page.SLICE, *page.LOOK_UP))
