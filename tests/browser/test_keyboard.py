"""By keyboard alone: every page is walked with Tab; a slot and a chart's value are picked, a table sorted."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.test_lecture import START, bar
from tests.browser.test_sweep import link
from vizkv.ui.pages import FIRST, PAGES

WITHOUT_PLAYER = ("cost", "sweep", "cache", "lecture")
MOST = 160  # stops of a page
WALK = Path(__file__).with_name("walk.js").read_text(encoding="utf-8").partition("\n")[2]


def drawer(page: Page, opened: bool) -> None:
    """Open or close it: what one page leaves, the next one of the same browser finds."""
    button = page.get_by_test_id("stExpandSidebarButton" if opened else "stSidebarCollapseButton")
    (button if opened else button.locator("button")).press("Enter")
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "false" if opened else "true")


def walked(page: Page) -> list[str]:
    """What is wrong with the way of Tab through a page."""
    page.evaluate(WALK)
    page.evaluate("() => walked.quiet()")
    for _ in range(2):  # what a rerun has taken away under the focus is come to on the second way
        for _ in range(MOST):
            page.keyboard.press("Tab")
            if page.evaluate("() => walked.step()"):
                break
        else:
            return [f"Tab does not come round in {MOST} stops"]
        if not page.evaluate("() => walked.beyond().length"):
            break
    return list(page.evaluate("() => [...new Set([...walked.found, ...walked.beyond()])]"))


def test_tab_comes_to_everything_on_every_page_and_each_stop_has_a_name_and_a_ring_and_is_seen(visit):
    found = []
    for name in PAGES:
        page = visit("/" if name == FIRST else f"/{name}", player=name not in WITHOUT_PLAYER)
        if name == FIRST:  # with its drawer
            drawer(page, opened=True)
        found += [f"{name}: {one}" for one in walked(page)]
        if name == FIRST:
            drawer(page, opened=False)
        page.close()
    assert not found, "\n".join(found)


HERE = """() => {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  return [e.className, e.textContent, e.getAttribute("aria-valuetext")].map(String);
}"""


def tab_to(page: Page, what: str) -> None:
    """Press Tab until the focus is on something of this class, or whose words end so."""
    for _ in range(MOST):
        page.keyboard.press("Tab")
        classes, text, _ = page.evaluate(HERE)
        if what in classes.split() or (len(text) < 40 and text.endswith(what)):
            return
    raise AssertionError(f"Tab does not come to {what}")


def test_a_slot_is_walked_to_heard_and_picked_and_answers_a_question(visit):
    page = visit("/paper" + START.format(beat=9, preset="paper-figure-6", step=1)[1:])
    expect(bar(page)).to_have_attribute("data-open", "1")
    tab_to(page, "slots")
    for _ in range(14):
        page.keyboard.press("ArrowRight")
    assert "block 3" in page.evaluate(HERE)[2]  # spoken as it is shown
    expect(page.locator(".vizkv .tip")).to_contain_text("block 3")
    page.keyboard.press("Enter")
    expect(bar(page)).to_have_attribute("data-open", "0")
    expect(bar(page).locator(".right")).to_have_text("3")
    expect(bar(page).locator(".score")).to_have_text("1 of 1 right")


def test_a_value_of_a_chart_is_walked_to_heard_and_opened_and_the_focus_stays(visit, settle):
    page = visit(link(20.0, xs="8,32"), player=False)
    tab_to(page, "Run")
    page.keyboard.press("Enter")
    expect(page.get_by_text("All 4 runs are here.")).to_be_visible()
    settle(page, player=False)
    tab_to(page, "js-plotly-plot")
    page.keyboard.press("End")
    chart = page.locator(".st-key-sweep-picture .js-plotly-plot")
    expect(chart).to_have_attribute("aria-valuetext", re.compile("32"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("Block size = 32"))).to_be_visible()
    settle(page, player=False)
    expect(chart).to_be_focused()


def test_a_table_is_sorted_by_the_column_that_one_is_in_and_the_menu_of_the_column_is_walked(visit):
    page = visit("/pressure")
    table = page.get_by_test_id("stDataFrame")
    steps = table.locator('td[aria-colindex="9"]')
    titles, own = table.locator("th"), [59, 63, 99]

    def rows() -> list[int]:
        return [int(text) for text in steps.all_text_contents()]

    table.get_by_test_id("data-grid-canvas").first.focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(titles.nth(8)).to_have_text("Steps")
    assert rows() == own
    page.keyboard.press("s")
    expect(titles.nth(8)).to_have_text("↑ Steps")
    page.keyboard.press("ArrowDown")  # one is still in the table, and in its column
    page.keyboard.press("s")
    expect(titles.nth(8)).to_have_text("↓ Steps")
    expect(page.get_by_role("status").filter(has_text="Sorted by Steps, descending.")).to_have_count(1)  # it is heard
    assert rows() == own[::-1]
    page.keyboard.press("s")
    expect(titles.nth(8)).to_have_text("Steps")
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_role("menuitem", name="Sort ascending")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(titles.nth(8)).to_have_text("↓ Steps")
    expect(page.get_by_test_id("stDataFrameColumnMenu")).to_have_count(0)
    expect(table.locator("canvas:focus-within")).to_have_count(1)  # it has the focus, or one of its cells
    expect(table).to_have_attribute("data-walked", "")  # and what its keys are stands above it
    expect(table).to_have_attribute("data-keys", re.compile("S: sort"))


# two keys at once, and until what they began has come to its end
QUICK = """async (edge) => {
    for (const key of ["End", "Enter"]) edge.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    for (let frame = 0; frame < 20; frame++) await new Promise(requestAnimationFrame);
}"""


def test_the_drawer_is_made_wider_and_narrower_and_as_it_was(visit):
    page = visit("/table")
    drawer(page, opened=True)
    edge = page.get_by_role("separator", name=re.compile("Width"))
    expect(edge).to_have_attribute("aria-valuemin", "225")  # it has slid in
    first = int(edge.get_attribute("aria-valuenow") or 0)
    edge.press("ArrowRight")
    expect(edge).to_have_attribute("aria-valuenow", str(first + 16))
    edge.press("Shift+ArrowLeft")
    expect(edge).to_have_attribute("aria-valuenow", str(first - 48))
    edge.press("Home")
    expect(edge).to_have_attribute("aria-valuenow", "225")
    edge.press("Enter")
    expect(edge).to_have_attribute("aria-valuenow", str(first))
    edge.evaluate(QUICK)
    expect(edge).to_have_attribute("aria-valuenow", str(first))
    drawer(page, opened=False)
