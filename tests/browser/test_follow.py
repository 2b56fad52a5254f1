"""A class in two browsers: the second follows the first, and can let go; nobody but the lecturer leads."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from scripts import lab

PLAYER = ".vizkv"
# the same run, command and lecturer's step for a second: a page that is late would change one of them
STANDS = """() => {
  const {ledTo} = window.vizkvPlayer;
  if (ledTo !== window.ledBefore) [window.ledBefore, window.ledSince] = [ledTo, performance.now()];
  return performance.now() - window.ledSince > 1000;
}"""


# a class of two hundred, whose pages draw the middle of what they may wait; that wait is written down and not waited
LARGE = """() => {
  const {parse} = JSON, {setTimeout: wait} = window;
  window.waits = [];
  Math.random = () => 0.5;
  JSON.parse = (...given) => {
    const told = parse(...given);
    return told && "listeners" in told ? {...told, listeners: 200} : told;
  };
  window.setTimeout = (call, ms, ...more) => {
    window.waits.push(ms);
    return wait(call, ms === 5000 ? 0 : ms, ...more);
  };
}"""


def go(page, step):
    page.evaluate("step => window.vizkvPlayer.go(step)", step)


def at(page, step):
    expect(page.locator(PLAYER).first).to_have_attribute("data-step", str(step))


@pytest.fixture
def both(visit, settle):
    lecturer = visit("/?preset=readers-question&step=10")
    name = lab.begin_class(lecturer)
    lecturer.keyboard.press("Escape")
    student = visit(f"/?class={name}")
    expect(student.locator(".frame").first).to_have_attribute("data-what", "following")
    go(lecturer, 237)
    at(student, 237)
    # what the pages themselves still say of the lecturer's run is said: from here on each waits for people only
    for page in (lecturer, student):
        settle(page)
    student.wait_for_function(STANDS)
    return lecturer, student


def test_a_student_follows_and_lets_go_and_cannot_move_the_lecturer(both):
    lecturer, student = both
    go(student, 5)
    at(student, 5)
    go(lecturer, 240)
    at(student, 240)
    student.get_by_role("button", name="Let go").click()
    go(student, 9)
    go(lecturer, 300)
    at(lecturer, 300)
    student.wait_for_function("window.vizkvClass.last.view.step === 300")  # it has heard of it
    at(student, 9)
    student.get_by_role("button", name="Follow again").click()
    at(student, 300)
    at(lecturer, 300)


def test_what_the_page_says_late_does_not_take_a_student_from_where_the_lecturer_stands(both):
    _, student = both
    late = "({asked, commanded}) => window.vizkvPlayer.obey({...asked, command: commanded + 1, step: 10})"
    student.evaluate(f"() => ({late})(window.vizkvPlayer)")
    at(student, 237)


def to_the_table(lecturer):
    lecturer.get_by_test_id("stTopNavSection").filter(has_text="Inside PagedAttention").click()
    lecturer.get_by_test_id("stTopNavDropdownLink").filter(has_text="Block table").click()


def test_a_class_goes_to_the_lecturers_page(both):
    lecturer, student = both
    to_the_table(lecturer)
    student.wait_for_function("location.pathname.endsWith('/table')")
    expect(student.locator(".vizkv.with-panels")).to_be_visible()
    lecturer.wait_for_function("window.vizkvPlayer?.trace?.panels.length > 0")
    go(lecturer, 7)
    at(student, 7)


def test_each_student_of_a_large_class_adds_50_ms_to_the_time_over_which_they_ask_for_a_page(both):
    lecturer, student = both
    student.evaluate(LARGE)
    to_the_table(lecturer)
    student.wait_for_function("location.pathname.endsWith('/table')")
    assert 0.5 * 200 * 50 in student.evaluate("window.waits")


def test_a_player_that_goes_late_leaves_its_place_to_the_one_that_stays(visit):
    page = visit("/?preset=readers-question&step=10")
    page.evaluate("window.before = window.vizkvPlayer")
    page.get_by_test_id("stTopNavSection").filter(has_text="Inside PagedAttention").click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text="Block table").click()
    page.wait_for_function("window.vizkvPlayer?.trace?.panels.length > 0")
    page.evaluate("window.before.mount(); window.before.unmount();")  # as Streamlit calls a component that goes
    assert page.evaluate("window.vizkvPlayer.mounted && window.vizkvPlayer !== window.before")


def lecturers_link(lecturer):
    """The link that leads the class, as the lecturer's page shows it."""
    lecturer.locator(".st-key-bar-share button").first.click()
    lecturer.get_by_role("tab", name="Class").click()
    lecturer.get_by_text("My own link").click()
    field = lecturer.locator("[data-testid=stExpander] .link").first
    expect(field).to_have_value(re.compile("class|lead"))
    return field.input_value()


