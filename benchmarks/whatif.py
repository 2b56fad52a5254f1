"""The page "What if" in Chromium: from a knob to the repainted bars, and from Run to the first picture.

Run it as: python benchmarks/whatif.py

The app runs as `make app` starts it, on the default scenario (Figure 2: four systems, 900 s at 4 requests a second).
A knob is turned by its own input event; what counts is the frame after which the bars show the new run. Each run is
asked for once: what has been computed before is kept, and would take no time. Beside it the bare round trip: the same
page asked for nothing new, and a knob turned back to a run that is known.
"""

from __future__ import annotations

import platform
from statistics import median

from playwright.sync_api import Page

from scripts import lab

# knob -> where to turn it, in positions of its slider; the systems whose runs depend on it
TURNS = {
    "block_size": (range(2, 6), "the paged one"),
    "rate": (range(7, 11), "all"),
    "max_model_len": (range(7, 11), "all"),
    "slots": (range(6, 10), "all"),
}
ROUNDS = 15

# times in ms until: the first bar of the new run, all of them (their means count from then on), all at rest at the end
TURN = """async (root, [name, index]) => {
    const input = root.querySelector(`#knob-${name}`);
    const before = root.dataset.run;
    const from = performance.now();
    input.value = index;
    input.dispatchEvent(new Event("input", {bubbles: true}));
    const times = {};
    const until = async (name, there) => {
        while (!there()) await new Promise(requestAnimationFrame);
        times[name] = performance.now() - from;
    };
    await until("first", () => root.dataset.first !== before);
    await until("shown", () => root.dataset.shown !== before);
    await until("done", () => root.dataset.state === "done" && root.dataset.still === "1");
    return times;
}"""

ASK = """async (root) => {
    const {post} = root.__vizkv.live;
    const from = performance.now();
    post.tell("more");
    while (Number(root.dataset.answer) < post.last) await new Promise(requestAnimationFrame);
    return performance.now() - from;
}"""

RUN = """async (root) => {
    const from = performance.now();
    root.querySelector("[data-tell=run]").click();
    while (!root.dataset.first) await new Promise(requestAnimationFrame);
    const first = performance.now() - from;
    while (root.dataset.state !== "done") await new Promise(requestAnimationFrame);
    const done = performance.now() - from;
    while (root.dataset.still !== "1") await new Promise(requestAnimationFrame);
    return {first, done, grown: performance.now() - from};
}"""


def rest(page: Page) -> None:
    """Until what stands below the bars has been drawn as well."""
    page.wait_for_timeout(1500)
    lab.settle(page)


def main() -> None:
    """A line a knob."""
    with lab.running_app() as app, lab.chromium() as browser:
        print(f"Chromium {browser.version}, {platform.machine()}, no graphics card; medians in milliseconds")
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(f"{app.url}/whatif")
        lab.settle(page)
        bars = page.locator(".vizlive")  # within a shadow root
        run = bars.evaluate(RUN)
        print(
            f"Run: first picture after {run['first']:.0f}, all computed after {run['done']:.0f}, "
            f"grown after {run['grown']:.0f}"
        )
        rest(page)
        bare = median(bars.evaluate(ASK) for _ in range(ROUNDS))
        print(f"asked for nothing new: {bare:.0f}")
        print("goal: a turned knob is answered within 500")
        titles = ("knob", "runs again", "first bar", "all bars", "done", "known run: bars")
        print("{:>14} {:>14} {:>10} {:>9} {:>9} {:>16}".format(*titles))
        for name, (places, who) in TURNS.items():
            start = page.locator(f"#knob-{name}").input_value()
            fresh, known = [], []
            for place in places:
                fresh.append(bars.evaluate(TURN, [name, place]))
                rest(page)
            for place in list(places)[::-1][1:]:
                known.append(bars.evaluate(TURN, [name, place]))
                rest(page)
            bars.evaluate(TURN, [name, int(start)])
            rest(page)
            first, shown, done = (median(times[part] for times in fresh) for part in ("first", "shown", "done"))
            again = median(times["shown"] for times in known)
            print(f"{name:>14} {who:>14} {first:>10.0f} {shown:>9.0f} {done:>9.0f} {again:>16.0f}")


if __name__ == "__main__":
    main()
