"""pydantic's complaints as plain sentences: which field, what it holds, what it may hold. Knows no particular table.

Validators of our own raise ValueError with the rest of a sentence ("has an empty prompt; valid is ..."), to which this
adds where it is; a validator of the outermost table raises a whole sentence without its full stop.
"""

from __future__ import annotations

from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

Tables = tuple[type[BaseModel], ...]


def sentence(error: ValidationError, root: type[BaseModel]) -> str:
    """The first complaint about a table of type ``root``, as one sentence."""
    # an unknown field first: it is often the misspelt name of one that is then also missing
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    kind, value, loc = first["type"], first.get("input"), first["loc"]
    where, tables, valid = _place(loc, root)
    if kind == "value_error":
        return _own(str(first["ctx"]["error"]), where, value)
    if kind == "extra_forbidden":
        names = list(dict.fromkeys(name for table in tables for name in table.model_fields))
        close = get_close_matches(str(loc[-1]), names, 1)
        hint = f"did you mean {close[0]}? Valid" if close else "valid"
        return f"The field {where} (value {shorten(value)}) is unknown; {hint} are {', '.join(names)}."
    if kind == "missing":
        return f"The field {where} is missing; valid is {valid}."
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        tag = first["ctx"]["discriminator"].strip("'")
        given = value.get(tag) if isinstance(value, dict) else None
        state = "missing" if given is None else shorten(given)
        tags = [get_args(table.model_fields[tag].annotation)[0] for table in tables]
        return f"The field {where}.{tag} is {state}; valid is {either(tags)}."
    if not loc:
        return f"The {root.__name__.lower()} is {shorten(value)}; valid is {valid}."
    return f"The field {where} is {shorten(value)}; valid is {valid}."


def listed(names: list[str], joint: str = "and") -> str:
    """a, b and c; "none" of none."""
    return f"{', '.join(names[:-1])} {joint} {names[-1]}" if len(names) > 1 else names[0] if names else "none"


def either(values: list[Any]) -> str:
    """'a', 'b' or 'c'."""
    return listed([repr(value) for value in values], "or")


def shorten(value: Any) -> str:
    """A value as it may stand in a sentence: at most 60 characters, and spelled as in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a number of more than 40 digits"  # also: Python refuses to print one of more than 4300
    if isinstance(value, str) and len(value) > 80:
        value = value[:80]
    try:
        text = repr(value[:30] if isinstance(value, list) else value)
    except RecursionError:
        return "nested too deeply to be shown"
    return text if len(text) <= 60 else text[:57] + "..."


def _own(message: str, where: str, value: Any) -> str:
    """The sentence of a validator of ours."""
    if not where:
        return f"{message}."
    if not isinstance(value, dict):
        return f"The field {where} {message}."
    name = value.get("id")
    return f"The table {where}{f' ({shorten(name)})' if name else ''} {message}."


def _place(loc: tuple[int | str, ...], root: type[BaseModel]) -> tuple[str, Tables, str]:
    """Where an error is: the written place, the tables whose fields are possible there, and what would be valid."""
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
            where += ("." if where else "") + (part if part.isprintable() else repr(part)[1:-1])[:40]
            field = next((table.model_fields[part] for table in tables if part in table.model_fields), None)
            annotation, metadata = (field.annotation, field.metadata) if field else (None, [])
        tables = tuple(_tables(annotation)) or tables
    return where, tables, _describe(annotation, metadata)


def _tagged(annotation: Any, tag: str) -> type[BaseModel] | None:
    """The table of a union that carries this tag."""
    tables = _tables(annotation)
    if len(tables) < 2:
        return None
    tagged = [(table, field) for table in tables for field in table.model_fields.values()]
    return next(
        (table for table, f in tagged if get_origin(f.annotation) is Literal and get_args(f.annotation) == (tag,)), None
    )


def _tables(annotation: Any) -> list[type[BaseModel]]:
    """The tables that an annotation allows, not looking into lists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType):
        return [table for arg in get_args(annotation) for table in _tables(arg)]
    return _tables(get_args(annotation)[0]) if get_origin(annotation) is Annotated else []


def _item(annotation: Any) -> Any:
    """The item type of the list that an annotation allows; None where it allows none."""
    if get_origin(annotation) is list:
        return get_args(annotation)[0]
    return next((found for arg in get_args(annotation) if (found := _item(arg)) is not None), None)


def _describe(annotation: Any, metadata: list[Any]) -> str:
    """What a field takes, in words."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        extra = [m for meta in args[1:] for m in getattr(meta, "metadata", [meta])]
        return _describe(args[0], [*extra, *metadata])
    if origin in (Union, UnionType):
        return _describe(next(arg for arg in args if arg is not type(None)), metadata)
    names = ("ge", "gt", "le", "lt", "min_length", "max_length")
    limit = {n: getattr(m, n) for m in metadata for n in names if getattr(m, n, None) is not None}
    size = f"{limit.get('min_length', 0)} to {limit['max_length']} " if "max_length" in limit else ""
    if size and limit.get("min_length") == limit["max_length"]:
        size = f"{limit['max_length']} "
    if origin is Literal:
        return either(list(args))
    if annotation is bool:
        return "true or false"
    if annotation in (int, float):
        low = f"above {limit['gt']:.15g} and" if "gt" in limit else f"from {limit['ge']:.15g} to"
        high = f" below {limit['lt']:.15g}" if "lt" in limit else f" {limit['le']}"
        high = f" at most{high}" if "gt" in limit and "lt" not in limit else high
        return f"a {'whole ' if annotation is int else ''}number {low}{high}"
    if annotation is str:
        return f"text of {size}characters"
    if origin is list:
        return f"a list of {size}" + ("tables" if _tables(args[0]) else f"items, each {_describe(args[0], [])}")
    return "a table of fields"
