"""Lecture mode in a browser: the clicker turns beats, a click in the picture answers, the notes have their window."""

from playwright.sync_api import Page, expect

START = "/?lang=en&lecture=lecture&beat={beat}&preset={preset}&step={step}"


def bar(page: Page):
    return page.locator(".st-key-lecture-bar .bar")


def player(page: Page):
    return page.locator(".vizkv")


def test_page_down_turns_beats_and_not_the_players_steps(visit):
    page = visit(START.format(beat=6, preset="external-fragmentation", step=9))
    page.keyboard.press("PageDown")
    expect(bar(page)).to_have_attribute("data-open", "0")
    expect(player(page)).to_have_attribute("data-step", "10")
    page.keyboard.press("PageUp")
    expect(bar(page)).to_have_attribute("data-beat", "5")
    expect(player(page)).to_have_attribute("data-step", "293")


def test_a_click_on_a_block_answers_and_the_score_says_so(visit):
    page = visit("/paper" + START.format(beat=9, preset="paper-figure-6", step=1)[1:])
    expect(bar(page)).to_have_attribute("data-open", "1")
    box = player(page).evaluate("(root) => root.__vizkv.rectOf(0, 14)")  # the last slot but one of block 3
    page.mouse.click(box["x"] + box["w"] / 2, box["y"] + box["h"] / 2)
    expect(bar(page)).to_have_attribute("data-open", "0")
    expect(bar(page).locator(".right")).to_have_text("3")
    expect(bar(page).locator(".score")).to_have_text("1 of 1 right")


def test_a_key_that_streamlit_has_passed_over_is_told_again(visit):
    page = visit(START.format(beat=3, preset="readers-question", step=293))
    expect(bar(page)).to_have_attribute("data-open", "1")
    bar(page).evaluate("""(root) => {
        const {bar} = root.__vizkv, send = bar.setStateValue;
        bar.setStateValue = () => { bar.setStateValue = send; };
    }""")
    page.keyboard.press("PageDown")
    expect(bar(page)).to_have_attribute("data-open", "0")


def test_while_the_page_turns_the_player_does_not_tell_of_its_step(visit):
    # what came just behind the run of the next page emptied that page
    page = visit("/table" + START.format(beat=1, preset="table-own-text", step=8)[1:])
    told = bar(page).evaluate("""(root) => {
        const player = window.vizkvPlayer, told = [];
        player.setStateValue = (name) => told.push(name);
        const send = () => Object.assign(player, {reported: "", led: ""}).send();
        send();
        root.__vizkv.bar.go(1);
        send();
        return told;
    }""")
    assert told == ["view"]  # before the bar was pressed


def test_the_notes_have_a_window_that_follows_the_beats(visit):
    page = visit(START.format(beat=3, preset="readers-question", step=293))
    with page.expect_popup() as opened:
        bar(page).locator(".window").click()
    desk = opened.value
    expect(desk.locator("#title")).to_contain_text("Two lenses")
    expect(desk.locator("#notes")).to_contain_text("Hindsight knows every length")
    desk.locator("body").press("PageDown")
    desk.locator("body").press("PageDown")
    expect(desk.locator("#title")).to_contain_text("513")
    expect(bar(page)).to_have_attribute("data-beat", "4")


def test_latecomers_get_the_class_link_in_the_middle_of_a_lecture(visit):
    page = visit(START.format(beat=3, preset="readers-question", step=293))
    bar(page).locator(".share").click()
    page.get_by_role("tab", name="Class").click()
    page.locator(".st-key-class-begin button").click()
    page.wait_for_function("new URLSearchParams(location.search).has('class')")
    expect(bar(page)).to_have_attribute("data-beat", "3")


def test_open_notes_leave_the_players_buttons_on_a_low_screen(visit):
    link = START.format(beat=16, preset="paper-prefix-cache-now", step=6).replace("lang=en", "lang=zh")
    page = visit(f"/paper{link[1:]}&room=projector")
    bar(page).locator(".notes-toggle").click()
    notes = bar(page).locator(".notes")
    expect(notes).to_be_visible()
    expect(page.locator(".vizkv .said")).to_be_hidden()
    assert notes.bounding_box()["height"] >= 55, "three lines of them are to be read"
    bottom = "() => document.querySelector('[class*=st-key-player-]').getBoundingClientRect().bottom"
    page.wait_for_function(f"({bottom})() <= 720")
    transport = page.locator(".vizkv .transport").bounding_box()
    assert transport["y"] + transport["height"] <= 720
