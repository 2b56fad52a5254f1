"""A show as files: one that opens from a disk, or a folder for any web server, under any path."""

from __future__ import annotations

import base64
import json
import re
from html import escape
from pathlib import Path
from typing import Any

from vizkv import exhibit, fonts
from vizkv.exhibit.assets import plain
from vizkv.messages.catalogue import messages
from vizkv.show.compile import Show, packed

FOLDER = Path(__file__).parent
MODULES = (
    "state.js",
    "room.js",
    "quiz.js",
    "slide.js",
    "desk.js",
    "student.js",
    "stage.js",
)  # in the order of their imports
# the app's colours, which the style sheets of the player and the bars take theirs from
_THEMES = {
    "light": {"background": "#FFFFFF", "secondary-background": "#F6F7F9", "text": "#16181D", "border": "#D9DDE3"},
    "dark": {"background": "#0F1216", "secondary-background": "#161B21", "text": "#EEF1F5", "border": "#2B323B"},
}


def _script() -> str:
    parts = [plain((FOLDER / "js" / name).read_text(encoding="utf-8")) for name in MODULES]
    return "(() => {\n" + exhibit.script() + "\n" + "\n".join(parts) + "\n})();"


def _style(show: Show) -> str:
    themes = [
        f':root[data-theme="{name}"] {{ color-scheme: {name}; '
        + "; ".join(f"--st-{part}-color: {colour}" for part, colour in colours.items()) + " }"
        for name, colours in _THEMES.items()
    ]  # fmt: skip
    own = (FOLDER / "show.css").read_text(encoding="utf-8")
    return "\n".join((*themes, exhibit.css(), own, _faces(show)))


def _faces(show: Show) -> str:
    """Return the bundled faces: the Latin one, and of the Chinese one the characters that are said."""
    latin = "\n".join(
        f'@font-face {{ font-family: "{fonts.LATIN_FAMILY}"; font-weight: {weight}; '
        f"src: url(data:font/ttf;base64,{base64.b64encode(file.read_bytes()).decode()}) }}"
        for weight, file in zip(("400", "600 900"), fonts.latin_files(), strict=True)
    )
    chinese = fonts.css(json.dumps(show.words, ensure_ascii=False))
    return f'{latin}\n{chinese}\n:root {{ --st-font: "{fonts.LATIN_FAMILY}", "{fonts.FAMILY}", sans-serif; }}'


def _page(show: Show, form: str, theme: str, app: str, parts: dict[str, str], more: dict[str, Any]) -> bytes:
    first = show.score["languages"][0]
    say = messages(first)
    score = {**show.score, "app": app, "form": form, "files": parts.pop("files", "")} | more
    values = {
        "lang": say.html, "theme": "" if theme == "auto" else theme, "as": form,
        "title": escape(" · ".join(show.titles.values())), "loading": escape(say("show.loading")),
        "score": json.dumps(score, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/"),
    } | parts  # fmt: skip
    page = (FOLDER / "show.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{([\w-]+)\}\}", lambda hit: values[hit.group(1)], page).encode()


def _data(show: Show) -> dict[str, bytes]:
    """Return the payloads and the words, by the name under which the page asks for them."""
    return show.payloads | {f"words-{language}": packed(words) for language, words in show.words.items()}


def one_file(show: Show, *, form: str = "slides", theme: str = "auto", app: str = "") -> bytes:
    """Return the show as one HTML file. ``app``: the address that "open in the app" leads to."""
    embedded = "\n".join(
        f'<script type="application/octet-stream" id="data-{name}">{base64.b64encode(data).decode()}</script>'
        for name, data in _data(show).items()
    )
    script = _script().replace("</script", "<\\/script")
    return _page(show, form, theme, app, {
        "script-src": "'unsafe-inline'", "self": "", "connect": "'none'", "style": f"<style>\n{_style(show)}\n</style>",
        "data": embedded, "script": f"<script>\n{script}\n</script>",
    }, {})  # fmt: skip


def site(
    show: Show, *, form: str = "slides", theme: str = "auto", app: str = "", at: str = "",
    served: dict[str, Any] | None = None,
) -> dict[str, bytes]:  # fmt: skip
    """Return the show as a folder: path -> bytes. All addresses in it are relative.

    ``at``: where the page finds the other files, if not beside it. ``served``: on the app's own server, the name of the
    show and whether the page is that of a class.
    """
    page = _page(show, form, theme, app, {
        "script-src": "'self'", "self": "'self'", "connect": "'self'",
        "style": f'<link rel="stylesheet" href="{at}show.css?{show.score["id"]}">', "data": "",
        "script": f'<script src="{at}show.js?{show.score["id"]}" defer></script>', "files": f"{at}data/",
    }, {"served": served} if served else {})  # fmt: skip
    found = {"index.html": page, "show.js": _script().encode(), "show.css": _style(show).encode()}
    return found | {f"data/{name}.bin": data for name, data in _data(show).items()}
