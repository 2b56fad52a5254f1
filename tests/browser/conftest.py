"""The app in a real browser: one app and one Chromium for all browser tests, a new page for each visit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from scripts import lab

HERE = Path(__file__).resolve().parent
STORED = "local_storage,indexeddb,cache_storage,service_workers,file_systems,shared_storage,storage_buckets"
LOOPBACK = ("localhost", "127.0.0.1", "::1")

expect.set_options(timeout=30_000)  # a machine under load is slow, and not wrong


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All browser tests in one xdist process: they share the app."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def app() -> Iterator[lab.App]:
    """The app as `make app` starts it, on a free port."""
    try:
        with lab.running_app() as running:
            yield running
    except lab.LabError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium. Without one the tests fail; they are not skipped."""
    try:
        with lab.chromium("--process-per-site") as running:
            yield running
    except lab.LabError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def plain_browser(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium on a machine that has DejaVu and no other face: neither ours nor a Chinese one."""
    environment = lab.only_dejavu(tmp_path_factory.mktemp("fonts"))
    running = browser.browser_type.launch(executable_path=lab.chromium_path(), args=lab.ARGUMENTS, env=environment)
    yield running
    running.close()


@dataclass
class Complaints:
    """What went wrong in a page without anybody looking: script errors, console errors, reaches for the network."""

    found: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Collect from now on. (Chromium itself resolves no name but this machine's: see scripts/lab.py.)"""
        page.on("pageerror", lambda error: self.found.append(f"script error: {error}"))
        page.on("console", self._console)
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # below a page's address Streamlit first looks for its server in the wrong place
        probe = re.search(r"/\w+/_stcore/(health|host-config)$", message.location.get("url", ""))
        if message.type == "error" and not probe:
            self.found.append(f"console error: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.hostname not in LOOPBACK and url.scheme not in ("data", "blob"):
            self.found.append(f"reached for the network: {request.url}")


@pytest.fixture
def settle() -> Callable[..., None]:
    """settle(page, player=True): wait until a page that was clicked on stands still again."""
    return lab.settle


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> dict[str, BrowserContext]:
    """One light and one dark browser profile. Pages of a profile share loaded and compiled scripts: half their time."""
    return {scheme: browser.new_context(color_scheme=scheme) for scheme in ("light", "dark")}


def forget(page: Page, origin: str) -> None:
    """Remove from a page's profile what pages of other tests have stored."""
    page.context.clear_cookies()
    client = page.context.new_cdp_session(page)
    client.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": STORED})
    client.detach()


@pytest.fixture
def visit(app: lab.App, contexts: dict[str, BrowserContext]) -> Iterator[Callable[..., Page]]:
    """visit(path="/", width=1280, height=720, scheme="light", player=True) -> a page that stands still.

    The profile has nothing stored but the files that it has loaded, and what this test's own pages store. ``visit``
    waits until the script has run and, unless ``player=False``, until the player has drawn its first frame. When the
    test ends, no page it opened may have complained.
    """
    pages: list[Page] = []
    cleared = set()
    complaints = Complaints()

    def go(
        path: str = "/",
        width: int = 1280,
        height: int = 720,
        scheme: Literal["light", "dark"] = "light",
        player: bool = True,
    ) -> Page:
        app.check()
        if not contexts[scheme].pages:  # compiled scripts live in a site's process, which ends with its last page
            contexts[scheme].new_page().goto(f"{app.url}/_stcore/health")
        page = contexts[scheme].new_page()
        pages.append(page)
        if scheme not in cleared:
            cleared.add(scheme)
            forget(page, app.url)
        page.set_viewport_size({"width": width, "height": height})
        complaints.listen(page)
        page.goto(app.url + path)
        lab.settle(page, player=player)
        return page

    yield go
    for page in pages:
        page.close()
    app.check()
    assert not complaints.found, "\n".join(complaints.found)
