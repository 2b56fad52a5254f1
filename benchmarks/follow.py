"""How late students are in follow mode: python benchmarks/follow.py [steps] [listeners].

Two profiles of one Chromium, lecturer and student: from the lecturer's step until the student's player shows it, by the
clock of the machine. ``listeners`` web sockets more hear the same class, as so many further students' browsers do once
their page is open: until the last of them has been told of the step.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import threading
import time
from contextlib import AsyncExitStack, suppress

import websockets

from scripts import lab
from vizkv.ui.frame.classroom import PATH

_SHOWN = """step => new Promise(done => {
  const there = () => Number(window.vizkvPlayer?.root.dataset.step) === step;
  const look = () => there() ? done(Date.now()) : requestAnimationFrame(look);
  look();
})"""


class Listeners:
    """So many sockets of one class, and when each step was told to the last of them (seconds by the clock)."""

    def __init__(self, url: str, name: str, count: int):
        self.count, self.told_at = count, dict[int, float]()
        self._address = f"{url.replace('http', 'ws', 1)}{PATH}/{name}"
        self._heard: dict[int, int] = {}
        self._ready = threading.Event()
        if count:
            threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True).start()
            self._ready.wait()

    def wait(self, step: int) -> float:
        """When the last was told of a step."""
        while step not in self.told_at:
            time.sleep(0.001)
        return self.told_at[step]

    async def _all(self) -> None:
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(websockets.connect(self._address)) for _ in range(self.count)]
            for socket in sockets:
                await socket.send(json.dumps({"token": ""}))
                await socket.recv()  # where the lecturer stands
            self._ready.set()
            await asyncio.gather(*(self._listen(socket) for socket in sockets))

    async def _listen(self, socket: websockets.ClientConnection) -> None:
        with suppress(websockets.ConnectionClosed):  # the app ends before we do
            async for text in socket:
                step = (json.loads(text)["view"] or {}).get("step", -1)
                self._heard[step] = self._heard.get(step, 0) + 1
                if self._heard[step] == self.count:
                    self.told_at[step] = time.time()


def main(steps: int, count: int) -> None:
    """Print the delays in milliseconds."""
    with lab.running_app() as app, lab.chromium() as browser:
        lecturer, student = (browser.new_context().new_page() for _ in range(2))
        lecturer.goto(f"{app.url}/?preset=readers-question&step=1")
        lab.settle(lecturer)
        name = lab.begin_class(lecturer)
        student.goto(f"{app.url}/?class={name}")
        lab.settle(student)
        for page in (lecturer, student):
            page.wait_for_function("window.vizkvPlayer?.mounted && window.vizkvPlayer.trace")
        listeners = Listeners(app.url, name, count)
        late, last = [], []
        for step in range(100, 100 + steps):
            begun = lecturer.evaluate(
                "step => { const now = Date.now(); window.vizkvPlayer.go(step); return now; }", step
            )
            late.append(student.evaluate(_SHOWN, step) - begun)
            if count:
                last.append(1000 * listeners.wait(step) - begun)
        for who, times in (("a student's player shows it", late), (f"the last of {count} listeners is told", last)):
            if times := times[1:]:  # the first waits until the student's page has come
                print(
                    f"{who}, {len(times)} steps: median {statistics.median(times):.0f} ms, longest {max(times):.0f} ms"
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40, int(sys.argv[2]) if len(sys.argv) > 2 else 200)
