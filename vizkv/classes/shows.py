"""Shows that this server has: compiled once, kept, and served as files that never change."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import os
import re
import sys
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vizkv.classes.protocol import Outline, outline_of
from vizkv.lecture.script import FOLDER as SCRIPTS
from vizkv.limits.files import read_file
from vizkv.limits.limits import MAX_SCRIPT
from vizkv.messages.catalogue import LANGUAGES
from vizkv.show import kept
from vizkv.show.compile import Show
from vizkv.show.files import site

MAX_SHOWS = 32  # scripts in a folder of one's own
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".bin": "application/octet-stream", ".html": "text/html"}
_PACKED = (".js", ".css", ".html")  # the others are deflated already


@dataclass(frozen=True)
class File:
    """Bytes to serve. ``packed``: the same with gzip, where that is smaller."""

    body: bytes
    packed: bytes | None
    kind: str

    @classmethod
    def of(cls, path: str, body: bytes) -> File:
        """Return a file as it is served, compressed once."""
        ending = Path(path).suffix
        packed = gzip.compress(body, 9, mtime=0) if ending in _PACKED else None
        return cls(body, packed, f"{_TYPES[ending]}; charset=utf-8" if ending in _PACKED else _TYPES[ending])


@dataclass(frozen=True)
class Served:
    """A show as this server sends it. ``version``: the digest of all its files, which is a part of their addresses.

    ``stage``: the page of the show; ``room``: the page of each of its classes.
    """

    name: str
    version: str
    outline: Outline
    show: Show
    stage: File
    room: File
    files: dict[str, File]


def served(name: str, show: Show) -> Served:
    """Return a compiled show with everything that is sent of it."""
    parts = {path: data for path, data in site(show, app="..").items() if path != "index.html"}
    digest = hashlib.sha256()
    for path, data in sorted(parts.items()):
        digest.update(path.encode() + b"\0" + data)
    version = digest.hexdigest()[:16]
    pages = [
        site(show, app="..", at=at, served={"show": name, "room": room})["index.html"]
        for at, room in ((f"{name}/{version}/", False), (f"../show/{name}/{version}/", True))
    ]
    stage, room_page = (File.of("index.html", page) for page in pages)
    files = {path: File.of(path, data) for path, data in parts.items()}
    outline = outline_of(show.score, next(iter(show.words.values())))
    return Served(name, version, outline, show, stage, room_page, files)


# -- a compiled show as bytes, between processes and in the cache ------------------------------------------------------


def to_files(show: Show) -> dict[str, bytes]:
    """Return a show as files for :mod:`vizkv.show.kept`."""
    texts = {"score.json": show.score, **{f"words/{language}": words for language, words in show.words.items()}}
    found = {path: json.dumps(value, ensure_ascii=False).encode() for path, value in texts.items()}
    return found | {f"payloads/{name}": data for name, data in show.payloads.items()}


def from_files(files: dict[str, bytes]) -> Show:
    """Return the show that these files are of. Raises KeyError or ValueError if they are of none."""

    def under(folder: str) -> dict[str, bytes]:
        return {path.removeprefix(folder): data for path, data in files.items() if path.startswith(folder)}

    score: dict[str, Any] = json.loads(files["score.json"])
    words = {language: json.loads(data) for language, data in under("words/").items()}
    return Show(score, {language: words[language] for language in score["languages"]}, under("payloads/"))


def zipped(files: dict[str, bytes]) -> bytes:
    """Return files as one archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for path, data in files.items():
            file.writestr(path, data)
    return buffer.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """Return the files in an archive of ours."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def key(source: bytes) -> str:
    """Return the name under which a script's compiled show is kept."""
    return kept.key(source, [*LANGUAGES, "served"])


# -- the shows of a server ---------------------------------------------------------------------------------------------


def scripts() -> dict[str, Path]:
    """Return the scripts by name: the lecture that comes with vizkv, and those in the folder ``VIZKV_SHOWS``."""
    found = {"lecture": SCRIPTS / "lecture.toml"}
    if own := os.environ.get("VIZKV_SHOWS"):
        for path in sorted(Path(own).glob("*.toml"))[:MAX_SHOWS]:
            if _NAME.fullmatch(path.stem):
                found[path.stem] = path
    return found


@dataclass
class Shelf:
    """The shows of this server process. A show is compiled by a process of its own, when it is first asked for."""

    ready: dict[str, Served] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)  # name -> what is wrong with its script
    making: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def put(self, name: str, show: Show) -> Served:
        """Serve a show that was compiled elsewhere."""
        self.ready[name] = served(name, show)
        return self.ready[name]

    def get(self, name: str) -> Served | None:
        """Return a show; None while it is being made, or failed. Raises KeyError if there is no such script."""
        if name in self.ready:
            return self.ready[name]
        script = scripts()[name]
        if name not in self.making and name not in self.failed:
            self.making[name] = asyncio.ensure_future(self._make(name, script))
        return None

    async def _make(self, name: str, script: Path) -> None:
        try:
            found = await asyncio.to_thread(_kept, name, script)
            self.ready[name] = found or await self._compile(name, script)
        except (OSError, ValueError, KeyError, zlib.error) as error:
            self.failed[name] = str(error)
        finally:
            del self.making[name]

    async def _compile(self, name: str, script: Path) -> Served:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vizkv.classes.make", str(script),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, error = await process.communicate()
        if process.returncode:
            raise ValueError(error.decode(errors="replace").strip().rpartition("\n")[2] or str(process.returncode))
        return await asyncio.to_thread(lambda: served(name, from_files(unzipped(out))))


def _kept(name: str, script: Path) -> Served | None:
    files = kept.get(key(read_file(script, MAX_SCRIPT)))
    return served(name, from_files(files)) if files else None
