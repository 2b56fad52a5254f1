"""The page "Sweeps" in a real browser: runs come in, a click opens one, and Stop is heard while they run."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.sweeps.small import scenario
from vizkv.scenario.code import to_code

PICTURE = ".st-key-sweep-picture"


def link(duration, **words):
    """A sweep of a workload that nobody has run before: what is known would come in at once."""
    asked = scenario(duration=duration, seed=time.time_ns() % 2**40)
    more = "".join(f"&{name}={word}" for name, word in words.items())
    return f"/sweep?s={to_code(asked)}{more}"


def spots(page, line):
    return page.locator(f"{PICTURE} .scatterlayer .trace").nth(line).locator(".point")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_runs_come_in_and_a_click_opens_one(visit, settle, scheme):
    page = visit(link(20.0, xs="8,32"), 1280, 720, scheme, player=False)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("All 4 runs are here.")).to_be_visible(timeout=30_000)
    settle(page, player=False)
    box = page.locator(PICTURE).bounding_box()
    assert box["y"] + box["height"] <= 720  # the whole picture is on the first screen
    spots(page, 2).nth(1).click(force=True)
    expect(page.get_by_role("heading", name="vLLM: Block size = 32")).to_be_visible()
    page.wait_for_url(re.compile("point=2%3Ablock_size%3D32"))
    settle(page, player=False)
    expect(page.locator(".st-key-sweep-ledger .js-plotly-plot").first).to_be_visible(timeout=30_000)
    page.reload()
    settle(page, player=False)
    expect(page.get_by_role("heading", name="vLLM: Block size = 32")).to_be_visible()


def test_a_cell_of_a_coloured_table_opens_its_run(visit, settle):
    page = visit(link(20.0, xs="8,32", y="rate", ys="2,4"), player=False)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("All 8 runs are here.")).to_be_visible(timeout=30_000)
    settle(page, player=False)
    spots(page, 2).nth(0).click(force=True)
    expect(page.get_by_role("heading", name="vLLM: Block size = 8, Arrival rate = 2")).to_be_visible()


def test_stop_is_heard_while_runs_come_in(visit, settle):
    page = visit(link(900.0, x="rate", xs="1..6:0.1"), player=False)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(re.compile(r"^\d+ of 153 runs$"))).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text(re.compile(r"^Stopped: \d+ of 153 runs made"))).to_be_visible(timeout=10_000)
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
