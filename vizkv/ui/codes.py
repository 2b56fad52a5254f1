"""Write a scenario as a word for a link: its whole code where that is short enough, else the name of a stored file.

``upload:<digest>.<name>`` names a scenario by its content, as ``upload:...`` names a trace (decision 20). The name
after the digest is the file's; an error message uses it to say which file to open when the stored copy is gone.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress

from vizkv.limits import file_store, kept
from vizkv.messages.sentence import told
from vizkv.scenario.code import from_code, to_code
from vizkv.scenario.digest import DIGITS, content_of, digest_of
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict
from vizkv.ui import outside

MOST = 65_536  # characters of a word; browsers accept hardly longer addresses
MOST_FILES, MOST_BYTES = 1024, 200 * 10**6  # limits for all stored scenarios together
_FOLDER = "scenarios"
_PREFIX = "upload:"
_WORD = re.compile(rf"{_PREFIX}([0-9a-f]{{{DIGITS}}})\.([A-Za-z0-9._-]{{1,60}})")


@kept.cached(4 << 20, digest_of)
def _code(scenario: Scenario) -> str:
    """Return the scenario's code, or "" if it is too long for a link."""
    try:
        return to_code(scenario)
    except ScenarioError:
        return ""


def word_of(scenario: Scenario, name: str, most: int = MOST) -> str:
    """Return a word of at most ``most`` characters for the scenario, and store the scenario as a file if it needs one.

    ``name``: the name to store that file under. Raises ScenarioError if the scenario reads a file of this machine.
    """
    outside.refuse_files(scenario)
    code = _code(scenario)
    if code and len(code) <= most:
        return code
    digest, place = digest_of(scenario), file_store.folder(_FOLDER)
    found = file_store.find(place, digest)
    if found is None:
        label = file_store.plain(name) or "scenario.toml"
        with suppress(OSError):  # the disk is full: the error is shown when the link is opened
            file_store.put(place, digest, label, content_of(scenario), MOST_FILES, MOST_BYTES)
    else:
        file_store.used(found)
        label = found.name.partition(".")[2]
    return f"{_PREFIX}{digest}.{label}"


def names_file(word: str) -> bool:
    """Return whether a word names a stored file instead of containing a whole scenario."""
    return word.startswith(_PREFIX)


def scenario_of(word: str) -> Scenario:
    """Return the scenario that a link's word stands for. Raises ScenarioError if this app may not open it."""
    if not names_file(word):
        return outside.accept(from_code(word))
    named = _WORD.fullmatch(word)
    if named is None:
        raise ScenarioError(
            told(
                "The link's word {word!r} is damaged or incomplete; valid is a link exactly as it was copied.",
                word=word,
            )
        )
    file = file_store.find(file_store.folder(_FOLDER), named[1])
    if file is None:
        raise _gone(named[2])
    file_store.used(file)
    return outside.accept(_read(named[1], str(file), named[2]))


@kept.cached(64 << 20, lambda digest, *_: digest)
def _read(digest: str, place: str, name: str) -> Scenario:
    try:
        with open(place, "rb") as file:
            scenario = from_dict(json.loads(file.read(MOST_BYTES)))
    except (OSError, ValueError, RecursionError):
        raise _gone(name) from None
    if digest_of(scenario) != digest:  # the file was truncated or edited
        raise _gone(name)
    return scenario


def _gone(name: str) -> ScenarioError:
    return ScenarioError(
        told(
            "The link opens the scenario file {name!r}, which is too long for a link and is not kept here, or not any "
            "more; valid is to open that file here, under Files.",
            name=name,
        )
    )
