"""A page as one picture: its parts are nested whole, and nothing in them is confused."""

import io
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from vizkv import __version__
from vizkv.engine import engine
from vizkv.export import figures
from vizkv.export.make import make
from vizkv.export.page import Page, Plot, drawn, page_picture
from vizkv.export.request import Wish
from vizkv.messages.catalogue import messages
from vizkv.scenario.presets import preset

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def trace():
    return engine.run(preset("paper-figure-8").scenario.model_copy(update={"model": "none"}))


def picture(trace, language="en", **more):
    wish = Wish("page", "svg", step=1, caption=True, headline="<Who> & what?", **more)
    return make(wish, trace, messages(language), panels=("text", "table"), title="A page").data.decode()


@pytest.fixture(scope="module")
def english(trace):
    return picture(trace)


def test_each_name_is_given_once_and_each_name_that_is_used_is_given(english):
    root = ElementTree.fromstring(english)
    names = [node.get("id") for node in root.iter() if node.get("id")]
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', english))
    assert len(names) == len(set(names))
    assert used and used <= set(names)


def test_no_part_brings_a_style_sheet_or_a_description_of_its_own(english):
    root = ElementTree.fromstring(english)
    assert not list(root.iter(f"{SVG}style"))
    assert [len(list(root.iter(SVG + name))) for name in ("title", "desc")] == [1, 1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_description_holds_the_question_the_step_each_chart_and_how_it_was_made(trace, language):
    say = messages(language)
    told = ElementTree.fromstring(picture(trace, language)).find(f"{SVG}desc").text
    assert "<Who> & what?" in told and f"vizkv {__version__}" in told and "seed = 0" in told
    assert all(say(f"chart.alt.{name}") in told for name in figures.names(trace))
    assert say("player.panel.queue") in told  # the block table's


def test_the_caption_is_read_on_the_picture_itself(trace, english):
    def lines(svg):
        return [line.get("aria-label", "") for line in ElementTree.fromstring(svg).iter(f"{SVG}g")]

    assert any(__version__ in line for line in lines(english))
    assert any("block_size" in line for line in lines(english))


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_a_page_can_be_had_in_pixels_and_for_paper(trace, kind, begins):
    made = make(Wish("page", kind, step=1, width=960, theme="dark"), trace, messages())
    assert made.data.startswith(begins) and made.alt
    if kind == "png":
        assert Image.open(io.BytesIO(made.data)).width == 960


def test_a_page_of_charts_alone_has_its_sentence_and_an_odd_chart_a_row_of_its_own(trace):
    name = "peak"
    figure = figures.figure(name, trace, 0, "online", "textbook", "light", messages())
    parts = drawn([Plot(figure, "what is seen", name)] * 3, 1600)
    svg = page_picture(Page("Sweeps", "How large?", sentence="**Watch** this.", charts=parts), messages())
    assert "Watch this." in svg and "**" not in svg
    nested = list(ElementTree.fromstring(svg).iter(f"{SVG}svg"))[1:]
    first, second, third = (float(one.get("width")) for one in nested)
    assert first == second and third > 2 * first
