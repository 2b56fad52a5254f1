"""Every sentence that a person reads on a page, in one gettext catalogue a language (``<language>.po``, read by Babel).

Messages have keys, not English texts, as ids. Placeholders are ``{name}``; numbers are formatted here, for the
language, and nowhere else. A message that depends on a count has plural forms and takes ``n``.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from babel import Locale
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

FOLDER = Path(__file__).parent
DEFAULT = "en"


class Messages:
    """The catalogue of one language: ``say("narration.finished", request="A", slots=500)``."""

    def __init__(self, language: str = DEFAULT):
        with open(FOLDER / f"{language}.po", "rb") as file:
            catalogue = read_po(file, locale=language)
        self.language = language
        self.locale = Locale.parse(language)
        self._forms: dict[str, tuple[str, ...]] = {}
        for message in catalogue:
            if message.id:
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
        return text.format(**{k: self.number(v) if isinstance(v, int | float) else v for k, v in values.items()})

    def __contains__(self, key: str) -> bool:
        return key in self._forms

    def keys(self) -> list[str]:
        """All message keys."""
        return sorted(self._forms)

    def number(self, value: float) -> str:
        """A number as the language writes it."""
        return self._number(value)

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
