"""The page "Prefix cache" in a real browser: lines come in, a point is clicked, and a reload opens it again."""

import re

import pytest
from playwright.sync_api import expect

from vizkv.scenario.code import to_code
from vizkv.scenario.presets import preset
from vizkv.scenario.schema import from_dict, to_dict

SMALL = "/cache?sizes=256,512&pools=16384,65536"
POINTS = """() => [...document.querySelectorAll('.st-key-cache-picture .scatterlayer .trace .point')].map((p) => {
    const box = p.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
})"""


@pytest.mark.parametrize(("width", "height", "scheme"), [(1280, 720, "light"), (1920, 1080, "dark")])
def test_a_click_on_a_point_opens_its_run_and_the_link_keeps_it(visit, settle, width, height, scheme):
    page = visit(SMALL, width, height, scheme, player=False)
    run = page.get_by_role("button", name="Run", exact=True)
    expect(page.get_by_test_id("stProgress")).to_be_visible()  # and so what is above it
    if run.is_visible() and page.get_by_text("All 4 runs are here.").count() == 0:
        run.click()
    expect(page.get_by_text("All 4 runs are here.")).to_be_visible(timeout=60_000)
    settle(page, player=False)
    page.wait_for_function(f"({POINTS})().length >= 4")  # the picture of the last result comes after the words
    picture = page.locator(".st-key-cache-picture").bounding_box()
    assert picture["y"] + picture["height"] <= height  # all of it is on the first screen
    page.mouse.click(*page.evaluate(POINTS)[2])  # the first pool of the second line
    page.wait_for_url(re.compile("point=slots%3D16384%2Cblock_size%3D512"))
    ledger = page.locator(".st-key-cache-ledger")
    expect(ledger.get_by_text("free, content kept")).to_be_visible(timeout=30_000)
    expect(page.get_by_text(re.compile("prompt tokens .* were found when"))).to_be_visible()
    page.reload()
    settle(page, player=False)
    expect(page.get_by_role("heading", name="The run with 16,384 slots and blocks of 512")).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("(e) => e.scrollWidth <= e.clientWidth")


def short():
    """The preset's conversations, forty seconds of them, as a link."""
    data = to_dict(preset("cache-conversations").scenario)
    data["workload"]["duration"] = 40.0
    return f"/cache?sizes=16,512&pools=8192,16384&s={to_code(from_dict(data))}"


def test_the_forms_of_a_page_that_has_run_show_what_was_run_and_opening_them_changes_nothing(visit, settle):
    page = visit(short(), player=False)
    here = page.get_by_text("All 4 runs are here.")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(here).to_be_visible(timeout=60_000)
    settle(page, player=False)
    link = page.url
    page.get_by_role("button", name="Conversations").click()
    held = {"Duration": "40.00", "Turns": "8", "Maximum length": "131072"}
    for name, value in held.items():
        expect(page.get_by_role("spinbutton", name=name)).to_have_value(value)
    duration = page.get_by_role("spinbutton", name="Duration")
    duration.fill("")
    duration.press("Tab")
    expect(duration).to_have_value("40.00")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="In bytes").click()
    expect(page.get_by_label("Model", exact=True)).to_have_value(re.compile("Llama"))
    page.keyboard.press("Escape")
    page.locator(".st-key-cache-metric").get_by_role("radio").nth(1).click()
    page.wait_for_url(re.compile("metric=hit_rate"))
    settle(page, player=False)
    expect(here).to_be_visible()
    assert page.url.replace("&metric=hit_rate", "") == link
