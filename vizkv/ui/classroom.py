"""Classes: what a lecturer shows, and who follows it. Held in this one server process, without accounts.

Students are told over a web socket of the same server. What their pages have to run (another page, another scenario)
they ask Streamlit for; a step of the same run is told to the player in the browser, and runs nothing here.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any

import cachetools
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

PATH = "/vizkv/class"
KEPT = 64  # classes
KEPT_S = 12 * 3600.0
MAX_MESSAGE = 2000  # characters of what a lecturer's browser says
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another from the last row
_ID, _TOKEN_BYTES = 8, 18
_NUMBERS = ("step", "focus", "request", "position", "lit_in")
_TEXTS = ("lens", "accounting", "colour", "lit", "mark")


@dataclass
class Class:
    """One class. ``opened`` counts what has to be run, ``told`` everything."""

    id: str
    token: str
    page: str = ""
    words: dict[str, str] = field(default_factory=dict)
    view: dict[str, Any] | None = None  # where the lecturer's player stands since, if his browser has said
    question: dict[str, Any] | None = None  # that is put or answered, by language; each student answers for himself
    opened: int = 0
    told: int = 0
    over: bool = False
    listeners: int = 0  # students' browsers
    loop: asyncio.AbstractEventLoop | None = None  # of the server, once somebody listens
    news: asyncio.Event = field(default_factory=asyncio.Event)
    essential: dict[str, str] = field(default_factory=dict)

    def is_lecturer(self, token: str) -> bool:
        """Whether this is the lecturer's secret."""
        return hmac.compare_digest(self.token.encode(), token.encode())

    def message(self) -> str:
        """What a student's browser is told."""
        told = {"told": self.told, "opened": self.opened, "page": self.page, "view": self.view}
        return json.dumps(told | {"question": self.question, "listeners": self.listeners})

    def open(self, page: str, words: dict[str, str], essential: dict[str, str]) -> None:
        """The lecturer's page shows this now. It is news if ``essential``, what has to be run, is another."""
        with _LOCK:
            if (page, essential) == (self.page, self.essential):
                self.words = words
                return
            self.page, self.words, self.essential, self.view = page, words, essential, None
            self.opened += 1
            self.told += 1
        self.spread()

    def ask(self, question: dict[str, Any] | None) -> None:
        """The lecturer puts a question, shows its answer, or has gone on."""
        with _LOCK:
            if question == self.question:
                return
            self.question = question
            self.told += 1
        self.spread()

    def look(self, view: dict[str, Any]) -> None:
        """The lecturer's player stands somewhere else. To be called in the server's loop."""
        with _LOCK:
            if view.pop("page", None) != self.page or view == self.view:
                return  # from a page that is being left
            self.view = view
            self.told += 1
        self._spread()

    def spread(self) -> None:
        """Wake up whoever listens; from any thread."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._spread)

    def _spread(self) -> None:
        before, self.news = self.news, asyncio.Event()
        before.set()


_LOCK = threading.RLock()
_CLASSES: cachetools.TTLCache[str, Class] = cachetools.TTLCache(KEPT, KEPT_S)
served = False  # whether this server has our route: not under a plain `streamlit run`


def begin() -> Class:
    """A new class."""
    with _LOCK:
        new = Class("".join(secrets.choice(_LETTERS) for _ in range(_ID)), secrets.token_urlsafe(_TOKEN_BYTES))
        _CLASSES[new.id] = new
        return new


def find(name: str) -> Class | None:
    """The class of that name, if it is still held."""
    with _LOCK:
        found: Class | None = _CLASSES.get(name)
        if found is not None:
            _CLASSES[name] = found  # as long as somebody comes it is kept
        return found


def end(name: str) -> None:
    """The class is over: whoever listens hears nothing more, and whoever comes is told."""
    with _LOCK:
        room = _CLASSES.pop(name, None)
    if room is not None:
        room.over = True
        room.spread()


def view_of(said: Any) -> dict[str, Any] | None:
    """What a lecturer's browser says of its player, if it is sound."""
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
    """One browser of a class. The first thing it says is its token, empty for a student."""
    await socket.accept()
    room = find(socket.path_params["name"])
    try:
        token = json.loads((await socket.receive_text())[:MAX_MESSAGE]).get("token")
        if room is None or (token and not room.is_lecturer(str(token))):
            await socket.send_text(json.dumps({"refused": "class" if room is None else "token"}))
            await socket.close()
            return
        room.loop = asyncio.get_running_loop()
        if token:
            await _lecturer(socket, room)
        else:
            await _student(socket, room)
    except (WebSocketDisconnect, ValueError, AttributeError, RuntimeError):
        return


async def _lecturer(socket: WebSocket, room: Class) -> None:
    while True:
        text = await socket.receive_text()
        view = view_of(json.loads(text)) if len(text) <= MAX_MESSAGE else None
        if view is not None:
            room.look(view)


async def _student(socket: WebSocket, room: Class) -> None:
    """Tell what is new; who is slow is told the last only. What a student says is not even read, but its end is."""
    gone = asyncio.ensure_future(_until_gone(socket))
    sent = -1
    room.listeners += 1
    try:
        while not gone.done():
            news = room.news
            if room.over:
                await socket.send_text(json.dumps({"refused": "class"}))
                await socket.close()
                return
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


def routes() -> list[WebSocketRoute]:
    """For the server."""
    return [WebSocketRoute(f"{PATH}/{{name}}", listen)]
