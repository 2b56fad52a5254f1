"""The page "Under pressure" in a real browser: a reason opens its step, and a control beside the headline the run."""

from playwright.sync_api import expect

from tests.browser.test_player import eventually, find, still


def test_a_reason_opens_its_step_and_the_player_goes_on_from_there(visit, settle):
    page = visit("/pressure", width=1280, height=800)
    assert find(page, "p.player.view.step") == 19
    button = page.get_by_role("button", name="Step 27").first
    still(button)
    button.click()
    settle(page)
    eventually(page, "p.player.view.step", 27)
    expect(button).to_be_focused()  # it is still the same one
    find(page, "p.player.root.focus()")
    page.keyboard.press("ArrowRight")
    eventually(page, "p.player.view.step", 28)
    page.wait_for_url("**step=28**")
    still(button)
    button.click()  # the same again: it is a new order
    settle(page)
    eventually(page, "p.player.view.step", 27)


def test_a_control_changes_the_run_and_stays_open(visit, settle):
    page = visit("/pressure", width=1280, height=720)
    controls = page.locator(".st-key-pressure-sizes button").first
    box, headline = controls.bounding_box(), page.locator(".headline").bounding_box()
    assert abs(box["y"] - headline["y"]) < 10  # beside it, not above
    scrub = page.locator(".scrub").bounding_box()
    assert scrub["y"] + scrub["height"] <= 720  # the whole player is on the first screen
    controls.click()
    slider = page.get_by_test_id("stPopoverBody").locator("input[type=range]").first
    slider.press("ArrowRight")
    expect(controls).to_contain_text("104 slots")
    settle(page)
    eventually(page, "p.player.trace.systems[0].slots", 104)
    slider.press("ArrowRight")  # it has kept the keyboard
    expect(controls).to_contain_text("112 slots")
    page.wait_for_url("**s=**")
