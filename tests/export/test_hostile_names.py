"""Names that want to be more than names are text in every file that is made of a run."""

import csv
import io
import xml.etree.ElementTree as ET

import pandas as pd
import pytest
from pptx import Presentation

from tests.app.hostile import HOST, MARKS, named
from vizkv import lecture
from vizkv.engine import engine
from vizkv.export import html
from vizkv.export.beats import drawer
from vizkv.export.deck import deck
from vizkv.export.make import make
from vizkv.export.request import Wish
from vizkv.lecture import worksheet
from vizkv.messages.catalogue import messages
from vizkv.messages.escape import cell
from vizkv.scenario.presets import preset
from vizkv.scenario.schema import from_dict, to_dict
from vizkv.sweeps import Task
from vizkv.sweeps.table import to_csv
from vizkv.views.payload import pack as payload
from vizkv.views.payload.pack import View

SAY = messages()
SCENARIO = named(preset("external-fragmentation").scenario.model_copy(update={"model": "none"}))


@pytest.fixture(scope="module")
def trace():
    return engine.run(SCENARIO)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("what", ["player", "storyboard", "page", "chart:peak", "chart:over-time"])
def test_a_picture_has_no_element_of_a_name(trace, what, language):
    wish = Wish(what, "svg", step=9, steps=(3, 9), caption=True, headline=MARKS[2] + MARKS[0])
    made = make(wish, trace, messages(language), title=MARKS[2])
    root = ET.fromstring(made.data)
    assert not {e.tag.rpartition("}")[2] for e in root.iter()} & {"img", "b", "a", "script", "image", "foreignObject"}
    links = [value for e in root.iter() for name, value in e.attrib.items() if name.endswith(("href", "src"))]
    assert not [link for link in links if HOST in link]


def test_the_offline_player_has_no_tag_of_a_name(trace):
    packed = payload.pack(trace, SAY, MARKS[2])
    text = html.player_page(packed, View(step=4), SAY, title=MARKS[2] + "</title>", caption=MARKS[2]).decode()
    assert "<img" not in text and "&lt;img" in text and text.count("</title>") == 1


def test_slides_show_the_names_as_they_are():
    script = lecture.read(
        f'title = "{MARKS[0]} {MARKS[2]}"\n[[beats]]\ntitle = "{MARKS[2]} **t**"\nnotes = "<b>n</b>"\n'
        'page = "memory"\npreset = "external-fragmentation"\nstep = 3\n'
    )
    made = deck(script, drawer(script, SAY, lambda scenario: engine.run(scenario), "light"), SAY)
    slides = Presentation(io.BytesIO(made)).slides
    shown = "\n".join(shape.text_frame.text for slide in slides for shape in slide.shapes if shape.has_text_frame)
    assert f"{MARKS[0]} {MARKS[2]}" in shown and f"{MARKS[2]} **t**" in shown
    assert "<b>n</b>" in slides[1].notes_slide.notes_text_frame.text


def test_a_worksheet_has_no_tag_of_a_name():
    script = lecture.read(
        f'title = "{MARKS[2]}"\n[[beats]]\ntitle = "{MARKS[2]}"\npage = "memory"\npreset = "external-fragmentation"\n'
        '[[beats.ask]]\nkind = "colour"\nslot = 3\nstep = 2\n'
    )
    page = worksheet.page(script, lambda scenario: engine.run(SCENARIO), SAY)
    text = page if isinstance(page, str) else page.decode()
    assert "<img src=//" not in text and "&lt;img" in text


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"]


@pytest.mark.parametrize("name", FORMULAS)
def test_no_cell_of_a_table_begins_a_formula(name):
    assert cell(name) == "'" + name
    data = to_dict(SCENARIO)
    for index, system in enumerate(data["systems"]):
        system["name"] = f"{name.strip()} {index}"
    trace = engine.run(from_dict(data))
    rows = list(csv.reader(io.StringIO(make(Wish("ledger", "csv"), trace, SAY).data.decode("utf-8-sig"))))
    assert {row[0] for row in rows[1:]} == {f"'{name.strip()} {index}" for index in range(len(data["systems"]))}
    found = [(Task(name, 0, (("block_size", 8),), 0, {}, "k"), "-problem")]
    table = pd.read_csv(io.BytesIO(to_csv(found)))
    assert (table["system"][0], table["problem"][0]) == ("'" + name, "'-problem")
