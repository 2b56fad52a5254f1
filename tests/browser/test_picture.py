"""What the canvas shows and what the exported picture shows is the same, slot by slot."""

import base64
import io
import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_player import ROOT, find
from vizkv.engine import engine
from vizkv.export.render import svg_to_png
from vizkv.messages.catalogue import messages
from vizkv.model import load_model
from vizkv.scenario.presets import preset
from vizkv.views.picture import step as picture
from vizkv.views.picture.books import books, draw_blocks
from vizkv.views.picture.frame import frame
from vizkv.views.picture.look import COLOURS, FREE, USED, Look
from vizkv.views.picture.strip import Strip
from vizkv.views.picture.svg import Sheet

EDGE = 2  # pixels of a slot's rim where outlines, rulers and the pool's own edge lie
HATCH = 16  # of 255: how far the mean colour of a hatched slot may be off, for lines are smoothed differently
PLATE = 6  # pixels around a request's name, whose width depends on the typeface


def canvases(page, colour):
    """Every system's canvas as an image, on the page's colour."""
    page.evaluate("() => document.fonts.ready")
    links = find(page, "p.player.rows.map((row) => row.canvas.toDataURL())")
    images = [Image.open(io.BytesIO(base64.b64decode(link.split(",")[1]))).convert("RGBA") for link in links]
    return [Image.alpha_composite(Image.new("RGBA", one.size, colour), one).convert("RGB") for one in images]


def drawn(trace, shown, pool, style, size, panels):
    """The same strip as the export draws it: image, Strip and marks."""
    sheet = Sheet()
    strip = Strip(sheet, Look(sheet, style.theme, style.projector), pool, *size, panels)
    kept = books(trace, pool.index, pool.step) if panels else None
    texts, copied = ({pool.index: kept.text}, {pool.index: kept.copied}) if kept else ({}, {})
    linked = picture.Linked(lambda strip, index: None, texts, copied) if panels else None
    scene = picture.scene(shown, pool, style, shown.lookup(style.lens, style.accounting), linked)
    strip.draw(scene)
    if kept:
        draw_blocks(strip, strip.look, kept, scene.names, "null", (-1, -1))
    svg = sheet.svg(*size, background=strip.look.page)
    return Image.open(io.BytesIO(svg_to_png(svg))).convert("RGB"), strip, scene


def commonest(pixels):
    return Counter(map(tuple, pixels.reshape(-1, 3).tolist())).most_common(1)[0][0]


CASES = [
    ("/?preset=contiguity-costs", 60, "online", "paper", "state", "light"),
    ("/?preset=contiguity-costs&room=projector", 90, "hindsight", "textbook", "request", "dark"),
    ("/?preset=tiny-blocks", 8, "hindsight", "textbook", "state", "dark"),
    ("/table?preset=table-own-text", 11, "online", "textbook", "state", "light"),
]


@pytest.mark.parametrize(("address", "step", "lens", "accounting", "colour", "theme"), CASES)
def test_canvas_and_picture_agree_on_every_slot(visit, address, step, lens, accounting, colour, theme):
    words = f"{address}&step={step}&lens={lens}&accounting={accounting}&colour={colour}"
    page = visit(words, scheme=theme)
    name, far, panels = re.search(r"preset=([\w-]+)", address)[1], "projector" in address, address[:6] == "/table"
    expect(page.locator(ROOT)).to_have_attribute("data-step", str(step))
    page.mouse.move(2, 2)
    scenario = preset(name).scenario
    trace = engine.run(scenario, None if scenario.model == "none" else load_model(scenario.model))
    shown = frame(trace, step, messages(), panels=("table",) if panels else ())
    style = picture.Style(lens, accounting, colour, theme, projector=far)
    compared = 0
    for pool, canvas in zip(shown.pools, canvases(page, COLOURS[theme]["page"]), strict=True):
        image, strip, scene = drawn(trace, shown, pool, style, canvas.size, panels)
        ours, theirs = np.asarray(image).astype(int), np.asarray(canvas).astype(int)
        hidden = np.zeros(ours.shape[:2], bool)
        assert (strip.band > 0) == panels
        for (x, y, w, h), _ in [] if panels else strip.chip_boxes(strip.pieces(), scene.names)[1]:
            hidden[int(max(0, y - 2)) : int(y + h + 2), int(max(0, x - 2)) : int(x + w + PLATE)] = True
        hole = pool.hole or (0, 0)
        for slot in range(pool.facts["slots"]):
            x, y, w, h = (int(v) for v in strip.rect_of(slot))
            inside = np.s_[y + EDGE : y + h - EDGE, x + EDGE : x + w - EDGE]
            if not ours[inside].size or hidden[inside].any() or hole[0] <= slot < sum(hole):
                continue
            tone, mark = divmod(int(scene.marks[slot]), 8)
            where = f"{pool.facts['name']}, slot {slot}, mark {mark}, tone {tone}"
            a, b = ours[inside], theirs[inside]
            if mark in (USED, FREE):
                base = strip.look.base(tone, mark)
                exact = tuple(int(base[i : i + 2], 16) for i in (1, 3, 5))
                assert commonest(a) == commonest(b) == exact, where
            else:
                off = np.abs(a.reshape(-1, 3).mean(0) - b.reshape(-1, 3).mean(0)).max()
                assert off <= HATCH, f"{where}: {off:.1f}"
            compared += 1
        # lines and letters too: hardly a pixel is of another colour altogether
        other = (np.abs(ours - theirs).max(2) > 96) & ~hidden
        assert other.mean() < 0.03, f"{pool.facts['name']}: {other.mean():.3f}"
    assert compared > 0.5 * sum(pool.facts["slots"] for pool in shown.pools), compared
