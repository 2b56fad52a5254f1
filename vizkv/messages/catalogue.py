"""The text of all pages, in one gettext catalogue per language (``<language>.po``, read by Babel).

The ids of messages are keys, not English texts. Placeholders are ``{name}``; numbers are formatted here, for the
language, and nowhere else. ``{name:slot|slots}`` is a number and a word in the plural form that it needs, out of one
form for each plural form of the language. Where more than one word depends on a count, the message has gettext's
plural forms and takes ``n``.

Error messages are written in English where they are raised (:mod:`vizkv.messages.sentence`). The catalogues of other
languages have a translation of each template under the context "error", with the English template as id;
:meth:`Messages.error` applies it. The messages of argparse (context "argparse") and of the operating system ("system")
are translated in the same way.
"""

from __future__ import annotations

import copy
import re
from functools import cached_property, lru_cache
from pathlib import Path

from babel import Locale
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent, format_scientific

from vizkv.messages.escape import Markdown, markdown
from vizkv.messages.sentence import Told

FOLDER = Path(__file__).parent
DEFAULT = "en"
LANGUAGES = {"en": "en", "zh": "zh-Hans"}  # name of the catalogue -> language tag in HTML
# contexts whose ids are English texts: errors, argparse, the operating system, and names of systems in our scenarios
CONTEXTS = ("error", "argparse", "system", "name")
_AFTER_MARK = re.compile("(?<=[。；！？：，]) ")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class _Counted(str):
    """A formatted number that selects the plural form of the word after it: ``{slots:slot|slots}``."""

    form: int  # index of the plural form

    def __new__(cls, text: str, form: int) -> _Counted:
        counted = super().__new__(cls, text)
        counted.form = form
        return counted

    def __format__(self, words: str) -> str:
        return f"{self!s} {words.split('|')[self.form]}" if words else str(self)


