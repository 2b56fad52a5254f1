"""What a player shows besides its buttons and slots can be clicked too: nothing is opened by that."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_player import ROOT, find

PAGES = {
    "memory": "/?preset=readers-question&step=300",
    "table": "/table?step=9",
    "sharing": "/sharing?step=9",
    "paper": "/paper?step=1",
    "pressure": "/pressure?step=9",
}
PLACES = [".headline", ".subtitle", ".numbers", ".said", ".where", ".transport .gap"]


@pytest.mark.parametrize("name", PAGES)
def test_a_click_on_a_blank_place_opens_nothing_and_the_link_goes_on_with_the_player(visit, name):
    page = visit(PAGES[name])
    before = find(page, "p.player.tell()")
    points = []
    for place in PLACES:
        element = page.locator(ROOT).locator(place).first
        if element.is_visible() and (box := element.bounding_box()):
            points.append((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    rows = [row.bounding_box() for row in page.locator(f"{ROOT} .row").all()]
    points += [(640, (a["y"] + a["height"] + b["y"]) / 2) for a, b in zip(rows, rows[1:])]
    assert len(points) >= 3
    for x, y in points:
        page.mouse.click(x, y)
    assert find(page, "p.player.tell()") == before
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(rf"step={before['step'] + 1}\b"))
    expect(page.get_by_test_id("stException")).to_have_count(0)
