"""Seconds from the key PageDown until a beat of the lecture is on screen, for every beat, in Chromium.

Run it as: python benchmarks/lecture.py [--language zh] [--warm 60]
``--warm``: seconds between the beginning and the first key, in which the runs are computed ahead.
"""

from __future__ import annotations

import argparse
import platform
import time

from playwright.sync_api import Page

from scripts import lab
from vizkv import lecture

AT_MOST_S = 1.0
_STATE = """() => {
  const bar = document.querySelector(".st-key-lecture-bar");
  const inside = (selector) => {
    for (const host of document.querySelectorAll("*")) {
      const found = host.shadowRoot?.querySelector(selector);
      if (found) return found;
    }
    return document.querySelector(selector);
  };
  const shown = inside(".bar")?.dataset ?? {};
  const player = inside(".vizkv")?.dataset;
  const picture = player ?? inside(".vizlive, .js-plotly-plot, .st-key-cost-measure");
  return {beat: shown.beat, part: shown.part, open: shown.open, path: location.pathname, step: player?.step ?? "",
    lens: player?.lens ?? "", ready: player ? player.ready === "1" : Boolean(picture)};
}"""


def press(page: Page) -> tuple[dict[str, str], float]:
    """One PageDown; the state after it, and how long that took."""
    before = page.evaluate(_STATE)
    mark = [before[name] for name in ("beat", "part", "open")]
    started = time.perf_counter()
    page.keyboard.press("PageDown")
    while True:
        now = page.evaluate(_STATE)
        if [now[name] for name in ("beat", "part", "open")] != mark and arrived(now):
            return now, time.perf_counter() - started
        if time.perf_counter() - started > 30:
            raise SystemExit(f"nothing came after {before}")
        page.wait_for_timeout(10)


def arrived(now: dict[str, str]) -> bool:
    """Whether the picture on screen is the one that the script asks for."""
    beat = lecture.default().beats[int(now["beat"]) - 1]
    if now["path"].strip("/") != ("" if beat.page == "memory" else beat.page) or not now["ready"]:
        return False
    if now["open"] == "1":
        words = beat.asking(int(now["part"]))
        return now["step"] == words.get("step", now["step"])
    return bool(beat.ask) or now["step"] == beat.words().get("step", now["step"])


def main() -> None:
    """Walk through the whole script with the one key."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", default="en")
    parser.add_argument("--warm", type=float, default=60.0)
    given = parser.parse_args()
    last, slow = len(lecture.default().beats), 0
    with lab.running_app() as app, lab.chromium() as browser:
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(f"{app.url}/lecture?lang={given.language}")
        lab.settle(page, player=False)
        page.locator(".st-key-lecture-start button").click()
        page.wait_for_selector(".st-key-lecture-bar", state="attached")
        lab.settle(page)
        page.wait_for_timeout(given.warm * 1000)
        print(f"Python {platform.python_version()}, {platform.machine()}; {given.warm:g} s after the beginning")
        now = page.evaluate(_STATE)
        while (now["beat"], now["open"]) != (str(last), "0"):
            now, seconds = press(page)
            slow += seconds > AT_MOST_S
            what = "question" if now["open"] == "1" else "shown"
            print(f"beat {now['beat']:>2} {what:<9}{seconds:6.2f} s", flush=True)
            lab.settle(page, player=False)
    print(f"{slow} took more than {AT_MOST_S:g} s")


if __name__ == "__main__":
    main()
