"""However many systems a scenario has, what happens and the player's buttons are on the screen."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_player import ROOT
from vizkv.scenario.code import to_code
from vizkv.scenario.schema import from_dict

KINDS = [
    {"kind": "contiguous", "reserve": "max", "placement": "first-fit", "unit": 1},
    {"kind": "contiguous", "reserve": "pow2", "placement": "first-fit", "unit": 1},
    {"kind": "contiguous", "reserve": "oracle", "placement": "first-fit", "unit": 1},
    {"kind": "paged", "block_size": 4},
    {"kind": "paged", "block_size": 8},
]
ROWS = """(root) => [...root.querySelectorAll(".row")].map((row) => {
  const of = (element) => [element.getBoundingClientRect().top, element.getBoundingClientRect().bottom];
  const [strip, name, bar] = [":scope > .strip", ".name", ".bar"].map((selector) => of(row.querySelector(selector)));
  return {strip, name, bar, whole: of(row)};
})"""


def scenario(count):
    systems = [KINDS[i % len(KINDS)] | {"name": f"System {i + 1}"} for i in range(count)]
    return to_code(from_dict({
        "name": f"{count} systems", "slots": 256, "max_model_len": 64, "model": "none", "systems": systems,
        "requests": [{"id": name, "prompt_tokens": 12, "final_slots": 50} for name in "ABCDEF"],
    }))  # fmt: skip


def inside(box, height):
    return box["y"] >= 0 and box["y"] + box["height"] <= height + 1


@pytest.mark.parametrize(("count", "width", "height", "words"), [
    (2, 1280, 720, ""), (5, 1280, 720, ""), (10, 1280, 720, ""), (7, 1280, 720, ""), (7, 1920, 1080, ""),
    (7, 1280, 720, "&room=projector"), (7, 1280, 720, "&lang=zh"), (7, 390, 844, ""),
])  # fmt: skip
def test_the_buttons_are_on_the_screen(visit, count, width, height, words):
    page = visit(f"/?s={scenario(count)}&step=9{words}", width=width, height=height)
    assert inside(page.locator(f"{ROOT} .transport").bounding_box(), height)
    if width > 700:
        assert inside(page.locator(f"{ROOT} .said").bounding_box(), height)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    for row in page.locator(ROOT).evaluate(ROWS):
        top, bottom = row["whole"]
        assert row["strip"][1] - row["strip"][0] >= 30
        assert top - 12 <= row["name"][0] and row["bar"][1] <= bottom + 1, "a row's own words are within it"
    buttons = page.locator(f"{ROOT} [data-do=step]")
    buttons.click()
    page.wait_for_function("(root) => root.dataset.step === '10'", arg=page.locator(ROOT).element_handle())


@pytest.mark.parametrize("count", [2, 3, 5])
def test_few_systems_keep_their_numbers(visit, count):
    page = visit(f"/?s={scenario(count)}")
    expect(page.locator(ROOT)).not_to_contain_class("dense")
    expect(page.locator(f"{ROOT} .numbers").first).to_be_visible()


def test_seven_systems_fit_into_a_low_window_whole(visit):
    page = visit(f"/?s={scenario(7)}")
    expect(page.locator(ROOT)).to_contain_class("dense")
    said = page.locator(f"{ROOT} .said").bounding_box()["y"]
    for row in page.locator(ROOT).evaluate(ROWS):
        assert row["whole"][1] <= said + 1
