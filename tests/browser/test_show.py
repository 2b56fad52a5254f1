"""A compiled show in a real browser: from a disk with the network off, and from a static server under a sub-path."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_axe import FIND, axe
from tests.show.test_show import SHORT
from vizkv import lecture
from vizkv.show.compile import compiled
from vizkv.show.files import one_file, site

__all__ = ["axe"]  # a fixture of the tests below


@pytest.fixture(scope="module")
def show():
    """The short script in both languages."""
    return compiled(lecture.read(SHORT), ["en", "zh"])


@pytest.fixture
def stage(browser: Browser, show, tmp_path) -> Iterator[Page]:
    """The file on a stage, from a disk; no script error and no request but for the file itself."""
    file = tmp_path / "lecture.html"
    file.write_bytes(one_file(show, app="http://localhost:8501"))
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 720})
    wrong, asked = [], []
    context.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on("request", lambda request: asked.append(request.url.partition("?")[0].partition("#")[0]))
    page = context.new_page()
    page.goto(file.as_uri())
    ready(page)
    yield page
    context.close()
    assert wrong == []
    assert set(asked) == {file.as_uri()}


def ready(page: Page) -> None:
    """Wait until the beat in front is drawn."""
    page.wait_for_selector(".slide.front[data-ready='1']")


def at(page: Page, beat: int, part: int) -> None:
    """Wait for a beat and part."""
    expect(page.locator("html")).to_have_attribute("data-beat", str(beat))
    expect(page.locator("html")).to_have_attribute("data-part", str(part))


def test_pagedown_shows_question_answer_and_beat_in_turn_and_pageup_goes_back(stage: Page):
    for beat, part in ((1, 1), (1, 2), (1, 3), (2, 0), (3, 0), (3, 0)):
        stage.keyboard.press("PageDown")
        at(stage, beat, part)
    for beat, part in ((2, 0), (1, 3), (1, 2)):
        stage.keyboard.press("PageUp")
        at(stage, beat, part)


def test_a_number_and_enter_home_and_end_go_to_a_beat(stage: Page):
    stage.keyboard.press("2")
    stage.keyboard.press("Enter")
    at(stage, 2, 0)
    stage.keyboard.press("End")
    at(stage, 3, 0)
    stage.keyboard.press("Home")
    at(stage, 1, 0)


def test_nothing_tells_the_answer_before_it_is_revealed(stage: Page):
    stage.keyboard.press("PageDown")
    stage.keyboard.press("PageDown")
    at(stage, 1, 2)
    front = stage.locator(".slide.front")
    expect(front).to_have_attribute("data-veil", "1")
    for part in (".said", ".ledger >> nth=0", ".transport"):
        expect(front.locator(part)).to_be_hidden()
    expect(front.locator(".told")).to_have_count(0)
    expect(front.locator(".room")).to_be_hidden()
    assert front.locator(".place").evaluate("(place) => place.inert")
    stage.keyboard.press("PageDown")
    expect(front).to_have_attribute("data-veil", "0")
    expect(front.locator(".told")).to_be_visible()
    expect(front.locator(".said")).to_be_visible()


def test_an_answer_counts_and_is_kept_over_a_reload(stage: Page):
    stage.locator(".slide.front .answer[data-value='no']").click()
    at(stage, 1, 1)
    expect(stage.locator(".tally")).to_have_text("1 of 1 right")
    stage.reload()
    ready(stage)
    at(stage, 1, 1)
    expect(stage.locator(".tally")).to_have_text("1 of 1 right")


def test_black_overview_and_keys_come_and_go(stage: Page):
    stage.keyboard.press("b")
    expect(stage.locator(".black")).to_be_visible()
    stage.keyboard.press(".")
    expect(stage.locator(".black")).to_be_hidden()
    stage.keyboard.press("o")
    expect(stage.locator(".slide[data-beat='3'] .title")).to_be_visible()
    stage.locator(".slide[data-beat='3']").click()
    at(stage, 3, 0)
    stage.keyboard.press("?")
    expect(stage.locator("dialog.help")).to_be_visible()
    stage.keyboard.press("Escape")
    expect(stage.locator("dialog.help")).to_be_hidden()


def test_the_desk_and_the_stage_follow_each_other_and_a_reload_comes_back(stage: Page):
    with stage.expect_popup() as opened:
        stage.keyboard.press("s")
    desk = opened.value
    expect(desk.locator(".desk")).to_have_attribute("data-beat", "1")
    expect(desk.locator(".desk-notes")).to_contain_text("Add up the holes.")
    stage.keyboard.press("End")
    expect(desk.locator(".desk")).to_have_attribute("data-beat", "3")
    desk.keyboard.press("PageUp")
    at(stage, 2, 0)
    expect(desk.locator(".desk")).to_have_attribute("data-beat", "2")
    desk.reload()
    expect(desk.locator(".desk")).to_have_attribute("data-beat", "2")
    stage.reload()
    ready(stage)
    at(stage, 2, 0)
    stage.keyboard.press("PageDown")
    expect(desk.locator(".desk")).to_have_attribute("data-beat", "3")


def test_the_chart_tells_its_values_by_keyboard(stage: Page):
    stage.keyboard.press("End")
    plot = stage.locator(".slide.front .plot")
    plot.focus()
    stage.keyboard.press("ArrowRight")
    expect(plot.locator(".tip")).to_contain_text("128 tokens · 1: 38.1 %")
    stage.keyboard.press("ArrowUp")
    expect(plot.locator(".tip")).to_contain_text("512 tokens · 1: 87.2 %")
    at(stage, 3, 0)


def test_the_language_changes_and_the_beat_stays(stage: Page):
    stage.keyboard.press("End")
    stage.locator(".tool.lang").click()
    expect(stage.locator("html")).to_have_attribute("lang", "zh-Hans")
    at(stage, 3, 0)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def folder(show, tmp_path) -> Iterator[str]:
    """The address of the folder, on a static server under a sub-path."""
    for name, data in site(show).items():
        place = tmp_path / "courses" / "os" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/courses/os/"
    server.shutdown()
    server.server_close()


HOST = """<!doctype html><title>Slides of somebody else</title>
<script>addEventListener("message", ({data}) => { if (data.vizkv === "height") window.told = data.height; });</script>
<iframe title="A beat" src="courses/os/?beat=3&embed" style="width: 800px; height: 500px"></iframe>"""


def test_a_folder_works_under_a_sub_path_and_one_beat_stands_in_an_iframe(browser: Browser, folder: str, tmp_path):
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.goto(folder)
    ready(page)
    (tmp_path / "host.html").write_text(HOST, encoding="utf-8")
    page.goto(folder.replace("courses/os/", "host.html"))
    frame = page.frame_locator("iframe")
    expect(frame.locator(".slide.front .plot svg")).to_be_visible()
    expect(frame.locator(".show-bar")).to_have_count(0)
    page.wait_for_function("window.told > 100")
    page.close()


@pytest.mark.parametrize("look", ["light, English", "dark, Chinese", "a phone"])
def test_axe_finds_no_violation_on_the_stage(browser: Browser, folder: str, axe: str, look: str):
    size = {"width": 390, "height": 844} if look == "a phone" else {"width": 1280, "height": 720}
    scheme, language = ("dark", "zh") if "dark" in look else ("light", "en")
    context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{folder}?lang={language}")
    found = []
    for _ in range(6):
        ready(page)
        page.evaluate(axe + "\n;undefined")
        found += page.evaluate(FIND)
        page.keyboard.press("PageDown")
    context.close()
    assert found == []
