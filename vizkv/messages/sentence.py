"""Error messages that keep their template and values, so that they can be translated when they are shown.

The core raises its errors in English and uses no catalogue. ``told("The axis {name} has no value.", name=...)`` returns
that English sentence, a ``str`` like any other; :meth:`vizkv.messages.catalogue.Messages.error` fills the values into
the translated template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import PurePath

MAX_VALUE = 200  # characters of a value in a sentence
_PART = "\x02"  # marks the beginning of a nested sentence until the whole is put together
_SPACED = re.compile(f"(?<=[\u4e00-\u9fff]) {_PART}(?=[\u4e00-\u9fff])")


class Told(str):
    """An English text with its template and values; a value may itself be such a text, as part of the sentence."""

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, values: dict[str, object]) -> Told:
        text = super().__new__(cls, template.format(**values))
        text.template, text.values = template, values
        return text

    def __str__(self) -> Told:
        """Return itself, so that ``str(error)`` of an exception keeps the template and values."""
        return self

    def __reduce__(self) -> tuple[type[Told], tuple[str, dict[str, object]]]:
        return Told, (self.template, self.values)  # worker processes of a sweep send errors back

    def said(self, template_of: Callable[[str], str]) -> str:
        """Return the text with each template replaced by ``template_of(template)``."""
        values = {k: _PART + v.said(template_of) if isinstance(v, Told) else v for k, v in self.values.items()}
        # Chinese templates have a space before a number or a Latin word; it goes where the value is Chinese
        return _SPACED.sub("", template_of(self.template).format(**values)).replace(_PART, "")

    def renamed(self, old: str, new: str) -> Told:
        """Return the sentence with ``old`` replaced by ``new`` in its values, nested sentences included."""

        def of(value: object) -> object:
            if isinstance(value, Told):
                return value.renamed(old, new)
            return value.replace(old, new) if isinstance(value, str) else value

        return Told(self.template, {k: of(v) for k, v in self.values.items()})


def renamed(text: str, old: str, new: str) -> str:
    """Return the text with ``old`` replaced by ``new``; in a sentence, only in its values."""
    return text.renamed(old, new) if isinstance(text, Told) else text.replace(old, new)


def shortened(text: str, most: int = MAX_VALUE) -> str:
    """Return a text of at most ``most`` characters: a longer one loses its middle, so that a path keeps its name."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail - 3]}...{text[-tail:]}"


def told(template: str, /, **values: object) -> Told:
    """Return a translatable sentence, or a part of one. Long values are shortened; an exception becomes its message."""
    return Told(template, {name: _value(value) for name, value in values.items()})


def _value(value: object) -> object:
    """Return a value as a sentence quotes it: a text is shortened, so that an error never repeats a megabyte."""
    if isinstance(value, BaseException):
        value = _reason(value)
    if isinstance(value, PurePath):
        value = str(value)
    return shortened(value) if isinstance(value, str) and not isinstance(value, Told) else value


def joined(parts: Iterable[str]) -> str:
    """Return the parts as a translatable list: "a, b, c"."""
    first, *rest = list(parts) or [""]
    for part in rest:
        first = told("{first}, {last}", first=first, last=part)
    return first


def _reason(error: BaseException) -> str:
    """Return the message of an exception; of an OSError only the reason, which catalogues may translate."""
    if isinstance(error, OSError) and error.strerror:
        return Told(error.strerror.replace("{", "{{").replace("}", "}}"), {})
    return str(error)
