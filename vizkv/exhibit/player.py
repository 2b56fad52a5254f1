"""A player as an exhibit: a trace packed once for all languages, with the words beside it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from vizkv.exhibit.exhibit import Exhibit, Words
from vizkv.exhibit.panels import panels
from vizkv.messages.catalogue import Messages
from vizkv.scenario.presets import Preset
from vizkv.trace.trace import Trace
from vizkv.views.facts.moments import moments, start_of
from vizkv.views.payload import pack as payload
from vizkv.views.payload import window as windows
from vizkv.views.view import Limits, View, parse

WHOLE = 4_000  # steps that one exhibit holds; of a longer run it holds those around the step
_ALONE = ("lang", "headline", "texts")  # fields of the header that are words
_LISTS: dict[str, tuple[str, ...]] = {  # lists in the header -> their entries' fields that are words
    "systems": ("name", "subtitle", "ended"), "refusals": ("text",), "events": ("text",), "moments": ("label",),
}  # fmt: skip
_TABLES = {"sentences": ("sentence_online", "sentence_hindsight"), "waits": ("waiting",)}  # -> arrays of places in them


def player(trace: Trace, page: str, example: Preset, words: Mapping[str, str], says: list[Messages]) -> Exhibit:
    """Return the exhibit of a run on a page. ``words``: what is open, as a link or a beat has it; others are ignored.

    ``example``: the preset that the run begins with.
    """
    start = start_of(trace, example)
    view, _ = parse(words, Limits.of(trace), start)
    lead = windows.longest(trace) if trace.scenario.get("workload") else -1
    whole = lead < 0 and windows.total(trace, lead) <= WHOLE
    part = None if whole else windows.around(trace, view.step, lead, WHOLE // 2)
    shown = panels(page, trace)
    packed = {
        say.language: payload.pack(
            trace, say, say(f"preset.{example.id}.question"), moments(trace, example, say), shown, part
        )
        for say in says
    }
    inner, texts = split(packed)
    return Exhibit(
        "player", inner, {say.language: Words(texts[say.language], _alt(trace, example, say)) for say in says},
        opened(view),
    )  # fmt: skip


def opened(view: View) -> dict[str, Any]:
    """Return a view as a browser takes and reports it."""
    return {
        "step": view.step, "lens": view.lens, "accounting": view.accounting, "colour": view.colour,
        "focus": view.focus, "request": view.request, "position": view.position, "lit": view.lit,
        "lit_in": view.lit_in, "mark": view.mark,
    }  # fmt: skip


def _alt(trace: Trace, example: Preset, say: Messages) -> str:
    names = say("show.list").join(say.name(system.name) for system in trace.systems)
    return say("show.alt.player", title=say(f"preset.{example.id}.title"), n=len(trace.systems), systems=names)


def split(packed: Mapping[str, bytes]) -> tuple[bytes, dict[str, dict[str, Any]]]:
    """Return (the deflated trace without words, words by language) of one trace packed in several languages."""
    opened = {language: _inflated(data) for language, data in packed.items()}
    header, arrays = next(iter(opened.values()))
    texts: dict[str, dict[str, Any]] = {language: {} for language in opened}
    for language, (told, _) in opened.items():
        texts[language] |= {name: told[name] for name in _ALONE}
        texts[language] |= {
            name: [{f: one[f] for f in fields} for one in told[name]] for name, fields in _LISTS.items()
        }
    for table, names in _TABLES.items():
        arrays |= _joined(table, names, opened, texts)
    bare = {name: value for name, value in header.items() if name not in (*_ALONE, *_TABLES, "arrays")}
    for name, fields in _LISTS.items():
        bare[name] = [{f: v for f, v in one.items() if f not in fields} for one in header[name]]
    return zlib.compress(payload._inner(bare, arrays), 9), texts


def _inflated(packed: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    _, header, arrays = payload.unpack(payload.open_at(packed, View()))
    return header, dict(arrays)


def _joined(
    table: str, names: tuple[str, ...], opened: dict[str, Any], texts: dict[str, dict[str, Any]]
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return the arrays of places in a table that is one for all languages, and write the table into ``texts``.

    Two sentences that are the same in one language may differ in another: a place stands for one text in each.
    """
    known: dict[tuple[int, ...], int] = {(0,) * len(opened): 0}
    first = next(iter(opened.values()))[1]
    found = {}
    for name in (key for key in first if key.rpartition("/")[2] in names):
        places = np.stack([arrays[name] for _, arrays in opened.values()], axis=-1)
        rows, back = np.unique(places, axis=0, return_inverse=True)
        index = np.array([known.setdefault(tuple(int(n) for n in row), len(known)) for row in rows])
        found[name] = index[back.reshape(-1)].astype("<u4")
    for at, (language, (header, _)) in enumerate(opened.items()):
        texts[language][table] = [header[table][place[at]] for place in known]
    return found


def join(inner: bytes, texts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the header of a payload with the words of one language in it, as the browser puts it together."""
    raw = zlib.decompress(inner)
    header: dict[str, Any] = json.loads(raw[8 : 8 + int.from_bytes(raw[4:8], "little")])
    header |= {name: texts[name] for name in (*_ALONE, *_TABLES)}
    for name in _LISTS:
        header[name] = [one | told for one, told in zip(header[name], texts[name], strict=True)]
    return header
