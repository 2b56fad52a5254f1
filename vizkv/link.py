"""A scenario as a word for a link, and back.

Every refusal is a :class:`~vizkv.scenario.ScenarioError`: a link comes from somebody else, who may have cut it short.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import NoReturn

from vizkv.complaints import either, shorten
from vizkv.scenario import LENGTH_SETS, Scenario, ScenarioError, from_dict, to_dict
from vizkv.told import told

MAX_CODE_CHARACTERS = 65_536  # of a link code; a browser's address line takes hardly more
MAX_CODE_BYTES = 4 * 2**20  # of what a link code unpacks to
CODE_VERSION = "1"  # the first character of every link code


def to_code(scenario: Scenario) -> str:
    """The scenario as a word for a link; :func:`from_code` gives an equal object back.

    Raises ScenarioError if it is too long for a link, or reads a file that the one who opens the link may not have.
    """
    _refuse_files(scenario)
    text = json.dumps(to_dict(scenario), separators=(",", ":"), ensure_ascii=False)
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    if len(packed) >= MAX_CODE_CHARACTERS or len(text) > MAX_CODE_BYTES:
        raise ScenarioError(
            told(
                "The scenario is too long for a link: its code has {count} characters, valid is at most "
                "{max_code_characters}; save it as a file instead.",
                count=len(packed) + 1,
                max_code_characters=MAX_CODE_CHARACTERS,
            )
        )
    return CODE_VERSION + packed


def from_code(code: str) -> Scenario:
    """What a link's code stands for; ScenarioError if it is damaged, too large, or not a scenario."""
    if not code.startswith(CODE_VERSION):
        raise ScenarioError(
            told(
                "The link's code begins with {begin}; valid is {code_version!r}, the version read here.",
                begin=shorten(code[:1]),
                code_version=CODE_VERSION,
            )
        )
    if len(code) > MAX_CODE_CHARACTERS:
        raise ScenarioError(
            told(
                "The link's code has {count} characters; valid is at most {max_code_characters}.",
                count=len(code),
                max_code_characters=MAX_CODE_CHARACTERS,
            )
        )
    try:
        body = code[1:].encode("ascii")
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(
            base64.b64decode(body + b"=" * (-len(body) % 4), b"-_", validate=True), MAX_CODE_BYTES
        )
        if not unpacker.eof and unpacker.unconsumed_tail:
            raise ScenarioError(
                told(
                    "The link's code unpacks to more than {max_code_bytes} bytes; it is not one of ours.",
                    max_code_bytes=MAX_CODE_BYTES,
                )
            )
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError
        data = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except ScenarioError:
        raise
    except (ValueError, zlib.error, RecursionError):
        raise ScenarioError(
            told(
                "The link's code {code} is damaged or incomplete; valid is a code exactly as it was copied.",
                code=shorten(code),
            )
        ) from None
    scenario = from_dict(data)
    _refuse_files(scenario)
    return scenario


def _no_constant(word: str) -> NoReturn:
    raise ValueError(told("{word} is not JSON", word=word))


def _refuse_files(scenario: Scenario) -> None:
    # whoever opens a link must not make the machine that serves the page read a file of the sender's choice; an upload
    # is named by its content, which says nothing about where anything lies
    given = scenario.workload
    if given and not (given.lengths in LENGTH_SETS or given.is_made_up or given.is_upload):
        raise ScenarioError(
            told(
                "The field workload.lengths is {lengths}, a file, which a link cannot carry; valid in a link is "
                "{sets}, or a file that was uploaded.",
                lengths=shorten(given.lengths),
                sets=either([*LENGTH_SETS, *given.MADE_UP]),
            )
        )
