"""In which language the command line speaks: ``--language``, else what the environment says, else English."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from vizkv.messages.catalogue import DEFAULT, LANGUAGES, Messages

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides, as in any other program
_NAME = "--language"


def asked(argv: Sequence[str]) -> str:
    """The language that the command's words ask for; "" where they ask for none."""
    for word, following in zip(argv, [*argv[1:], ""], strict=False):
        begins, equals, behind = word.partition("=")
        given = behind if equals else following
        # argparse takes an option's beginning for it, too
        if _NAME.startswith(begins) and len(begins) > len("--l") and given in LANGUAGES:
            return given
    return ""


def choose(argv: Sequence[str], environment: Mapping[str, str]) -> str:
    """Before anything else is read, for the help and the complaints about the other words are in it too."""
    if given := asked(argv):
        return given
    here = next((value for name in _VARIABLES if (value := environment.get(name))), "")
    return next((language for language in LANGUAGES if here.lower().startswith(language)), DEFAULT)


def option(parser: argparse.ArgumentParser, say: Messages) -> None:
    """``--language``, which :func:`choose` has read; the parser only has to know it."""
    parser.add_argument(
        _NAME,
        choices=sorted(LANGUAGES),
        default=argparse.SUPPRESS,
        help=say("cli.language"),
        metavar="|".join(LANGUAGES),
    )


def speak(say: Messages) -> None:
    """Let argparse say its own sentences in that language too; it asks gettext, which knows none but English."""
    argparse._ = say.template  # type: ignore[attr-defined]
