"""Pictures as files: pixels, pages, storyboards and films."""

import io
import re
import xml.etree.ElementTree as ET
from xml.sax.saxutils import unescape

import plotly.graph_objects as go
import pytest
from PIL import Image, ImageChops

from tests.export.test_picture import SMALL, SVG
from vizkv.engine import engine
from vizkv.export import film as moving
from vizkv.export import render, story
from vizkv.export.charts.draw import chart
from vizkv.messages.catalogue import messages
from vizkv.scenario import schema as scenario
from vizkv.views.picture.look import COLOURS
from vizkv.views.picture.outlines import outlined
from vizkv.views.picture.step import picture
from vizkv.views.picture.svg import Sheet, measure

HREF = "{http://www.w3.org/1999/xlink}href"
HOW = {"lens": "online", "accounting": "textbook", "say": messages()}


@pytest.fixture(scope="module")
def trace():
    return engine.run(scenario.from_dict(SMALL))


@pytest.fixture(scope="module")
def svg(trace):
    return picture(trace, 4, width=960, **HOW)


def opened(data):
    return Image.open(io.BytesIO(data))


def chinese(text="槽位 244 个，2ⁿ"):
    sheet = Sheet()
    sheet.text(10, 20, text, 20, "#000000", weight=700)
    return sheet.svg(240, 40, language="zh-Hans", background="#FFFFFF")


def test_a_png_carries_the_pictures_alt_text(svg):
    told = re.search(r"<desc[^>]*>([^<]*)</desc>", svg)
    png = Image.open(io.BytesIO(render.svg_to_png(svg)))
    png.load()  # checks the sums of all chunks
    assert told and len(told[1]) > 40
    assert png.text["Description"] == unescape(told[1])


def test_a_png_is_as_large_as_was_asked_for(svg):
    wide, high = render.size(svg)
    assert opened(render.svg_to_png(svg)).size == (wide, high)
    assert opened(render.svg_to_png(svg, 2)).size == (2 * wide, 2 * high)
    assert opened(render.svg_to_png(svg, render.scale_to(svg))).width == 3840


def test_a_transparent_picture_lets_the_slide_through(trace):
    clear = opened(render.svg_to_png(picture(trace, 4, width=960, transparent=True, **HOW)))
    assert clear.convert("RGBA").getpixel((2, 2))[3] == 0
    assert opened(render.svg_to_png(picture(trace, 4, width=960, **HOW))).getpixel((2, 2))[3] == 255


def test_a_transparent_picture_keeps_the_colour_of_what_is_half_seen():
    sheet = Sheet()
    sheet.rect(0, 0, 20, 10, "#FFFFFF", fill_opacity="0.5")
    sheet.rect(0, 10, 20, 10, "#2F7FD0")
    image = opened(render.svg_to_png(sheet.svg(20, 30, description="seen"), 2, clear=True))
    half, whole, nothing = (image.getpixel((20, y)) for y in (10, 30, 50))
    assert half[:3] == pytest.approx((255, 255, 255), abs=2) and half[3] == pytest.approx(128, abs=2)
    assert whole == (0x2F, 0x7F, 0xD0, 255) and nothing[3] == 0 and image.text["Description"] == "seen"


def test_a_pdf_is_one_page_of_lines_and_letters(svg):
    data = render.svg_to_pdf(svg)
    assert data.startswith(b"%PDF-") and data.count(b"/Type /Page\n") <= 1
    assert b"/Subtype /Image" not in data and b"/FontFile" in data
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert (float(box[1]), float(box[2])) == render.size(svg)


def test_a_pdf_carries_title_and_alt_text_where_a_reader_looks_for_them():
    sheet = Sheet()
    sheet.text(10, 20, "A", 20, "#000000")
    data = render.svg_to_pdf(sheet.svg(40, 40, title="Blöcke & (Slots)", description="槽位 244 个 < 300"))
    table = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)[1])
    number, at = (int(n) for n in re.match(rb"xref\n(\d+) 1\n(\d{10}) 00000 n\r\n", data[table:]).groups())
    begins = b"%d 0 obj\n" % number
    assert data[at:].startswith(begins) and f"/Info {number} 0 R".encode() in data[table:]
    held = dict(re.findall(rb"/(Title|Subject) <([0-9a-fA-F]+)>", data[at:table]))
    told = {name.decode(): bytes.fromhex(text.decode()).decode("utf-16") for name, text in held.items()}
    assert told == {"Title": "Blöcke & (Slots)", "Subject": "槽位 244 个 < 300"}
    before = int(re.search(rb"/Prev (\d+)", data[table:])[1])
    assert data[before:].startswith(b"xref\n0 ")


def test_chinese_is_drawn_with_the_bundled_face():
    ink = sum(opened(render.svg_to_png(chinese())).convert("L").histogram()[:128])
    nothing = sum(opened(render.svg_to_png(chinese(""))).convert("L").histogram()[:128])
    assert ink - nothing > 400
    assert b"vizkvSansSC" in render.svg_to_pdf(chinese())


def test_an_svg_file_needs_no_face_on_its_readers_machine(svg):
    for text, carried in (("槽位 244 个，2ⁿ", outlined(chinese())), ("Two and a half", outlined(svg))):
        root = ET.fromstring(carried)
        assert not list(root.iter(f"{SVG}text"))
        names = [e.get("id") for e in root.iter() if e.get("id")]
        used = {e.get(HREF).removeprefix("#") for e in root.iter(f"{SVG}use")}
        assert used and used <= set(names) and len(names) == len(set(names))
        assert text != "槽位 244 个，2ⁿ" or [e.get("aria-label") for e in root.iter(f"{SVG}g")] == [text]
    assert "aria-labelledby" in outlined(svg) and re.search(r"<desc[^>]*>[^<]{40,}</desc>", outlined(svg))


