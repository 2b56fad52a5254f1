"""A class of a show in real browsers: a lecturer's windows, students who follow, answer and let go, a killed server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts import lab
from tests.browser.test_axe import FIND, axe
from tests.show.test_show import SHORT

__all__ = ["axe"]  # a fixture of the tests below

# the routes of classes as the app has them, without the app: it starts in a second
SERVER = """
import sys, uvicorn
from starlette.applications import Starlette
from vizkv.classes.server import Rooms
uvicorn.run(Starlette(routes=Rooms().routes()), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
SLOW_MS = 90_000  # for what waits until a server has started or compiled a show


class Hall:
    """A server that can be killed and started again at the same address, with the same folders."""

    def __init__(self, folder: Path) -> None:
        (folder / "shows").mkdir()
        (folder / "shows/short.toml").write_text(SHORT, encoding="utf-8")
        self.port = lab.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "PYTHONPATH": str(lab.ROOT), "VIZKV_SHOWS": str(folder / "shows"), "VIZKV_STATE": str(folder / "state"),
            "VIZKV_CACHE": str(folder / "cache"),
        }  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start it; who asks before it answers asks again."""
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, str(self.port)], env=self.environment)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """A server that has compiled the short show."""
    made = Hall(tmp_path_factory.mktemp("hall"))
    yield made
    made.kill()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """opened(address, **options) -> a page in a profile of its own, with the beat in front drawn."""
    contexts = []

    def go(address: str, **options: object) -> Page:
        contexts.append(browser.new_context(**({"viewport": {"width": 1280, "height": 720}} | options)))
        page = contexts[-1].new_page()
        page.goto(address)
        drawn(page)
        return page

    yield go
    for context in contexts:
        context.close()


@pytest.fixture
def stage(hall: Hall, browser: Browser) -> Iterator[Page]:
    """The lecturer's stage of a new class."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    for _ in range(100):  # the server may still be starting
        if lab.answers(f"{hall.url}/show/short") or hall.process.poll() is not None:
            break
        page.wait_for_timeout(300)
    page.goto(f"{hall.url}/show/short")
    drawn(page)
    page.locator(".class-begin").click()
    page.wait_for_url("**/c/*")
    drawn(page)
    yield page
    context.close()


def drawn(page: Page) -> None:
    """Wait until the beat in front is drawn."""
    page.wait_for_selector(".slide.front[data-ready='1']", timeout=SLOW_MS)


def at(page: Page, beat: int, part: int) -> None:
    """Wait for a beat and part."""
    where = page.locator("html[data-beat], .desk")
    expect(where).to_have_attribute("data-beat", str(beat), timeout=SLOW_MS)
    expect(where).to_have_attribute("data-part", str(part), timeout=SLOW_MS)


def address(stage: Page) -> str:
    """Return what students type."""
    return stage.url.partition("#")[0]


def test_students_follow_answer_and_see_the_counts_when_the_lecturer_wants(stage: Page, opened):
    phone = opened(address(stage), viewport={"width": 390, "height": 844}, locale="zh-CN")
    laptop = opened(address(stage))
    expect(stage.locator(".class-line")).to_contain_text("2 here")
    for one, value in ((phone, "yes"), (laptop, "no")):
        one.locator(f".slide.front .answer[data-value='{value}']").click()
        at(one, 1, 0)
    expect(laptop.locator(".slide.front .ask-hint")).to_contain_text("Your answer is counted.")
    expect(stage.locator(".class-line")).to_contain_text("answers: 2")
    expect(stage.locator(".slide.front .answer.counted")).to_have_count(0)
    stage.keyboard.press("a")
    for one in (stage, phone, laptop):
        expect(one.locator(".slide.front .answer[data-value='no'] .number")).to_have_text("1")
    stage.keyboard.press("PageDown")
    for one in (phone, laptop):
        at(one, 1, 1)
    expect(laptop.locator(".slide.front .answer[data-value='no']")).to_have_class("answer right counted")
    expect(phone.locator(".slide.front .answer[data-value='yes']")).to_have_class("answer wrong counted")
    stage.keyboard.press("PageDown")
    at(phone, 1, 2)
    expect(stage.locator(".slide.front .answer.counted")).to_have_count(0)


