"""The page "What if" in a browser: bars that grow, knobs that are answered while they are turned, ghosts, links."""

import re

import pytest
from playwright.sync_api import expect

from vizkv.scenario.code import to_code
from vizkv.scenario.presets import preset
from vizkv.scenario.schema import from_dict, to_dict
from vizkv.ui.whatif import knobs as whatif_knobs

FIGURE_2 = preset("figure-2").scenario
WITHIN = 60_000  # ms, on a machine that is busy


def scenario(**workload):
    data = to_dict(FIGURE_2)
    data["workload"] |= workload
    return from_dict(data)


SHORT = f"/whatif?preset=figure-2&s={to_code(scenario(duration=40.0, warmup=10.0))}"


def bars(page):
    return page.locator(".vizlive")


def done(page, settle):
    """Until everything stands still, also what is drawn below the bars once they do."""
    expect(bars(page)).to_have_attribute("data-state", "done", timeout=WITHIN)
    page.locator("[data-do=end]").click()  # the growing is a test of its own
    expect(bars(page)).to_have_attribute("data-still", "1", timeout=WITHIN)
    expect(page.locator(".js-plotly-plot")).to_have_count(1, timeout=WITHIN)  # while it is drawn anew there are two
    settle(page, player=False)
    return page


def used(page, column):
    """Percent of the pool, as it is drawn."""
    part = page.locator(".column").nth(column).locator("[data-part=used]")
    return part.evaluate("(part) => parseFloat(part.style.height)")


def turned(page, name, places):
    """A knob, turned by keys; one event a place, as fast as they come."""
    page.locator(f"#knob-{name}").focus()
    for _ in range(abs(places)):
        page.keyboard.press("ArrowRight" if places > 0 else "ArrowLeft")


def test_run_lets_the_bars_grow_to_the_papers_numbers(visit, settle):
    page = visit("/whatif")
    expect(page.locator(".paper-says:not(:empty)")).to_have_count(13)
    expect(page.locator(".part:visible")).to_have_count(0)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(bars(page)).to_have_attribute("data-first", re.compile(".+"))
    watch = "(scrub) => { window.grown = []; setInterval(() => window.grown.push(Number(scrub.value)), 50); }"
    page.locator(".scrub").evaluate(watch)
    page.wait_for_function("new Set(window.grown).size > 20", timeout=WITHIN)
    done(page, settle)
    growing = page.evaluate("window.grown")
    heights = [used(page, column) for column in range(4)]
    assert heights == sorted(heights)
    assert growing == sorted(growing)  # it grows, and never jumps back
    assert heights[3] == pytest.approx(96.3, abs=2.5)
    expect(page.locator(".column").nth(3).locator(".label").first).to_have_text(f"{heights[3]:.1f}")
    expect(page.locator(".differs:not(:empty)")).to_have_count(13)
    assert "preset=figure-2" in page.url  # and from now on a reload runs it again


def test_a_knob_is_answered_and_the_run_before_stays_as_outlines(visit, settle):
    page = done(visit(SHORT), settle)
    before, run = used(page, 3), bars(page).get_attribute("data-run")
    bars(page).evaluate("(root) => { root.__same = true; }")
    turned(page, "block_size", 4)
    expect(bars(page)).not_to_have_attribute("data-run", run, timeout=WITHIN)
    expect(page).to_have_url(re.compile("ghost=block_size%3D16"), timeout=WITHIN)
    done(page, settle)
    assert used(page, 3) < before - 5
    outlines = page.locator(".before:not(.same)")
    expect(outlines).to_have_count(1)  # only the paged system has changed
    assert bars(page).evaluate("(root) => root.__same")  # the component was not mounted anew
    expect(page.locator(".column").nth(3).locator(".before-says:not(:empty)").first).to_contain_text("was")
    # the last place of the knob is the one that was run, however fast it was turned
    wanted = whatif_knobs.turned(scenario(duration=40.0, warmup=10.0), "block_size", 256)
    expect(page).to_have_url(re.compile(f"s={re.escape(to_code(wanted))}"))


