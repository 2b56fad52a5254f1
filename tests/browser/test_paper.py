"""The page "The paper, replayed" in a real browser: every figure from its link, and its printed numbers on screen."""

import pytest
from playwright.sync_api import expect

from vizkv.scenario.presets import list_presets
from vizkv.views.facts import figures

PAPER = [p.id for p in list_presets() if p.page == "paper"]
ROOT = "[data-ready='1']"
# figure -> what the panels show at its step: the block tables, and the words in the text
SHOWN = {
    "paper-figure-6": (["7", "1", "3"], "brought"),
    "paper-figure-7": (["7", "1", "3", "5", "2"], "brought"),
    "paper-figure-8": (["7", "3", "7", "1"], "fathers"),
    "paper-figure-9": (["0", "1", "3", "5", "0", "1", "3", "6", "0", "1", "3", "7", "0", "2", "4", "8"], "continent"),
    "paper-figure-10": (["0", "1", "2", "3", "5", "0", "1", "2", "3", "4"], "French"),
    "paper-prefix-cache": (["0", "1", "2", "7", "8", "9", "4", "3"], "ship"),
    "paper-prefix-cache-now": (["0", "1", "2", "4", "7", "8", "9", "3"], "ship"),
}


@pytest.fixture(autouse=True)
def _deep_links(monkeypatch):
    """Streamlit asks for its server beside a page's path first, is told 404 there, and asks again at the root."""
    from tests.browser import conftest

    heard = conftest.Complaints._console

    def console(self, message):
        if not message.location.get("url", "").endswith(("/paper/_stcore/health", "/paper/_stcore/host-config")):
            heard(self, message)

    monkeypatch.setattr(conftest.Complaints, "_console", console)


def marks(page):
    return page.locator(".vizkv-figure .vizkv-mark").all_inner_texts()


def physical(page):
    """The physical blocks in all block tables, in their order on screen."""
    return page.locator(f"{ROOT} .entry-row .physical").all_inner_texts()


@pytest.mark.parametrize(("width", "height", "scheme"), [(1920, 1080, "light"), (1280, 720, "dark")])
@pytest.mark.parametrize("name", PAPER)
def test_a_figure_opens_from_its_link_and_fits_the_screen(visit, name, width, height, scheme):
    page = visit(f"/paper?preset={name}", width=width, height=height, scheme=scheme)
    preset = next(p for p in list_presets() if p.id == name)
    expect(page.locator(ROOT)).to_have_attribute("data-step", str(preset.step))
    page.locator(".vizkv-figure").wait_for()
    assert marks(page) == ["≠" if claim.differs else "✓" for claim in figures.FIGURES[name]]
    if name in SHOWN:
        blocks, word = SHOWN[name]
        assert physical(page) == blocks
        expect(page.locator(f"{ROOT} .tokens")).to_contain_text(word)
    player, row = page.locator(ROOT).bounding_box(), page.get_by_test_id("stButtonGroup").bounding_box()
    assert 0 <= row["y"] and row["y"] + row["height"] <= player["y"]
    assert player["y"] + player["height"] <= height
    assert row["width"] >= player["width"] - 2
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_one_click_leads_to_another_figure_and_the_link_says_so(visit):
    page = visit("/paper?preset=paper-figure-6")
    page.get_by_role("radio", name="Figure 9").or_(page.get_by_role("button", name="Figure 9")).first.click()
    page.locator(f"{ROOT}[data-step='11']").wait_for()
    page.wait_for_url("**preset=paper-figure-9**")
    page.locator(".vizkv-figure").get_by_text("Block table of c3").wait_for()


def test_stepping_on_moves_the_rows_that_stand_out(visit):
    page = visit("/paper?preset=paper-figure-9")
    now = page.locator(".vizkv-figure .vizkv-now")
    now.first.wait_for()
    expect(now).to_have_count(4)  # the four block tables before
    page.get_by_role("button", name="step 12", exact=True).click()
    page.locator(".vizkv-figure .vizkv-now").get_by_text("Blocks set free").wait_for()
    expect(now).to_have_count(1)
