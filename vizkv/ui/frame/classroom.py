"""Classes: what a lecturer shows and which students follow. They live in this server process, without accounts.

Students receive messages over a web socket of the same server. If the lecturer opens another page or scenario, a
student's page asks Streamlit for it; a step of the same run goes to the player in the browser, and Python runs nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from vizkv.messages.catalogue import DEFAULT, messages
from vizkv.messages.sentence import told
from vizkv.ui import frame

PATH = "/vizkv/class"
LEAD = "/vizkv/lead"  # path of the page that a lecturer's link opens
MAX_CLASSES = 64  # at a time
MAX_STUDENTS = 1000  # browsers per class
IDLE_S = 2 * 3600.0  # a class without lecturer, student or request for so long ends
FIRST_S = 10.0  # time limit for a browser's first message, which says who it is
MAX_MESSAGE = 2000  # maximum length of a lecturer's message, in characters
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # no two of them look alike from the last row
_ID, _TOKEN_BYTES = 8, 18
_NUMBERS = ("step", "focus", "request", "position", "lit_in")
_TEXTS = ("lens", "accounting", "colour", "lit", "mark")


class FullError(ValueError):
    """The server already holds the maximum number of classes; the message is one sentence."""


@dataclass
class Class:
    """One class. ``opened`` counts changes of what students have to run, ``told`` counts all changes.

    ``token``: the secret that a lecturer's tab keeps and sends to the server. ``key``: a single-use secret in the
    lecturer's link, exchanged for the token: links remain in the browser's history, and a person who finds one there
    must not be able to lead the class.
    """

    id: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(_TOKEN_BYTES))
    key: str = field(default_factory=lambda: secrets.token_urlsafe(_TOKEN_BYTES))
    page: str = ""
    words: dict[str, str] = field(default_factory=dict)
    view: dict[str, Any] | None = None  # position of the lecturer's player, once the lecturer's browser has sent it
    question: dict[str, Any] | None = None  # the question, open or answered, by language; each student answers alone
    opened: int = 0
    told: int = 0
    over: bool = False
    listeners: int = 0  # number of connected students' browsers
    leaders: int = 0  # number of connected lecturer's tabs
    seen: float = field(default_factory=time.monotonic)  # time of the last request for this class
    loop: asyncio.AbstractEventLoop | None = None  # the server's event loop, once a browser is connected
    news: asyncio.Event = field(default_factory=asyncio.Event)
    essential: dict[str, str] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Return whether the class has been without a connection for so long that it ends."""
        return not self.listeners and not self.leaders and time.monotonic() - self.seen > IDLE_S

    def is_lecturer(self, token: str) -> bool:
        """Return whether the token is the lecturer's."""
        return hmac.compare_digest(self.token.encode(), token.encode(errors="surrogatepass"))

    def admit(self, secret: str) -> bool:
        """Return whether a tab with this secret may lead. A link's key is replaced once it has been used."""
        with _LOCK:
            if hmac.compare_digest(self.key.encode(), secret.encode()):
                self.key = secrets.token_urlsafe(_TOKEN_BYTES)
                return True
        return self.is_lecturer(secret)

    def message(self) -> str:
        """Return the message for the students' browsers."""
        told = {"told": self.told, "opened": self.opened, "page": self.page, "view": self.view}
        return json.dumps(told | {"question": self.question, "listeners": self.listeners})

    def open(self, page: str, words: dict[str, str], essential: dict[str, str]) -> None:
        """Record what the lecturer's page shows; notify if ``essential``, what students have to run, differs."""
        with _LOCK:
            if (page, essential) == (self.page, self.essential):
                self.words = words
                return
            self.page, self.words, self.essential, self.view = page, words, essential, None
            self.opened += 1
            self.told += 1
        self.spread()

    def ask(self, question: dict[str, Any] | None) -> None:
        """Record the lecturer's question and whether it is answered; None: there is no question any more."""
        with _LOCK:
            if question == self.question:
                return
            self.question = question
            self.told += 1
        self.spread()

    def look(self, view: dict[str, Any]) -> None:
        """Record a new position of the lecturer's player. Call it in the server's event loop only."""
        with _LOCK:
            if view.pop("page", None) != self.page or view == self.view:
                return  # sent by a page that the lecturer is leaving
            self.view = view
            self.told += 1
        self._spread()

    def spread(self) -> None:
        """Notify all connected students. Safe to call from any thread."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._spread)

    def _spread(self) -> None:
        before, self.news = self.news, asyncio.Event()
        before.set()


_LOCK = threading.RLock()
_CLASSES: dict[str, Class] = {}
served = False  # whether this server has our web socket route; a plain `streamlit run` does not


def begin() -> Class:
    """Begin a new class. Raises FullError at the limit; a running class is never ended to make space."""
    with _LOCK:
        for name in [name for name, room in _CLASSES.items() if room.idle]:
            end(name)
        if len(_CLASSES) >= MAX_CLASSES:
            raise FullError(
                told(
                    "There are {most} classes, as many as this server holds; valid is to begin yours when one of them "
                    "has ended. One that nobody leads or follows ends after {hours:g} hours.",
                    most=MAX_CLASSES,
                    hours=IDLE_S / 3600,
                )
            )
        new = Class("".join(secrets.choice(_LETTERS) for _ in range(_ID)))
        _CLASSES[new.id] = new
        return new


def find(name: str) -> Class | None:
    """Return the class of that name, or None if it has ended."""
    with _LOCK:
        found = _CLASSES.get(name)
        if found is None:
            return None
        if found.idle:
            end(name)
            return None
        found.seen = time.monotonic()
        return found


def end(name: str) -> None:
    """End a class: connected students are told, and the name is no longer valid."""
    with _LOCK:
        room = _CLASSES.pop(name, None)
    if room is not None:
        room.over = True
        room.spread()


def view_of(said: Any) -> dict[str, Any] | None:
    """Return the view that a lecturer's browser sent of its player, or None if it is malformed."""
    if not isinstance(said, dict) or not isinstance(said.get("page"), str):
        return None
    numbers = {name: said.get(name) for name in _NUMBERS}
    texts = {name: said.get(name) for name in _TEXTS}
    if not all(type(number) is int and abs(number) < 10**9 for number in numbers.values()):
        return None
    if not all(isinstance(text, str) and len(text) < 40 for text in texts.values()):
        return None
    return {"page": said["page"][:40], **numbers, **texts}


