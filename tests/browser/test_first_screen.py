"""The reader's question, seen: the colours of slots 49, 249, 500 and 2,047 of Orca (Max) in both lenses."""

import io
from collections import Counter

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_player import find
from vizkv.views.picture.palette import PALETTE

ROOT = "[data-ready='1']"
CLEAR = 30**2  # squared RGB distance up to which a pixel is that colour and no line of an outline or a hatch
EXPECTED = {
    (100, "online"): {49: "used", 249: "reserved", 500: "reserved", 2047: "reserved"},
    (100, "hindsight"): {49: "used", 249: "reserved", 500: "internal", 2047: "internal"},
    (300, "online"): {49: "used", 249: "used", 500: "reserved", 2047: "reserved"},
    (300, "hindsight"): {49: "used", 249: "used", 500: "internal", 2047: "internal"},
    (500, "online"): {49: "used", 249: "used", 500: "internal", 2047: "internal"},
    (500, "hindsight"): {49: "used", 249: "used", 500: "internal", 2047: "internal"},
}


def nearest(image, box, palette):
    """The category whose colour most pixels of a slot are closest to: neither hatch nor outline may decide."""
    votes = Counter()
    for x in range(round(box["x"]) + 1, round(box["x"] + box["w"])):
        for y in range(round(box["y"]) + 1, round(box["y"] + box["h"])):
            pixel = image.getpixel((x, y))
            distance = {
                name: sum((a - b) ** 2 for a, b in zip(pixel, bytes.fromhex(palette[name][1:])))
                for name in ("used", "reserved", "internal", "external", "free")
            }
            name = min(distance, key=distance.__getitem__)
            if distance[name] < CLEAR:
                votes[name] += 1
    return votes.most_common(1)[0][0]


def seen(page, system, slots, scheme):
    boxes = find(page, f"{list(slots)}.map((s) => p.rectOf({system}, s))")
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return {slot: nearest(image, box, PALETTE[scheme]) for slot, box in zip(slots, boxes)}


MOMENT = {100: "A at 100", 300: "A at 300", 500: "A ends at 500"}
LENS = {"online": "What the system knows", "hindsight": "With hindsight"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("preset", ["readers-question", "readers-question-alone"])
def test_the_slots_have_the_colours_that_the_question_is_about(visit, scheme, preset):
    page = visit(f"/?preset={preset}&step=0&lens=online", width=1920, height=1080, scheme=scheme)
    for (written, lens), expected in EXPECTED.items():
        page.get_by_role("button", name=MOMENT[written]).click()
        page.get_by_role("button", name=LENS[lens]).click()
        page.locator(f"[data-step='{written - 7}'][data-lens='{lens}']").wait_for()
        assert seen(page, 0, list(expected), scheme) == expected, (written, lens)


def test_a_link_opens_the_exact_moment_and_lens(visit):
    page = visit("/?preset=readers-question&step=237&lens=hindsight&accounting=paper", width=1920, height=1080)
    root = page.locator(ROOT)
    state = [root.get_attribute(f"data-{name}") for name in ("step", "lens", "accounting")]
    assert state == ["237", "hindsight", "paper"]
    assert seen(page, 0, [199, 299, 500], "light") == {199: "used", 299: "reserved", 500: "internal"}


def test_one_click_on_the_lens_renames_the_same_slots(visit):
    page = visit("/?preset=readers-question&step=293&lens=online", width=1920, height=1080)
    assert seen(page, 0, [500], "light") == {500: "reserved"}
    page.get_by_role("button", name="With hindsight").click()
    page.locator(f"{ROOT}[data-lens='hindsight']").wait_for()
    assert seen(page, 0, [500], "light") == {500: "internal"}
    expect(page.locator(ROOT)).to_have_attribute("data-step", "293")


@pytest.mark.parametrize("path", ["/?v=0.0.1", "/table?v=0.0.1", "/?step=nonsense", "/?v=0.0.1&class=nothing"])
def test_a_sentence_above_the_player_leaves_its_buttons_on_a_low_screen(visit, path):
    page = visit(path)
    expect(page.get_by_test_id("stAlert").first).to_be_visible()
    for _ in range(50):  # a page of tables takes its height a moment after the player's first frame
        transport = page.locator(".vizkv .transport").bounding_box()
        if transport["y"] + transport["height"] <= 720:
            break
        page.wait_for_timeout(100)
    assert transport["y"] + transport["height"] <= 720


def test_no_sentence_lies_under_a_pages_own_button(visit):
    page = visit("/pressure?v=0.0.1")
    sentence = page.get_by_test_id("stAlert").first.bounding_box()
    button = page.locator(".st-key-pressure-sizes button").first.bounding_box()
    assert sentence["x"] + sentence["width"] <= button["x"]
