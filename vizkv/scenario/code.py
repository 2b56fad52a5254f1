"""Encode a scenario as the code in a link, and decode it.

Links are untrusted input: every invalid code raises :class:`~vizkv.scenario.schema.ScenarioError`.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import NoReturn

from vizkv.limits.limits import MAX_CODE, MAX_CODE_UNPACKED
from vizkv.limits.readers import TooMuch, parse_json
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, shorten
from vizkv.scenario.schema import LENGTH_SETS, Scenario, ScenarioError, from_dict, to_dict

CODE_VERSION = "1"  # the first character of every link code


def to_code(scenario: Scenario) -> str:
    """Return the scenario as a code for a link; :func:`from_code` returns an equal scenario.

    Raises ScenarioError if it is too long for a link, or reads a file, which a link cannot carry.
    """
    _refuse_files(scenario)
    text = json.dumps(to_dict(scenario), separators=(",", ":"), ensure_ascii=False)
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    if len(packed) >= MAX_CODE or len(text) > MAX_CODE_UNPACKED:
        raise ScenarioError(
            told(
                "The scenario is too long for a link: its code has {count} characters, valid is at most "
                "{max_code_characters}; save it as a file instead.",
                count=len(packed) + 1,
                max_code_characters=MAX_CODE,
            )
        )
    return CODE_VERSION + packed


def from_code(code: str) -> Scenario:
    """Return the scenario of a link's code. Raises ScenarioError if it is damaged, too large, or not a scenario."""
    if not code.startswith(CODE_VERSION):
        raise ScenarioError(
            told(
                "The link's code begins with {begin}; valid is {code_version!r}, the version read here.",
                begin=shorten(code[:1]),
                code_version=CODE_VERSION,
            )
        )
    if len(code) > MAX_CODE:
        raise ScenarioError(
            told(
                "The link's code has {count} characters; valid is at most {max_code_characters}.",
                count=len(code),
                max_code_characters=MAX_CODE,
            )
        )
    try:
        body = code[1:].encode("ascii")
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(
            base64.b64decode(body + b"=" * (-len(body) % 4), b"-_", validate=True), MAX_CODE_UNPACKED
        )
        if not unpacker.eof and unpacker.unconsumed_tail:
            raise ScenarioError(
                told(
                    "The link's code unpacks to more than {max_code_bytes} bytes; it is not one of ours.",
                    max_code_bytes=MAX_CODE_UNPACKED,
                )
            )
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError
        data = parse_json(raw, _no_constant)
    except ScenarioError:
        raise
    except TooMuch as error:
        raise ScenarioError(str(error)) from None
    except (ValueError, zlib.error):
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
    """Refuse a workload from a file: a link must not make the server read a path of its author's choice.

    Uploads are allowed: they are named by a digest of their content.
    """
    given = scenario.workload
    if given and given.is_file:
        raise ScenarioError(
            told(
                "The field workload.lengths is {lengths}, a file, which a link cannot carry; valid in a link is "
                "{sets}, or a file that was uploaded.",
                lengths=shorten(given.lengths),
                sets=either([*LENGTH_SETS, *given.MADE_UP]),
            )
        )
