"""What a link, a file or a name brings stands on every page as text: no picture, link, formula, icon or tag of it."""

import re
from pathlib import Path

import pytest

from tests.app import hostile
from tests.app.visitor import link_of, opened, rested
from vizkv.scenario.code import to_code
from vizkv.scenario.presets import list_presets
from vizkv.scenario.schema import from_dict
from vizkv.ui import pages

DATA = Path(__file__).parents[1] / "data"
PRESETS = list(list_presets())


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.id)
def test_names_of_a_scenario_are_text(preset):
    app = opened(preset.page, preset=preset.id, s=to_code(hostile.named(preset.scenario)), step="9")
    assert hostile.faults(app) == []


TRACE = (DATA / "names_md.vizkv").read_bytes()
SCRIPT = (DATA / "script_md.toml").read_bytes()


def foreign(app):
    """What a page sends that names an outside host in a picture, a link or a tag, and not as escaped text."""
    found = []
    for kind, field, text in hostile.of_app(app):
        if (kind, field) in hostile.PLAIN or field in hostile.UNSEEN:
            continue
        marks = "<img|<script" if kind == "PlotlyChart" else r"[\]\[]\(|<img|<script"  # Plotly knows no Markdown
        if re.search(r"(evil|host)\.example", text) and re.search(marks, re.sub(r"\\.\u2060?", "", text)):
            found.append((kind, field, text))
    return found


@pytest.mark.parametrize("page", [name for name, entry in pages.PAGES.items() if entry.panels or name == "memory"])
def test_names_of_a_trace_are_text(page):
    app = opened("memory")
    rested(app.file_uploader[0].set_value(("a.vizkv", TRACE, "application/octet-stream")))
    assert foreign(app) == []
    link = link_of(app)
    again = opened(page, **link)
    assert foreign(again) == []


def test_texts_of_a_script_are_text_on_its_page_and_on_its_beat():
    app = opened("lecture")
    rested(app.file_uploader[0].set_value(("script.toml", SCRIPT, "application/toml")))
    assert foreign(app) == []
    assert any("host.example" in text for *_, text in hostile.of_app(app)), "the script is open"
    rested(app.button(key="lecture-beat-1").click())
    assert foreign(app) == []


@pytest.mark.parametrize("page", pages.PAGES)
def test_words_of_a_link_are_text(page):
    words = ("preset", "metric", "point", "lecture", "class", "mark", "request", "s")
    app = opened(page, **dict.fromkeys(words, "![x](//host.example/p.png)<img src=//host.example/q>"))
    assert foreign(app) == []


PROMPT = "![p](//host.example/p.png) <img src=//host.example/i> $x$ :material/bomb: **s**"


@pytest.mark.parametrize("page", ["memory", "table", "sharing", "pressure"])
def test_a_prompt_is_text(page):
    scenario = from_dict({
        "slots": 256, "max_model_len": 128, "systems": [{"kind": "paged", "block_size": 4}],
        "requests": [{"id": name, "prompt": PROMPT, "output_tokens": 3} for name in "AB"],
    })  # fmt: skip
    app = opened(page, s=to_code(scenario), step="2")
    assert foreign(app) == [] and hostile.faults(app) == []
