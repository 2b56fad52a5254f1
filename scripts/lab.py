"""The app on a free port, and a headless Chromium to look at it: for browser tests, pictures and benchmarks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from vizkv import fonts

ROOT = Path(__file__).resolve().parents[1]
STARTS_WITHIN_S = 60
READY_WITHIN_MS = 60_000
AT_REST = '[data-testid="stApp"][data-test-script-state="notRunning"]'  # the page's script has run to its end
ARGUMENTS = [
    "--no-sandbox",  # Chromium refuses its sandbox to root, which is who runs it in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",  # letters of the same size on every machine
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",  # there is no network here
]


class LabError(RuntimeError):
    """What is missing, or did not start, in one sentence (and what the app printed)."""


@dataclass(frozen=True)
class App:
    """A running app and the file it prints to."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def check(self) -> None:
        """Raises LabError, with what the app printed, if it is no longer there."""
        if (code := self.process.poll()) is not None:
            raise LabError(f"the app is gone (exit code {code}); it printed:\n{self.log.read_text()}")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def chromium_path() -> str:
    """Where Chromium is. Raises LabError."""
    asked = os.environ.get("CHROMIUM")
    for name in [asked] if asked else ["chromium", "chromium-browser", "google-chrome"]:
        if found := shutil.which(name):
            return found
    if asked:
        raise LabError(f"CHROMIUM={asked} is not a program that can be run; give the path of a Chromium or Chrome")
    raise LabError("there is no Chromium here; `make chromium` installs it, or set CHROMIUM to the path of one")


@contextmanager
def running_app() -> Iterator[App]:
    """The app as `make app` starts it. Raises LabError."""
    with _running("vizkv.ui.serve", "app.py") as app:
        yield app


@contextmanager
def running_page(script: str) -> Iterator[App]:
    """A script of Streamlit's by itself, by its path from the project's folder. Raises LabError."""
    with _running("streamlit", "run", script, "--server.headless", "true") as app:
        yield app


@contextmanager
def _running(*module: str) -> Iterator[App]:
    port = free_port()
    command = [sys.executable, "-m", *module, "--server.address", "127.0.0.1", "--server.port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "app.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        try:
            app = App(f"http://127.0.0.1:{port}", log, process)
            until = time.monotonic() + STARTS_WITHIN_S
            while not answers(f"{app.url}/_stcore/health"):
                app.check()
                if time.monotonic() > until:
                    raise LabError(f"the app did not answer within {STARTS_WITHIN_S} s; it printed:\n{log.read_text()}")
                time.sleep(0.1)
            yield app
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(url: str) -> bool:
    """Whether a server gives that page."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """A headless Chromium; ``more``: command-line arguments on top. Raises LabError."""
    path = chromium_path()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as cache:
        # our Chinese face is one of the machine's own, also for files that no app serves
        known = {**os.environ, **fonts.environment(Path(cache))}
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more], env=known)
        try:
            yield browser
        finally:
            browser.close()


def only_dejavu(cache: Path) -> dict[str, str]:
    """Return environment variables for a Chromium on a machine whose only faces are matplotlib's copies of DejaVu.

    ``cache``: a folder for the configuration and for fontconfig's own cache.
    """
    import matplotlib

    config = cache / "only-dejavu.conf"
    config.write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
        f"  <dir>{matplotlib.get_data_path()}/fonts/ttf</dir>\n"
        f"  <cachedir>{cache / 'fontconfig-dejavu'}</cachedir>\n</fontconfig>\n",
        encoding="utf-8",
    )
    return {**os.environ, "FONTCONFIG_FILE": str(config)}


def settle(page: Page, player: bool = True) -> None:
    """Wait until the page's script has run to its end and the player, if there is one, has drawn what it was given.

    The first minute's demonstration is cut short: it stands where it would arrive.
    """
    page.wait_for_selector(AT_REST, timeout=READY_WITHIN_MS)
    # grey places stand where a widget's own script is still on its way
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')", timeout=READY_WITHIN_MS)
    if player:
        page.wait_for_selector('[data-ready="1"]', timeout=READY_WITHIN_MS)
        page.locator(".vizkv").evaluate_all("(all) => all.forEach((one) => one.__vizkv?.player.minute.skip())")


def begin_class(page: Page) -> str:
    """Begin a class on a lecturer's page; what has opened stays open. Returns the students' word for it."""
    page.locator(".st-key-bar-share button").first.click()
    page.get_by_role("tab", name="Class").click()
    page.locator(".st-key-class-begin button").click()
    page.wait_for_function("new URLSearchParams(location.search).has('class')")
    return parse_qs(urlsplit(page.url).query)["class"][0]
