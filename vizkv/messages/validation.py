"""Turn pydantic's validation errors into one sentence: the field, its value, and the valid values. Works for any model.

Our own validators raise ValueError with the rest of a sentence ("has an empty prompt; valid is ..."), to which this
module prepends the field or table; a validator of the outermost table raises a whole sentence without its full stop.
"""

from __future__ import annotations

from datetime import date, time
from difflib import get_close_matches
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from vizkv.messages.sentence import Told, joined, shortened, told

MAX_SHOWN = 60  # characters of a field's value
Tables = tuple[type[BaseModel], ...]


def sentence(error: ValidationError, root: type[BaseModel]) -> Told:
    """Return the first error in a table of type ``root`` as one sentence."""
    # an unknown field first: it is often the misspelt name of one that is then also missing
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    kind, value, loc = first["type"], first.get("input"), first["loc"]
    where, tables, valid = _place(loc, root)
    if kind == "value_error":
        return _own(str(first["ctx"]["error"]), where, value)
    if kind == "extra_forbidden":
        names = list(dict.fromkeys(name for table in tables for name in table.model_fields))
        close = get_close_matches(str(loc[-1]), names, 1)
        known: dict[str, object] = {"where": where, "value": shorten(value), "names": joined(names)}
        if not close:
            return told("The field {where} (value {value}) is unknown; valid are {names}.", **known)
        return told(
            "The field {where} (value {value}) is unknown; did you mean {close}? Valid are {names}.",
            close=close[0],
            **known,
        )
    if kind == "missing":
        return told("The field {where} is missing; valid is {valid}.", where=where, valid=valid)
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        tag = first["ctx"]["discriminator"].strip("'")
        given = value.get(tag) if isinstance(value, dict) else None
        state = told("missing") if given is None else shorten(given)
        tags = [get_args(table.model_fields[tag].annotation)[0] for table in tables]
        return told(
            "The field {where}.{tag} is {state}; valid is {valid}.",
            where=where,
            tag=tag,
            state=state,
            valid=either(tags),
        )
    if not loc:
        name = root.__name__.lower()
        return told("The {name} is {value}; valid is {valid}.", name=name, value=shorten(value), valid=valid)
    # the items of a list that is too long would not help
    shown = told("a list of {count} items", count=len(value)) if kind == "too_long" else shorten(value)
    return told("The field {where} is {value}; valid is {valid}.", where=where, value=shown, valid=valid)


def listed(names: list[str], joint: Literal["and", "or"] = "and") -> str:
    """Return "a, b and c", or "a, b or c"; "none" for an empty list."""
    if len(names) < 2:
        return names[0] if names else told("none")
    given: dict[str, object] = {"first": joined(names[:-1]), "last": names[-1]}
    return told("{first} and {last}", **given) if joint == "and" else told("{first} or {last}", **given)


def either(values: list[Any]) -> str:
    """Return the values as "'a', 'b' or 'c'"."""
    return listed([repr(value) for value in values], "or")


