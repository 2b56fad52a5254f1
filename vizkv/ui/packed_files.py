"""The page's own files, compressed: a class on a bad network loads them at once, and they are four times as small so.

Streamlit compresses none of them, because it would have to do so for everybody anew; here each is compressed once and
kept. They carry their version in their names, or are part of this package: none changes while the app runs.
"""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass

import cachetools
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT_BYTES = 64 << 20
_FOLDER = "/static/"  # Streamlit's own, and app/static: our fonts
_ENDS = (".js", ".css", ".ttf")
_LEVEL = 6  # the next ones are slower, and save a hundredth


@dataclass(frozen=True)
class File:
    """An answer, as it is sent. ``gain``: whether it is compressed."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    gain: bool


class PackedFiles:
    """ASGI middleware around an app that serves files."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: cachetools.LRUCache[str, File] = cachetools.LRUCache(KEPT_BYTES, lambda file: len(file.body))
        self._coming: dict[str, asyncio.Task[File]] = {}  # a whole class asks for the same file at once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a file from what is kept; leave the others to the app."""
        if not _asked(scope):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        file = self._kept.get(path)
        if file is None:
            task = self._coming.get(path)
            if task is None:
                task = self._coming[path] = asyncio.ensure_future(self._fetch(scope, path))
            file = await asyncio.shield(task)  # who goes away does not take it from the others
        await send({"type": "http.response.start", "status": file.status, "headers": list(file.headers)})
        await send({"type": "http.response.body", "body": file.body})

    async def _fetch(self, scope: Scope, path: str) -> File:
        try:
            file = await self._packed(scope)
            if file.gain:
                self._kept[path] = file
            return file
        finally:
            del self._coming[path]

    async def _packed(self, scope: Scope) -> File:
        start: Message = {}
        parts: list[bytes] = []

        async def receive() -> Message:  # a streamed answer asks all the time whether we are still there
            return await asyncio.Future()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        body, headers = b"".join(parts), dict(start["headers"])
        if start["status"] != 200 or b"content-encoding" in headers:
            return File(start["status"], tuple(start["headers"]), body, gain=False)
        body = await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)
        headers |= {b"content-encoding": b"gzip", b"content-length": str(len(body)).encode()}
        headers[b"vary"] = b"Accept-Encoding"
        return File(200, tuple(headers.items()), body, gain=True)


def _asked(scope: Scope) -> bool:
    """Whether a whole file is asked for that is worth compressing, by a browser that can read it."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path, headers = scope["path"], dict(scope["headers"])
    if _FOLDER not in path or not path.endswith(_ENDS):
        return False
    return (
        b"gzip" in headers.get(b"accept-encoding", b"")
        and not {b"range", b"if-none-match", b"if-modified-since"} & headers.keys()
    )
