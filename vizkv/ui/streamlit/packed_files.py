"""Compress the page's static files, once each: a class on a slow network downloads a quarter of the bytes.

Streamlit sends them uncompressed. The files carry their version in their names or are part of this package, so none
changes while the app runs, and a compressed copy can be kept in memory.
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
_LEVEL = 6  # of gzip: higher levels are slower and save 1 % more


@dataclass(frozen=True)
class File:
    """A response. ``gain``: whether it is compressed."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    gain: bool


class PackedFiles:
    """ASGI middleware around an app that serves files."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: cachetools.LRUCache[str, File] = cachetools.LRUCache(KEPT_BYTES, lambda file: len(file.body))
        self._coming: dict[str, asyncio.Task[File]] = {}  # under way: concurrent requests for a file share one task

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a static file from the cache; pass every other request to the app."""
        if not _asked(scope):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        file = self._kept.get(path)
        if file is None:
            task = self._coming.get(path)
            if task is None:
                task = self._coming[path] = asyncio.ensure_future(self._fetch(scope, path))
            file = await asyncio.shield(task)  # a client that disconnects must not cancel it for the others
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

        async def receive() -> Message:  # a streaming response waits here for the client's disconnect
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
    """Whether a request is for a whole, compressible file, from a browser that accepts gzip."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path, headers = scope["path"], dict(scope["headers"])
    if _FOLDER not in path or not path.endswith(_ENDS):
        return False
    return (
        b"gzip" in headers.get(b"accept-encoding", b"")
        and not {b"range", b"if-none-match", b"if-modified-since"} & headers.keys()
    )
