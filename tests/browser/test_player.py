"""The player in a real browser: time, keys, links, layout."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError, expect

from scripts.lab import settle
from vizkv.scenario.code import to_code
from vizkv.scenario.schema import from_dict
from vizkv.trace.slots import Code

ROOT = "[data-ready='1']"
PRESET = "/?preset=readers-question-alone"
# of every slot: what its note says but for the line of the other lens, and where Shift and an arrow lead
NOTES = """(() => {
  const {player} = p, found = [];
  for (const row of player.rows) for (let slot = 0; slot < row.system.slots; slot++) {
    player.hands.at(row, slot, false, 1, 1, false);
    player.hands.refresh();
    const lines = [...player.hands.tip.children].filter((e) => !e.matches(".tip-lens:not(.now)"));
    row.cursor = slot;
    found.push(`${lines.map((e) => e.textContent).join("; ")}; then ${player.hands.walk.differs(row, 1)}`);
  }
  return found;
})()"""


def state(page, name):
    return page.locator(ROOT).get_attribute(f"data-{name}")


def find(page, expression):
    """Evaluate an expression on the player's own view of its state, `p`, once what it is about to paint is painted."""
    return page.evaluate(
        """async (expression) => {
            const find = (node) => {
                for (const e of node.querySelectorAll('*')) {
                    if (e.__vizkv?.player) return e.__vizkv;
                    const inner = e.shadowRoot && find(e.shadowRoot);
                    if (inner) return inner;
                }
            };
            const p = find(document);
            if (p?.player.pending) await new Promise(requestAnimationFrame);
            return new Function('p', 'return ' + expression)(p);
        }""",
        expression,
    )