async def listen(socket: WebSocket) -> None:
    """Serve one browser of a class. Its first message is the lecturer's token, or empty for a student."""
    await socket.accept()
    room = find(socket.path_params["name"])
    try:
        first = await asyncio.wait_for(socket.receive_text(), FIRST_S)
        token = json.loads(first[:MAX_MESSAGE]).get("token")
        if room is None:
            return await _refuse(socket, "class")
        if token and not room.is_lecturer(str(token)):
            return await _refuse(socket, "token")
        if not token and room.listeners >= MAX_STUDENTS:
            return await _refuse(socket, "full")
        room.loop = asyncio.get_running_loop()
        try:
            await (_lecturer if token else _student)(socket, room)
        finally:
            room.seen = time.monotonic()
    except TimeoutError:
        await socket.close()
    except (WebSocketDisconnect, ValueError, AttributeError, RuntimeError):
        return


async def _refuse(socket: WebSocket, why: str) -> None:
    await socket.send_text(json.dumps({"refused": why}))
    await socket.close()


async def _lecturer(socket: WebSocket, room: Class) -> None:
    room.leaders += 1
    try:
        while True:
            text = await socket.receive_text()
            view = view_of(json.loads(text)) if len(text) <= MAX_MESSAGE else None
            if view is not None:
                room.look(view)
    finally:
        room.leaders -= 1


async def _student(socket: WebSocket, room: Class) -> None:
    """Send each change to a student; a slow connection skips to the latest. What a student sends is ignored."""
    gone = asyncio.ensure_future(_until_gone(socket))
    sent = -1
    room.listeners += 1
    try:
        while not gone.done():
            news = room.news
            if room.over:
                return await _refuse(socket, "class")
            if room.told != sent:
                sent = room.told
                await socket.send_text(room.message())
                continue
            waiting = asyncio.ensure_future(news.wait())
            await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
    finally:
        room.listeners -= 1
        gone.cancel()


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def lecturers_link(base: str, room: Class) -> str:
    """Return the link that makes its visitor the lecturer. The key is in the fragment, which browsers do not send."""
    return f"{base}{LEAD[1:]}/{room.id}#{room.key}"


async def lead(request: Request) -> HTMLResponse:
    """Serve the page that moves the key from a lecturer's link into the tab's storage, then redirects to the app."""
    wanted = request.headers.get("accept-language", "").lower()
    say = messages("zh" if wanted.startswith("zh") else DEFAULT)
    page = (frame.FOLDER / "lead.html").read_text(encoding="utf-8")
    page = page.replace("{lang}", say.html).replace("{told}", escape(say("class.lead.blocked")))
    return HTMLResponse(page, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def routes() -> list[BaseRoute]:
    """Return the routes for the server."""
    return [WebSocketRoute(f"{PATH}/{{name}}", listen), Route(f"{LEAD}/{{name}}", lead)]
