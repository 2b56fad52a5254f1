"""From a key to the painted beat, in a compiled show: `python benchmarks/show.py`, about two minutes.

The default lecture as one file, from a disk, in headless Chromium at 1280x720: PageDown through all beats with their
questions and answers, PageUp back. A time runs from the key's event to the beginning of the frame after the one that
shows the beat, so it is at most one frame too long. Once at the machine's own speed, once with the processor slowed
down four times.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from scripts import lab
from vizkv import cli

TIMES = """() => {
  window.times = [];
  addEventListener("keydown", (event) => {
    requestAnimationFrame(() => requestAnimationFrame(() => times.push(performance.now() - event.timeStamp)));
  }, true);
}"""
WHERE = "() => `${document.documentElement.dataset.beat}/${document.documentElement.dataset.part}`"


def walk(page: Page, key: str) -> list[float]:
    """Press a key until nothing moves any more; return the milliseconds of each press that moved something."""
    page.evaluate("() => { window.times = []; }")
    found = []
    while True:
        before, count = page.evaluate(WHERE), page.evaluate("() => times.length")
        page.keyboard.press(key)
        page.wait_for_function("(count) => times.length > count", arg=count)
        if page.evaluate(WHERE) == before:
            return found
        found.append(page.evaluate("() => times.at(-1)"))
        page.wait_for_timeout(100)


def told(name: str, times: list[float]) -> str:
    """Return a line: median, 95 % and the longest."""
    high = statistics.quantiles(times, n=20)[-1]
    return f"{name:28} {len(times):4} {statistics.median(times):8.1f} {high:8.1f} {max(times):8.1f}"


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder, lab.chromium() as browser:
        file = Path(folder) / "lecture.html"
        cli.main(["show", "-o", str(file)])
        print(f"\n{'milliseconds':28} keys   median     95 %  longest")
        for slow in (1, 4):
            context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
            context.add_init_script(f"({TIMES})()")  # before the stage's own listener, which ends the event
            page = context.new_page()
            page.goto(file.as_uri())
            page.wait_for_selector("[data-ahead='1']", timeout=120_000)
            opened = page.evaluate("() => performance.getEntriesByName('vizkv-first')[0].startTime")
            print(f"{'first beat on screen':28}    1 {opened:8.1f}" if slow == 1 else "")
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slow})
            for key in ("PageDown", "PageUp"):
                print(told(f"{key}, {slow}x slower" if slow > 1 else key, walk(page, key)), flush=True)
            context.close()


if __name__ == "__main__":
    main()