def painted(page):
    """Wait until the browser has painted what it has been asked to paint so far."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def eventually(page, expression, value, tries=100):
    """Wait until an expression on the player has that value."""
    for _ in range(tries):
        seen = find(page, f"p && {expression}")
        if seen == value:
            return
        page.wait_for_timeout(100)
    assert seen == value


def still(element):
    """Scroll there and wait until it no longer moves; its box."""
    before = None
    for _ in range(40):
        element.scroll_into_view_if_needed()
        box = element.bounding_box()
        if box == before:
            return box
        before = box
        element.page.wait_for_timeout(500)
    raise AssertionError("it keeps moving")


@pytest.fixture
def player(visit):
    return visit(PRESET + "&step=100")


def press(page, key, **expected):
    page.keyboard.press(key)
    for name, value in expected.items():
        page.locator(f"{ROOT}[data-{name}='{value}']").wait_for()


def test_keys_step_jump_and_switch(player):
    press(player, "ArrowRight", step=101)
    press(player, "PageDown", step=102)
    press(player, "ArrowLeft", step=101)
    press(player, "Home", step=0)
    press(player, "End", step=494)
    press(player, "Home", step=0)
    press(player, "l", lens="hindsight")
    press(player, "a", accounting="paper")
    press(player, "n")
    assert int(state(player, "step")) > 0


def test_play_moves_and_pause_stops_and_the_link_follows(player):
    player.get_by_role("button", name=re.compile("^Play")).click()
    expect(player.locator(ROOT)).not_to_have_attribute("data-step", "100")
    player.get_by_role("button", name=re.compile("^Pause")).click()
    step = int(state(player, "step"))
    assert step > 100
    player.wait_for_url(re.compile(rf"[?&]step={step}(&|$)"))  # the player tells a moment later where it stands
    press(player, "ArrowRight", step=step + 1)


def test_a_switch_of_the_lens_sends_nothing_anew_and_keeps_the_step(player):
    find(player, "p.player.trace.known = true")
    painted = find(player, "p.frames")
    press(player, "l", lens="hindsight")
    assert state(player, "step") == "100"
    assert find(player, "p.frames") > painted
    player.wait_for_url(re.compile("lens=hindsight"))
    settle(player)
    assert find(player, "p.player.trace.known"), "the trace came anew"


@pytest.mark.parametrize("step", [0, 93, 250, 493, 494])
def test_what_the_browser_shows_is_what_the_ledger_says(visit, step):
    page = visit(f"{PRESET}&step={step}")
    for system in range(5):
        counts = find(page, f"Array.from(p.counts({system}))")
        assert sum(counts) == 2048
        seen = find(page, f"Array.from({{length: 2048}}, (_, s) => p.stateAt({system}, s).code)")
        assert [seen.count(code) for code in range(len(Code))] == counts


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("preset", ["readers-question", "figure-3", "tiny-blocks", "contiguity-costs"])
def test_the_first_screen_holds_everything_and_cuts_off_nothing(visit, preset, width, height):
    page = visit(f"/?preset={preset}", width=width, height=height)
    box = page.locator(ROOT).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert box["y"] >= 0 and box["y"] + box["height"] <= height
    cut = page.evaluate(
        """() => {
            const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean);
            return [document, ...roots].flatMap((r) => [...r.querySelectorAll("[data-ready='1'] *")])
                .filter((e) => !e.closest('canvas, .sr, [aria-live]') && e.scrollWidth > e.clientWidth + 1
                    && e.clientWidth > 0 && getComputedStyle(e).overflowX !== 'visible')
                .map((e) => e.className + ': ' + e.textContent.slice(0, 60));
        }"""
    )
    assert not cut


def test_nothing_jumps_while_playing(player):
    def boxes():
        roles = ["h1", "canvas", "output, [class*=sentence]"]
        return [player.locator(f"{ROOT} {r}").first.bounding_box() for r in roles[:2]]

    before = boxes()
    for key in ("Home", "ArrowRight", "End", "ArrowLeft", "n", "p"):
        player.keyboard.press(key)
        painted(player)
        assert boxes() == before


def test_a_control_gives_a_new_run_and_keeps_the_page(visit):
    page = visit("/?preset=paged-500")
    page.get_by_test_id("stExpandSidebarButton").click()
    field = page.get_by_role("spinbutton", name="Pool, slots a system")
    field.fill("1024")
    field.press("Enter")
    page.wait_for_url(re.compile(r"[?&]s="))
    assert find(page, "p.counts(0).length") == len(Code)
    page.reload()
    page.locator(ROOT).wait_for()
    assert sum(find(page, "Array.from(p.counts(0))")) == 1024


def test_the_lamp_turns_green_in_the_browser(visit):
    page = visit("/?preset=tiny-blocks")
    page.get_by_role("button", name="Prove it for this run").click()
    page.get_by_text("Proved: every system wrote the same tokens").wait_for(timeout=60_000)


def test_hovering_a_slot_tells_what_it_is_in_both_lenses_and_since_when(visit):
    page = visit(PRESET + "&step=293&lens=online", width=1920, height=1080)
    box = find(page, "p.rectOf(0, 1200)")
    page.mouse.move(box["x"] + box["w"] / 2, box["y"] + box["h"] / 2)
    note = page.get_by_role("tooltip")
    note.wait_for()
    text = note.inner_text()
    for part in ("Slot 1,200", "position 1,200", "A", "reserved", "internal", "since step 0"):
        assert part in text
    box = find(page, "p.rectOf(0, 7)")
    page.mouse.move(box["x"] + box["w"] / 2, box["y"] + box["h"] / 2)
    note.get_by_text("fathers").wait_for()


def test_the_note_and_the_keys_of_what_the_system_knows_do_not_tell_two_futures_apart(visit):
    """Three branches behind one prefix whose last block they share: how long each goes on decides what is painted."""
    told = []
    for lengths in ((4, 5, 20), (20, 4, 5)):
        branches = [{"id": "ABC"[i], "prompt_tokens": 1, "output_tokens": n} for i, n in enumerate(lengths)]
        run = from_dict({
            "slots": 64, "max_model_len": 40, "model": "none",
            "systems": [{"kind": "paged", "block_size": 16}, {"kind": "contiguous", "placement": "first-fit"}],
            "requests": [{"id": "P", "prompt_tokens": 5, "branches": branches}],
        })  # fmt: skip
        page = visit(f"/?s={to_code(run)}&step=1&lens=online")
        told.append(find(page, NOTES))
    assert told[0] == told[1] and any("reserved" in line for line in told[0])


def test_a_row_that_has_finished_says_so(visit):
    page = visit("/?preset=readers-question&step=550")
    rows = page.locator(f"{ROOT} section.row .share").all_inner_texts()
    assert "used" in rows[0]
    assert all("finished" in text and "in step 493" in text and "%" not in text for text in rows[1:])


def test_a_share_of_the_ledger_lights_its_slots_up(visit):
    page = visit(PRESET + "&step=293&lens=hindsight", width=1920, height=1080)
    box = find(page, "p.rectOf(0, 1200)")
    clip = {"x": box["x"] - 20, "y": box["y"], "width": 40, "height": box["h"]}
    before = page.screenshot(clip=clip)
    page.get_by_role("button", name="used", exact=True).first.click()
    page.locator(f"{ROOT}[data-lit='used']").wait_for()
    painted(page)
    assert page.screenshot(clip=clip) != before  # internal slots step back
    page.keyboard.press("Escape")
    page.mouse.move(0, 0)
    page.locator(f"{ROOT}[data-lit='']").wait_for()
    painted(page)
    assert page.screenshot(clip=clip) == before


def test_the_five_shares_of_the_bar_fill_it(visit):
    page = visit("/?preset=readers-question&step=120&lens=hindsight", width=1920, height=1080)
    for row in page.locator(f"{ROOT} section.row").all():
        bar = row.locator(".bar").bounding_box()
        shares = [b.bounding_box() for b in row.locator(".bar > *").all()]
        assert sum(b["width"] for b in shares if b) == pytest.approx(bar["width"], abs=3)


def downloaded(page, button):
    """What a button saves. A click that comes while the page is drawn anew can be lost: it is made again."""
    for patience in (10_000, 10_000, 60_000):
        try:
            with page.expect_download(timeout=patience) as download:
                page.get_by_role("button", name=button).click()
            return download.value
        except TimeoutError:
            continue
    raise AssertionError(f"{button}: nothing was downloaded")


def test_a_run_is_saved_and_opened_again(visit, tmp_path):
    page = visit("/?preset=tiny-blocks")
    file = tmp_path / "run.vizkv"
    downloaded(page, "Save the trace").save_as(file)
    other = visit("/?preset=figure-3")
    other.locator("input[type=file]").set_input_files(file)
    other.get_by_text("This is a saved trace, opened from a file.").wait_for()
    eventually(other, "p.counts(0).reduce((a, b) => a + b)", 36)


def test_a_file_that_is_no_trace_gets_a_sentence_and_the_picture_stays(visit, tmp_path):
    page = visit("/?preset=tiny-blocks")
    file = tmp_path / "run.vizkv"
    file.write_bytes(b"PK\x03\x04 cut short")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("cut short or damaged").wait_for()
    eventually(page, "p.counts(0).reduce((a, b) => a + b)", 36)


def edit_a_cell(page):
    """Write 15 as A's tokens to write, by keyboard, and run."""
    table = page.get_by_test_id("stDataFrame").nth(1)
    tokens_to_write = table.get_by_test_id("glide-cell-4-0")
    tokens_to_write.wait_for(state="attached")
    for _ in range(20):  # what stands above may still take its height: until the first cell of the grid has the focus
        box = still(table)
        page.mouse.click(box["x"] + 40, box["y"] + 58)
        with suppress(AssertionError):
            expect(table.get_by_test_id("glide-cell-1-0")).to_have_attribute("aria-selected", "true", timeout=1000)
            break
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(tokens_to_write).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    editor = page.locator("#portal input")
    editor.fill("15")
    editor.press("Enter")
    expect(tokens_to_write).to_have_text("15")
    page.wait_for_timeout(500)  # the table hands an edit to its form a moment later, and shows nothing of it
    page.get_by_role("button", name="Run these requests").click()


def test_a_cell_of_the_requests_is_changed_and_run(visit, settle):
    page = visit("/?preset=tiny-blocks", width=1280, height=900)
    for _ in range(4):  # a busy machine may hand the edit over too late: the table then shows 12 again
        edit_a_cell(page)
        settle(page)
        with suppress(AssertionError):
            eventually(page, "p.player.trace.requests[0].final_slots", 21, tries=30)
            break
    eventually(page, "p.player.trace.requests[0].final_slots", 21)