@pytest.mark.parametrize("text", ["槽位 Tokens AV 244 个，“满”", "Orca’s “hole”… 2ⁿ → ≥ é ő Ω Я"])
@pytest.mark.parametrize("weight", [400, 500, 700])
@pytest.mark.parametrize("anchor", ["start", "middle", "end"])
def test_outlines_lie_where_the_same_text_lies_in_a_png(text, weight, anchor):
    sheet = Sheet()
    sheet.text(150, 20, text, 20, "#000000", weight=weight, anchor=anchor)
    sheet.text(150, 50, text, 20, "#000000", weight=weight, anchor=anchor, most=90)
    svg = sheet.svg(500, 70, background="#FFFFFF")
    a, b = (opened(render.svg_to_png(one, 2)).convert("L") for one in (svg, outlined(svg)))
    assert min(a.getextrema()) < 60
    assert max(ImageChops.difference(a, b).resize((100, 14), Image.Resampling.BOX).getextrema()) < 40


def test_a_letter_that_no_face_has_leaves_its_line_text_of_the_measured_width():
    text = "slot \U00020000 한"
    sheet = Sheet()
    sheet.text(10, 20, text, 20, "#000000")
    (line,) = ET.fromstring(outlined(sheet.svg(240, 40))).iter(f"{SVG}text")
    assert line.text == text and line.get("lengthAdjust") == "spacingAndGlyphs"
    assert float(line.get("textLength")) == pytest.approx(measure(text, 20), abs=0.01)


def test_a_chart_needs_no_face_on_its_readers_machine_and_draws_curly_quotes_narrow():
    def width(text):
        figure = go.Figure(go.Bar(x=["a"], y=[1]), layout={"width": 400, "height": 200})
        svg = chart(figure, "svg", width=400, caption=text).decode()
        assert not list(ET.fromstring(svg).iter(f"{SVG}text"))
        png = opened(chart(figure, "png", width=400, caption=text)).convert("L")
        box = png.crop((0, png.height - 24, 400, png.height)).point(lambda value: 255 * (value < 160)).getbbox()
        return box[2] - box[0]

    assert width("n’n") < width("nnn")
    assert width("槽位") > 1.8 * 13


def test_a_storyboard_numbers_its_steps_and_says_what_happened(trace):
    board = story.storyboard(trace, [0, 1, 4, 8], titles=["", "The second arrives"], **HOW)
    root = ET.fromstring(board)
    words = [e.text for e in root.iter(f"{SVG}text")]
    assert len(list(root.iter(f"{SVG}circle"))) == 4
    assert {"1", "2", "3", "4", "step 8 / 21", "The second arrives"} <= set(words)
    assert len(re.findall(r"^\d\. ", root.find(f"{SVG}desc").text, re.MULTILINE)) == 4
    with pytest.raises(render.ExportError, match="1 to 24 steps"):
        story.storyboard(trace, [], **HOW)
    with pytest.raises(render.Cancelled):
        story.storyboard(trace, [0, 1], progress=lambda done, count: True, **HOW)


def test_what_is_pointed_at_is_framed_in_every_step_of_a_storyboard_and_of_a_film(trace):
    def frames(mark):
        return story.storyboard(trace, [1, 4], mark=mark, **HOW).count("<path")

    def films(mark):
        film = opened(moving.animation(trace, 1, 2, width=960, mark=mark, **HOW))
        return [film.seek(at) or film.convert("RGB").tobytes() for at in range(film.n_frames)]

    assert frames("1.30-30") == frames("") + 2 * 2  # each with a rim
    assert frames("7.30-30") == frames("1.30-99") == frames("")
    assert all(a != b for a, b in zip(films("1.30-30"), films(""), strict=True))


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_a_film_has_a_picture_a_step_and_moves_nothing_but_the_slots(trace, kind):
    seen = []
    film = opened(
        moving.animation(trace, 1, 4, kind=kind, rate=4, width=480, progress=lambda *at: seen.append(at), **HOW)
    )
    assert film.format == kind.upper() and film.n_frames == 4 and film.width == 480 and film.height % 2 == 0
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert film.info["loop"] == 0
    own = {tuple(int(COLOURS["light"][name][i : i + 2], 16) for i in (1, 3, 5)) for name in ("used", "free", "page")}
    for at in range(film.n_frames):
        film.seek(at)
        found = {colour for _, colour in film.convert("RGB").getcolors(1 << 20)}
        assert own <= found
    assert film.info.get("duration", 0) in (0, 1500, 250)


def test_an_mp4_is_made_where_the_extra_is_and_otherwise_a_sentence_says_so(trace, monkeypatch):
    data = moving.animation(trace, 1, 2, kind="mp4", width=480, **HOW)
    assert data[4:8] == b"ftyp"
    monkeypatch.setattr(moving.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(render.ExportError, match="GIF or WebP"):
        moving.animation(trace, 1, 2, kind="mp4", **HOW)


def test_a_film_can_be_stopped(trace):
    with pytest.raises(render.Cancelled):
        moving.animation(trace, 0, 19, width=480, progress=lambda done, count: done == 2, **HOW)


def test_a_film_has_both_ends_and_never_too_many_pictures(trace):
    assert moving.chosen(trace, 3, 9, 4) == [3, 7, 9]
    assert moving.chosen(trace, 99, -5) == list(range(22))
    long = engine.run(scenario.from_dict(SMALL | {"slots": 2048, "max_model_len": 2048, "requests": [
        {"id": "A", "prompt_tokens": 7, "final_slots": 2000}
    ]}))  # fmt: skip
    steps = moving.chosen(long, 0, 5000)
    assert len(steps) <= moving.MOST and steps[0] == 0 and steps[-1] == long.steps