def secret_of(link):
    """What makes a link the lecturer's: the last long word in it."""
    return re.findall(r"[\w-]{20,}", link)[-1]


def requested(page):
    """The addresses that a page's browser sends to servers from now on."""
    sent, wire = [], page.context.new_cdp_session(page)
    wire.on("Network.requestWillBeSent", lambda event: sent.append(event["request"]["url"]))
    wire.on("Network.webSocketCreated", lambda event: sent.append(event["url"]))
    wire.send("Network.enable")
    return sent


def test_the_lecturers_secret_is_in_no_request_and_no_entry_of_the_history(both, app, browser, settle):
    lecturer, student = both
    link = lecturers_link(lecturer)
    secret = secret_of(link)
    profile = browser.new_context()
    other = profile.new_page()
    sent = requested(other)
    other.goto(link)
    settle(other)
    other.wait_for_function("window.vizkvClass?.data.token && window.vizkvClass.socket?.readyState === WebSocket.OPEN")
    other.get_by_test_id("stTopNavSection").filter(has_text="Inside PagedAttention").click()
    other.get_by_test_id("stTopNavDropdownLink").filter(has_text="Block table").click()
    other.wait_for_function("location.pathname.endsWith('/table') && window.vizkvPlayer?.trace?.panels.length > 0")
    go(other, 7)
    at(student, 7)  # it leads
    entries = other.evaluate("navigation.entries().map(entry => entry.url)")
    assert len(entries) > 2
    for _ in entries:
        assert secret not in other.evaluate("document.referrer + location.href + JSON.stringify(history.state)")
        other.go_back()
    other.goto(link)  # as from the browser's list of visited pages
    expect(other.get_by_text("has been used already")).to_be_visible()
    entries += other.evaluate("navigation.entries().map(entry => entry.url)")
    assert [url for url in [*entries, *sent] if secret in url] == []
    assert any("/class/" in url for url in sent)  # the web socket was seen
    profile.close()


def test_a_wrong_secret_is_refused_in_a_sentence(both, visit):
    lecturer, student = both
    link = lecturers_link(lecturer)
    thief = visit(urlsplit(link.replace(secret_of(link), "guessed"))._replace(scheme="", netloc="").geturl())
    expect(thief.get_by_text("not that of the class’s lecturer")).to_be_visible()
    expect(thief.locator(".frame").first).to_be_hidden()
    go(thief, 3)
    go(lecturer, 238)
    at(student, 238)  # the next that is told is the lecturer's
    assert "guessed" not in thief.url and "class" not in thief.url


def test_a_student_is_put_the_lecturers_question_and_told_its_answer_when_that_is_shown(visit):
    lecturer = visit("/?lang=en&lecture=lecture&beat=6&preset=external-fragmentation&step=9")
    speed = lecturer.context.new_cdp_session(lecturer)
    speed.send("Emulation.setCPUThrottlingRate", {"rate": 4})  # what the bar's button opens stays open on a slow one
    lecturer.locator(".st-key-lecture-bar .bar .share").click()
    lecturer.get_by_role("tab", name="Class").click()
    speed.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    lecturer.locator(".st-key-class-begin button").click()
    lecturer.wait_for_function("new URLSearchParams(location.search).has('class')")
    lecturer.keyboard.press("Escape")
    name = parse_qs(urlsplit(lecturer.url).query)["class"][0]
    student = visit(f"/?lang=en&class={name}")
    quiz = student.locator(".quiz").first
    expect(quiz).to_contain_text("B")
    quiz.get_by_role("button", name="Yes").click()
    expect(quiz.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")
    lecturer.keyboard.press("PageDown")
    expect(quiz.locator(".right")).to_have_text("No")
    expect(quiz.locator(".told")).to_contain_text("448")
    # neither the question nor its answer lies over the player, whose five rows take most of a low window
    for beat in (5, 4, 3):
        lecturer.keyboard.press("PageUp")
        expect(lecturer.locator(".st-key-lecture-bar .bar")).to_have_attribute("data-beat", str(beat))
    expect(student.locator(".vizkv .row")).to_have_count(5)
    for still_open in ("1", "0"):
        expect(quiz).to_have_attribute("data-open", still_open)
        transport = student.locator(".vizkv .transport").bounding_box()
        assert transport["y"] + transport["height"] <= quiz.bounding_box()["y"]
        lecturer.keyboard.press("PageDown")
