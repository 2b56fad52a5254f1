"""The first minute, and whoever asked for less motion."""

import re

import pytest
from playwright.sync_api import expect

from scripts import lab


@pytest.fixture
def fresh(app, browser):
    """fresh(path, motion): a page in a profile of its own."""
    contexts = []

    def go(path, motion):
        context = browser.new_context(reduced_motion=motion, viewport={"width": 1280, "height": 720}, locale="en")
        contexts.append(context)
        page = context.new_page()
        page.goto(app.url + path)
        page.wait_for_selector('[data-ready="1"]', timeout=lab.READY_WITHIN_MS)
        return page

    yield go
    for context in contexts:
        context.close()


def player(page):
    return page.locator(".vizkv")


def test_the_first_page_plays_its_question_and_one_click_shows_the_other_lens(fresh):
    page = fresh("/", "no-preference")
    expect(player(page)).to_have_attribute("data-playing", "1")
    offer = page.locator(".vizkv .offer")
    expect(offer).to_be_visible()
    expect(player(page)).to_have_attribute("data-playing", "0")
    step = player(page).get_attribute("data-step")
    assert int(step) > 100, "it has arrived where the question is asked"
    page.locator('.vizkv [data-lens="hindsight"]').click()
    expect(offer).to_be_hidden()
    expect(player(page)).to_have_attribute("data-lens", "hindsight")
    assert player(page).get_attribute("data-step") == step


def test_for_reduced_motion_and_for_a_link_to_a_step_nothing_moves_by_itself(fresh):
    still = fresh("/", "reduce")
    expect(still.locator(".vizkv .offer")).to_be_visible()  # at once, where the question is asked
    assert int(player(still).get_attribute("data-step")) > 100
    assert player(still).get_attribute("data-playing") == "0"
    linked = fresh("/?preset=readers-question&step=7", "no-preference")
    linked.wait_for_timeout(500)
    assert player(linked).get_attribute("data-playing") == "0" and player(linked).get_attribute("data-step") == "7"
    # each step is a sentence for a screen reader
    linked.locator('.vizkv [data-do="step"]').click()
    expect(linked.locator(".vizkv .aloud")).to_contain_text("step 8")


def test_the_tour_leads_through_the_stops_and_ends(visit):
    page = visit("/?lang=en&step=5")
    page.get_by_role("button", name="Take the tour").click()
    expect(page.get_by_text("Stop 1 of 7.")).to_be_visible()
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_text("Stop 2 of 7.")).to_be_visible()
    expect(player(page)).to_have_attribute("data-lens", "hindsight")
    for stop in (3, 4):
        page.get_by_role("button", name="Next", exact=True).click()
        expect(page.get_by_text(f"Stop {stop} of 7.")).to_be_visible()
    expect(page).to_have_url(re.compile("/table"))
    page.get_by_role("button", name="End the tour").click()
    expect(page.get_by_role("button", name="Take the tour")).to_be_visible()


def test_on_a_projector_outlines_are_thick_type_is_large_and_all_fits(visit):
    near, far = visit("/?lang=en&step=5"), visit("/?lang=en&step=5&room=projector")
    size = "(root) => parseFloat(getComputedStyle(root.querySelector('.stage')).fontSize)"
    assert player(far).evaluate(size) > player(near).evaluate(size)
    bold = "(root) => root.__vizkv.player.look.bold"
    assert player(far).evaluate(bold) > 2 * player(near).evaluate(bold)
    box = far.locator(".vizkv .transport").bounding_box()
    assert box["y"] + box["height"] <= 720
