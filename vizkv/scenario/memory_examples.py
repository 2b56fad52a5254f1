"""Models on cards whose memory people ask about: worked examples, and what of one was changed, as a word in a link.

A word is an example's name and the settings that differ from it: ``rtx-3090,max_model_len=35000``. The settings are
those of :func:`vizkv.scenario.memory_plan.hardware`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from vizkv.messages.sentence import told
from vizkv.messages.validation import listed, shorten
from vizkv.scenario.hardware import HardwareError
from vizkv.scenario.memory_plan import Hardware, hardware
from vizkv.scenario.model_config import ModelConfig, load_config

FOLDER = Path(__file__).parent / "configs"
OWN = "own"  # the word's name for a config.json that somebody brought
TEXTS, COUNTS = ("card", "kv_type"), ("cards", "max_model_len")
SIZES = ("memory", "utilisation", "weights", "activations", "graphs", "kv")  # GiB, but for the share
_MOST_LETTERS = 20  # of a number in a word


@dataclass(frozen=True)
class Example:
    """A model, the card that it is shown on, and lengths whose fit is compared."""

    name: str
    model: str  # a file in ``configs``
    settings: Mapping[str, Any] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()


EXAMPLES = {
    one.name: one
    for one in (
        Example(
            "rtx-3090", "llama-3.1-8b",
            {"card": "rtx-3090", "memory": 23.58, "weights": 14.9888, "activations": 2.07, "graphs": 0.35},
            (29_000, 35_000),
        ),
        Example("gemma-3-27b", "gemma-3-27b", {"card": "h100-80gb"}),
        Example("gpt-oss-120b", "gpt-oss-120b", {"card": "h100-80gb"}),
        Example("qwen3-32b", "qwen3-32b", {"card": "rtx-pro-6000"}),
        Example("qwen3-30b-a3b", "qwen3-30b-a3b", {"card": "gb10"}),
        Example("llama-4-scout", "llama-4-scout", {"card": "h100-80gb", "cards": 4}),
        Example("deepseek-v3", "deepseek-v3", {"card": "h200", "cards": 8}),
    )
}  # fmt: skip
FIRST = "rtx-3090"


@cache
def model_of(name: str) -> ModelConfig:
    """The configuration of an example."""
    return load_config(FOLDER / f"{EXAMPLES[name].model}.json")


def read_word(word: str) -> tuple[str, dict[str, Any]]:
    """Return the example's name and the settings that a word gives. Raises HardwareError."""
    name, *parts = word.split(",")
    if name != OWN and name not in EXAMPLES:
        valid = listed([*EXAMPLES, OWN], "or")
        raise HardwareError(told("The example {name} is unknown; valid is {valid}.", name=shorten(name), valid=valid))
    settings: dict[str, Any] = {}
    for part in parts:
        setting, _, value = part.partition("=")
        if setting not in (*TEXTS, *COUNTS, *SIZES):
            valid = listed([*TEXTS, *COUNTS, *SIZES], "or")
            raise HardwareError(
                told("The setting {name} is unknown; valid is {valid}.", name=shorten(setting), valid=valid)
            )
        settings[setting] = _value(setting, value)
    return name, settings


def _value(setting: str, text: str) -> Any:
    if setting in TEXTS:
        return text
    try:
        if len(text) > _MOST_LETTERS:
            raise ValueError
        return int(text) if setting in COUNTS else float(text)
    except ValueError:
        raise HardwareError(
            told("The field {where} is {value}; valid is {valid}.", where=setting, value=shorten(text),
                 valid=told("a number"))
        ) from None  # fmt: skip


def write_word(name: str, settings: Mapping[str, Any]) -> str:
    """Return the word that :func:`read_word` reads back."""
    return ",".join([name, *(f"{key}={value}" for key, value in settings.items())])


def plan_of(name: str, settings: Mapping[str, Any], own: ModelConfig | None = None) -> Hardware:
    """Return an example with changed settings; ``own``: the model of the name ``own``. Raises HardwareError."""
    if name == OWN:
        if own is None:
            raise HardwareError(
                told("The link is about a config.json of somebody's own; valid is to open that file here.")
            )
        return hardware(own, **settings)
    given = dict(EXAMPLES[name].settings) | dict(settings)
    if "card" in settings and "memory" not in settings:  # another card has its own memory
        given.pop("memory", None)
    if "kv" in settings:
        given.pop("utilisation", None)
    return hardware(model_of(name), **given)


def lengths_of(name: str, plan: Hardware) -> tuple[int, ...]:
    """Return the lengths whose fit is shown: the example's, and the one that was asked for."""
    known = EXAMPLES[name].lengths if name in EXAMPLES else ()
    asked = plan.max_model_len
    return known if asked is None or asked in known else (*known, asked)
