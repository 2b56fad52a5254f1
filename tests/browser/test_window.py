"""A long run in a real browser: windows of it, one after another, and from a number to its slots."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.test_player import eventually, find, press, state
from vizkv import replay
from vizkv.engine import engine
from vizkv.scenario.code import to_code
from vizkv.scenario.schema import from_dict
from vizkv.trace.slots import Code
from vizkv.views.payload import window as windows

LONG = from_dict({
    "slots": 4096, "max_model_len": 1024, "model": "none",
    "systems": [
        {"kind": "contiguous"}, {"kind": "contiguous", "reserve": "oracle"}, {"kind": "paged", "block_size": 16},
    ],
    "workload": {"rate": 6.0, "duration": 60.0, "warmup": 0.0, "drain": False},
})  # fmt: skip
CODE = to_code(LONG)


@pytest.fixture(scope="module")
def run():
    return engine.run(LONG)


def shown(page, system):
    """The code of every slot as the browser has it."""
    return find(page, f"Array.from({{length: 4096}}, (_, s) => p.stateAt({system}, s).code)")


def test_a_window_shows_every_system_at_the_same_second_and_goes_on_at_its_ends(visit, run):
    lead = windows.longest(run)
    page = visit(f"/?s={CODE}&step=1000&lit=internal", width=1920, height=1080)
    assert state(page, "step") == "1000" and state(page, "lit") == "internal"
    first, last = find(page, "p.player.trace.first"), find(page, "p.player.trace.first + p.player.trace.last")
    for index, system in enumerate(run.systems):
        own = find(page, f"p.player.trace.systems[{index}].run.step[1000 - {first}]")
        assert system.time_s[own] <= run.systems[lead].time_s[1000] < system.time_s[own + 1]
        assert shown(page, index) == replay.at(system, run.requests, own).codes().tolist()
    expect(page.get_by_text(re.compile("^[0-9,]+ earlier$"))).to_be_visible()
    press(page, "End", step=last)
    page.keyboard.press("ArrowRight")  # and on in the next window
    page.locator(f"[data-ready='1'][data-step='{last + 1}'][data-wish='0']").wait_for()
    page.wait_for_url(re.compile(rf"[?&]step={last + 1}(&|$)"))
    assert find(page, "p.player.trace.first") > first
    assert state(page, "lit") == "internal"
    press(page, "ArrowLeft", step=last)  # it is in this window too
    press(page, "Home")
    page.get_by_role("button", name=re.compile("earlier$")).click()
    eventually(page, "p.player.trace.first", first)


def test_playing_goes_on_from_window_to_window(visit):
    page = visit(f"/?s={CODE}&step=300")
    end = find(page, "p.player.trace.first + p.player.trace.last")
    page.locator(".speed").select_option("60")
    find(page, f"p.player.go({end - 5} - p.player.trace.first)")
    page.get_by_role("button", name=re.compile("^Play")).click()
    eventually(page, f"p.player.trace.first + p.player.view.step > {end}", True)
    assert find(page, "p.player.playing")
    page.get_by_role("button", name=re.compile("^Pause")).click()


def test_what_is_lit_is_in_the_link_and_survives_a_reload(visit):
    page = visit("/?preset=readers-question&step=120&lens=hindsight")
    page.locator(".row .bar [data-lit='2']").first.click()
    page.wait_for_url(re.compile("lit=internal.*lit_in=0|lit_in=0.*lit=internal"))
    page.reload()
    page.locator("[data-ready='1'][data-lit='internal']").wait_for()
    assert find(page, "p.player.view.lit_in") == 0
    page.keyboard.press("Escape")
    page.wait_for_function("!location.search.includes('lit')")


def test_from_a_number_to_its_slots(visit, run):
    page = visit(f"/whatif?s={CODE}&at=2:30:reserved", player=False)
    page.locator("[data-ready='1'][data-lit='reserved']").wait_for(timeout=30_000)
    player = page.locator(".vizkv[data-lit]")
    player.scroll_into_view_if_needed()
    step = int(player.get_attribute("data-step"))
    assert 0 < run.systems[2].time_s[step] <= 30
    found = find(page, "({lead: p.player.trace.lead, counts: [...p.counts(2)], focus: p.player.view.focus})")
    assert (found["lead"], found["focus"]) == (2, 2)
    codes = replay.at(run.systems[2], run.requests, step).codes()
    assert found["counts"] == np.bincount(codes, minlength=len(Code)).tolist()
    page.keyboard.press("ArrowRight")  # the keys are the player's
    page.locator(f".vizkv[data-step='{step + 1}']").wait_for()
    page.get_by_role("button", name="Close").click()
    player.wait_for(state="detached")
    page.wait_for_function("!location.search.includes('at=')")
