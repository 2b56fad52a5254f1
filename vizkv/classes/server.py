"""The routes of shows and classes, beside those of the app; and the web socket of a class.

GET  /show/NAME                 the stage              GET /show/NAME/VERSION/FILE   files that never change
POST /show/NAME/class           begin a class          GET /c/CODE                   the class's page
WS   /c/CODE/live               one browser            GET /c/CODE/qr.svg            the code as a picture
GET  /c/CODE/answers.csv, .html what was answered; the lecturer's secret is in the header Authorization
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape

import segno
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from vizkv.classes import hub as hubs
from vizkv.classes import protocol, results
from vizkv.classes.hub import Class, FullError, Hub
from vizkv.classes.shows import File, Served, Shelf
from vizkv.messages.catalogue import DEFAULT, LANGUAGES, Messages, messages

FIRST_S = 10.0  # time limit for a browser's first message, which says who it is
MAX_SOCKETS = 8000  # of all classes together
MAX_BEGUN = 30  # classes that may be begun within a minute
LECTURER_RATE = 40.0  # messages a second, after as many at once
STUDENT_RATE = 4.0
_FOREVER = "public, max-age=31536000, immutable"
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_HEADER = "x-vizkv"  # no other site's page can send it without our leave


@dataclass
class Bucket:
    """How many messages are left to somebody: ``rate`` come back every second."""

    rate: float
    most: float
    left: float = -1.0
    at: float = 0.0

    def take(self) -> bool:
        """Return whether one more is allowed, and count it."""
        now = time.monotonic()
        self.left = self.most if self.left < 0 else min(self.most, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


def spoken(request: Request) -> Messages:
    """Return the messages of the language that a browser asks for."""
    wanted = request.headers.get("accept-language", "").lower()
    return messages("zh" if wanted.startswith("zh") else DEFAULT)


def _sent(request: Request, file: File, **headers: str) -> Response:
    body, more = file.body, {}
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body, more = file.packed, {"Content-Encoding": "gzip"}
    return Response(body, headers=_SAFE | more | headers | {"Vary": "Accept-Encoding"}, media_type=file.kind)


def _note(say: Messages, sentence: str, status: int, again: bool = False) -> HTMLResponse:
    """Return a page with one sentence. ``again``: it asks for itself until there is more."""
    text = escape(sentence)
    refresh = '<meta http-equiv="refresh" content="2">' if again else ""
    return HTMLResponse(
        f'<!doctype html><html lang="{say.html}"><head><meta charset="utf-8">{refresh}<meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>vizkv</title><style>:root {{ color-scheme: light dark }}'
        f"body {{ font: 1.2rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 20vh auto; padding: 0 1.5rem }}"
        f'</style></head><body><p role="status">{text}</p></body></html>',
        status, headers=_SAFE | {"Cache-Control": "no-store"},
    )  # fmt: skip


@dataclass
class Rooms:
    """The routes with what they share: the shows and the classes of this process."""

    shelf: Shelf = field(default_factory=Shelf)
    hub: Hub = field(default_factory=Hub)
    sockets: int = 0
    begun: Bucket = field(default_factory=lambda: Bucket(MAX_BEGUN / 60, MAX_BEGUN))

    def routes(self) -> list[BaseRoute]:
        """Return the routes for the server."""
        return [
            Route("/show/{name}", self.stage),
            Route("/show/{name}/", lambda request: RedirectResponse(f"../{request.path_params['name']}")),
            Route("/show/{name}/class", self.begin, methods=["POST"]),
            Route("/show/{name}/{version}/{path:path}", self.file),
            Route("/c/{code}", self.room),
            Route("/c/{code}/qr.svg", self.picture),
            Route("/c/{code}/answers.{ending}", self.answers),
            WebSocketRoute("/c/{code}/live", self.live),
        ]

    # -- pages and files -----------------------------------------------------------------------------------------------

    def _show(self, request: Request, name: str) -> Served | Response:
        say = spoken(request)
        try:
            found = self.shelf.get(name)
        except KeyError:
            return _note(say, say("class.no.show"), 404)
        if found is None and name in self.shelf.failed:
            return _note(say, say("class.failed.show", why=self.shelf.failed[name][:300]), 500)
        return found or _note(say, say("class.making"), 503, again=True)

    async def stage(self, request: Request) -> Response:
        """Serve the stage of a show; while it is being compiled, a sentence."""
        found = self._show(request, request.path_params["name"])
        return found if isinstance(found, Response) else _sent(request, found.stage, **{"Cache-Control": "no-cache"})

    async def file(self, request: Request) -> Response:
        """Serve a file of a show. An address has the version of the show: what it names never changes."""
        say = spoken(request)
        found = self._show(request, request.path_params["name"])
        if isinstance(found, Response):
            return found
        file = found.files.get(request.path_params["path"])
        if file is None or request.path_params["version"] != found.version:
            return _note(say, say("class.no.file"), 404)
        return _sent(request, file, **{"Cache-Control": _FOREVER})

    async def room(self, request: Request) -> Response:
        """Serve the page of a class, which is the same for everybody: who leads it has the secret in the fragment."""
        say = spoken(request)
        room = self.hub.find(request.path_params["code"])
        if room is None:
            return _note(say, say("class.no.class"), 404)
        found = self._show(request, room.show)
        if isinstance(found, Response):
            return found
        room.adopt(found.outline)
        return _sent(request, found.room, **{"Cache-Control": "no-cache"})

    async def begin(self, request: Request) -> Response:
        """Begin a class of a show: its code and the lecturer's secret, as JSON."""
        say = spoken(request)
        if _HEADER not in request.headers:
            return JSONResponse({"error": say("class.refused.page")}, 403)
        found = self._show(request, request.path_params["name"])
        if isinstance(found, Response):
            return JSONResponse({"error": say("class.no.show")}, found.status_code)
        if not self.begun.take():
            return JSONResponse({"error": say("class.refused.begun")}, 429)
        try:
            room, secret = self.hub.begin(found.name, found.outline)
        except FullError as error:
            return JSONResponse({"error": say.error(error)}, 503)
        return JSONResponse({"code": room.code, "secret": secret}, headers={"Cache-Control": "no-store"})

    async def picture(self, request: Request) -> Response:
        """Serve the QR code of the address that a browser says its class has: a proxy may have given it another."""
        say = spoken(request)
        room = self.hub.find(request.path_params["code"])
        address = request.query_params.get("address", "")
        if room is None or len(address) > 300 or not address.startswith(("http://", "https://")):
            return _note(say, say("class.no.class"), 404)
        if not address.endswith(f"/c/{room.code}"):
            return _note(say, say("class.no.file"), 404)
        drawn: str = segno.make(address, error="l", micro=False, boost_error=True).svg_inline(border=3, omitsize=True)
        return Response(drawn, media_type="image/svg+xml", headers=_SAFE)

    async def answers(self, request: Request) -> Response:
        """Serve what a class answered, to its lecturer."""
        say = spoken(request)
        room, ending = self.hub.find(request.path_params["code"]), request.path_params["ending"]
        if room is None:
            return _note(say, say("class.no.class"), 404)
        if not room.is_lecturer(request.headers.get("authorization", "").removeprefix("Bearer ")):
            return _note(say, say("class.refused.secret"), 403)
        found = self._show(request, room.show)
        if isinstance(found, Response):
            return found
        wanted = request.query_params.get("lang", DEFAULT)
        language = wanted if wanted in LANGUAGES and wanted in found.show.words else next(iter(found.show.words))
        if ending not in ("csv", "html"):
            return _note(say, say("class.no.file"), 404)
        made = (results.table if ending == "csv" else results.page)(room, found.show, language)
        kind = "text/csv; charset=utf-8" if ending == "csv" else "text/html; charset=utf-8"
        name = f"class-{room.code}.{ending}"
        return Response(made, media_type=kind, headers=_SAFE | {
            "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store",
        })  # fmt: skip

    # -- the socket ----------------------------------------------------------------------------------------------------

    async def live(self, socket: WebSocket) -> None:
        """Serve one browser. Its first message says whether it leads; a refusal names why, in a word."""
        await socket.accept()
        if self.sockets >= MAX_SOCKETS:
            return await _refuse(socket, "server")
        self.sockets += 1
        try:
            first = await asyncio.wait_for(socket.receive(), FIRST_S)
            hello = protocol.hello(protocol.read(first.get("text")))
            room = self.hub.find(socket.path_params["code"])
            if room is None:
                return await _refuse(socket, "class")
            if hello is None:
                return await _refuse(socket, "message")
            if hello.secret and not room.is_lecturer(hello.secret):
                return await _refuse(socket, "secret")
            if hello.secret:
                await self._lecturer(socket, room)
            else:
                await _student(socket, room, hello.voter)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            return  # whoever says nothing, or is gone
        finally:
            self.sockets -= 1

    async def _lecturer(self, socket: WebSocket, room: Class) -> None:
        if room.lecturers >= hubs.MAX_LECTURERS:
            return await _refuse(socket, "lecturers")
        bucket = Bucket(LECTURER_RATE, LECTURER_RATE)

        def hear(said: dict[str, object]) -> str:
            if said.get("end") is True:
                self.hub.end(room.code)
                return ""
            asked = said.get("place")
            place = protocol.place(asked, room.outline)
            if place is not None:
                room.move(place)
            # the window may show what others did once all that it said is acknowledged, also what was refused
            k = asked.get("k") if isinstance(asked, dict) else 0
            return json.dumps({"ack": k, "n": room.n}) if type(k) is int and k > 0 else ""

        room.lecturers += 1
        try:
            await _both(socket, room, bucket, hear, lambda: room.message(lecturer=True))
        finally:
            room.lecturers -= 1
            room.seen = time.monotonic()


