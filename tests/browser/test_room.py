"""The first minute, whoever asked for less motion, a projector and a phone."""

import re

import pytest
from playwright.sync_api import expect

from scripts import lab


@pytest.fixture
def fresh(app, browser):
    """fresh(path, motion, player=True, **more): a page in a profile of its own, ``more`` as of a browser's context."""
    contexts = []

    def go(path, motion, player=True, **more):
        asked = {"reduced_motion": motion, "viewport": {"width": 1280, "height": 720}, "locale": "en"} | more
        context = browser.new_context(**asked)
        contexts.append(context)
        page = context.new_page()
        page.goto(app.url + path)
        if player:
            page.wait_for_selector('[data-ready="1"]', timeout=lab.READY_WITHIN_MS)
        else:
            lab.settle(page, player=False)
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
    expect(player(page)).to_have_attribute("data-step", step)


def test_for_reduced_motion_and_for_a_link_to_a_step_nothing_moves_by_itself(fresh):
    still = fresh("/", "reduce")
    expect(still.locator(".vizkv .offer")).to_be_visible()  # at once, where the question is asked
    assert int(player(still).get_attribute("data-step")) > 100
    expect(player(still)).to_have_attribute("data-playing", "0")
    linked = fresh("/?preset=readers-question&step=7", "no-preference")
    linked.wait_for_selector(lab.AT_REST)  # all that could begin to play has been told
    expect(player(linked)).to_have_attribute("data-playing", "0")
    expect(player(linked)).to_have_attribute("data-step", "7")
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
    # the page's room may be known later than the picture is drawn
    near.evaluate("() => document.documentElement.style.setProperty('--vizkv-room', 'projector')")
    expect(player(near)).to_have_attribute("data-room", "projector")
    assert player(near).evaluate(size) == player(far).evaluate(size)


# of the page's main part, words that can be seen, as [size in pixels, words]; also inside components and drawings
WORDS = """() => {
  const found = [];
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) walk(element.shadowRoot);
      const words = [...element.childNodes].map((node) => (node.nodeType === 3 ? node.data.trim() : "")).join("");
      if (!words || element.closest("style, script, [aria-hidden=true]")) continue;
      if (!element.checkVisibility({visibilityProperty: true})) continue;
      const box = element.getBoundingClientRect();
      if (box.width < 3 || box.height < 3) continue;
      found.push([parseFloat(getComputedStyle(element).fontSize), words.slice(0, 40)]);
    }
  };
  walk(document.querySelector("[data-testid=stMain]"));
  return found;
}"""


@pytest.mark.parametrize("path", ["/table?preset=table-own-text&lang=en", "/sweep?lang=en", "/cost?lang=zh"])
def test_on_a_projector_no_words_are_small(visit, path):
    page = visit(f"{path}&room=projector", player="table" in path)
    small = [one for one in page.evaluate(WORDS) if one[0] < 13]
    assert not small, small[:5]


def test_on_a_large_projector_a_charts_words_are_as_large_as_the_pages(visit):
    page = visit("/sweep?lang=en&room=projector", 1920, 1080, player=False)
    page.wait_for_function("""() => {
      const of = (element) => parseFloat(getComputedStyle(element).fontSize);
      const words = [...document.querySelectorAll(".js-plotly-plot .xtick text")].map(of);
      return words.length && Math.min(...words) > 0.85 * of(document.documentElement);
    }""")


PHONE = {
    "viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36",
}  # fmt: skip
SIDEWAYS = """() => {
  const main = document.querySelector("[data-testid=stMain]");
  return [main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - innerWidth];
}"""


def test_on_a_phone_no_page_scrolls_sideways_and_the_player_answers_a_finger(fresh):
    page = fresh("/pressure?preset=pressure&step=19&lang=en", "reduce", **PHONE)
    assert page.evaluate(SIDEWAYS) == [0, 0]
    # the rows stand below each other, and nothing of the page lies over the last
    rows = [row.bounding_box() for row in page.locator(".vizkv .row").all()]
    ledger = page.locator(".vizkv .row .ledger").last.bounding_box()
    assert all(upper["y"] + upper["height"] <= lower["y"] for upper, lower in zip(rows, rows[1:], strict=False))
    bottom = player(page).bounding_box()
    assert ledger["y"] + ledger["height"] <= bottom["y"] + bottom["height"]
    step = page.locator('.vizkv [data-do="step"]')
    step.tap()
    expect(player(page)).to_have_attribute("data-step", "20")
    assert step.bounding_box()["height"] >= 40
    page.locator(".vizkv .slots").first.tap(position={"x": 20, "y": 40})
    expect(page.locator(".vizkv .tip")).to_be_visible()


def test_in_chinese_too_a_phone_opens_the_drawer_and_closes_it(fresh):
    page = fresh("/?lang=zh&step=5", "reduce", **PHONE)
    drawer = page.get_by_test_id("stSidebar")
    page.get_by_test_id("stExpandSidebarButton").tap()
    expect(drawer).to_have_attribute("data-collapsed", "false")
    page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").tap()
    expect(drawer).to_have_attribute("data-collapsed", "true")


@pytest.mark.parametrize("path", ["/cache?lang=en", "/whatif?lang=zh", "/paper?preset=paper-figure-8&lang=en"])
def test_a_page_is_no_wider_than_a_phone(fresh, path):
    page = fresh(path, "reduce", player=False, **PHONE)
    assert page.evaluate(SIDEWAYS) == [0, 0]


def test_on_a_phone_a_lectures_bar_shows_its_whole_title_and_each_of_its_buttons_fits_a_finger(fresh):
    page = fresh("/?lang=en&lecture=lecture&beat=2&preset=readers-question&step=293", "reduce", **PHONE)
    bar = page.locator(".st-key-lecture-bar .bar")
    expect(bar.locator(".choices button").first).to_be_visible()
    title = bar.locator(".title")
    expect(title).to_have_text("The reader’s question: 500 of 2,048")
    assert title.evaluate("(title) => title.scrollHeight - title.clientHeight") <= 2  # letters are higher than a line
    boxes = [button.bounding_box() for button in bar.get_by_role("button").all() if button.is_visible()]
    assert len(boxes) >= 4 + 2
    assert min(min(box["width"], box["height"]) for box in boxes) >= 40
