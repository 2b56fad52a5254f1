"""Why a TOML, JSON, CSV or UTF-8 parser refused a file: the position, then the parser's own message, in English."""

from __future__ import annotations

import csv
import json
import re
import tomllib

from vizkv.messages.sentence import Told, told

_PLACE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)  # how tomllib ends its message


def reason(error: Exception) -> Told:
    """Return the reason for an error, to follow "is not valid TOML: ".

    ``error``: an exception of :mod:`tomllib`, :mod:`json`, :mod:`csv` or a UTF-8 decoder.
    """
    if isinstance(error, json.JSONDecodeError):
        return told("line {line}, column {column}: {why}", line=error.lineno, column=error.colno, why=error.msg)
    if isinstance(error, tomllib.TOMLDecodeError):
        found = _PLACE.fullmatch(str(error))
        if found is None:
            return told("{why}", why=str(error))
        return told("line {line}, column {column}: {why}", line=int(found[2]), column=int(found[3]), why=found[1])
    if isinstance(error, UnicodeDecodeError):
        return told("the byte at place {place} is not UTF-8", place=error.start)
    if isinstance(error, csv.Error):
        return told("{why}", why=str(error))
    return told("it is damaged")