class Front:
    """ASGI middleware that answers what is asked of shows and classes, and passes on all else.

    The app's own middleware (sessions, compression) would take more time for each of 2,000 students than our routes do.
    """

    def __init__(self, app: ASGIApp, rooms: Rooms, base: str = "") -> None:
        """``base``: the path that the app is under, if not the server's root."""
        self._app = app
        self._ours = Router(rooms.routes())
        self._base = f"/{base.strip('/')}" if base.strip("/") else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        paths = (f"{self._base}/show/", f"{self._base}/c/")
        if scope["type"] in ("http", "websocket") and scope["path"].startswith(paths):
            await self._ours({**scope, "root_path": self._base}, receive, send)
        else:
            await self._app(scope, receive, send)


def allow_sockets() -> None:
    """Let this process have as many open files as the system permits: the usual 1,024 are too few for a class."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _student(socket: WebSocket, room: Class, voter: str) -> None:
    if room.students >= hubs.MAX_STUDENTS:
        return await _refuse(socket, "full")
    bucket = Bucket(STUDENT_RATE, 5 * STUDENT_RATE)

    def hear(said: dict[str, object]) -> str:
        given = protocol.answer(said.get("answer"), room.outline)
        if given is None:
            return ""
        return json.dumps({"taken": room.answer(voter, given), "value": given.value})

    room.students += 1
    room.tell_soon()
    try:
        mine = room.given(voter)
        if mine is not None:
            await socket.send_text(json.dumps({"mine": mine, "at": protocol.shows(room.outline, room.place)}))
        await _both(socket, room, bucket, hear, lambda: room.message(lecturer=False))
    finally:
        room.students -= 1
        room.seen = time.monotonic()
        room.tell_soon()


async def _both(socket, room, bucket, hear, message) -> None:  # type: ignore[no-untyped-def]
    """Hear a browser and tell it every change, until it is gone; a slow one is told only the newest."""
    hearing = asyncio.ensure_future(_hear(socket, bucket, hear))
    last = ""
    try:
        while not hearing.done():
            news = room.news
            if room.over:
                return await _refuse(socket, "over")
            text = message()
            if text != last:
                last = text
                await socket.send_text(text)
                continue
            waiting = asyncio.ensure_future(news.wait())
            try:
                await asyncio.wait({hearing, waiting}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
        if not hearing.cancelled() and hearing.exception() is None and hearing.result():
            await _refuse(socket, hearing.result())
    finally:
        hearing.cancel()


async def _hear(socket, bucket, hear) -> str:  # type: ignore[no-untyped-def]
    """Hand on what a browser says; return why it may say no more, or "" when it is gone."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return ""
        text = message.get("text")
        if not isinstance(text, str) or len(text) > protocol.MAX_MESSAGE:
            return "message"
        if not bucket.take():
            return "rate"
        if answer := hear(protocol.read(text)):
            await socket.send_text(answer)


async def _refuse(socket: WebSocket, why: str) -> None:
    await socket.send_text(json.dumps({"refused": why}))
    await socket.close()
