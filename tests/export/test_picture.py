"""The pictures: what they show is what the ledger books, and each says in words what it shows."""

import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tests.house.project import ROOT
from vizkv import __version__
from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.scenario import schema as scenario
from vizkv.scenario.presets import preset
from vizkv.trace.slots import ACCOUNTINGS, CATEGORIES, LENSES
from vizkv.views.picture import step as pictures
from vizkv.views.picture.books import books, draw_blocks
from vizkv.views.picture.caption import caption
from vizkv.views.picture.frame import frame, frames
from vizkv.views.picture.look import COLOURS, FAR_COLOURS, FAR_VEILS, VEILS, Look
from vizkv.views.picture.step import Style, picture
from vizkv.views.picture.strip import Strip
from vizkv.views.picture.svg import Sheet, fit, measure, wrap
from vizkv.views.picture.table import table_picture

SVG = "{http://www.w3.org/2000/svg}"
SMALL = {
    "name": "Two and a half", "slots": 36, "max_model_len": 24, "model": "none", "seed": 7,
    "systems": [{"kind": "paged", "block_size": 4}, {"kind": "contiguous", "placement": "first-fit", "unit": 1}],
    "requests": [
        {"id": "A", "prompt_tokens": 7, "final_slots": 19},
        {"id": "B <&>", "prompt_tokens": 6, "final_slots": 13, "arrival_step": 1},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def small():
    return engine.run(scenario.from_dict(SMALL))


@pytest.fixture(scope="module")
def crowded():
    return engine.run(preset("contiguity-costs").scenario)


def plain(trace, step=4, **more):
    return picture(trace, step, **{"lens": "online", "accounting": "textbook", "say": messages(), **more})


def texts(svg):
    return [e.text for e in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("accounting", ACCOUNTINGS)
@pytest.mark.parametrize("step", [0, 60, 150, 264])
def test_as_many_slots_are_painted_in_each_colour_as_the_ledger_books(crowded, lens, accounting, step):
    shown = frame(crowded, step, messages())
    style = Style(lens, accounting)
    for pool in shown.pools:
        sheet = Sheet()
        strip = Strip(sheet, Look(sheet), pool, 10 * pool.facts["columns"], 10 * -(-1024 // pool.facts["columns"]))
        strip.fill(pictures.scene(shown, pool, style, shown.lookup(lens, accounting)))
        painted, hatched = dict.fromkeys(CATEGORIES, 0), {}
        for part in sheet.parts:
            fill = re.search(r'fill="(?:url\(#(\w+)|(#\w+))', part)
            area = sum(int(w) * int(h) for w, h in re.findall(r"h(\d+)v(\d+)h-", part)) // 100
            if fill[1]:
                hatched[fill[1]] = area
            else:
                painted[next(name for name in CATEGORIES if COLOURS["light"][name] == fill[2])] += area
        # the paper books free slots as external: they stay light, with a thin cross of their own
        free, others = painted["free"], hatched.pop("others", 0)
        assert hatched == {name: painted[name] for name in ("reserved", "internal", "external") if painted[name]}
        assert others == (free if accounting == "paper" else 0) and free == pool.free
        booked = dict(zip(CATEGORIES, pool.totals(shown.lookup(lens, accounting)), strict=True))
        painted |= {"free": free - others, "external": painted["external"] + others}
        assert painted == booked
        assert sum(painted.values()) == pool.facts["slots"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pictures_colours_are_those_of_the_players_style_sheet(theme):
    def sheet(name, first):
        css = (ROOT / "vizkv" / "player" / name).read_text()
        block = re.search(rf"^{re.escape(first)} \{{(.*?)^\}}", css, re.DOTALL | re.MULTILINE)[1]
        return dict(re.findall(r"--vz-([\w-]+): (#\w{6}|rgb\([^)]*\))", block))

    dark = theme == "dark"
    css = sheet("player.css", ".vizkv") | (sheet("player.css", '.vizkv[data-theme="dark"]') if dark else {})
    for name, colour in COLOURS[theme].items():
        if name not in ("text", "page", "panel", "border"):  # those are the page's, from its configuration
            assert css[name] == colour, name
    far = sheet("room.css", '.vizkv[data-room="projector"]' + ('[data-theme="dark"]' if dark else ""))
    for name, colour in FAR_COLOURS[theme].items():
        assert far[name] == colour, name
    for given, veils in ((css, VEILS), (far, FAR_VEILS)):
        for name, (colour, opacity) in veils[theme].items():
            parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
            wanted = f"rgb({parts[0]} {parts[1]} {parts[2]} / {opacity:g})"
            assert given[name].lower() in (wanted, colour.lower()) or _near(given[name], wanted), name


def _near(a, b):
    return np.abs(np.subtract(*([float(n) for n in re.findall(r"[\d.]+", text)] for text in (a, b)))).max() <= 6


def test_the_page_around_has_the_colours_of_the_apps_theme():
    config = (ROOT / ".streamlit" / "config.toml").read_text()
    names = {
        "page": "backgroundColor", "panel": "secondaryBackgroundColor", "text": "textColor", "border": "borderColor",
    }  # fmt: skip
    for theme in ("light", "dark"):
        block = config.split(f"[theme.{theme}]")[1].split("[theme.")[0]
        for name, option in names.items():
            assert f'\n{option} = "{COLOURS[theme][name]}"' in block


def test_a_step_looks_the_same_alone_and_on_the_way_there(crowded):
    say = messages()
    for one in list(frames(crowded, 0, 265, say))[::40]:
        alone = frame(crowded, one.step, say)
        assert alone.overall == one.overall
        for a, b in zip(alone.pools, one.pools, strict=True):
            assert (a.codes == b.codes).all() and (a.positions == b.positions).all()
            assert a.counts == b.counts and a.waiting == b.waiting
            assert (a.refusal or {}).get("need") == (b.refusal or {}).get("need")


def test_a_picture_says_in_words_what_it_shows(small):
    root = ET.fromstring(plain(small))
    assert root.get("role") == "img" and root.get("lang") == "en"
    title, told = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("aria-labelledby").split() == [title.get("id"), told.get("id")]
    assert title.text.endswith(", step 4")  # the lens does not know how long the run is
    shown = frame(small, 4, messages())
    for pool in shown.pools:
        used = pool.totals(shown.lookup("online", "textbook"))[0]
        assert f"{pool.facts['name']} at step 4: {used} used" in told.text
    assert "waits" in told.text and shown.overall["online"].rstrip(".") in told.text


def test_the_refused_request_stands_beside_the_largest_hole(small):
    shown = frame(small, 4, messages())
    refusal = shown.pools[1].refusal
    words = texts(plain(small))
    assert f"hole {refusal['hole']}" in words and f"B <&> needs {refusal['need']}" in words
    sheet = Sheet()
    look = Look(sheet)
    Strip(sheet, look, shown.pools[1], 360, 60).draw(
        pictures.scene(shown, shown.pools[1], Style("online", "textbook"), shown.lookup("online", "textbook"))
    )
    assert look.alarm in sheet.parts[-1]  # the hole's outline lies above everything


def test_legend_caption_and_background_can_be_left_out(small):
    full = plain(small, caption="First line\nSecond line")
    bare = plain(small, legend=False, transparent=True)
    assert {"internal fragmentation", "First line", "Second line"} <= set(texts(full))
    assert not {"internal fragmentation", "First line"} & set(texts(bare))
    page = f'<rect width="1600" height="{ET.fromstring(full).get("height")}" fill="{COLOURS["light"]["page"]}"/>'
    assert page in full and not re.search(r'<rect width="1600" height="\d+" fill', bare)


def test_the_legend_underlines_what_is_lit_in_all_rows_as_the_player_does(small):
    def lines(**more):
        return [e.get("y") for e in ET.fromstring(plain(small, **more)).iter(f"{SVG}rect") if e.get("height") == "2"]

    assert len(lines(lit="internal")) == len(lines()) + 1
    assert len(lines(lit="internal", lit_in=0)) == len(lines())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", ["state", "request"])
@pytest.mark.parametrize("projector", [False, True])
def test_every_look_is_a_sound_document_whose_hatches_are_all_defined(crowded, theme, colour, projector):
    svg = plain(crowded, 60, theme=theme, colour=colour, projector=projector, lit="reserved", lit_in=2, width=700)
    root = ET.fromstring(svg)
    assert root.get("width") == "700"
    used = set(re.findall(r"url\(#([\w-]+)\)", svg))
    assert used and used <= {e.get("id") for e in root.iter(f"{SVG}pattern")}
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_the_caption_has_every_parameter_the_seed_and_the_version(small):
    text = caption(small, 4, "hindsight", "textbook", messages())
    for part in (
        "Two and a half", "step 4 / 21", "slots = 36", "max_model_len = 24", "seed = 7", 'model = "none"',
        "block_size = 4", 'placement = "first-fit"', "final_slots = 19", "arrival_step = 1", __version__,
    ):  # fmt: skip
        assert part in text, part
    many = engine.run(preset("contiguity-costs").scenario)
    assert "and 4 more requests" in caption(many, 0, "online", "paper", messages())


def test_the_block_table_names_every_block_and_follows_a_token(small):
    say = messages()
    svg = table_picture(small, 4, lens="online", accounting="textbook", say=say, request=0, position=5)
    words = texts(svg)
    assert {str(block) for block in range(9)} <= set(words)
    assert {"position 5", "5 // 4 = row 1", "5 % 4 = 1", "row 1: block 1", "1 × 4 + 1 = slot 5"} <= set(words)
    assert "Block table of A: 0, 1, 4." in ET.fromstring(svg).find(f"{SVG}desc").text
    only = scenario.from_dict(SMALL | {"systems": SMALL["systems"][1:]})
    with pytest.raises(ValueError, match="block tables"):
        table_picture(engine.run(only), 0, lens="online", accounting="textbook", say=say)


def test_no_text_is_wider_than_where_it_was_put():
    for text in ("Orca (Max) has written 244 slots of 2,048", "已写入 244 个槽位，还空着 1,804 个。", "2ⁿ → “x”"):
        for width in (30, 90, 200):
            assert measure(fit(text, width, 16), 16) <= max(width, measure(text[0] + "…", 16))
            assert all(measure(line, 16) <= max(width, 40) for line in wrap(text, width, 16))
    lines = wrap("已写入 244 个槽位，还空着 1,804 个。", 60, 16)
    assert len(lines) > 3 and not any(line[0] in "，。" for line in lines)
    assert len(wrap("a b c d e f g h", 20, 16, most=2)) == 2


def test_a_squeezed_line_begins_where_it_should_whatever_its_anchor_is():
    for anchor, begins in (("start", 50), ("middle", 30), ("end", 10)):
        sheet = Sheet()
        sheet.text(50, 10, "concerning", 20, "#000000", anchor=anchor, most=40)
        assert f'"translate({begins} ' in sheet.parts[0] and "text-anchor" not in sheet.parts[0]


def test_the_caption_of_an_example_has_its_name_in_the_readers_language():
    named = preset("tiny-blocks").scenario
    told = [caption(engine.run(one, None), 0, "online", "textbook", messages("zh")).split("：")[0] for one in (
        named, named.model_copy(update={"name": "My own"})
    )]  # fmt: skip
    assert told == [messages("zh")("preset.tiny-blocks.title"), "My own"]


def test_a_slot_that_is_pointed_at_is_named_on_a_plate_where_it_is_narrow():
    trace = engine.run(preset("readers-question-alone").scenario, None)

    def shown(mark):
        return texts(picture(trace, 200, lens="online", accounting="textbook", say=messages(), mark=mark))

    assert shown("0.500-500").count("500") == shown("").count("500") + 1
    assert shown("0.500-900") == shown("7.0-1") == shown("0.0-9999999") == shown("")


def test_a_row_that_has_finished_says_so_and_not_that_nothing_is_used(small):
    steps = [system.steps for system in small.systems]
    late, early = max(steps), min(steps)
    assert early < late
    words = texts(plain(small, early))
    assert words.count("finished") == 1 and f"in step {early - 1}" in words
    words = texts(plain(small, late))
    assert words.count("finished") == len(steps) and "0%" not in words


def test_a_block_that_is_pointed_at_is_framed():
    trace = engine.run(preset("paper-figure-6").scenario, None)

    def shown(mark):
        return table_picture(trace, 2, lens="online", accounting="textbook", say=messages(), mark=mark)

    assert shown("0.12-15") != shown("") and texts(shown("0.12-15")) == texts(shown(""))


def test_the_line_of_a_copy_from_row_to_row_keeps_to_the_edges_of_rows_and_blocks():
    trace = engine.run(preset("pressure-samples").scenario)
    shown = frame(trace, 32, messages(), panels=("table",))
    sheet, pool = Sheet(), shown.pools[1]
    strip = Strip(sheet, Look(sheet), pool, 800, 120, labels=True)
    kept = books(trace, 1, 32)
    assert [(source, target) for source, target, _ in kept.copies] == [(13, 19), (13, 2)]  # a row below, a row above
    draw_blocks(strip, strip.look, kept, [request.id for request in trace.requests], "null", (-1, -1))
    lines = [
        re.findall(r"([\d.]+) ([\d.]+)", path)
        for path in re.findall(r'<path d="M([^"Q]*)" fill="none"', sheet.svg(800, 120))
    ]
    assert len(lines) == 4  # each with its rim
    rows, blocks = {1, *strip.bottom}, set(strip.x[:: strip.size])
    for points in lines:
        corners = [(float(x), float(y)) for x, y in points]
        for (x1, y1), (x2, y2) in itertools.pairwise(corners[:-1]):  # the last one is where the head begins
            assert (y1 == y2 and y1 in rows) or (x1 == x2 and x1 in blocks)