def shorten(value: Any) -> str:
    """Return a value as a sentence quotes it: at most MAX_SHOWN characters, spelled as in a TOML file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**40:
        return told("a number of more than 40 digits")  # Python refuses to print more than 4300 digits
    if isinstance(value, date | time):
        return value.isoformat()
    try:
        return shortened(repr(_beginning(value)), MAX_SHOWN)
    except RecursionError:
        return told("nested too deeply to be shown")


def _beginning(value: Any) -> Any:
    """Return the beginning of a value, so that the text of a huge list or table is never built."""
    if isinstance(value, list):
        return [_beginning(item) for item in value[:30]]
    if isinstance(value, dict):
        return {shortened(str(key), MAX_SHOWN): _beginning(item) for key, item in islice(value.items(), 30)}
    return shortened(value, MAX_SHOWN) if isinstance(value, str) else value


def _own(message: str, where: str, value: Any) -> Told:
    """Return the sentence for an error that one of our own validators raised."""
    if not where:
        return told("{error}.", error=message)
    if not isinstance(value, dict):
        return told("The field {where} {error}.", where=where, error=message)
    name = value.get("id")
    if not name:
        return told("The table {where} {error}.", where=where, error=message)
    return told("The table {where} ({id}) {error}.", where=where, id=shorten(name), error=message)


def _place(loc: tuple[int | str, ...], root: type[BaseModel]) -> tuple[str, Tables, str]:
    """Return (path of an error in the file, tables whose fields are possible there, what would be valid)."""
    where = ""
    tables: Tables = (root,)
    annotation: Any = root
    metadata: list[Any] = []
    for part in loc:
        if isinstance(part, int):
            where += f"[{part}]"
            annotation, metadata = _item(annotation), []
        elif annotation is not None and (chosen := _tagged(annotation, part)) is not None:
            annotation, metadata = chosen, []  # the tag of a union, which is not a field of the file
        else:
            where += ("." if where else "") + shortened(part if part.isprintable() else repr(part)[1:-1], 40)
            field = next((table.model_fields[part] for table in tables if part in table.model_fields), None)
            annotation, metadata = (field.annotation, field.metadata) if field else (None, [])
        tables = tuple(_tables(annotation)) or tables
    return where, tables, _describe(annotation, metadata)


def _tagged(annotation: Any, tag: str) -> type[BaseModel] | None:
    """Return the table of a union that carries this tag; None if there is none, or no union."""
    tables = _tables(annotation)
    if len(tables) < 2:
        return None
    tagged = [(table, field) for table in tables for field in table.model_fields.values()]
    return next(
        (table for table, f in tagged if get_origin(f.annotation) is Literal and get_args(f.annotation) == (tag,)), None
    )


def _tables(annotation: Any) -> list[type[BaseModel]]:
    """Return the tables that an annotation allows, not looking into lists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType):
        return [table for arg in get_args(annotation) for table in _tables(arg)]
    return _tables(get_args(annotation)[0]) if get_origin(annotation) is Annotated else []


def _item(annotation: Any) -> Any:
    """Return the item type of the list that an annotation allows; None if it allows no list."""
    if get_origin(annotation) is list:
        return get_args(annotation)[0]
    return next((found for arg in get_args(annotation) if (found := _item(arg)) is not None), None)


def _describe(annotation: Any, metadata: list[Any]) -> str:
    """Return the valid values of a field, in words."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        extra = [m for meta in args[1:] for m in getattr(meta, "metadata", [meta])]
        return _describe(args[0], [*extra, *metadata])
    if origin in (Union, UnionType):
        return _describe(next(arg for arg in args if arg is not type(None)), metadata)
    names = ("ge", "gt", "le", "lt", "min_length", "max_length")
    limit = {n: getattr(m, n) for m in metadata for n in names if getattr(m, n, None) is not None}
    if origin is Literal:
        return either(list(args))
    if annotation is bool:
        return told("true or false")
    if annotation in (int, float):
        return _range(annotation is int, limit)
    low, high = limit.get("min_length", 0), limit.get("max_length")
    size: str = "" if high is None else f"{high}" if low == high else told("{low} to {high}", low=low, high=high)
    if annotation is str:
        return told("text of {size} characters", size=size) if size else told("text of characters")
    if origin is list:
        if _tables(args[0]):
            return told("a list of {size} tables", size=size) if size else told("a list of tables")
        item = _describe(args[0], [])
        if not size:
            return told("a list of items, each {item}", item=item)
        return told("a list of {size} items, each {item}", size=size, item=item)
    return told("a table of fields")


def _range(whole: bool, limit: dict[str, Any]) -> Told:
    """Return the range of valid numbers, in words. ``limit``: by pydantic's names, ge, gt, le and lt."""
    low = f"{limit['gt' if 'gt' in limit else 'ge']:.15g}"
    high = f"{limit['lt']:.15g}" if "lt" in limit else limit["le"]
    if "gt" not in limit and "lt" not in limit:
        if whole:
            return told("a whole number from {low} to {high}", low=low, high=high)
        return told("a number from {low} to {high}", low=low, high=high)
    if "gt" in limit and "lt" in limit:
        return told("a number above {low} and below {high}", low=low, high=high)
    if "gt" in limit:
        return told("a number above {low} and at most {high}", low=low, high=high)
    return told("a number from {low} to below {high}", low=low, high=high)