def test_a_student_lets_go_as_far_as_the_class_has_been_and_follows_again(stage: Page, opened):
    student = opened(address(stage))
    student.keyboard.press("PageDown")
    stage.keyboard.press("2")
    stage.keyboard.press("Enter")
    at(stage, 2, 0)
    at(student, 2, 0)
    assert student.locator(".slide.front .place").evaluate("(place) => place.inert")
    student.locator(".follow").click()
    expect(student.locator(".slide.front .transport")).to_be_visible()
    assert not student.locator(".slide.front .place").evaluate("(place) => place.inert")
    student.keyboard.press("PageUp")
    at(student, 1, 3)
    stage.keyboard.press("PageDown")
    at(stage, 3, 0)
    at(student, 1, 3)
    student.keyboard.press("End")
    at(student, 3, 0)
    student.keyboard.press("Home")
    at(student, 1, 0)
    assert student.locator("a.app").get_attribute("href").startswith("../?preset=external-fragmentation")
    student.locator(".follow").click()
    at(student, 3, 0)


def test_all_windows_of_a_lecturer_stand_at_one_place_also_new_and_reloaded_ones(stage: Page, opened):
    with stage.expect_popup() as popup:
        stage.keyboard.press("s")
    desk = popup.value
    at(desk, 1, 0)
    for page in (stage, desk, stage, desk):
        page.keyboard.press("PageDown")
    remote = opened(stage.url, viewport={"width": 390, "height": 844})
    remote.keyboard.press("End")
    for page in (stage, desk, remote):
        at(page, 3, 0)
    stage.reload()
    drawn(stage)
    at(stage, 3, 0)
    stage.keyboard.press("Home")
    stage.keyboard.press("b")
    for page in (stage, remote):
        at(page, 1, 0)
        expect(page.locator(".black")).to_be_visible()
    at(desk, 1, 0)


def test_a_server_killed_in_mid_lecture_loses_no_beat_and_no_answer(hall: Hall, stage: Page, opened):
    student = opened(address(stage))
    student.locator(".slide.front .answer[data-value='no']").click()
    expect(stage.locator(".class-line")).to_contain_text("answers: 1")
    hall.kill()
    for page in (stage, student):
        expect(page.locator("html")).to_have_attribute("data-connected", "0")
    stage.keyboard.press("PageDown")  # the lecture goes on without it
    at(stage, 1, 1)
    at(student, 1, 0)
    hall.start()
    at(student, 1, 1)
    expect(stage.locator("html")).to_have_attribute("data-connected", "1", timeout=SLOW_MS)
    at(stage, 1, 1)
    expect(stage.locator(".class-line")).to_contain_text("answers: 1")
    later = opened(address(stage))
    at(later, 1, 1)


def test_the_code_fills_the_screen_and_an_ended_class_says_so(stage: Page, opened):
    student = opened(address(stage))
    stage.keyboard.press("q")
    expect(stage.locator(".join svg")).to_be_visible()
    box = stage.locator(".join").bounding_box()
    assert box is not None and (box["width"], box["height"]) == (1280, 720)
    expect(stage.locator(".join-code")).to_have_text(address(stage)[-6:].upper())
    expect(student.locator(".join")).to_have_count(0)
    stage.keyboard.press("q")
    expect(stage.locator(".join")).to_be_hidden()
    with stage.expect_popup() as popup:
        stage.keyboard.press("s")
    popup.value.on("dialog", lambda dialog: dialog.accept())
    popup.value.locator(".end").click()
    expect(student.locator(".class-line")).to_have_text("The class has ended.")


@pytest.mark.parametrize("look", ["light, English", "dark, Chinese"])
def test_axe_finds_no_violation_in_a_class(stage: Page, opened, axe: str, look: str):
    dark = {"color_scheme": "dark", "locale": "zh-CN"} if "dark" in look else {}
    student = opened(address(stage), viewport={"width": 390, "height": 844}, bypass_csp=True, **dark)
    lecturer = opened(stage.url, bypass_csp=True, **dark)
    desk = lecturer.context.new_page()
    desk.goto(f"{stage.url}&desk")
    student.locator(".slide.front .answer").first.click()
    stage.keyboard.press("a")
    for page in (student, lecturer):
        expect(page.locator(".slide.front .answer.counted").first).to_be_visible()
    expect(desk.locator(".class-bar").first).to_be_visible()
    stage.keyboard.press("q")
    expect(lecturer.locator(".join svg")).to_be_visible()
    found = []
    for page in (student, lecturer, desk):
        page.evaluate(axe + "\n;undefined")
        found += page.evaluate(FIND)
    assert found == []


def test_the_app_has_the_routes_of_classes(app: lab.App):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{app.url}/c/bbbbbb", timeout=60)
    assert refused.value.code == 404
    assert "There is no such class on this server" in refused.value.read().decode()