def test_what_is_open_survives_a_reload_and_a_visit_to_another_page(visit, settle):
    page = done(visit(SHORT), settle)
    turned(page, "rate", 2)
    page.locator("[data-accounting=textbook]").click()
    expect(page).to_have_url(re.compile("accounting=textbook.*ghost=rate%3D4"), timeout=WITHIN)
    done(page, settle)
    url, run = page.url, bars(page).get_attribute("data-run")
    page.reload()
    settle(page)
    done(page, settle)
    expect(page).to_have_url(url)
    expect(bars(page)).to_have_attribute("data-run", run)
    expect(page.locator("#knob-rate")).to_have_attribute("aria-valuetext", "5")
    page.goto(page.url.split("/whatif")[0] + "/cost")
    settle(page, player=False)
    page.go_back()
    settle(page)
    done(page, settle)
    expect(bars(page)).to_have_attribute("data-run", run)


def test_a_double_click_takes_a_knob_home_and_a_kept_ghost_stays(visit, settle):
    page = done(visit(SHORT), settle)
    page.locator("[data-tell=keep]").click()
    turned(page, "block_size", 2)
    expect(page).to_have_url(re.compile("ghost=keep.block_size%3D16"), timeout=WITHIN)
    done(page, settle)
    page.locator("[data-knob=block_size]").dblclick(position={"x": 5, "y": 5})
    expect(page.locator("#knob-block_size")).to_have_attribute("aria-valuetext", "16")
    expect(page.locator(".before:not(.same)")).to_have_count(0)
    expect(page.locator("[data-tell=keep]")).to_have_class(re.compile(r"\bon\b"))


def test_stop_is_heard_and_what_was_computed_stays(visit, settle):
    page = visit(f"/whatif?preset=figure-2&s={to_code(scenario(duration=6000.0, warmup=10.0))}")
    expect(bars(page)).to_have_attribute("data-first", re.compile(".+"), timeout=WITHIN)
    page.get_by_role("button", name="Stop").click()
    expect(bars(page)).to_have_attribute("data-state", "stopped", timeout=WITHIN)
    settle(page, player=False)
    expect(page.locator(".part:visible").first).to_be_visible()
    expect(page.locator(".sentence")).to_contain_text("Stopped at")


def test_a_part_of_a_bar_opens_the_step_behind_it_by_keyboard(visit, settle):
    page = done(visit(SHORT), settle)
    part = page.locator(".column").nth(1).locator("[data-part=reserved]")
    expect(part).to_have_attribute("aria-label", re.compile(r"Orca \(Pow2\), reserved: [\d.]+ percent of the pool"))
    part.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("at=1%3A40(\\.0)?%3Areserved"), timeout=WITHIN)
    expect(part).to_have_class(re.compile("lit"))
    expect(page.get_by_role("heading", name="The step behind it")).to_be_visible(timeout=WITHIN)


def test_who_wants_no_motion_sees_the_end_at_once(visit, settle):
    page = visit("/cost", player=False)
    page.emulate_media(reduced_motion="reduce")
    page.goto(page.url.split("/cost")[0] + SHORT)
    settle(page)
    done(page, settle)
    expect(page.locator(".where")).to_have_text("40 s of 40 s")
    expect(page.locator(".vizlive.playing")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720)])
def test_the_picture_fits_the_screen_and_nothing_is_cut_off(visit, settle, width, height):
    page = done(visit(SHORT, width=width, height=height), settle)
    box = page.locator(".transport").bounding_box()
    assert box["y"] + box["height"] <= height
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= width
    columns = page.locator(".column").all()
    for column in columns:
        right = column.bounding_box()["x"] + column.bounding_box()["width"]
        for line in column.locator(".texts .line:not(:empty)").all():
            assert line.evaluate("(e) => e.getBoundingClientRect().left + e.scrollWidth") <= right + 24