class Messages:
    """The catalogue of one language: ``say("narration.finished", request="A", slots=500)``."""

    def __init__(self, language: str = DEFAULT):
        with open(FOLDER / f"{language}.po", "rb") as file:
            catalogue = read_po(file, locale=language)
        self.language = language
        self.locale = Locale.parse(language)
        self.html = LANGUAGES[language]  # for lang="..."
        # fall back to English; a test checks that no language lacks a message
        self._forms: dict[str, tuple[str, ...]] = {} if language == DEFAULT else dict(messages(DEFAULT)._forms)
        self._templates: dict[str, str] = {}
        self._names: dict[str, str] = {}
        for message in catalogue:
            if message.context == "name":
                self._names[str(message.id)] = str(message.string)
            elif message.context:
                self._templates[str(message.id)] = str(message.string)
            elif message.id:
                key, text = message.id, message.string
                name = key if isinstance(key, str) else key[0]
                self._forms[name] = (text,) if isinstance(text, str) else tuple(text or ())
        rule = self.locale.plural_form
        self._plural = lru_cache(4096)(lambda n: int(rule(n) != "one") if len(rule.tags) else 0)
        # 0 and -0.0 are one key: "+ 0" writes both as "0"
        self._number = lru_cache(1 << 16)(lambda n: format_decimal(n + 0, locale=self.locale))
        self._counting = {key for key, forms in self._forms.items() if any("|" in form for form in forms)}

    def __call__(self, key: str, **values: object) -> str:
        """Return a message with its placeholders filled. Raises KeyError for an unknown key, a programming error."""
        forms = self._forms[key]
        text = forms[0]
        if len(forms) > 1:
            text = forms[self._plural(values["n"])]
        if not values:
            return text
        if key in self._counting:
            return text.format(**{k: self._counted(k, v) for k, v in values.items()})
        return text.format(**{k: self._written(k, v) for k, v in values.items()})

    def _counted(self, name: str, value: object) -> _Counted:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # formatted as an integer, it needs an integer's plural form
        return _Counted(str(self._written(name, value)), self._plural(value if isinstance(value, int | float) else 0))

    def _written(self, name: str, value: object) -> object:
        if isinstance(value, int | float):
            return self.number(value)
        if name == "system" and isinstance(value, str):
            return self.name(value)
        return self.error(value) if isinstance(value, Told) else value

    def error(self, error: object) -> str:
        """Return the message of an exception (or its text) in this language; a text without a template is unchanged."""
        text = str(error) if isinstance(error, BaseException) else error
        return text.said(self.template) if isinstance(text, Told) else str(text)

    def sentences(self, *parts: str) -> str:
        """Join sentences, with a space between them unless one ends in a full-width mark; empty ones are left out."""
        return _AFTER_MARK.sub("", " ".join(part for part in parts if part))

    def name(self, name: str) -> str:
        """Return the name of a system, each known part translated: "Multiple of 3, swap" has two parts."""
        parts = name.split(", ")
        translated = [self._name(part) for part in parts]
        return name if translated == parts else "，".join(translated)

    def _name(self, part: str) -> str:
        number = _NUMBER.search(part)
        known = self._names.get(_NUMBER.sub("{n}", part, count=1), part)
        return known.format(n=number[0]) if number and known is not part else known

    def template(self, english: str) -> str:
        """Return the translation of an English template of an error, of argparse or of the operating system."""
        return self._templates.get(english, english)

    def __contains__(self, key: str) -> bool:
        return key in self._forms

    def keys(self) -> list[str]:
        """Return all message keys, sorted."""
        return sorted(self._forms)

    def number(self, value: float) -> str:
        """Return a number as the language writes it."""
        return self._number(value)

    def ordinal(self, n: int) -> str:
        """Return an ordinal number: the 501st."""
        say = self
        return say(f"ordinal.{self.locale.ordinal_form(n)}", n=n)

    def fixed(self, value: float, places: int) -> str:
        """Return a number with exactly ``places`` decimals, for columns."""
        return format_decimal(value, format=f"#,##0.{'0' * places}" if places else "#,##0", locale=self.locale)

    def exact(self, value: float) -> str:
        """Return a number with all its decimals, up to ten."""
        return format_decimal(value, format="#,##0.##########", locale=self.locale)

    def scientific(self, value: float, places: int = 1) -> str:
        """Return a number in scientific notation: 1.2E-7."""
        return format_scientific(value, format=f"0.{'0' * places}E0" if places else "0E0", locale=self.locale)

    def percent(self, share: float) -> str:
        """Return a share of one as a percentage: whole, or with up to one decimal below 10%."""
        return format_percent(share, format="#,##0.#%" if 0 < share < 0.1 else "#,##0%", locale=self.locale)

    def group(self, prefix: str) -> dict[str, str]:
        """Return the unformatted texts whose keys begin with a prefix, by the rest of the key.

        For the player, which fills placeholders itself.
        """
        return {key.removeprefix(prefix): forms[0] for key, forms in self._forms.items() if key.startswith(prefix)}

    @cached_property
    def in_markdown(self) -> MarkdownMessages:
        """The same catalogue for Markdown: messages may contain Markdown, values put into them are escaped."""
        return MarkdownMessages(self)


class MarkdownMessages(Messages):
    """A catalogue whose values, names and errors are escaped for Markdown."""

    def __init__(self, plain: Messages):
        vars(self).update(copy.copy(vars(plain)))

    def __call__(self, key: str, **values: object) -> Markdown:
        """Return a message as Markdown, its values escaped."""
        return Markdown(super().__call__(key, **values))

    def _written(self, name: str, value: object) -> object:
        written = super()._written(name, value)
        return markdown(written) if isinstance(written, str) else written

    def error(self, error: object) -> Markdown:
        """Return the message of an exception (or its text) in this language, escaped."""
        return markdown(super().error(error))

    def sentences(self, *parts: str) -> Markdown:
        """Join sentences; those that are not Markdown are escaped."""
        return Markdown(super().sentences(*(markdown(part) for part in parts if part)))

    def name(self, name: str) -> Markdown:
        """Return the name of a system, translated and escaped."""
        return markdown(super().name(name))

    @property
    def in_markdown(self) -> MarkdownMessages:  # type: ignore[override]
        """This catalogue: it is for Markdown already."""
        return self


@lru_cache(8)
def messages(language: str = DEFAULT) -> Messages:
    """Return the catalogue of a language, loaded once."""
    return Messages(language)
