"""What every table of a scenario is made of: its base class, and the types of its fields."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from vizkv.limits.limits import MAX_SLOTS as MAX_SLOTS
from vizkv.messages.sentence import told
from vizkv.messages.validation import shorten

MAX_LABEL = 60  # characters of a system's name


def one_line(text: str) -> str:
    """Names are keys of what is printed and labels on screen: a line break or an invisible character spoils both."""
    if not text.isprintable() or text != text.strip():
        raise ValueError(told("is {text}; valid is text on one line, with no space at either end", text=shorten(text)))
    return text


def _as_whole(value: Any) -> Any:
    """Return the whole number 100 for 100.0 (SPEC 10); anything else is left for the field to judge."""
    return int(value) if type(value) is float and value.is_integer() else value


def _as_wholes(values: Any) -> Any:
    """The same for each number of a list, which may have millions: most have no such number."""
    return [_as_whole(v) for v in values] if isinstance(values, list) and float in set(map(type, values)) else values


Whole = BeforeValidator(_as_whole)
Count = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True), Whole]
TokenId = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
TokenIds = Annotated[list[TokenId], Field(max_length=MAX_SLOTS), BeforeValidator(_as_wholes)]
Flag = Annotated[bool, Field(strict=True)]
Label = Annotated[str, Field(max_length=MAX_LABEL), AfterValidator(one_line)]


class Part(BaseModel):
    """A table of the scenario file: no unknown fields, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False, allow_inf_nan=False)
