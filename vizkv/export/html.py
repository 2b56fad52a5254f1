"""The player as one file: opens from a disk, without a server and without a network, in light and dark.

It is the app's own player (the same modules and the same packed trace): what it shows cannot differ. The words inside
are those of the language that the trace was packed in.
"""

from __future__ import annotations

import base64
import json
import re
from html import escape
from pathlib import Path

from vizkv import __version__, fonts
from vizkv.messages.catalogue import Messages
from vizkv.player import assets
from vizkv.views.payload import pack as payload
from vizkv.views.payload.pack import View, unpack

TAGS = {"en": "en", "zh": "zh-Hans"}  # HTML's names of the languages
FOLDER = Path(__file__).parent
_DEFAULT = re.compile(r"^export default function\s*\(", re.MULTILINE)
# what a page of the app has around the player: Streamlit's variables, which the style sheet takes its colours from
_THEMES = {
    "light": {"background": "#FFFFFF", "secondary-background": "#F6F7F9", "text": "#16181D", "border": "#D9DDE3"},
    "dark": {"background": "#0F1216", "secondary-background": "#161B21", "text": "#EEF1F5", "border": "#2B323B"},
}


def player_page(
    packed: bytes, view: View, say: Messages, *, title: str, caption: str = "", theme: str = "", projector: bool = False
) -> bytes:
    """One HTML file. ``packed``: of :func:`vizkv.views.payload.pack.pack`, in the language of ``say``.

    ``theme``: "light" or "dark" to begin with; "" as the reader's browser has it. ``caption``: below the player.
    """
    html, css, js = assets()
    script, found = _DEFAULT.subn("const mountPlayer = function (", js)
    if found != 1:
        raise AssertionError("the player's module has no default function to call")
    whole = payload.open_at(packed, view)
    _, header, _ = unpack(whole)
    values = {
        "lang": TAGS.get(say.language, say.language),
        "title": escape(title),
        "theme": escape(theme),
        "room": ":root { --vizkv-room: projector; }" if projector else "",
        "themes": "\n".join(_theme(name) for name in _THEMES),
        "css": css,
        "face": _face(json.dumps(header, ensure_ascii=False) + caption + title),
        "player": html.strip(),
        "caption": escape(caption),
        "made": escape(say("export.made", version=__version__)),
        "switch": escape(say("export.html.theme")),
        "part": escape(_part(header, say)),
        "payload": base64.b64encode(whole).decode(),
        "js": script.replace("</script", "<\\/script"),
    }
    page = (FOLDER / "offline.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda hit: values[hit.group(1)], page).encode()


def _face(text: str) -> str:
    """The bundled face with the Chinese characters that are said, for a machine that has none; "" for no Chinese."""
    faces = fonts.css(text)
    return f'{faces}\n:root {{ --st-font: "Source Sans", "{fonts.FAMILY}", sans-serif; }}' if faces else ""


def _part(header: dict, say: Messages) -> str:
    """Which steps of a long run the file holds; nothing where it holds them all."""
    first, steps, total = header["first"], header["steps"], header["total"]
    return "" if steps == total else say("export.html.part", first=first, last=first + steps - 1, total=total - 1)


def _theme(name: str) -> str:
    words = "; ".join(f"--st-{part}-color: {colour}" for part, colour in _THEMES[name].items())
    return f':root[data-theme="{name}"] {{ color-scheme: {name}; {words} }}'
