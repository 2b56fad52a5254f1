"""The player in Chromium: payload, opening, frames a second, and the time from a key press to the painted step.

Run it as: python benchmarks/browser.py

Five systems, some 500 steps, pools of 512 to 65,536 slots each, run by the engine without a model (the picture does not
depend on what the tokens say). The player is mounted on a page of its own, 1920 x 1080, and driven by its own keys.
"""

from __future__ import annotations

import platform
import random
from statistics import median

from playwright.sync_api import Browser, Page, Route

from scripts import lab
from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.player import assets
from vizkv.scenario.schema import Scenario, from_dict
from vizkv.trace.trace import Trace
from vizkv.views.payload import pack as payload

POOLS = (512, 4096, 16_384, 65_536)
STEPS = 500
REQUESTS = 90
SECONDS = 5  # of playing
PRESSES = 60
ADDRESS = "http://vizkv.localhost"

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>vizkv</title>
<style>body { margin: 1rem; font-family: sans-serif } CSS</style>
<body><div id="here">HTML</div></body></html>"""

OPEN = """async () => {
    const [mount, bytes] = [(await import("/player.js")).default, await (await fetch("/payload")).arrayBuffer()];
    const parentElement = document.getElementById("here");
    const from = performance.now();
    mount({data: new Uint8Array(bytes), parentElement, setStateValue() {}});
    const root = parentElement.querySelector(".vizkv");
    while (root.dataset.ready !== "1") await new Promise(requestAnimationFrame);
    return performance.now() - from;
}"""

# as fast as it goes: every frame of the browser is a step
PLAY = """async (seconds) => {
    const root = document.querySelector(".vizkv");
    const speed = root.querySelector(".speed");
    const press = (name) => root.querySelector(`[data-do="${name}"]`).click();
    speed.value = "60";
    press("first");
    press("play");
    const [from, before] = [performance.now(), root.__vizkv.frames];
    while (performance.now() - from < seconds * 1000) await new Promise(requestAnimationFrame);
    const rate = (root.__vizkv.frames - before) / (performance.now() - from) * 1000;
    if (root.dataset.playing !== "1") throw new Error("the run was over before the measurement");
    press("play");
    return rate;
}"""

# a frame is painted when the browser comes back to us after the callbacks of that frame
PRESS = """async (moves) => {
    const root = document.querySelector(".vizkv");
    const scrub = root.querySelector(".scrub");
    const painted = () => new Promise((done) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = done;
        channel.port2.postMessage(0);
    }));
    const times = [];
    for (const move of moves) {
        await painted();
        await new Promise((done) => setTimeout(done, Math.random() * 16));
        const from = performance.now();
        if (move < 0) root.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
        else { scrub.value = move; scrub.dispatchEvent(new Event("input", {bubbles: true})); }
        await painted();
        times.push(performance.now() - from);
    }
    return times;
}"""


def scenario(slots: int) -> Scenario:
    """Requests that come and go for about STEPS steps; Orca (Max) has room for 32 of them at a time."""
    dice = random.Random(slots)
    longest = slots // 16 if slots < 4096 else slots // 32
    most = min(longest, 300)
    requests = []
    for number in range(REQUESTS):
        final = dice.randint(most // 3, most)
        last = number == REQUESTS - 1  # it ends with the last step that we want
        arrival = STEPS - final if last else dice.randrange(max(1, STEPS - 2 * most))
        requests.append({"prompt_tokens": 1 + final // 5, "final_slots": final, "arrival_step": arrival})
    exact = {"kind": "contiguous", "placement": "first-fit", "unit": 1}
    return from_dict({
        "slots": slots, "max_model_len": longest, "model": "none",
        "systems": [
            {"kind": "contiguous", "reserve": "max"},
            {"kind": "contiguous", "reserve": "pow2"},
            {"kind": "contiguous", "reserve": "oracle"},
            exact | {"reserve": "multiple"},
            {"kind": "paged"},
        ],
        "requests": requests,
    })  # fmt: skip


def mounted(browser: Browser, data: bytes) -> Page:
    """A page with nothing on it but a place for the player."""
    html, css, js = assets()
    files = {
        "/": ("text/html", PAGE.replace("CSS", css).replace("HTML", html).encode()),
        "/player.js": ("text/javascript", js.encode()),
        "/payload": ("application/octet-stream", data),
    }

    def serve(route: Route) -> None:
        kind, body = files.get(route.request.url.removeprefix(ADDRESS), ("text/plain", b""))
        route.fulfill(body=body, content_type=kind)

    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.on("pageerror", lambda error: print(f"  script error: {error}"))
    page.route("**/*", serve)
    page.goto(ADDRESS + "/")
    return page


def measure(browser: Browser, trace: Trace, data: bytes) -> dict[str, float]:
    """Milliseconds and frames a second of one payload."""
    page = mounted(browser, data)
    opening = page.evaluate(OPEN)
    frames = page.evaluate(PLAY, SECONDS)
    page.evaluate("() => document.querySelector('[data-do=first]').click()")
    steps = sorted(page.evaluate(PRESS, [-1] * PRESSES))
    dice = random.Random(0)
    jumps = sorted(page.evaluate(PRESS, [dice.randrange(trace.steps) for _ in range(PRESSES)]))
    page.close()
    return {
        "open": opening, "frames": frames,
        "step": median(steps), "step95": steps[int(0.95 * len(steps))],
        "jump": median(jumps), "jump95": jumps[int(0.95 * len(jumps))],
    }  # fmt: skip


def main() -> None:
    """One line a pool."""
    with lab.chromium() as browser:
        print(f"Chromium {browser.version}, {platform.machine()}, no graphics card; milliseconds as median / 95 %")
        print("goal: 50 frames a second and a step painted within 50 ms at 16,384 slots")
        titles = ("slots", "steps", "payload", "open", "frames/s", "key to paint", "jump to paint")
        print("{:>7} {:>6} {:>12} {:>9} {:>9} {:>15} {:>15}".format(*titles))
        for slots in POOLS:
            trace = engine.run(scenario(slots))
            data = payload.open_at(payload.pack(trace, messages()), payload.View())
            m = measure(browser, trace, data)
            step, jump = (f"{m[k]:.0f} / {m[k + '95']:.0f}" for k in ("step", "jump"))
            print(
                f"{slots:>7,} {trace.steps:>6} {len(data):>10,} B {m['open']:>6.0f} ms {m['frames']:>9.1f}"
                f" {step:>12} ms {jump:>12} ms"
            )


if __name__ == "__main__":
    main()
