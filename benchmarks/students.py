"""How long a class waits: `python benchmarks/students.py [students ...]`, by default 200, then 2,000.

The app as `make app` starts it, with the default lecture and a class of it. One fresh Chromium opens the class's link
first: bytes over the wire, and seconds until its picture is drawn. Then so many students open the link in the same
second. Each is a web socket and the requests that a browser makes before the first picture is drawn: page, style sheet,
script, words, and the payload of the first beat, over two connections. What their browsers then take to draw is
not in the seconds. Last, the lecturer turns a beat twenty times (--steps), once a second; each student notes when it
is told. The server's memory is that after the first of these beats and after the last.

The students run in processes of their own, on the same machine: they take processor time from the server, so the times
are longer than those of students with devices of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import statistics
import tempfile
import time
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websockets
from playwright.sync_api import Browser

from scripts import lab

APART_S = 1.0  # seconds between two beats
WORKERS = 2


class _Connection:
    """A connection that is kept open over several requests, as a browser keeps it."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, *paths: str) -> None:
        """Fetch files, one after another."""
        if self.ends is None:
            self.ends = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.ends
        for path in paths:
            host = f"{self.host}:{self.port}"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = re.search(rb"content-length: (\d+)", head)
            if b" 200 " not in head.split(b"\r\n")[0] or length is None:
                raise RuntimeError(f"{path}: {head[:80]!r}")
            await reader.readexactly(int(length[1]))

    def close(self) -> None:
        """Close it."""
        if self.ends:
            self.ends[1].close()


async def _student(
    url: str, code: str, paths: list[str], begin: float, n: int, count: int
) -> tuple[float, float, list[float]]:
    """Return seconds until all files and the place were there, until the place alone, and when each step was told."""
    address = urlsplit(url)
    assert address.hostname and address.port
    await asyncio.sleep(max(0.0, begin - time.time()))
    began = time.time()
    one, other = (_Connection(address.hostname, address.port) for _ in range(2))
    await one.get(f"/c/{code}")
    await asyncio.gather(one.get(*paths[::2]), other.get(*paths[1::2]))
    one.close()
    other.close()
    live = f"{url.replace('http', 'ws', 1)}/c/{code}/live"
    async with websockets.connect(live, open_timeout=120, compression=None, ping_interval=None) as socket:
        await socket.send(json.dumps({"voter": f"{n:032x}"}))
        told = json.loads(await socket.recv())
        opened = time.time() - began
        steps, last = [], told["n"]
        while len(steps) < count:
            told = json.loads(await socket.recv())
            if told.get("n", last) != last:
                steps += [time.time()] * (told["n"] - last)
                last = told["n"]
        return opened, began, steps


def students(
    url: str, code: str, paths: list[str], begin: float, numbers: range, steps: int
) -> list[tuple[float, float, list[float]]]:  # fmt: skip
    """Return what each student noted; runs in a process of its own."""

    async def all_of_them() -> list[tuple[float, float, list[float]]]:
        return await asyncio.gather(*(_student(url, code, paths, begin, n, steps) for n in numbers))

    return asyncio.run(all_of_them())


async def _lecturer(
    url: str, code: str, secret: str, count: int, steps: int, pid: int
) -> tuple[list[float], float, float]:
    """Turn beats when all students are there; return when each was sent, and the memory before and after."""
    live = f"{url.replace('http', 'ws', 1)}/c/{code}/live"
    async with websockets.connect(live, open_timeout=120, compression=None, ping_interval=None) as socket:
        await socket.send(json.dumps({"secret": secret}))
        here = 0
        while here < count:
            here = json.loads(await socket.recv()).get("students", here)
        await asyncio.sleep(3)
        sent, before = [], 0.0
        for k in range(1, steps + 1):
            sent.append(time.time())
            await socket.send(json.dumps({"place": {"beat": k % 2, "part": 0, "by": 1, "k": k}}))
            until = time.time() + APART_S
            while (left := until - time.time()) > 0:
                try:
                    await asyncio.wait_for(socket.recv(), left)
                except TimeoutError:
                    break
            before = before or _resident(pid)
        return sent, before, _resident(pid)


def _resident(pid: int) -> float:
    """Return the memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def _fresh(browser: Browser, url: str) -> tuple[list[str], int, float]:
    """Return the files that a student's page asks for before its picture is drawn, bytes on the wire, and seconds."""
    page = browser.new_context().new_page()
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    origin = url[: url.index("/", len("https://"))]
    sizes: list[float] = []
    paths: list[str] = []
    wire.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    page.on("request", lambda request: paths.append(request.url.removeprefix(origin)))
    began = time.time()
    page.goto(url)
    page.wait_for_selector(".slide.front[data-ready='1']")
    seconds = time.time() - began
    found = [path for path in paths if path.startswith("/show/")]
    size = round(sum(sizes))
    page.context.close()
    return found, size, seconds


def _post(url: str) -> dict[str, str]:
    request = urllib.request.Request(url, method="POST", headers={"X-Vizkv": "1"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer))


def main(counts: list[int], steps: int) -> None:
    """Print the table."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VIZKV_STATE"] = folder
        with lab.running_app() as app, lab.chromium() as browser:
            while not lab.answers(f"{app.url}/show/lecture"):
                app.check()
                time.sleep(0.5)
            first = _post(f"{app.url}/show/lecture/class")
            paths, size, seconds = _fresh(browser, f"{app.url}/c/{first['code']}")
            print(f"one fresh browser: {len(paths) + 1} files, {size / 1e6:.2f} MB, picture after {seconds:.2f} s")
            print(f"load of the machine before (1 min): {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
            print("students   open: median, last        told: median, 95 %, last   memory of the server")
            for count in counts:
                told = _post(f"{app.url}/show/lecture/class")
                begin = time.time() + 2 + count / 1000
                share = -(-count // WORKERS)
                with ProcessPoolExecutor(WORKERS + 1, mp_context=get_context("spawn")) as pool:
                    parts = [
                        pool.submit(
                            students, app.url, told["code"], paths, begin, range(at, min(count, at + share)), steps
                        )
                        for at in range(0, count, share)
                    ]
                    lead = pool.submit(_lead, app.url, told["code"], told["secret"], count, steps, app.process.pid)
                    found = [one for part in parts for one in part.result()]
                    sent, before, after = lead.result()
                opened = [seconds for seconds, _, _ in found]
                late = sorted(1000 * (at - sent[k]) for _, _, times in found for k, at in enumerate(times))
                print(
                    f"{count:8} {statistics.median(opened):10.2f} s {max(opened):6.2f} s"
                    f" {statistics.median(late):13.0f} ms {late[int(0.95 * len(late))]:5.0f} ms {late[-1]:5.0f} ms"
                    f" {before:9.0f}, {after:.0f} MB",
                    flush=True,
                )


def _lead(*what: Any) -> tuple[list[float], float, float]:
    return asyncio.run(_lecturer(*what))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("students", type=int, nargs="*", default=[200, 2000])
    parser.add_argument("--steps", type=int, default=20)
    given = parser.parse_args()
    main(given.students, given.steps)
