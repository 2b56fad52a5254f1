"""Several pages in a real browser: the bar, links to a page, and the page "Block table"."""

import re

import pytest
from playwright.sync_api import expect

from scripts import lab
from tests.browser.test_player import ROOT, eventually, find, painted

SECTIONS = {
    "Inside PagedAttention": (
        "Block table", "Sharing", "Under pressure", "The paper, replayed", "What paging costs",
    ),
    "What if": ("Figure 2, live", "Sweeps", "Prefix cache"),
}  # fmt: skip
TABLE = "/table?preset=table-own-text"
OWN = "We must remember that our soldiers"  # the model does not know how it goes on


@pytest.fixture
def table(visit, settle):
    """The page "Block table", reached through the bar."""

    def go(width=1280, height=720, scheme="light"):
        page = visit("/", width, height, scheme)
        to(page, settle, "Block table")
        return page

    return go


def to(page, settle, name):
    """Through the bar; pages but the first stand in its sections."""
    section = next((title for title, names in SECTIONS.items() if name in names), None)
    if section:
        page.get_by_test_id("stTopNavSection").filter(has_text=section).click()
        page.get_by_test_id("stTopNavDropdownLink").filter(has_text=name).click()
    else:
        page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
    page.wait_for_function("name => document.title.startsWith(name)", arg=name)
    painted(page)
    settle(page)


def state(page, *names):
    return [page.locator(ROOT).get_attribute(f"data-{name}") for name in names]


def own(page, settle, text=OWN):
    """Type a text, and stop the player that then plays."""
    box = page.get_by_role("textbox", name="Your text")
    box.fill(text)
    box.press("Enter")
    eventually(page, f"p.player.trace.requests[0].tokens.join('').slice(0, {len(text)})", text)
    page.get_by_role("button", name=re.compile("^Pause")).click()
    settle(page)


def test_each_page_keeps_its_place_while_another_is_open(visit, settle):
    page = visit("/?preset=readers-question-alone&step=100")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("step=101"))
    to(page, settle, "Block table")
    page.wait_for_url(re.compile("/table.*preset=table-own-text"))
    to(page, settle, "Where does the memory go?")
    page.wait_for_url(re.compile("preset=readers-question-alone.*step=101"))
    assert state(page, "step") == ["101"]


def test_the_bar_takes_no_height_from_the_first_screen(table):
    page = table()
    bar = page.get_by_test_id("stHeader").bounding_box()
    assert bar["y"] == 0 and bar["height"] <= 70
    links = page.get_by_test_id("stTopNavLink").all() + page.get_by_test_id("stTopNavSection").all()
    assert len(links) >= 3
    for link in links:
        box = link.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= bar["height"] and box["x"] + box["width"] <= 1280


def test_the_first_visitors_link_to_a_page_opens_it_with_bar_and_style(browser):
    """A page of Streamlit's older kind would come without both; only a fresh server shows it."""
    with lab.running_app() as fresh:
        page = browser.new_context().new_page()
        page.goto(f"{fresh.url}{TABLE}&step=9&lens=hindsight&request=B&position=5")
        lab.settle(page)
        assert page.get_by_test_id("stTopNavSection").count() >= 2
        assert state(page, "step", "lens") == ["9", "hindsight"]
        view = find(page, "p.player.view")
        assert (view["request"], view["position"]) == (1, 5)
        page.reload()
        lab.settle(page)
        assert state(page, "step", "lens") == ["9", "hindsight"]
        page.context.close()


def test_a_text_is_run_with_enter_and_plays(table, settle):
    page = table()
    own(page, settle)
    expect(page.get_by_test_id("stAlertContentSuccess")).to_contain_text("The same text as without any cache")
    expect(page.locator(".vizkv-text").first).to_contain_text(OWN)


def test_a_shuffle_is_seen_at_once_and_leaves_the_lamp_green(table, settle):
    page = table()
    before = int(state(page, "step")[0])
    found = find(page, "Array.from({length: 72}, (_, s) => p.stateAt(0, s).owner)")
    page.get_by_role("button", name="Shuffle the blocks").click()
    page.locator(f"{ROOT}[data-step='{before + 1}']").wait_for()
    settle(page)
    assert find(page, "Array.from({length: 72}, (_, s) => p.stateAt(0, s).owner)") != found
    expect(page.get_by_test_id("stAlertContentSuccess")).to_be_visible()
    page.wait_for_url(re.compile(rf"step={before + 1}"))


def test_a_broken_table_turns_the_lamp_red_marks_the_token_and_is_undone(table, settle):
    page = table()
    own(page, settle)
    page.get_by_text("Change one entry").click()
    page.get_by_role("button", name="Change it", exact=True).last.click()
    expect(page.get_by_test_id("stAlertContentError")).to_contain_text("goes wrong at position")
    expect(page.locator(".vizkv-text mark")).to_have_count(1)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_test_id("stAlertContentSuccess")).to_be_visible()
    expect(page.locator(".vizkv-text mark")).to_have_count(0)


def test_the_vectors_follow_the_token_that_is_clicked(table, settle):
    page = table(1920, 1080)
    box = find(page, "p.rectOf(0, 2)")
    page.mouse.click(box["x"] + box["w"] / 2, box["y"] + box["h"] / 2)
    page.wait_for_url(re.compile("position=2"))
    page.get_by_text("K and V of A, position 2:").wait_for()
    page.get_by_text("2 // 4 = 0").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_nothing_of_the_page_is_wider_than_the_window(table, width, height, scheme):
    page = table(width, height, scheme)
    assert page.get_by_test_id("stMain").evaluate("(e) => e.scrollWidth <= e.clientWidth")
    cut = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stPlotlyChart]')].filter((chart) => {
            const box = chart.getBoundingClientRect();
            return [...chart.querySelectorAll('text')].some((t) => {
                const r = t.getBoundingClientRect();
                return r.width && (r.left < box.left - 1 || r.right > box.right + 1 || r.bottom > box.bottom + 1);
            });
        }).length"""
    )
    assert not cut
