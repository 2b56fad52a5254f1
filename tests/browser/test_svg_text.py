"""An exported SVG on a machine that has none of our typefaces: every text is where and as wide as it was measured."""

import re
from dataclasses import dataclass
from itertools import combinations
from xml.sax.saxutils import unescape

import pytest

from vizkv.engine import engine
from vizkv.export.make import make
from vizkv.export.request import Wish
from vizkv.export.story import storyboard
from vizkv.messages.catalogue import messages
from vizkv.model import load_model
from vizkv.scenario.presets import preset
from vizkv.views.picture.outlines import outlined
from vizkv.views.picture.step import picture
from vizkv.views.picture.svg import measure
from vizkv.views.picture.table import table_picture

BEARING = 0.16  # of the type: how far a letter's ink may lie inside its own width, or reach over it
FULL_WIDTH = ("。", "，", "：", "）", "”")  # signs whose ink takes a third of their width
BOXES = """() => [...document.querySelectorAll("svg [aria-label], svg text")].map((element) => {
  const box = element.getBoundingClientRect();
  return [element.getAttribute("aria-label") ?? element.textContent, box.left, box.top, box.right, box.bottom];
})"""


@dataclass
class Line:
    """A text as it was measured."""

    text: str
    size: float
    width: float


def lines(svg):
    """The texts of a picture in the order of the document."""
    found = []
    for attributes, text in re.findall(r"<text ([^>]*)>([^<]*)</text>", svg):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', attributes))
        size, squeezed = float(given["font-size"]), re.search(r"scale\(([\d.]+) 1\)", given.get("transform", ""))
        wide = measure(unescape(text), size, int(given.get("font-weight", 400)))
        found.append(Line(unescape(text), size, wide * (float(squeezed[1]) if squeezed else 1)))
    return found


def drawing(kind, say, projector):
    name = {"player": "contiguity-costs", "table": "table-own-text", "story": "paper-figure-8"}[kind]
    scenario = preset(name).scenario
    trace = engine.run(scenario, None if scenario.model == "none" else load_model(scenario.model))
    how = {"lens": "online", "accounting": "textbook", "say": say, "projector": projector, "headline": "Who & “what”?"}
    if kind == "story":
        return storyboard(trace, [0, 1, 2, 3], **how)
    return {"player": picture, "table": table_picture}[kind](trace, 11, caption="槽位 and slots", **how)


@pytest.fixture
def boxes(plain_browser):
    """boxes(svg): its texts and where their ink lies, in a browser on a machine with DejaVu alone."""
    page = plain_browser.new_page(viewport={"width": 1700, "height": 1200})

    def look(svg):
        page.set_content(f"<body style='margin: 0'>{svg}")
        return page.evaluate(BOXES)

    yield look
    page.close()


@pytest.mark.parametrize("projector", [False, True])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["player", "table", "story"])
def test_texts_are_as_wide_as_measured_and_none_lies_on_another(boxes, kind, language, projector):
    svg = drawing(kind, messages(language), projector)
    measured, found = lines(svg), boxes(outlined(svg))
    assert len(measured) > 20
    assert [line.text for line in measured] == [text for text, *_ in found]
    for line, (text, left, _, right, _) in zip(measured, found, strict=True):
        empty = 0.3 * (len(text) - len(text.strip())) + 0.7 * text.endswith(FULL_WIDTH) + 2 * BEARING
        assert line.width - empty * line.size <= right - left <= line.width + BEARING * line.size, text
    assert not list(overlapping(found))


def overlapping(found):
    """Pairs of texts of which one's ink lies on the other's."""
    for (text, *a), (other, *b) in combinations(found, 2):
        across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        if across > 1 and down > 1:
            yield text, other, round(across), round(down)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_pages_picture_with_its_charts_has_no_text_that_needs_a_face(boxes, language):
    trace = engine.run(preset("paper-figure-8").scenario.model_copy(update={"model": "none"}))
    wish = Wish("page", "svg", step=1, caption=True, headline="Who shares what?")
    svg = make(wish, trace, messages(language), panels=("text", "table"), title="A page").data.decode()
    assert "<text" not in svg
    assert not list(overlapping(boxes(svg)))
