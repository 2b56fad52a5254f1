"""The panels beside the pool in a real browser: what is lit in one is lit in all, the arithmetic is right, and at every
step they show what Python's replay has."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from scripts import lab
from tests.browser.panels_runs import OWN
from tests.browser.test_player import eventually, find
from vizkv import replay
from vizkv.engine import engine
from vizkv.model import load_model
from vizkv.scenario import schema as scenario
from vizkv.scenario.presets import list_presets

ROOT = "[data-ready='1']"
FOURTH_SCORE = 9  # a position: " forth", in the third block


@pytest.fixture(scope="module")
def app() -> Iterator[lab.App]:
    """In this file: a page with the panels and nothing else, instead of the app."""
    with lab.running_page("tests/browser/panels_app.py") as running:
        yield running


@pytest.fixture(scope="module")
def trace():
    preset = next(p for p in list_presets() if p.id == "tiny-blocks")
    return engine.run(preset.scenario, load_model(preset.scenario.model))


@pytest.fixture
def page(visit):
    return visit("/?preset=tiny-blocks&step=8", width=1280, height=800)


def texts(page, selector):
    return page.locator(f"{ROOT} {selector}").all_inner_texts()


def lit(page, kind="lit"):
    """What is lit: the tokens, the logical cells, the rows of the table and the slot of the pool."""
    return {
        "tokens": page.locator(f"{ROOT} .token.{kind}").evaluate_all("es => es.map(e => e.position)"),
        "cells": page.locator(f"{ROOT} .cell.{kind}").evaluate_all("es => es.map(e => e.spot.position)"),
        "rows": page.locator(f"{ROOT} .entry-row.{kind}").evaluate_all("es => es.map(e => e.spot.logical)"),
        "slot": find(page, f"p.linksAt(0).{kind}"),
    }


def over(page, slot, system=0):
    box = find(page, f"p.rectOf({system}, {slot})")
    page.mouse.move(box["x"] + box["w"] / 2, box["y"] + box["h"] / 2)
    return box


def follow(page, request):
    chip = page.locator(f"{ROOT} .sequence").nth(request)
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")  # which is painted together with the tables


THE_TOKEN = {"tokens": [9], "cells": [9], "rows": [2], "slot": 13}  # position 9 lies in block 3 of 4, at 1


def test_hovering_a_token_lights_it_in_all_panels_and_in_the_pool(page):
    for hover in (
        lambda: page.locator(".token").nth(9).hover(),
        lambda: page.locator(".cell").nth(9).hover(),
        lambda: over(page, 13),
    ):
        page.mouse.move(5, 5)
        eventually(page, "p.linksAt(0).lit", None)
        hover()
        eventually(page, "p.linksAt(0).lit", 13)
        assert lit(page) == THE_TOKEN


def test_hovering_a_row_of_the_table_lights_all_tokens_of_its_block(page):
    page.locator(".entry-row").nth(2).hover()
    eventually(page, "p.linksAt(0).lit", 12)  # the block's first slot
    assert lit(page) == {"tokens": [8, 9, 10, 11], "cells": [8, 9, 10, 11], "rows": [2], "slot": 12}
    page.mouse.move(5, 5)
    eventually(page, "p.linksAt(0).lit", None)
    assert lit(page)["tokens"] == []


def test_hovering_a_token_lights_it_in_a_system_without_blocks_too(page):
    over(page, 9, system=1)
    eventually(page, "p.linksAt(0).lit", 13)
    assert lit(page) == THE_TOKEN


def test_a_click_follows_the_token_and_shows_the_right_arithmetic(page):
    page.locator(".token").nth(9).click()
    page.mouse.move(5, 5)
    assert texts(page, ".part-of-sum") == [
        "position 9", "9 // 4 = row 2", "9 % 4 = 1", "row 2: block 3", "3 × 4 + 1 = slot 13",
    ]  # fmt: skip
    eventually(page, "p.linksAt(0).pinned", 13)
    assert lit(page, "pinned") == THE_TOKEN
    page.get_by_text("'request': 0, 'position': 9").wait_for()  # Python has heard of it


def test_a_click_on_a_slot_follows_what_is_written_there(page):
    box = over(page, 13)
    page.mouse.click(box["x"] + box["w"] / 2, box["y"] + box["h"] / 2)
    eventually(page, "p.player.view.position", 9)
    assert texts(page, ".part-of-sum")[-1] == "3 × 4 + 1 = slot 13"


def test_the_arrow_keys_move_the_followed_token_and_escape_gives_them_back(page):
    page.locator(".token").nth(9).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    eventually(page, "p.player.view.position", 11)
    page.keyboard.press("ArrowRight")
    eventually(page, "p.linksAt(0).pinned", 16)  # over the edge into block 4
    assert find(page, "p.player.view.step") == 8
    page.keyboard.press("ArrowLeft")
    eventually(page, "p.player.view.position", 11)
    page.keyboard.press("Escape")
    eventually(page, "p.player.view.position", -1)
    page.keyboard.press("ArrowRight")
    page.locator(f"{ROOT}[data-step='9']").wait_for()


def test_rows_and_the_queue_are_walked_by_keyboard(page):
    page.locator(".entry-row[tabindex='0']").focus()
    page.keyboard.press("ArrowUp")
    eventually(page, "p.linksAt(0).lit", 12)
    page.keyboard.press("Enter")
    eventually(page, "p.player.view.position", 8)
    page.locator(".queue .free-chip[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    eventually(page, "p.linksAt(0).lit", 8)  # block 2, the second in the queue
    assert find(page, "p.player.view.step") == 8


def test_a_part_of_the_arithmetic_is_lit_with_its_place_and_its_code(page):
    page.locator(".token").nth(9).click()
    page.locator(".part-of-sum[data-part='block']").hover()
    expect(page.locator(f"{ROOT} .panels")).to_have_attribute("data-part", "block")
    assert lit(page)["rows"] == [2]
    assert texts(page, ".code-part.here") == ["block", "block_table[", "]", "block"]
    page.locator(".entry-row").nth(2).hover()
    expect(page.locator(f"{ROOT} .panels")).to_have_attribute("data-part", "block")


def shown(page):
    rows = page.locator(f"{ROOT} .entry-row").all_inner_texts()
    return {
        "text": page.locator(f"{ROOT} .token:not(.next)").all_inner_texts(),
        "table": [[int(cell.split("/")[0]) for cell in row.split()] for row in rows],
        "queue": [int(chip) for chip in texts(page, ".panel-queue .queue .free-chip")],
    }


def kept(trace, step, request):
    now = replay.at(trace.systems[0], trace.requests, min(step, trace.systems[0].steps))
    live = now.live.get(request)
    table = live.block_table if live else []
    written = live.written if live else 0
    return {
        "text": [piece.replace("\n", "↵") for piece in trace.requests[request].pieces[:written]],
        "table": [[i, b, min(4, written - 4 * i), now.references.get(b, 0)] for i, b in enumerate(table)],
        "queue": list(now.free_queue),
    }


def test_the_panels_show_what_the_replay_has_onward_and_back(page, trace):
    for request, chip in ((0, "A"), (1, "B")):
        follow(page, request)
        for step in (0, 1, 4, 7, 8, 11, 12, trace.steps, 6, 1, 0):
            find(page, f"p.player.go({step})")
            page.locator(f"{ROOT}[data-step='{step}']").wait_for()
            eventually(page, "p.linksAt(0).step", step)
            assert shown(page) == kept(trace, step, request), (chip, step)


def test_what_is_followed_stays_followed_from_step_to_step(page):
    page.locator(".token").nth(9).click()
    page.mouse.move(5, 5)
    for step, slot in ((2, None), (11, 13), (12, None), (8, 13)):  # not yet written; there; given back; there
        find(page, f"p.player.go({step})")
        eventually(page, "p.linksAt(0).pinned", slot)
    assert find(page, "p.player.view.position") == 9


def test_a_shared_block_is_lit_in_all_tables_that_name_it_and_carries_its_references(visit):
    page = visit("/?preset=samples&step=1&panels=text,table,queue")
    expect(page.locator(".block-table")).to_have_count(3)
    page.locator(".token").nth(5).hover()
    eventually(page, "p.linksAt(0).lit", 5)
    expect(page.locator(".block-table .entry-row.lit")).to_have_count(3)
    assert texts(page, ".entry-row.lit td:last-child") == ["3", "3", "3"]


def test_copy_on_write_is_seen_before_in_and_after_its_step(visit):
    page = visit("/?preset=samples&step=0&panels=text,table,queue")
    copied = page.locator(f"{ROOT} .entry-row.copied")
    for step, copies, last in ((0, 0, ["2", "2", "2"]), (1, 2, ["3", "4", "2"]), (2, 0, ["3", "4", "2"])):
        find(page, f"p.player.go({step})")
        eventually(page, "p.linksAt(0).step", step)
        expect(copied).to_have_count(copies)
        assert texts(page, ".entry-row:nth-child(3) .block-name") == last
        assert find(page, "p.player.panels.ledger.copies.length") == copies


def test_a_wrong_entry_of_the_table_is_told_with_the_right_one_and_leads_to_a_wrong_slot(visit):
    page = visit("/?preset=broken&step=4")
    row = page.locator(f"{ROOT} .entry-row.wrong")
    expect(row.locator(".misread")).to_have_text("7")
    expect(row.locator(".struck")).to_have_text("1")
    page.locator(".token").nth(5).click()
    assert texts(page, ".part-of-sum")[-2:] == ["row 1: block 7, not 1", "7 × 4 + 1 = slot 29"]
    find(page, "p.player.go(2)")
    expect(row).to_have_count(0)


def test_swapped_blocks_lie_in_the_cpu_pool_under_their_owner(visit):
    page = visit("/?preset=swap&step=3&panels=table,queue,cpu")
    assert [text.split() for text in texts(page, ".cpu-chip.held")] == [["B", str(i)] for i in range(4)]
    expect(page.locator(f"{ROOT} .cpu-chip.moved")).to_have_count(4)
    assert texts(page, ".block-table:nth-of-type(1) .block-name")[-4:] == [f"CPU {i}" for i in range(4)]
    page.locator(".cpu-chip").nth(2).hover()
    expect(page.locator(f"{ROOT} .entry-row.lit")).to_have_text("2CPU 2")
    find(page, "p.player.go(2)")
    expect(page.locator(f"{ROOT} .cpu-chip.held")).to_have_count(0)


def test_the_free_queue_marks_what_is_cached_and_cuts_a_long_queue(visit):
    page = visit("/?preset=cache&step=10&panels=table,queue", width=1280, height=720)
    queue = find(page, "p.player.panels.ledger.queue.list()")
    chips = [int(text) for text in texts(page, ".queue .free-chip")]
    assert len(queue) == 31 > len(chips)
    assert chips == queue[: len(chips) - 4] + queue[-4:]
    expect(page.locator(".queue .queue-more")).to_contain_text(f"{31 - len(chips)} more")
    cached = find(page, "Array.from(p.player.panels.ledger.cached)")
    marked = [int(text) for text in texts(page, ".queue .free-chip.mark-cached")]
    assert marked == [block for block in chips if cached[block]] != []


def test_beams_show_the_text_that_each_had_at_the_step(visit):
    page = visit("/?preset=beams&step=0&panels=text,table,queue")
    trace = engine.run(scenario.from_dict(OWN["beams"]), load_model(scenario.from_dict(OWN["beams"]).model))
    for request in range(3):
        follow(page, request)
        for step in range(trace.systems[0].steps):
            find(page, f"p.player.go({step})")
            eventually(page, "p.linksAt(0).step", step)
            now = replay.at(trace.systems[0], trace.requests, step)
            written = now.live[request].written if request in now.live else 0
            expected = [now.piece(request, position).replace("\n", "↵") for position in range(written)]
            assert texts(page, ".token:not(.next)") == expected, (request, step)


def test_python_can_command_a_place_in_the_same_trace(page):
    find(page, "p.player.go(3)")
    page.get_by_text("'step': 3").wait_for()
    page.get_by_role("button", name="Go to step 9").click()
    page.locator(f"{ROOT}[data-step='9']").wait_for()
    eventually(page, "[p.player.view.request, p.player.view.position]", [1, 2])
    find(page, "p.player.go(4)")  # the same command again moves nobody
    page.get_by_text("'step': 4").wait_for()
    assert find(page, "p.player.view.step") == 4


def test_a_trace_that_takes_the_place_of_another_keeps_the_step_and_the_token(page):
    page.locator(".token").nth(5).click()
    find(page, "p.player.go(10)")
    page.get_by_text("'step': 10").wait_for()  # Python has heard of it: a click in that moment could be lost
    page.get_by_role("button", name="Another trace, same place").click()
    page.get_by_role("heading", name="Edition 1").wait_for()
    eventually(page, "[p.player.view.step, p.player.view.position]", [10, 5])


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_the_first_screen_holds_the_panels_and_nothing_jumps(visit, width, height):
    page = visit("/?preset=tiny-blocks&step=0", width=width, height=height)
    box = page.locator(ROOT).bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= height
    places = ".panels > *, .panels-middle > *, .panel-box, canvas.slots, .said, .transport"

    def boxes():
        return [e.bounding_box() for e in page.locator(ROOT).locator(places).all()]

    before = boxes()
    for step in (1, 4, 8, 12, 19):
        find(page, f"p.player.go({step})")
        eventually(page, "p.linksAt(0).step", step)
        assert boxes() == before, step
    sizes = page.locator(f"{ROOT} .panels :is(.token, .cell, td, th, .free-chip, code)").evaluate_all(
        "es => es.map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= (14 if height == 720 else 18)


def test_a_page_without_panels_has_none(visit):
    page = visit("/?preset=tiny-blocks&step=8&panels=")
    expect(page.locator(f"{ROOT} .panels")).not_to_be_visible()
    assert find(page, "p.player.panels === null")
