"""How late a student's player is in follow mode: python benchmarks/follow.py [steps].

Two profiles of one Chromium; from the lecturer's step until the student's player shows it, by the clock of the machine.
"""

from __future__ import annotations

import statistics
import sys
from urllib.parse import parse_qs, urlsplit

from scripts import lab

_SHOWN = """step => new Promise(done => {
  const there = () => Number(window.vizkvPlayer?.root.dataset.step) === step;
  const look = () => there() ? done(Date.now()) : requestAnimationFrame(look);
  look();
})"""


def main(steps: int) -> None:
    """Print the delays in milliseconds."""
    with lab.running_app() as app, lab.chromium() as browser:
        lecturer, student = (browser.new_context().new_page() for _ in range(2))
        lecturer.goto(f"{app.url}/?preset=readers-question&step=1")
        lab.settle(lecturer)
        lecturer.locator(".st-key-bar-share button").first.click()
        lecturer.get_by_role("tab", name="Class").click()
        lecturer.locator(".st-key-class-begin button").click()
        lecturer.wait_for_function("new URLSearchParams(location.search).has('class')")
        name = parse_qs(urlsplit(lecturer.url).query)["class"][0]
        student.goto(f"{app.url}/?class={name}")
        lab.settle(student)
        for page in (lecturer, student):
            page.wait_for_function("window.vizkvPlayer?.mounted && window.vizkvPlayer.trace")
        late = []
        for step in range(100, 100 + steps):
            begun = lecturer.evaluate(
                "step => { const now = Date.now(); window.vizkvPlayer.go(step); return now; }", step
            )
            late.append(student.evaluate(_SHOWN, step) - begun)
        late = late[1:]  # the first waits until the student's page has come
        print(f"{len(late)} steps: median {statistics.median(late):.0f} ms, longest {max(late):.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
