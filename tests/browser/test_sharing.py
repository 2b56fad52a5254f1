"""The page "Sharing" in a real browser: each kind is drawn, and its buttons lead the player."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import to
from tests.browser.test_player import ROOT

KINDS = ["Parallel sampling", "Beam search", "Common prefix", "Prefix cache"]


@pytest.fixture
def sharing(visit, settle):
    """The page, reached through the bar, with one kind chosen."""

    def go(kind, width=1280, height=720, scheme="light"):
        page = visit("/", width, height, scheme)
        to(page, settle, "Sharing")
        if kind != KINDS[0]:
            page.get_by_role("combobox", name="What is shared").click()
            page.get_by_role("option", name=kind).click()
            page.wait_for_url(re.compile("preset=sharing-(?!samples)"))
            settle(page)
        return page

    return go


def step_of(page):
    return page.locator(ROOT).get_attribute("data-step")


@pytest.mark.parametrize(
    ("kind", "shows"),
    [
        (KINDS[0], "4 references"),
        (KINDS[1], "The beams, step by step"),
        (KINDS[2], "3 references"),
        (KINDS[3], "What the prefix cache found"),
    ],
)
def test_each_kind_is_drawn(sharing, kind, shows):
    page = sharing(kind)
    expect(page.locator(ROOT)).to_have_attribute("data-ready", "1")
    page.get_by_text("Memory saved by sharing").wait_for()
    page.get_by_text(shows).first.wait_for()
    expect(page.get_by_test_id("stAlertContentWarning")).to_have_count(0)


def test_a_button_leads_the_player_to_the_copy_and_back(sharing, settle):
    page = sharing(KINDS[1])
    assert step_of(page) == "2"
    page.get_by_role("button", name="Step 7: 1 copy").click()
    page.locator(f"{ROOT}[data-step='7']").wait_for()
    settle(page)
    page.wait_for_url(re.compile("step=7"))
    page.get_by_role("button", name="Step 2: 3 copies").click()
    page.locator(f"{ROOT}[data-step='2']").wait_for()


def test_the_pictures_follow_the_player(sharing, settle):
    page = sharing(KINDS[0])
    page.get_by_text("At the end of step 1 the texts fill 8 blocks").wait_for()
    page.locator(ROOT).focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_text("At the end of step 0 the texts fill 8 blocks").wait_for()


def test_another_draw_is_another_text(sharing, settle):
    page = sharing(KINDS[0])
    texts = page.locator(".vzs-texts p")
    expect(texts).to_have_count(4)
    before = texts.all_inner_texts()
    page.get_by_role("button", name="Draw again").click()
    expect(texts.first).not_to_have_text(before[0])
    settle(page)
    page.wait_for_url(re.compile("s="))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_nothing_of_the_page_is_wider_than_the_window(sharing, width, height, scheme):
    page = sharing(KINDS[1], width, height, scheme)
    page.locator(".vzs-tree").wait_for()
    assert page.get_by_test_id("stMain").evaluate("(e) => e.scrollWidth <= e.clientWidth")
    box = page.locator(ROOT).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
