"""Why a file of a known kind cannot be read, in a sentence of ours: its readers know English only.

:func:`reason` gives the part of a sentence that stands behind "is not valid TOML: ". A text that a reader of another
version has and we don't know is left out; the place where it stopped is named in any case.
"""

from __future__ import annotations

import csv
import json
import re
import tomllib

from vizkv.told import Told, told

MAX_FOUND = 30  # characters of what stands at the place
_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)

# what a reader says -> what we say; {it} is what the reader names. First found, first said.
_TOML = {
    "Invalid value": told("no value that TOML knows; valid is a number, true, false, 'text', a [list] or a {{table}}"),
    "Expected '=' after a key": told("valid is = behind the name of a field"),
    "Cannot declare (.+) twice": told("the table {it} is there already", it=""),
    "Cannot overwrite a value": told("the field has a value already"),
    "Cannot (?:mutate|redefine)(?: immutable)? namespace (.+)": told("{it} is written to its end already", it=""),
    "Duplicate inline table key (.+)": told("the field {it} has a value already", it=""),
    "Invalid statement": told("valid is a field = value, a [table] or a # remark"),
    "Expected newline or end of document": told("valid is the end of the line"),
    "Invalid initial character for a key": told("valid is the name of a field"),
    "Expected ']+' at the end": told("a [table] lacks its closing bracket"),
    "Unclosed array": told("a [list] lacks a comma or its closing bracket"),
    "Unclosed inline table": told("a {{table}} lacks a comma or its closing brace"),
    r"Unescaped '\\' in a string|Invalid hex value|Escaped character": told(
        "a backslash in a text begins a character that TOML does not know; valid is \\\\ for the backslash itself"
    ),
    "Unterminated string|Expected ['\"]{3,5}": told("a text lacks its closing quotation mark"),
    r"(?:Illegal|Found invalid) character '\\n'": told("a text lacks its closing quotation mark"),
    "(?:Illegal|Found invalid) character (.+)": told("the character {it} is not allowed there", it=""),
    "Invalid date": told("there is no such date or time"),
}
_JSON = {
    "Expecting value": told('valid is a value: a number, true, false, null, "text", a [list] or an {{object}}'),
    "Expecting property name|Illegal trailing comma": told("valid is the name of a field in double quotes"),
    "Expecting ':'": told("valid is : behind the name of a field"),
    "Expecting ','": told("a comma or a closing bracket is missing"),
    "Extra data": told("valid is the end of the file"),
    "Unterminated string": told("a text lacks its closing quotation mark"),
    "Invalid control character": told("a text lacks its closing quotation mark"),
    "Invalid .*escape": told("a backslash in a text begins a character that JSON does not know"),
}
_CSV = {
    r"field larger than field limit \((\d+)\)": told(
        "a cell has more than {it} characters, as where a quotation mark is not closed", it=""
    ),
    "new-line character": told("a line ends in the middle of a cell"),
    "line contains NUL": told("it has a character of code 0"),
}


def reason(error: Exception, text: str = "") -> Told:
    """Why a reader of TOML, JSON, CSV or UTF-8 gave up; ``text`` is what it read, where the error does not carry it."""
    if isinstance(error, json.JSONDecodeError):
        return _at(error.lineno, error.colno, _why(error.msg, _JSON), error.doc[error.pos :])
    if isinstance(error, tomllib.TOMLDecodeError):
        return _toml(str(error), text)
    if isinstance(error, UnicodeDecodeError):
        return told("the byte at place {place} is not UTF-8", place=error.start)
    if isinstance(error, csv.Error):
        return _why(str(error), _CSV) or told("its quotation marks or commas do not fit together")
    return told("it is damaged")


def _toml(message: str, text: str) -> Told:
    found = _PLACE.fullmatch(message)
    if found is None:
        return told("it is damaged")
    why = _why(found[1], _TOML)
    if found[2] is None:
        return told("at its end: {why}", why=why) if why else told("it ends too early")
    line, column = int(found[2]), int(found[3])
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    return _at(line, column, why, rest)


def _at(line: int, column: int, why: Told | None, rest: str) -> Told:
    """A place, what stands there, and what is wrong with that."""
    found = rest.split("\n", 1)[0].strip()
    found = repr(found if len(found) <= MAX_FOUND else found[:MAX_FOUND] + "...")
    known: dict[str, object] = {"line": line, "column": column, "found": found}
    if why is None:
        return told("line {line}, column {column} cannot be read, at {found}", **known)
    if found == "''":
        return told("line {line}, column {column}: {why}", why=why, **known)
    return told("line {line}, column {column}, at {found}: {why}", why=why, **known)


def _why(message: str, known: dict[str, Told]) -> Told | None:
    """Our sentence for a reader's."""
    for pattern, said in known.items():
        if found := re.match(pattern, message):
            parts = re.findall(r"'([^']*)'", found[1]) if found.re.groups else []
            it = ".".join(parts) if parts else found[1] if found.re.groups else ""
            return Told(said.template, dict.fromkeys(said.values, it))
    return None
