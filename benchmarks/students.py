"""How long a class waits for its pages, and what they weigh: python benchmarks/students.py [students].

First one fresh browser opens the class's link, and a second time: bytes as they came over the wire. Then so many
students open it in the same second. Each is a web socket that speaks as Streamlit's own page does: it asks for the
first run, and is told what to draw. What their browsers then take to load the files and to draw is not in the seconds.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import websockets
from playwright.sync_api import Browser
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from scripts import lab


async def _student(url: str, query: str, begun: float) -> tuple[float, int, bool]:
    """(seconds until the first run has come whole, its bytes, whether the player was among it)."""
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    size, played = 0, False
    async with websockets.connect(address, subprotocols=["streamlit"], max_size=None, open_timeout=120) as socket:
        ask = BackMsg()
        ask.rerun_script.query_string = query
        await socket.send(ask.SerializeToString())
        while True:
            data = await socket.recv()
            size += len(data)
            told = ForwardMsg.FromString(data)
            played = played or b"vizkv_player" in data
            if told.WhichOneof("type") == "script_finished":
                return time.time() - begun, size, played


async def _class(url: str, query: str, count: int) -> list[tuple[float, int, bool]]:
    begun = time.time()
    return await asyncio.gather(*(_student(url, query, begun) for _ in range(count)))


def _weight(browser: Browser, url: str) -> list[int]:
    """Bytes of files that a fresh browser is sent for the page, and when it comes again."""
    page = browser.new_context().new_page()
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    sent: list[float] = []
    wire.on("Network.loadingFinished", lambda told: sent.append(told["encodedDataLength"]))
    weights = []
    for _ in range(2):
        sent.clear()
        page.goto(url)
        lab.settle(page)
        page.wait_for_timeout(3000)  # what is below the player is fetched later
        weights.append(round(sum(sent)))
    return weights


def main(count: int) -> None:
    """Print the seconds."""
    with lab.running_app() as app, lab.chromium() as browser:
        lecturer = browser.new_context().new_page()
        lecturer.goto(f"{app.url}/?preset=readers-question&step=237")
        lab.settle(lecturer)
        name = lab.begin_class(lecturer)
        first, again = _weight(browser, f"{app.url}/?class={name}")
        print(f"files of the page: {first / 1e6:.1f} MB, and {again / 1e6:.2f} MB when it is opened again")
        for students in (1, count):
            with ThreadPoolExecutor(1) as apart:  # Playwright's own loop runs in this thread
                came = apart.submit(lambda n=students: asyncio.run(_class(app.url, f"class={name}", n))).result()
            seconds = [second for second, _, _ in came]
            whole = sum(played for _, _, played in came)
            each = statistics.median(size for _, size, _ in came) / 1024
            print(
                f"{students} at once: median {statistics.median(seconds):.2f} s, the last {max(seconds):.2f} s;"
                f" {each:.0f} KiB each, unpacked; {whole} have the player"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
