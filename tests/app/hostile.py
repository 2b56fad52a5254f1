"""Names that want to be more than names, and a look at everything that a page sends to its browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from google.protobuf.message import Message

from vizkv.scenario.schema import Scenario, from_dict, to_dict

# a picture and a link of an outside host, HTML, a formula, directives and an icon of Streamlit's, the end of a script
HOST = "evil.example"
MARKS = (
    f"![p](//{HOST}/p.png)", f"[l](//{HOST})", f"<img src=//{HOST}/i.png>", "<b>h</b>", "$x^2$", ":material/bomb:",
    ":red[r]", "</script>", "%{x}", ":bomb:", "**s**", "`c`",
)  # fmt: skip
SHORT = ("![r](//h.e/r)", "[l](//h.e)", "<b>h</b>", "$x$", ":red[r]", "**s**", "%{x}", "</script>")  # for ids

# what a browser gets as plain text, as (message, field): cells, options, what is in a box, what components draw
PLAIN = {
    ("ArrowDataFrame", "data"), ("Dataframe", "data"), ("BidiComponent", "json"), ("BidiComponent", "bytes"),
    ("Selectbox", "options"), ("Selectbox", "raw_value"), ("MultiSelect", "options"), ("TextInput", "default"),
    ("TextInput", "value"), ("TextArea", "default"), ("TextArea", "value"), ("Code", "code_text"), ("Text", "body"),
    ("TextInput", "placeholder"), ("Slider", "options"), ("PlotlyChart", "alt"), ("Html", "body"),
}  # fmt: skip
UNSEEN = {"id", "element_id", "url", "form_id", "hash", "markdown_id", "block_id", "fragment_id", "html_content"}


def named(scenario: Scenario) -> Scenario:
    """The scenario with hostile names for itself, its systems and its requests."""
    data = to_dict(scenario)
    data["name"] = f"{MARKS[0]} {MARKS[2]} {MARKS[4]} {MARKS[6]}"
    for index, system in enumerate(data["systems"]):
        system["name"] = f"{MARKS[index % len(MARKS)]} {MARKS[(index + 5) % len(MARKS)]} {index}"[:60].strip()
    ids = {}
    for index, request in enumerate(data.get("requests", ())):
        ids[request.get("id")] = request["id"] = f"{SHORT[index % len(SHORT)]} {index}"
        for number, branch in enumerate(request.get("branches", ())):
            branch["id"] = f"{SHORT[(index + number) % len(SHORT)]} b{number}"
    for action in data.get("actions", ()):
        if "request" in action:
            action["request"] = ids[action["request"]]
    return from_dict(data)


def texts(message: Message) -> Iterator[tuple[str, str, str]]:
    """(name of the message, name of the field, text) of every text in a message."""
    for field, value in message.ListFields():
        repeated = not isinstance(value, (str, bytes, Message)) and hasattr(value, "__iter__")
        for one in value.values() if hasattr(value, "values") else value if repeated else (value,):
            if isinstance(one, Message):
                yield from texts(one)
            elif isinstance(one, str):
                yield type(message).__name__, field.name, one


def of_app(app: Any) -> Iterator[tuple[str, str, str]]:
    """The texts of every element and block of a page."""

    def walk(node: Any) -> Iterator[tuple[str, str, str]]:
        if getattr(node, "proto", None) is not None:
            yield from texts(node.proto)
        for child in getattr(node, "children", {}).values():
            yield from walk(child)

    yield from walk(app._tree)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.found += [f"{name}={value}" for name, value in attrs if name in ("src", "href") or name.startswith("on")]


def _not_plain(text: str) -> str:
    """What of the hostile names is not escaped for Markdown."""
    left = re.sub(r"(`+).*?\1", "", re.sub(r"\\.\u2060?", "", text))
    found = re.search(r"\]\(//|<(?:img|b>h|/script)|\$x|:material/bomb|:red\[|:bomb:|\*\*s\*\*|`c`", left)
    return found[0] if found else ""


def faults(app: Any) -> list[str]:
    """What on a page would be more than text: where it stands, and the text."""
    found = []
    for kind, field, text in of_app(app):
        if field in UNSEEN:
            continue
        if kind == "Html":
            tags = _Tags()
            tags.feed(re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL))
            wrong = [tag for tag in tags.found if tag == "img" or HOST in tag or "b>h" in tag]
            wrong += re.findall(r"<b>h</b>|</script>\s*\d", text)
        elif kind == "PlotlyChart" and field in ("spec", "figure"):
            shown = list(_strings(json.loads(text)))
            wrong = [one for one in shown if re.search(r"<(?!/?b>|br>|/?extra>)|<b>h|^%{x} |</b> %{x}", one)]
        elif (kind, field) in PLAIN:
            continue
        else:
            wrong = [_not_plain(text)] if _not_plain(text) else []
        found += [f"{kind}.{field}: {one!r} in {text[:160]!r}" for one in wrong]
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, str):
        yield value
