"""Every sentence that a person reads on a page, in one gettext catalogue a language (``<language>.po``, read by Babel).

Messages have keys, not English texts, as ids. Placeholders are ``{name}``; numbers are formatted here, for the
language, and nowhere else. A message that depends on a count has plural forms and takes ``n``.

What the core complains of is said there in English (:mod:`vizkv.told`). Other languages have those sentences' templates
under the context "error", with the English template as id; :meth:`Messages.error` says them. So it is with what
argparse says, under the context "argparse", and the operating system, under "system".
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from babel import Locale
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent, format_scientific

from vizkv.told import Told

FOLDER = Path(__file__).parent
DEFAULT = "en"
LANGUAGES = {"en": "en", "zh": "zh-Hans"}  # a catalogue each -> what HTML calls the language
# texts that are ids in English: of complaints, argparse, the operating system, and the names that we gave to systems
CONTEXTS = ("error", "argparse", "system", "name")
_AFTER_MARK = re.compile("(?<=[。；！？：，]) ")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Messages:
    """The catalogue of one language: ``say("narration.finished", request="A", slots=500)``."""

    def __init__(self, language: str = DEFAULT):
        with open(FOLDER / f"{language}.po", "rb") as file:
            catalogue = read_po(file, locale=language)
        self.language = language
        self.locale = Locale.parse(language)
        self.html = LANGUAGES[language]  # for lang="..."
        # what a language lacks is said in English rather than not at all; a test sees to it that it lacks nothing
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
        self._number = lru_cache(1 << 16)(lambda n: format_decimal(n, locale=self.locale))

    def __call__(self, key: str, **values: object) -> str:
        """The message with its placeholders filled. An unknown key is a programming error: KeyError."""
        forms = self._forms[key]
        text = forms[0]
        if len(forms) > 1:
            text = forms[self._plural(values["n"])]
        if not values:
            return text
        return text.format(**{k: self._written(k, v) for k, v in values.items()})

    def _written(self, name: str, value: object) -> object:
        if isinstance(value, int | float):
            return self.number(value)
        if name == "system" and isinstance(value, str):
            return self.name(value)
        return self.error(value) if isinstance(value, Told) else value

    def error(self, error: object) -> str:
        """What an exception (or its text) says, in this language; what the core did not tell stays as it is."""
        text = str(error) if isinstance(error, BaseException) else error
        return text.said(self.template) if isinstance(text, Told) else str(text)

    def sentences(self, *parts: str) -> str:
        """Sentences one after the other; behind a full-width mark there is no space."""
        return _AFTER_MARK.sub("", " ".join(part for part in parts if part))

    def name(self, name: str) -> str:
        """A system's name, of which each part is said that vizkv's own scenarios use: "Multiple of 3, swap"."""
        parts = name.split(", ")
        said = [self._name(part) for part in parts]
        return name if said == parts else "，".join(said)

    def _name(self, part: str) -> str:
        number = _NUMBER.search(part)
        known = self._names.get(_NUMBER.sub("{n}", part, count=1), part)
        return known.format(n=number[0]) if number and known is not part else known

    def template(self, english: str) -> str:
        """This language's for an English one that is not ours or not here: a complaint's, the parser's."""
        return self._templates.get(english, english)

    def __contains__(self, key: str) -> bool:
        return key in self._forms

    def keys(self) -> list[str]:
        """All message keys."""
        return sorted(self._forms)

    def number(self, value: float) -> str:
        """A number as the language writes it."""
        return self._number(value)

    def fixed(self, value: float, places: int) -> str:
        """A number with so many decimals, be they zeros: for columns."""
        return format_decimal(value, format=f"#,##0.{'0' * places}" if places else "#,##0", locale=self.locale)

    def exact(self, value: float) -> str:
        """A number with every decimal that it was written with, up to ten."""
        return format_decimal(value, format="#,##0.##########", locale=self.locale)

    def scientific(self, value: float, places: int = 1) -> str:
        """A very small number: 1.2E-7."""
        return format_scientific(value, format=f"0.{'0' * places}E0" if places else "0E0", locale=self.locale)

    def percent(self, share: float) -> str:
        """A share of one as a whole percentage."""
        return format_percent(share, format="#,##0.#%" if 0 < share < 0.1 else "#,##0%", locale=self.locale)

    def group(self, prefix: str) -> dict[str, str]:
        """All raw texts under a prefix, without it: for the player, which fills placeholders itself."""
        return {key.removeprefix(prefix): forms[0] for key, forms in self._forms.items() if key.startswith(prefix)}


@lru_cache(8)
def messages(language: str = DEFAULT) -> Messages:
    """The catalogue, loaded once."""
    return Messages(language)
