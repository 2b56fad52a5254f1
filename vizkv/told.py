"""A sentence that remembers how it was made, so that whoever shows it can say it in another language.

The core complains in English where it finds what is wrong, and knows no catalogue. ``told("The axis {name} has no
value.", name=...)`` is that English sentence, a ``str`` like any other; :meth:`vizkv.messages.Messages.error` makes the
same sentence of another language's template and the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_PART = "\x02"  # where a part begins, until the whole is put together
_SPACED = re.compile(f"(?<=[\u4e00-\u9fff]) {_PART}(?=[\u4e00-\u9fff])")


class Told(str):
    """An English text with its template and values; a value may itself be told, a part of a sentence."""

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, values: dict[str, object]) -> Told:
        text = super().__new__(cls, template.format(**values))
        text.template, text.values = template, values
        return text

    def __str__(self) -> Told:
        """Itself: ``str(error)`` of an exception that was raised with it has not forgotten anything."""
        return self

    def __reduce__(self) -> tuple[type[Told], tuple[str, dict[str, object]]]:
        return Told, (self.template, self.values)  # a sweep's workers are processes of their own

    def said(self, template_of: Callable[[str], str]) -> str:
        """The text with each template replaced by what ``template_of`` gives for it."""
        values = {k: _PART + v.said(template_of) if isinstance(v, Told) else v for k, v in self.values.items()}
        # a template has a space before a number or a Latin word; before a part in Chinese there is none
        return _SPACED.sub("", template_of(self.template).format(**values)).replace(_PART, "")

    def renamed(self, old: str, new: str) -> Told:
        """The same about something else: ``old`` replaced by ``new`` wherever a value names it."""

        def of(value: object) -> object:
            if isinstance(value, Told):
                return value.renamed(old, new)
            return value.replace(old, new) if isinstance(value, str) else value

        return Told(self.template, {k: of(v) for k, v in self.values.items()})


def renamed(text: str, old: str, new: str) -> str:
    """The same about something else: ``old`` replaced by ``new``, in what is told wherever a value names it."""
    return text.renamed(old, new) if isinstance(text, Told) else text.replace(old, new)


def told(template: str, /, **values: object) -> Told:
    """A sentence of the core, or a part of one. What went wrong elsewhere (an exception) is kept as its text."""
    return Told(template, {k: _reason(v) if isinstance(v, BaseException) else v for k, v in values.items()})


def joined(parts: Iterable[str]) -> str:
    """The parts as a list, "a, b, c", joined as the language does."""
    first, *rest = list(parts) or [""]
    for part in rest:
        first = told("{first}, {last}", first=first, last=part)
    return first


def _reason(error: BaseException) -> str:
    """What an exception says; of the operating system's, its reason alone, which other languages may know."""
    if isinstance(error, OSError) and error.strerror:
        return Told(error.strerror.replace("{", "{{").replace("}", "}}"), {})
    return str(error)
